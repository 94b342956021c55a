"""Who may do what: each role at each route, and rights that change while one is signed in."""

from dataclasses import dataclass
from urllib.parse import urlencode

import anyio
import pytest
from sqlalchemy import Connection, delete, select, update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.history import JOURNAL
from models import Change, ChangeSet, Operator, OperatorSession, SavedView
from models.database import Database
from tests.asking import Headers, Sent, ask
from tests.fuzz.oracle import tables
from tests.pages import get
from tests.personas import add_operator, sign_in, visit
from tests.records import add_post, add_user, users
from tests.routes import METHODS, answers, methods_of, routes

SUPERUSER, STRANGER = "superuser", "stranger"
# Addresses that no route has.
UNKNOWN = {"/admin/nothing"}

# Route by route: what an owner, an editor, a viewer, somebody without a role and a stranger are
# answered. HEAD is answered as GET is; any other method that has no line is a 405, whoever asks.
# `{user}` and `{post}` are keys of rows that exist, `{change}` is the change that made another
# user, `{shared}` and `{private}` are views of Zoe's.
TABLE: dict[tuple[str, str], tuple[int, int, int, int, int]] = {
    ("GET", "/"): (302, 302, 302, 302, 302),
    ("GET", "/admin"): (302, 302, 302, 302, 302),
    ("GET", "/healthz"): (200, 200, 200, 200, 200),
    ("GET", "/readyz"): (200, 200, 200, 200, 200),
    ("GET", "/admin/statics/admin.css"): (200, 200, 200, 200, 200),
    ("GET", "/admin/login"): (200, 200, 200, 200, 200),
    ("POST", "/admin/login"): (400, 400, 400, 400, 400),
    ("POST", "/admin/preferences"): (204, 204, 204, 204, 204),
    ("POST", "/admin/logout"): (302, 302, 302, 302, 302),
    ("GET", "/admin/"): (200, 200, 200, 200, 302),
    ("GET", "/admin/account"): (200, 200, 200, 200, 302),
    ("GET", "/admin/user/export/csv/clear"): (200, 403, 403, 403, 302),
    ("POST", "/admin/user/export/csv/clear"): (400, 403, 403, 403, 302),
    ("GET", "/admin/user/reveal/{user}"): (200, 403, 403, 403, 302),
    ("POST", "/admin/user/reveal/{user}"): (400, 403, 403, 403, 302),
    ("GET", "/admin/account/password"): (200, 200, 200, 200, 302),
    ("POST", "/admin/account/password"): (400, 400, 400, 400, 302),
    ("GET", "/admin/login/link/x"): (302, 302, 302, 302, 302),
    ("GET", "/admin/login/password"): (404, 404, 404, 404, 404),
    ("POST", "/admin/login/password"): (404, 404, 404, 404, 404),
    ("GET", "/admin/login/forgot"): (404, 404, 404, 404, 404),
    ("POST", "/admin/login/forgot"): (404, 404, 404, 404, 404),
    ("GET", "/admin/operator/details/{operator}"): (200, 403, 403, 403, 302),
    ("GET", "/admin/operator/history/{operator}"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/history/{operator}"): (400, 403, 403, 403, 302),
    ("GET", "/admin/operator/trash"): (404, 403, 403, 403, 302),
    ("POST", "/admin/operator/trash"): (404, 403, 403, 403, 302),
    ("GET", "/admin/operator/delete"): (302, 403, 403, 403, 302),
    ("POST", "/admin/operator/delete?pks={operator}"): (302, 403, 403, 403, 302),
    ("GET", "/admin/operator/create"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/create"): (400, 403, 403, 403, 302),
    ("GET", "/admin/operator/edit/{operator}"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/edit/{operator}"): (302, 403, 403, 403, 302),
    ("GET", "/admin/operator/delete?pks={operator}"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/delete"): (302, 403, 403, 403, 302),
    ("GET", "/admin/operator/export/csv"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/action/set-password"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/action/link"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/action/sign-out"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/action/unlock"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/action/reset-factors"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/action/activate"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/action/deactivate"): (200, 403, 403, 403, 302),
    ("POST", "/admin/operator/action/change"): (404, 403, 403, 403, 302),
    ("GET", "/admin/user/why/{user}"): (200, 403, 403, 403, 302),
    ("GET", "/admin/role/list"): (200, 403, 403, 403, 302),
    ("GET", "/admin/role/create"): (200, 403, 403, 403, 302),
    ("POST", "/admin/role/create"): (302, 403, 403, 403, 302),
    ("POST", "/admin/view-as/{zoe}"): (302, 403, 403, 403, 302),
    ("POST", "/admin/view-as/stop"): (302, 302, 302, 302, 302),
    ("GET", "/admin/account/sessions"): (200, 200, 200, 200, 302),
    ("POST", "/admin/account/sessions"): (302, 302, 302, 302, 302),
    ("GET", "/admin/account/confirm"): (302, 302, 302, 302, 302),
    ("POST", "/admin/account/confirm"): (302, 302, 302, 302, 302),
    ("GET", "/admin/account/two-factor"): (200, 200, 200, 200, 302),
    ("GET", "/admin/account/two-factor/app"): (200, 200, 200, 200, 302),
    ("POST", "/admin/account/two-factor/app"): (400, 400, 400, 400, 302),
    ("GET", "/admin/account/two-factor/app/remove"): (302, 302, 302, 302, 302),
    ("POST", "/admin/account/two-factor/app/remove"): (302, 302, 302, 302, 302),
    ("GET", "/admin/account/two-factor/codes"): (302, 302, 302, 302, 302),
    ("POST", "/admin/account/two-factor/codes"): (302, 302, 302, 302, 302),
    ("GET", "/admin/account/two-factor/passkeys/add"): (200, 200, 200, 200, 302),
    ("POST", "/admin/account/two-factor/passkeys/add"): (400, 400, 400, 400, 302),
    ("POST", "/admin/account/two-factor/passkeys/options"): (200, 200, 200, 200, 302),
    ("GET", "/admin/account/two-factor/passkeys/1"): (404, 404, 404, 404, 302),
    ("POST", "/admin/account/two-factor/passkeys/1"): (404, 404, 404, 404, 302),
    ("GET", "/admin/login/second-step"): (302, 302, 302, 302, 302),
    ("POST", "/admin/login/second-step"): (302, 302, 302, 302, 302),
    ("POST", "/admin/login/second-step/options"): (401, 401, 401, 401, 401),
    ("POST", "/admin/login/passkey"): (400, 400, 400, 400, 400),
    ("POST", "/admin/login/passkey/options"): (200, 200, 200, 200, 200),
    ("GET", "/admin/search?q=alice"): (200, 200, 200, 200, 302),
    ("GET", "/admin/history"): (200, 200, 200, 403, 302),
    ("GET", "/admin/history/{change}"): (200, 200, 200, 403, 302),
    ("POST", "/admin/history/{change}/undo"): (302, 302, 403, 403, 302),
    ("GET", "/admin/nothing"): (404, 404, 404, 404, 302),
    ("GET", "/admin/operator/list"): (200, 403, 403, 403, 302),
    ("GET", "/admin/user/list"): (200, 200, 200, 403, 302),
    ("GET", "/admin/user/list?_view={shared}"): (200, 200, 200, 403, 302),
    ("GET", "/admin/user/list?_view={private}"): (404, 404, 404, 403, 302),
    ("GET", "/admin/user/views/counts"): (200, 200, 200, 403, 302),
    ("POST", "/admin/user/views/counts"): (404, 404, 404, 403, 302),
    ("POST", "/admin/user/views"): (302, 302, 302, 403, 302),
    ("POST", "/admin/user/views/{shared}"): (302, 403, 403, 403, 302),
    ("POST", "/admin/user/views/{private}"): (404, 404, 404, 403, 302),
    ("POST", "/admin/user/choices"): (302, 302, 302, 403, 302),
    ("GET", "/admin/user/details/{user}"): (200, 200, 200, 403, 302),
    ("GET", "/admin/user/history/{user}"): (200, 200, 200, 403, 302),
    ("POST", "/admin/user/history/{user}"): (400, 400, 400, 403, 302),
    ("GET", "/admin/user/history/{user}?at={change}"): (200, 200, 200, 403, 302),
    ("POST", "/admin/user/history/{user}?at={change}"): (302, 302, 403, 403, 302),
    ("GET", "/admin/user/trash"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/trash"): (404, 404, 403, 403, 302),
    ("GET", "/admin/user/create"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/create"): (302, 302, 403, 403, 302),
    ("GET", "/admin/user/edit/{user}"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/edit/{user}"): (302, 302, 403, 403, 302),
    ("GET", "/admin/user/delete?pks={user}"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/delete?pks={user}"): (302, 302, 403, 403, 302),
    ("POST", "/admin/user/delete"): (302, 302, 403, 403, 302),
    ("GET", "/admin/user/delete"): (302, 302, 403, 403, 302),
    ("GET", "/admin/user/export/csv"): (200, 200, 403, 403, 302),
    ("GET", "/admin/user/export/json"): (200, 200, 403, 403, 302),
    ("GET", "/admin/user/export/xml"): (404, 404, 403, 403, 302),
    ("POST", "/admin/user/action/activate"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/action/deactivate"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/action/change"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/action/publish"): (404, 404, 404, 403, 302),
    ("GET", "/admin/post/list"): (200, 200, 200, 403, 302),
    ("GET", "/admin/post/details/{post}"): (200, 200, 200, 403, 302),
    ("GET", "/admin/post/create"): (200, 200, 403, 403, 302),
    ("POST", "/admin/post/create"): (302, 302, 403, 403, 302),
    ("GET", "/admin/post/edit/{post}"): (200, 200, 403, 403, 302),
    ("POST", "/admin/post/edit/{post}"): (302, 302, 403, 403, 302),
    ("GET", "/admin/post/delete?pks={post}"): (200, 200, 403, 403, 302),
    ("POST", "/admin/post/delete?pks={post}"): (302, 302, 403, 403, 302),
    ("POST", "/admin/post/delete"): (302, 302, 403, 403, 302),
    ("GET", "/admin/post/delete"): (302, 302, 403, 403, 302),
    ("GET", "/admin/post/export/csv"): (200, 200, 403, 403, 302),
    ("POST", "/admin/post/action/publish"): (200, 200, 403, 403, 302),
    ("POST", "/admin/post/action/unpublish"): (200, 200, 403, 403, 302),
    ("POST", "/admin/post/action/change"): (200, 200, 403, 403, 302),
    ("GET", "/admin/post/ajax/lookup?name=author"): (200, 200, 200, 403, 302),
    ("GET", "/admin/user/list?_edit=1"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/cells"): (302, 302, 403, 403, 302),
    ("GET", "/admin/user/cell/{user}?name=name"): (200, 200, 403, 403, 302),
    ("POST", "/admin/user/cell/{user}?name=name"): (400, 400, 403, 403, 302),
}
# All that the forms of both models ask for; each takes what it knows.
SENT = {
    "pks": "{user}",
    "name": "Zoe",
    "email": "zoe@example.org",
    "title": "Zoe's",
    "content": "Words.",
    "author": "{user}",
    "theme": "dark",
    "do": "rename",
    "choose": "columns",
    "column": "name",
}
COLUMNS = ("Owner", "Editor", "Viewer", "", STRANGER)
# A superuser is answered as an owner is.
WHO = {SUPERUSER: 0, **{name: column for column, name in enumerate(COLUMNS)}}


@pytest.fixture
def keys(database: Database) -> dict[str, int]:
    """Store a user with a post, whose keys stand in for those of the table."""
    recorded = database.recorded_by(JOURNAL)
    alice, bob = add_user(recorded, "Alice"), add_user(recorded, "Bob")
    ids = {"user": alice.id, "post": add_post(recorded, alice).id}
    stmt = select(Change.operation).where(Change.key == str(bob.id), Change.table_name == "users")
    change = select(ChangeSet.id).where(ChangeSet.operation.in_(stmt))
    ids |= add_views(recorded)
    ids["operator"] = add_operator(recorded, "yan", "Viewer").id
    return {**ids, "change": recorded.read(lambda session: session.scalars(change).one())}


def add_views(database: Database) -> dict[str, int]:
    """Store a private view of Zoe's, and one that is shared."""
    zoe = add_operator(database, "zoe", "Viewer").id
    private = SavedView(name="Hers", query="", list_name="user", owner_id=zoe, private_to=zoe)
    shared = SavedView(name="Ours", query="", list_name="user", owner_id=zoe)
    database.write(lambda session: session.add_all([private, shared]))
    return {"private": private.id, "shared": shared.id, "zoe": zoe}


def filled(keys: dict[str, int], path: str) -> dict[str, str]:
    other = "{operator}" if "/operator/" in path else "{post}"
    sent = SENT if "/user/" in path else {**SENT, "pks": other}
    return {name: value.format(**keys) for name, value in sent.items()}


@dataclass(frozen=True)
class Cell:
    """One request, and what it must be answered."""

    who: str
    method: str
    path: str
    expected: int

    @property
    def changes(self) -> bool:
        return self.method == "POST" and self.expected < 400 and self.who != STRANGER


def cells(who: str) -> list[Cell]:
    """Return what somebody is to be answered, for every path of the table and every method."""
    asked = [
        (method, path) for path in dict.fromkeys(path for _, path in TABLE) for method in METHODS
    ]
    return [Cell(who, method, path, expected(who, method, path)) for method, path in asked]


def expected(who: str, method: str, path: str) -> int:
    row = TABLE.get(("GET" if method == "HEAD" else method, path))
    if row is None and path in UNKNOWN:
        return 302 if who == STRANGER else 404
    return row[WHO[who]] if row else 405


async def wrong_answers(
    app: Starlette, connection: Connection, keys: dict[str, int], who: str, headers: Headers
) -> list[str]:
    """Ask for every cell, and return what is not as written; what was changed is taken back."""

    async def said(cell: Cell) -> list[str]:
        body = urlencode(filled(keys, cell.path)).encode()
        answer = await ask(app, Sent(who, cell.method, cell.path.format(**keys), headers, body))
        told = f"{cell.method} {cell.path}: {answer.status}, not {cell.expected}"
        return [told] if answer.status != cell.expected else []

    before = tables(connection)
    wrong = [text for cell in cells(who) if not cell.changes for text in await said(cell)]
    if before != tables(connection):
        wrong.append("What only reads, or is refused, changed something.")
    for cell in cells(who):
        if cell.changes:
            savepoint = connection.begin_nested()
            wrong += await said(cell)
            savepoint.rollback()
    return wrong


def connection_of(database: Database) -> Connection:
    """Return the one connection that these tests have."""
    assert isinstance(database.writer, Connection)
    return database.writer


def headers_of(client: TestClient) -> Headers:
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    form = (b"content-type", b"application/x-www-form-urlencoded")
    return [(b"host", b"testserver"), form, (b"cookie", cookie.encode())]


@pytest.mark.parametrize("who", WHO)
def test_each_route_answers_everybody_as_written(
    app: Starlette, database: Database, keys: dict[str, int], who: str
) -> None:
    """By every method, and what reads or is refused changes nothing."""
    if who == STRANGER:
        client = visit(app)
    else:
        roles = [] if who in ("", SUPERUSER) else [who]
        client = sign_in(app, database, "ann", *roles, is_superuser=who == SUPERUSER)
    connection = connection_of(database)
    wrong = anyio.run(wrong_answers, app, connection, keys, who, headers_of(client))
    assert not wrong, "\n".join(wrong)


def test_every_route_is_in_the_table(app: Starlette) -> None:
    for prefix, route in routes(app):
        for method in methods_of(route) - {"HEAD"}:
            known = any(answers(route, prefix, m, p) for m, p in TABLE if m == method)
            assert known, f"Write down who may {method} {prefix}{route.path}."


def test_a_viewers_pages_offer_nothing_they_may_not_do(
    vera: TestClient, keys: dict[str, int]
) -> None:
    users_list = get(vera, "/admin/user/list")
    looking = ["Conditions", "Search", "Apply filters"]
    assert users_list.buttons == looking
    assert not users_list.root.find("input", name="pks")
    assert users_list.links()["Alice"] == f"/admin/user/details/{keys['user']}"
    assert get(vera, "/admin/post/list").buttons == looking
    assert get(vera, f"/admin/user/details/{keys['user']}").buttons == ["History"]
    assert get(vera, f"/admin/post/details/{keys['post']}").buttons == ["History"]
    assert "Undo" not in get(vera, f"/admin/history/{keys['change']}").buttons


def test_an_empty_list_does_not_lead_a_viewer_to_a_form(vera: TestClient) -> None:
    assert "Add the first one" not in get(vera, "/admin/user/list").links()


def test_all_that_a_viewer_is_offered_they_may_open(vera: TestClient, keys: dict[str, int]) -> None:
    for start in ("/admin/", "/admin/user/list", "/admin/post/list"):
        for link in get(vera, start).links().values():
            path = link if link.startswith("/") else start.partition("?")[0] + link
            if not link.startswith("#"):
                assert vera.get(path).status_code == 200


def test_a_superusers_pages_offer_everything(olga: TestClient, keys: dict[str, int]) -> None:
    page = get(olga, "/admin/user/list")
    exports = ["Export CSV", "Export JSON", "CSV in clear…", "JSON in clear…"]
    assert page.buttons == [
        *("Trash", "Edit in the list", *exports, "New user", "Conditions"),
        *("Search", "Apply filters", "Activate"),
        *("Deactivate", "Change fields…", "Delete selected…", "Clear selection"),
    ]
    details = get(olga, f"/admin/user/details/{keys['user']}")
    assert details.buttons == [
        *("History", "Who may?", "Reveal…", "Delete", "Edit"),
        *("Activate", "Deactivate"),
    ]


def test_rights_are_read_at_each_request(
    app: Starlette, database: Database, keys: dict[str, int]
) -> None:
    olga = sign_in(app, database, "olga", "Viewer", is_superuser=True)
    form = f"/admin/user/edit/{keys['user']}"
    assert olga.get(form).status_code == 200
    demote = update(Operator).values(is_superuser=False)
    database.write(lambda session: session.execute(demote))
    assert olga.get(form).status_code == 403
    assert olga.post("/admin/user/delete", data={"pks": keys["user"]}).status_code == 403
    assert olga.get("/admin/user/list").status_code == 200


def test_a_disabled_operator_is_out_at_once(olga: TestClient, database: Database) -> None:
    assert olga.get("/admin/").status_code == 200
    disable = update(Operator).values(is_active=False)
    database.write(lambda session: session.execute(disable))
    assert olga.get("/admin/").status_code == 302


def test_a_deleted_operator_is_out_at_once(olga: TestClient, database: Database) -> None:
    database.write(lambda session: session.execute(delete(Operator)))
    assert olga.get("/admin/").status_code == 302


def test_what_was_typed_outlives_the_session(
    olga: TestClient, database: Database, keys: dict[str, int]
) -> None:
    end = update(OperatorSession).values(expires_at=OperatorSession.created_at)
    database.write(lambda session: session.execute(end))
    response = olga.post(f"/admin/user/edit/{keys['user']}", data={"name": "Typed at length"})
    assert response.status_code == 401
    assert "Typed at length" in response.text
    assert "Typed at length" not in [user.name for user in users(database)]


def test_a_program_is_told_in_so_many_words(mallory: TestClient) -> None:
    path = "/admin/post/ajax/lookup?name=author"
    assert mallory.get(path, headers={"Accept": "application/json"}).status_code == 401
