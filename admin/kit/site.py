"""SQLAdmin's `Admin` with its pages replaced by ones that check before they act."""

from __future__ import annotations

import inspect
import re
from functools import partial
from http import HTTPStatus
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlencode

import anyio
import anyio.to_thread
from sqladmin import Admin
from sqladmin.authentication import login_required
from sqladmin.authorization import Action as Right
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy.orm import sessionmaker
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, request_response

from admin.kit import (
    form_pages,
    index_page,
    indexes,
    once,
    palette,
    read_pages,
    refused,
    revealing,
)
from admin.kit.accent import STYLESHEET, accent_stylesheet
from admin.kit.actions import BulkEdit
from admin.kit.actions import pages as action_pages
from admin.kit.authentication import safe_next
from admin.kit.board import Board
from admin.kit.body_limit import BodyLimit
from admin.kit.cells import pages as cells
from admin.kit.compression import Compression
from admin.kit.csrf import CrossOriginProtection
from admin.kit.errors import (
    SENTENCES,
    UNAVAILABLE,
    BadAddress,
    ErrorPages,
    http_error,
    require,
)
from admin.kit.forms import posted
from admin.kit.head_limit import HeadLimit
from admin.kit.headers import SecurityHeaders
from admin.kit.history import current_origin, forget_recorded
from admin.kit.history import pages as history_pages
from admin.kit.history.object_pages import trash_path
from admin.kit.history.obstacles import may_open, object_path
from admin.kit.history.sight import is_recorded, may_undo
from admin.kit.hooks import refuse_nested_work
from admin.kit.hosts import KnownHosts
from admin.kit.keys import key_of
from admin.kit.languages import Languages, gettext
from admin.kit.lists import lazy, view_pages
from admin.kit.lists.query import PLACE
from admin.kit.lists.views import said_again
from admin.kit.menu import MenuEntry, MenuGroup, entry_of
from admin.kit.model_admin import ModelAdmin
from admin.kit.preferences import Preferences, chosen_preferences, keep
from admin.kit.scopes import opens_all_listed
from admin.kit.static_files import StaticFiles
from admin.kit.templating import Templates, key_path, path_for
from admin.kit.watched import asks_about_rows
from admin.kit.withheld import bound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from sqladmin.authorization import AuthorizationBackend
    from sqladmin.models import BaseView, ModelView
    from sqlalchemy.orm import Session
    from starlette.applications import Starlette
    from starlette.requests import Request

    from admin.kit.actions import Action as AnyAction
    from admin.kit.authentication import Authentication
    from admin.kit.database import Database
    from admin.kit.history import Journal, Recorded
    from admin.kit.lists.kept import ListStore
    from admin.kit.progress import Job

Result = TypeVar("Result")

# An export works through its rows without pause; more at once would only make pages wait.
MOST_EXPORTS_AT_ONCE = 2
REFERER = re.compile(r"https?://(?P<host>[^/?#]*)(?P<path>/[^#]*)")


