"""What is mounted, and what of SQLAdmin the kit leans on: an upgrade that changes it fails here."""

import inspect
from typing import Any

import pytest
from sqladmin import Admin, ModelView, ajax, application, flash, forms, helpers, models, templating
from sqlalchemy import create_engine, make_url
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from admin.kit import action
from admin.saved_views import SavedViews
from models.database import Database, connect
from tests.databases import Sqlite
from tests.kit.app import Book, BookAdmin, Publisher, PublisherAdmin, make_app
from tests.kit.recorded import make_recorded

NOWHERE = connect(make_url("sqlite://"))
READ, FORM, CHANGE = {"GET", "HEAD"}, {"GET", "HEAD", "POST"}, {"POST"}
# All that may be asked for; look at what a new route does before it joins the list.
LIST = ("/{identity}/list", READ, "list")  # tried first
MOUNTED = [
    ("/statics/{path:path}", READ, "statics"),
    ("/", READ, "index"),
    ("/login", FORM, "login"),
    ("/search", READ, "search"),
    ("/preferences", CHANGE, "preferences"),
    ("/logout", CHANGE, "logout"),
    ("/{identity}/details/{pk:path}", READ, "details"),
    ("/{identity}/create", FORM, "create"),
    ("/{identity}/edit/{pk:path}", FORM, "edit"),
    ("/{identity}/delete", FORM, "delete"),
    ("/{identity}/export/{export_type}", READ, "export"),
    ("/{identity}/action/{slug}", CHANGE, "action"),
    ("/{identity}/ajax/lookup", READ, "ajax_lookup"),
    ("/{identity}/views/counts", READ, "view_counts"),
    ("/{identity}/cells", CHANGE, "cells"),
    ("/{identity}/cell/{pk:path}", FORM, "cell"),
    ("/book/action/lend", CHANGE, "action-book-lend"),
]
# What a site with a journal mounts before them.
HISTORY = [
    ("/history", READ, "history"),
    ("/history/{id}", READ, "history_set"),
    ("/history/{id}/undo", CHANGE, "history_undo"),
    ("/{identity}/history/{pk:path}", FORM, "object_history"),
    ("/{identity}/trash", FORM, "trash"),
    ("/{identity}/reveal/{pk:path}", FORM, "reveal"),
    ("/{identity}/export/{export_type}/clear", FORM, "export_clear"),
]
# What a site that keeps operators' views mounts after them.
KEPT = [
    ("/{identity}/views", CHANGE, "save_view"),
    ("/{identity}/views/{key}", CHANGE, "change_view"),
    ("/{identity}/choices", CHANGE, "choices"),
]
STOCK = [
    ("/statics", None, "statics"),
    ("/", READ, "index"),
    ("/{identity}/list", READ, "list"),
    ("/{identity}/details/{pk:path}", READ, "details"),
    ("/{identity}/delete", {"DELETE"}, "delete"),
    ("/{identity}/create", FORM, "create"),
    ("/{identity}/edit/{pk:path}", FORM, "edit"),
    ("/{identity}/export/{export_type}", READ, "export"),
    ("/{identity}/import", CHANGE, "import"),
    ("/{identity}/ajax/lookup", READ, "ajax_lookup"),
    ("/login", FORM, "login"),
    ("/logout", READ, "logout"),
    ("/{identity}/{pk:path}/{column_name}/download/", READ, "file_download"),
    ("/{identity}/{pk:path}/{column_name}/preview/", READ, "file_preview"),
]
# Names of SQLAdmin that the kit overrides or reads, though they are not its documented ones.
LEANED_ON: list[tuple[Any, str]] = [
    *((Admin, name) for name in ("_find_model_view", "_handle_action_decorated_func")),
    *((Admin, name) for name in ("init_templating_engine", "add_view", "views")),
    (Admin, "_find_decorated_funcs"),
    *((ModelView, name) for name in ("_visible_custom_actions", "_get_prop_name")),
    *((ModelView, name) for name in ("_stmt_by_identifier", "_formatter_accepts_request")),
    *((ModelView, name) for name in ("_get_default_sort", "scaffold_form", "has_permission")),
    *((forms.ModelConverter, name) for name in ("_prepare_kwargs", "_prepare_column")),
    *((forms.ModelConverter, name) for name in ("_prepare_select_options", "get_converter")),
    (forms, "WTFORMS_ATTRS"),
    (ajax.QueryAjaxModelLoader, "_prepare_where_clauses"),
    (templating, "_TemplateResponse"),
    (helpers, "get_direction"),
    (helpers, "get_object_identifier"),
    (helpers, "object_identifier_values"),
    (helpers, "parse_interval"),
    (flash, "get_flashed_messages"),
    (application, "login_required"),
    (models, "ModelViewMeta"),
]
ATTRIBUTES = [
    "_mapper",
    "_list_prop_names",
    "_details_prop_names",
    "_export_prop_names",
    "_form_prop_names",
    "_search_fields",
    "_sort_fields",
    "_form_ajax_refs",
    "_form_create_rules",
    "_form_edit_rules",
    "_form_overrides",
    "_column_labels",
    "_list_formatters",
    "_detail_formatters",
    "_custom_actions_in_list",
    "_custom_actions_in_detail",
    "_custom_actions_confirmation",
]


