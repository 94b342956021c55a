"""The wiring: who may enter, what they may do, and the views in menu order."""

from pathlib import Path

from starlette.applications import Starlette

from admin.auth.backend import OperatorAuth
from admin.card_snapshots import CardSnapshots
from admin.dashboard import CARDS
from admin.history import JOURNAL
from admin.kit import AdminSite, Board, RoleAuthorization
from admin.kit.languages import lazy_gettext
from admin.saved_views import SavedViews
from admin.settings import Settings
from admin.views import VIEWS
from models.database import Database

HERE = Path(__file__).parent
LANGUAGES = ("en", "de", "ar")


def mount_admin(app: Starlette, database: Database, settings: Settings) -> AdminSite:
    """Put the admin under /admin."""
    site = AdminSite(
        app,
        database,
        title=settings.title,
        authentication_backend=OperatorAuth(database, settings),
        authorization_backend=RoleAuthorization(),
        allowed_hosts=settings.allowed_hosts,
        https=settings.is_production,
        environment="" if settings.is_production else lazy_gettext("Development"),
        refuses_lazy_loads=not settings.is_production,
        reloads_templates=not settings.is_production,
        threads=settings.db_pool_size + settings.db_max_overflow,
        board=Board(CARDS, CardSnapshots()),
        journal=JOURNAL,
        list_store=SavedViews(),
        languages=LANGUAGES,
        locale_folders=[HERE / "locale"],
        templates=[HERE / "templates"],
        static_folders=[HERE / "static"],
    )
    for view in VIEWS:
        site.add_view(view)
    return site