class AdminSite(Admin):
    """Mounts the admin on `app`; every page reads and writes through `database`.

    `threads` is how many requests may use the database at once; keep it at the size of the pool.
    `templates` are folders whose pages replace the kit's pages of the same name, `static_folders`
    hold files that join or replace the kit's; templates link them with `static("name.css")`.
    `board` has the cards of the front page.
    `accent` is the colour of buttons and links, as in "#0969c3"; one that can't be read is refused.
    `journal` is the one that `database` writes; with it there are pages of the history, undo and
    trash. `environment` marks every page, so that nobody takes one for another. As in Django, the
    attribute `index_title` heads the front page, and `site_url` is where "View site" leads.
    `empty_value_display` stands for empty values, instead of a dash.
    `refuses_lazy_loads` fails a list whose cells load something row by row, while one develops;
    `reloads_templates` shows each page by its templates as they are on the disk.
    `list_store` keeps operators' views of lists and what they choose for each; without one there
    are only the views that are declared.
    `languages` are offered on every page, the first one to those who understand none of them;
    `locale_folders` have the application's texts in them.
    """

    authentication_backend: Authentication
    templates: Templates
    index_title = ""
    site_url = ""
    empty_value_display = ""

    def __init__(  # noqa: PLR0913 - options are passed by name
        self,
        app: Starlette,
        database: Database,
        *,
        authentication_backend: Authentication,
        authorization_backend: AuthorizationBackend | None = None,
        allowed_hosts: Sequence[str] = ("localhost", "127.0.0.1", "[::1]"),
        https: bool = False,
        accent: str = "",
        environment: str = "",
        threads: int = 15,
        refuses_lazy_loads: bool = False,
        reloads_templates: bool = False,
        templates: Sequence[str | Path] = (),
        board: Board | None = None,
        journal: Journal | None = None,
        list_store: ListStore | None = None,
        static_folders: Sequence[str | Path] = (),
        languages: Sequence[str] = ("en", "de", "ar"),
        locale_folders: Sequence[str | Path] = (),
        **options: Any,
    ) -> None:
        self.database = database
        self.limiter = anyio.CapacityLimiter(threads)
        self.export_limiter = anyio.CapacityLimiter(MOST_EXPORTS_AT_ONCE)
        # The palette searches while somebody types; slow searches leave threads to the pages.
        self.search_limiter = anyio.CapacityLimiter(max(1, threads // 2))
        self.template_folders = templates
        self.board = board or Board()
        self.journal = journal
        self.list_store = list_store
        self.accent = accent
        made = {STYLESHEET: accent_stylesheet(accent)} if accent else {}
        self.statics = StaticFiles(static_folders, made)
        self.languages = Languages(languages, locale_folders)
        self.environment = environment
        self.refuses_lazy_loads = refuses_lazy_loads
        self.reloads_templates = reloads_templates
        if refuses_lazy_loads:
            lazy.watch()
        self.https = https
        self.actions: dict[str, AnyAction] = {}
        self.disabled_actions: set[str] = set()
        self.refusals = refused.Refusals()
        self.jobs: dict[Any, Job] = {}
        # Whose names are made of what is withheld, for each set of what is; see `withheld`.
        self.nameless: dict[Any, frozenset[type]] = {}
        self.add_action(BulkEdit())
        authentication_backend.site = self
        super().__init__(
            app,
            # A copy, because SQLAdmin reconfigures the one it gets.
            session_maker=sessionmaker(class_=database.sessions.class_, **database.sessions.kw),
            middlewares=[
                # Around everything that may say something.
                Middleware(Preferences, languages=self.languages),
                Middleware(SecurityHeaders, https=https),
                # Around the error pages, so that they are compressed as well.
                Middleware(Compression),
                Middleware(ErrorPages, render=self.error_page),
                Middleware(KnownHosts, allowed_hosts),
                Middleware(HeadLimit),
                Middleware(CrossOriginProtection),
                Middleware(BodyLimit),
            ],
            authentication_backend=authentication_backend,
            authorization_backend=authorization_backend,
            **options,
        )
        self.replace_routes()

    def replace_routes(self) -> None:
        """Mount only what this class answers for: no file routes, no import."""
        self.admin.router.routes[:] = [
            Route("/statics/{path:path}", self.statics.serve, name="statics"),
            Route("/", self.index, name="index"),
            Route("/login", self.login, methods=["GET", "POST"], name="login"),
            Route("/search", self.search, name="search"),
            Route("/preferences", self.choose_preferences, methods=["POST"], name="preferences"),
            Route("/logout", self.logout, methods=["POST"], name="logout"),
            *self.authentication_backend.routes(),
            Route("/{identity}/details/{pk:path}", self.details, name="details"),
            Route("/{identity}/create", self.create, methods=["GET", "POST"], name="create"),
            Route("/{identity}/edit/{pk:path}", self.edit, methods=["GET", "POST"], name="edit"),
            Route("/{identity}/delete", self.delete, methods=["GET", "POST"], name="delete"),
            Route("/{identity}/export/{export_type}", self.export, name="export"),
            Route("/{identity}/action/{slug}", self.run_action, methods=["POST"], name="action"),
            Route("/{identity}/ajax/lookup", self.ajax_lookup, name="ajax_lookup"),
            *view_pages.routes(self),
            Route("/{identity}/cells", self.cells, methods=["POST"], name="cells"),
            Route("/{identity}/cell/{pk:path}", self.cell, methods=["GET", "POST"], name="cell"),
        ]
        if self.journal is not None:
            self.admin.router.routes[:0] = [*history_pages.routes(self), *revealing.routes(self)]
        # Routes are tried one after the other, and lists are asked for most.
        self.admin.router.routes.insert(0, Route("/{identity}/list", self.list, name="list"))
        self.admin.router.redirect_slashes = False
        self.admin.router.default = request_response(self.unknown)
        self.admin.exception_handlers = {
            HTTPException: self.error_page,
            **dict.fromkeys(UNAVAILABLE, self.unavailable),
        }

    def init_templating_engine(self) -> Templates:
        """Return the kit's pages; SQLAdmin's own are never shown."""
        return Templates(
            self.template_folders, self.statics, auto_reload=self.reloads_templates, admin=self
        )

    def add_view(self, view: type[ModelView | BaseView]) -> None:
        """Add a view; raise `ImproperlyConfigured` for one that could not be reached or trusted."""
        if view.is_model and not issubclass(view, ModelAdmin):
            raise ImproperlyConfigured(f"{view.__name__} must be a ModelAdmin of the kit.")
        if any(view.is_model and view.identity == other.identity for other in self.views):
            raise ImproperlyConfigured(f"{view.__name__}: {view.identity!r} is taken.")
        if self.journal is not None and view.is_model and view.identity == "history":
            raise ImproperlyConfigured(f"{view.__name__}: the pages of the history are there.")
        if issubclass(view, ModelAdmin):
            index_page.check_scope(self.board.cards, view)
        super().add_view(view)
        if isinstance(added := self.views[-1], ModelAdmin):
            indexes.report(added)

    @staticmethod
    def _find_decorated_funcs(view: Any, view_instance: Any, handle_fn: Any) -> None:
        """Hand on the methods that a decorator marked, the last one first, as SQLAdmin does.

        SQLAdmin asks the view for all that it has, properties too, and that twice.
        """
        marked = {name: m for name in dir(view) if is_marked(m := getattr(view, name, None))}
        for name in sorted(marked, key=lambda name: line_of(marked[name]), reverse=True):
            handle_fn(getattr(view_instance, name), view, view_instance)

    def _handle_action_decorated_func(self, func: Any, view: Any, view_instance: Any) -> None:
        super()._handle_action_decorated_func(func, view, view_instance)
        if hasattr(func, "_action"):
            routes = self.admin.router.routes
            routes[-1] = action_pages.post_only(routes[-1], func, view_instance)

    def add_action(self, action: AnyAction) -> None:
        """Offer an action on every view, instead of another one of the same name."""
        self.actions[action.slug] = action
        self.disabled_actions.discard(action.slug)

    def disable_action(self, name: str) -> None:
        """Offer an action of the site only on the views that name it in their `actions`."""
        if name not in self.actions:
            raise ImproperlyConfigured(f"There is no action {name!r} to disable.")
        self.disabled_actions.add(name)

    # The database

    async def read(self, work: Callable[[Session], Result]) -> Result:
        """Run work that changes nothing in a worker thread; hooks within work can't call this."""
        refuse_nested_work()
        return await anyio.to_thread.run_sync(self.database.read, work, limiter=self.limiter)

    async def write(self, work: Callable[[Session], Result]) -> Result:
        """Run work in a worker thread and one transaction; hooks within work can't call this."""
        refuse_nested_work()
        write = partial(self.database.write, work, operation=current_origin().operation)
        try:
            result = await anyio.to_thread.run_sync(write, limiter=self.limiter)
        except BaseException:
            forget_recorded()
            raise
        once.claim_next()
        return result

    def work_ahead(self, request: Request) -> Callable[[Session], Any] | None:
        """Return what the page that is asked for reads first, if it may be read unasked."""
        is_list = request.scope.get("endpoint") == self.list
        return read_pages.work_ahead(self, request) if is_list else None

    # The history

    @property
    def recorded(self) -> Journal:
        """The journal, for code that runs only where there is one."""
        assert self.journal is not None  # noqa: S101 - no page asks without one
        return self.journal

    def undo_path(self, request: Request, done: Sequence[Recorded]) -> str:
        """Return where to undo what this request did, or "" for those who may not.

        What hooks did afterwards, in transactions of their own, is not it.
        """
        if self.journal is None or not done or not may_undo(self, request, done[0].counts):
            return ""
        return path_for(request, "history_undo", id=done[0].operation.hex)

    def history_path(self, request: Request, view: ModelAdmin | None = None, key: str = "") -> str:
        """Return where the history of an object is, or of all; "" where there is none to see."""
        if view is None:
            return history_pages.path(self, request)
        is_kept = is_recorded(self.journal, view) and may_open(view, request)
        return object_path(request, view, key) if is_kept else ""

    def trash_path(self, request: Request, view: ModelAdmin) -> str:
        """Return where the deleted rows of a view are, or "" for those who may not restore any."""
        return trash_path(view, request)

    # Views

    def view(self, request: Request, action: str = Right.EDIT) -> ModelAdmin:
        """Return the view that the address names, without what is withheld from its operator.

        Its forms have what may be set by this action. Raises a 404 or a 403.
        """
        view = self._find_model_view(request.path_params["identity"])
        require(view.is_accessible(request))
        # `add_view` takes no other model views.
        return bound(view, request, action)  # type: ignore[arg-type]

    def model_views(self, request: Request | None = None) -> list[ModelAdmin]:
        """Return the views that show a model, in the order of adding.

        For pages, ask with the request: then they are without what is withheld from its operator.
        """
        views = [view for view in self.views if isinstance(view, ModelAdmin)]
        return views if request is None else [bound(view, request) for view in views]

    def views_of(
        self, models: Collection[type], request: Request | None = None
    ) -> list[ModelAdmin]:
        """Return the views of these models, as `model_views` does."""
        views = [view for view in self.model_views() if view.model in models]
        return views if request is None else [bound(view, request) for view in views]

    def details_paths(self, request: Request, model: type) -> list[tuple[ModelAdmin, str, bool]]:
        """Return the views that show objects of a model, where, and whether they ask about each.

        That is found out once a request.
        """
        paths: dict[type, list[tuple[ModelAdmin, str, bool]]]
        paths = request.scope.setdefault("admin_details_paths", {})
        if model not in paths:
            paths[model] = [
                (view, path_for(request, "details", identity=view.identity, pk=""), asks)
                for view in self.views_of({model}, request)
                if view.can_view_details and view.is_accessible(request)
                if opens_all_listed(view, request)
                if (asks := asks_about_rows(view, "has_permission"))
                or view.has_permission(request, Right.DETAILS)
            ]
        return paths[model]

    def object_path(self, request: Request, page: str, view: ModelAdmin, obj: Any) -> str:
        """Return the path of an object's page, carrying the list's search, filters and order."""
        path = key_path(request, page, view.identity, key_of(obj))
        return f"{path}?{request.url.query}" if request.url.query else path

    def back_to_list(self, request: Request, view: ModelAdmin, query: str = "") -> Response:
        """Return to the list, at the place its query says."""
        path = path_for(request, "list", identity=view.identity)
        return RedirectResponse(f"{path}?{query}" if query else path, 302)

    def menu(self, request: Request) -> Sequence[MenuGroup]:
        """Return the views that this operator may open, by category, in the order of adding."""
        groups: dict[str, list[MenuEntry]] = {}
        for view in self.views:
            if view.is_visible(request) and view.is_accessible(request):
                groups.setdefault(view.category, []).append(entry_of(view, request))
        return [MenuGroup(label, entries) for label, entries in groups.items()]

    def list_before(self, request: Request) -> str:
        """Return the address of the list from which something was sent, or ""."""
        back = way_back(request)
        lists = [path_for(request, "list", identity=v.identity) for v in self.model_views(request)]
        return back if back.partition("?")[0] in lists else ""

    # Pages

    async def page(
        self, request: Request, template: str, status: int = 200, /, **context: Any
    ) -> Response:
        return await self.templates.TemplateResponse(request, template, context, status)

    async def error_page(self, request: Request, error: Exception) -> Response:
        """Say in words what an error means to the operator."""
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for no other
        status = error.status_code
        is_bare = error.detail == HTTPStatus(status).phrase
        context = {
            "title": gettext("Error %(status)s", status=status),
            "sentence": SENTENCES.get(status, error.detail) if is_bare else error.detail,
            "back": way_back(request),
            "clear_path": getattr(error, "clear_path", ""),
            "list_path": list_without(request, error),
            "is_gone": status in (403, 404),
        }
        if status == HTTPStatus.FORBIDDEN:
            await refused.record(self, request, error)
        response = await self.page(request, "sqladmin/error.html", status, **context)
        response.headers.update(error.headers or {})
        return response

    async def unavailable(self, request: Request, error: Exception) -> Response:
        """Say that the database is away, and keep what was typed so that it can be sent again."""
        answer = http_error(error, request.state.request_id)
        login = path_for(request, "login")
        # Nothing that lets somebody in, such as a code, waits on a page.
        if request.method != "POST" or f"{request.url.path}/".startswith(f"{login}/"):
            return await self.error_page(request, answer)
        # When the answer to COMMIT got lost, nobody knows; with a history it makes no difference.
        kept = (
            gettext("What you sent is kept on this page: see whether it was stored.")
            if self.database.journal is None
            else gettext(
                "What you sent is kept on this page: send it again, it is stored only once."
            )
        )
        title = gettext("Error %(status)s", status=503)
        response = await self.send_again_page(request, 503, title, f"{answer.detail} {kept}")
        response.headers.update(answer.headers or {})
        return response

    async def send_again_page(
        self, request: Request, status: int, title: str, sentence: str
    ) -> Response:
        """Keep what was sent on a page from which it can be sent once more."""
        context = {
            "title": title,
            "sentence": sentence,
            "is_signed_out": status == HTTPStatus.UNAUTHORIZED,
        }
        sent = await posted(request)
        once.keep_key(request, sent)
        fields = once.to_send_again(sent)
        return await self.page(request, "sqladmin/send_again.html", status, sent=fields, **context)

    @login_required
    async def unknown(self, request: Request) -> Response:
        """Answer for addresses that don't exist; strangers are asked to sign in all the same."""
        raise HTTPException(404)

    async def login(self, request: Request) -> Response:
        """Show the sign-in form and sign an operator in."""
        sent = await posted(request) if request.method == "POST" else request.query_params
        target = safe_next(path_for(request, "index"), str(sent.get("next", "")))
        backend = self.authentication_backend
        context = {
            "title": gettext("Sign in"),
            "next": target,
            "username": sent.get("username", ""),
        }
        if request.method != "POST":
            return await self.page(request, backend.login_template, error="", **context)
        status, headers = 400, None
        error = gettext("Enter a correct username and password.")
        try:
            if await backend.login(request):
                answer = RedirectResponse(backend.after_login(request, target), 302)
                backend.welcome(request, answer)
                return answer
        except HTTPException as refused:
            if refused.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                raise
            status, error, headers = refused.status_code, refused.detail, refused.headers
        page = await self.page(request, backend.login_template, status, error=error, **context)
        page.headers.update(headers or {})
        return page

    async def choose_preferences(self, request: Request) -> Response:
        """Keep how pages look and speak in this browser, and go back to where one was.

        A script, which names no such place, is answered without a page.
        """
        sent = await posted(request)
        front = path_for(request, "index")
        chosen = chosen_preferences(sent, self.languages)
        response = Response(status_code=204)
        if "next" in sent:
            response = RedirectResponse(safe_next(front, str(sent["next"])), 302)
        keep(response, chosen, path=front, https=self.https)
        return response

    async def logout(self, request: Request) -> Response:
        """End the session, on the server too."""
        await self.authentication_backend.logout(request)
        return RedirectResponse(path_for(request, "login"), 302)

    @login_required
    async def index(self, request: Request) -> Response:
        """Show what the operator may open, and the cards."""
        return await index_page.show(self, request)

    @login_required
    async def search(self, request: Request) -> Response:
        """Search every list that the operator may open."""
        return await palette.answer(self, request)

    @login_required
    async def list(self, request: Request) -> Response:
        if cells.EDIT in request.query_params:
            return await self.confirm(request) or await cells.show_sheet(self, request)
        return await read_pages.show_list(self, request)

    @login_required
    async def cells(self, request: Request) -> Response:
        return await self.confirm(request) or await cells.save_sheet(self, request)

    @login_required
    async def cell(self, request: Request) -> Response:
        return await self.confirm(request) or await cells.edit_cell(self, request)

    @login_required
    async def details(self, request: Request) -> Response:
        return place_in_list(request) or await read_pages.show_details(self, request)

    @login_required
    async def export(self, request: Request) -> Response:
        return await read_pages.export(self, request)

    @login_required
    async def ajax_lookup(self, request: Request) -> Response:
        return await read_pages.look_up(self, request)

    @login_required
    async def create(self, request: Request) -> Response:
        return await self.confirm(request) or await form_pages.create(self, request)

    @login_required
    async def edit(self, request: Request) -> Response:
        moved = place_in_list(request) or await self.confirm(request)
        return moved or await form_pages.edit(self, request)

    @login_required
    async def run_action(self, request: Request) -> Response:
        return await self.confirm(request) or await action_pages.run(self, request)

    @login_required
    async def delete(self, request: Request) -> Response:
        return await self.confirm(request) or await form_pages.delete(self, request)

    async def confirm(self, request: Request) -> Response | None:
        """Ask who is signed in to prove it once more, where a view demands it; None to go on."""
        is_asked = self.view(request).must_confirm
        return await self.authentication_backend.confirm(request) if is_asked else None


def is_marked(member: Any) -> bool:
    """Say whether this is a method that answers an action or an address of its own."""
    is_method = isinstance(member, FunctionType | MethodType)
    return is_method and (hasattr(member, "_action") or hasattr(member, "_exposed"))


def line_of(method: Any) -> int:
    line: int = inspect.unwrap(method).__code__.co_firstlineno
    return line


def place_in_list(request: Request) -> Response | None:
    """Add to the address of an object's page the place in the list that led to it.

    So the way back leads to the same filters and rows, and the list needn't say it in each row.
    """
    if request.method != "GET" or request.url.query:
        return None
    list_path = path_for(request, "list", identity=request.path_params["identity"])
    path, _, query = way_back(request).partition("?")
    query = said_again(query) if path == list_path else ""
    return RedirectResponse(f"{request.url.path}?{query}", 302) if query else None


def list_without(request: Request, error: HTTPException) -> str:
    """Return the path of the list without what it, or a file of it, can't be asked; or ""."""
    identity = request.path_params.get("identity")
    if not isinstance(error, BadAddress) or not identity:
        return ""
    path = path_for(request, "list", identity=identity)
    if request.url.path != path and "export_type" not in request.path_params:
        return ""
    asked = request.query_params.multi_items()
    kept = [pair for pair in asked if pair[0] not in PLACE and not error.is_about(*pair)]
    return f"{path}?{urlencode(kept)}" if kept else path


def way_back(request: Request) -> str:
    """Return the path of the admin's page that led here, or "" if it was none or the front page."""
    # Nothing here may fail, or the page that says what failed would: no `request.url`, no parser.
    came_from = REFERER.fullmatch(request.headers.get("referer", ""))
    if not came_from or came_from["host"] != request.headers.get("host"):
        return ""
    front = path_for(request, "index")
    path = safe_next(front, came_from["path"])
    asked = unquote(f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}")
    is_here = request.method == "GET" and unquote(path) == asked.rstrip("?")
    return "" if is_here or path == front else path