class LendingAdmin(BookAdmin, model=Book):
    @action(name="lend")
    async def lend(self, request: Any) -> None:
        """Do nothing."""


def routes(admin: Starlette) -> list[tuple[str, set[str] | None, str | None]]:
    return [
        (route.path, route.methods if isinstance(route, Route) else None, route.name)
        for route in admin.routes
        if isinstance(route, Route | Mount)
    ]


def test_nothing_is_mounted_unseen() -> None:
    """No file routes, no import, nothing of SQLAdmin's that nobody has looked at."""
    site = make_app(NOWHERE, LendingAdmin, PublisherAdmin).state.site
    assert routes(site.admin) == [LIST, *MOUNTED]
    assert len(site.admin.routes) == len(MOUNTED) + 1


def test_a_journal_adds_its_own_pages_and_nothing_else() -> None:
    site = make_recorded(NOWHERE, LendingAdmin, PublisherAdmin).state.site
    assert routes(site.admin) == [LIST, *HISTORY, *MOUNTED]


def test_a_store_of_views_adds_what_changes_them_and_nothing_else() -> None:
    site = make_app(NOWHERE, PublisherAdmin, list_store=SavedViews()).state.site
    assert routes(site.admin) == [LIST, *MOUNTED[:-3], *KEPT, *MOUNTED[-3:-1]]


def test_sqladmin_mounts_what_it_did_when_we_looked() -> None:
    assert routes(Admin(Starlette(), create_engine("sqlite://")).admin) == STOCK


@pytest.mark.parametrize(("owner", "name"), LEANED_ON, ids=str)
def test_sqladmin_still_has_what_the_kit_leans_on(owner: Any, name: str) -> None:
    assert hasattr(owner, name)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_sqladmin_still_resolves_declarations_under_these_names(name: str) -> None:
    class Stock(ModelView, model=Publisher):
        pass

    assert hasattr(Stock(), name)


def test_sqladmin_still_marks_actions_as_it_did() -> None:
    marks = {name for name in vars(LendingAdmin.lend) if name.startswith("_")}
    assert marks >= {"_action", "_slug", "_label", "_confirmation_message", "_add_in_list"}
    assert inspect.unwrap(LendingAdmin.lend) is not LendingAdmin.lend


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def library(library: Database) -> Database:
    library.write(lambda session: session.add(Book(title=".env")))
    return library


@pytest.mark.parametrize("path", ["title/download/", "title/preview/", "title/download"])
def test_a_column_is_never_the_name_of_a_file(
    library: Database, client: TestClient, path: str
) -> None:
    """Not even one that holds the name of a file that exists."""
    for row in ("book/1", "book/details/1", "publisher/1"):
        assert client.get(f"/admin/{row}/{path}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "book/import", 404),
        ("DELETE", "book/delete?pks=1", 405),
        ("GET", "book/list/", 404),
        ("GET", "book/details/1/", 404),
        ("GET", "book/export/xml", 404),
        ("GET", "book/save", 404),
        ("GET", "unknown/list", 404),
        ("POST", "book/list", 405),
        ("POST", "", 404),
    ],
)
def test_what_is_not_mounted_is_not_there(
    library: Database, client: TestClient, method: str, path: str, status: int
) -> None:
    assert client.request(method, f"/admin/{path}").status_code in (status, 405)
    assert library.read(lambda session: session.get(Book, 1))


def test_no_template_of_sqladmin_can_be_shown() -> None:
    """The kit's folder has all the pages; SQLAdmin's are not even looked for."""
    environment = make_app(NOWHERE).state.site.templates.env
    kit = set(environment.list_templates())
    assert "sqladmin/list.html" in kit
    assert not {"sqladmin/modals/delete.html", "sqladmin/_macros/actions.html"} & kit
    assert not any("original" in name for name in kit)
    assert type(environment.loader).__name__ == "FileSystemLoader"
