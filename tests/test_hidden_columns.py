"""Columns that a role hides, or lets nobody set."""

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.history import JOURNAL
from admin.kit.lists.loading import values_of
from admin.kit.lists.statements import select_whole
from models import User
from models.database import Database
from tests.pages import get, submit
from tests.records import add_post, add_user, users
from tests.rights import ALL, right, sign_in_with

HIDDEN = {"user": right("*", hidden=["email", "is_active"]), "post": right("*")}
NAMELESS = {"user": right("*", hidden=["name"]), "post": right("*")}
FIXED = {"user": right("*", readonly=["email", "is_active"])}


@pytest.fixture
def ann(database: Database) -> User:
    recorded = database.recorded_by(JOURNAL)
    ann = add_user(recorded, "Ann", email="ann@secret.example")
    add_post(recorded, ann, "Hers")

    def rename(session: object) -> None:
        session.get(User, ann.id).email = "anne@secret.example"  # type: ignore[attr-defined]

    recorded.write(rename)
    return ann


@pytest.fixture
def hugo(app: Starlette, database: Database) -> TestClient:
    """Sign in Hugo, who may do all, and sees no addresses."""
    return sign_in_with(app, database, HIDDEN, name="hugo")


def test_what_a_role_leaves_of_a_list_is_not_kept(hugo: TestClient, ann: User) -> None:
    """It would be one more thing for each request."""
    before = select_whole.cache_info().currsize, values_of.cache_info().currsize
    for _ in range(2):
        assert hugo.get("/admin/user/list").status_code == 200
    assert (select_whole.cache_info().currsize, values_of.cache_info().currsize) == before


@pytest.mark.parametrize(
    "path",
    [
        "user/list",
        "user/list?_columns=name,email",
        "user/list?_open=display",
        "user/list?_build=open",
        "user/details/{}",
        "user/edit/{}",
        "user/create",
        "user/history/{}",
        "user/history/{}?at=2",
        "user/export/json",
        "post/list?_columns=title,author.email",
        "post/export/csv",
    ],
)
def test_a_hidden_column_is_on_no_page(hugo: TestClient, ann: User, path: str) -> None:
    page = hugo.get(f"/admin/{path.format(ann.id)}")
    assert page.status_code == 200
    text = re.sub(r"_columns=[^\"&]*", "", page.text)
    assert not re.search("secret.example|e-mail", text, re.IGNORECASE), text


@pytest.mark.parametrize(
    "query",
    [
        "sortBy={}",
        "{}=x",
        "{}__startswith=a",
        "_where={}%3Dx",
        "_build=open&_g=1&_f={}",
    ],
)
def test_an_address_with_a_hidden_column_is_one_with_an_unknown_one(
    hugo: TestClient, ann: User, query: str
) -> None:
    hidden, unknown = (
        hugo.get(f"/admin/user/list?{query.format(name)}") for name in ("email", "posts__none")
    )
    assert hidden.status_code == unknown.status_code == 400


def test_a_hidden_column_is_not_searched(hugo: TestClient, ann: User) -> None:
    assert get(hugo, "/admin/user/list?search=secret").root.find("tr") == []
    assert "Ann" not in hugo.get("/admin/search?q=secret").text
    assert "Ann" not in hugo.get("/admin/post/ajax/lookup?name=author&term=secret").text


@pytest.mark.parametrize("rights", [HIDDEN, FIXED])
def test_no_form_sets_it(
    app: Starlette, database: Database, ann: User, rights: dict[str, object]
) -> None:
    client = sign_in_with(app, database, rights)
    path = f"/admin/user/edit/{ann.id}"
    submit(client, path, name="Anna", email="mine@example.org", is_active="false")
    (stored,) = users(database)
    assert (stored.name, stored.email, stored.is_active) == ("Anna", "anne@secret.example", True)


def test_no_action_cell_or_undo_sets_what_is_read_only(
    app: Starlette, database: Database, ann: User
) -> None:
    client = sign_in_with(app, database, FIXED)
    page = client.get("/admin/user/list").text
    assert "Deactivate" not in page
    assert client.post("/admin/user/action/deactivate", data={"_all": "1"}).status_code == 403
    assert client.get(f"/admin/user/cell/{ann.id}?name=is_active").status_code == 400
    change = re.findall(r'/admin/history/(\d+)">Changed', client.get("/admin/history").text)[0]
    undone = client.post(f"/admin/history/{change}/undo")
    assert "fields that you may not change" in undone.text
    assert users(database)[0].email == "anne@secret.example"


def test_what_is_read_only_is_shown(app: Starlette, database: Database, ann: User) -> None:
    client = sign_in_with(app, database, FIXED)
    page = get(client, f"/admin/user/edit/{ann.id}")
    assert "anne@secret.example" in page.root.text
    assert "email" not in page.fields()


@pytest.mark.parametrize(
    "path",
    [
        "user/list",
        "user/details/{}",
        "user/delete?pks={}",
        "user/history/{}",
        "post/list",
        "history",
    ],
)
def test_a_row_whose_name_is_hidden_goes_by_its_key(
    app: Starlette, database: Database, ann: User, path: str
) -> None:
    client = sign_in_with(app, database, NAMELESS)
    page = client.get(f"/admin/{path.format(ann.id)}")
    assert page.status_code == 200
    assert not re.search(r"\bAnn\b", page.text)


def test_two_roles_hide_what_both_hide(app: Starlette, database: Database, ann: User) -> None:
    client = sign_in_with(app, database, HIDDEN, {"user": right(*ALL, hidden=["email"])})
    page = client.get("/admin/user/list").text
    assert "Active" in page
    assert "secret.example" not in page
