"""Who may do what: each persona at each route, and rights that change while one is signed in."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select, update
from starlette.applications import Starlette
from starlette.routing import Match, Mount, Route
from starlette.testclient import TestClient

from admin.history import JOURNAL
from models import Change, ChangeSet, Operator, OperatorSession, SavedView
from models.database import Database
from tests.pages import get
from tests.personas import add_operator
from tests.records import add_post, add_user, posts, users

# Route by route: what Olga, who may do everything, Vera, who may look, and Mallory, who is not
# signed in, are answered. `{user}` and `{post}` are keys of rows that exist, `{change}` is the
# change that made another user, `{shared}` and `{private}` are views of Zoe's.
TABLE = {
    ("GET", "/"): (302, 302, 302),
    ("GET", "/admin"): (302, 302, 302),
    ("GET", "/healthz"): (200, 200, 200),
    ("GET", "/readyz"): (200, 200, 200),
    ("GET", "/admin/statics/admin.css"): (200, 200, 200),
    ("GET", "/admin/login"): (200, 200, 200),
    ("POST", "/admin/login"): (400, 400, 400),
    ("POST", "/admin/preferences"): (204, 204, 204),
    ("POST", "/admin/logout"): (302, 302, 302),
    ("GET", "/admin/"): (200, 200, 302),
    ("GET", "/admin/search?q=alice"): (200, 200, 302),
    ("GET", "/admin/history"): (200, 200, 302),
    ("GET", "/admin/history/{change}"): (200, 200, 302),
    ("POST", "/admin/history/{change}/undo"): (302, 403, 302),
    ("GET", "/admin/nothing"): (404, 404, 302),
    ("GET", "/admin/operator/list"): (404, 404, 302),
    ("GET", "/admin/user/list"): (200, 200, 302),
    ("GET", "/admin/user/list?_view={shared}"): (200, 200, 302),
    ("GET", "/admin/user/list?_view={private}"): (404, 404, 302),
    ("GET", "/admin/user/views/counts"): (200, 200, 302),
    ("POST", "/admin/user/views"): (302, 302, 302),
    ("POST", "/admin/user/views/{shared}"): (302, 403, 302),
    ("POST", "/admin/user/views/{private}"): (404, 404, 302),
    ("POST", "/admin/user/choices"): (302, 302, 302),
    ("GET", "/admin/user/details/{user}"): (200, 200, 302),
    ("GET", "/admin/user/history/{user}"): (200, 200, 302),
    ("GET", "/admin/user/history/{user}?at={change}"): (200, 200, 302),
    ("POST", "/admin/user/history/{user}?at={change}"): (302, 403, 302),
    ("GET", "/admin/user/trash"): (200, 403, 302),
    ("POST", "/admin/user/trash"): (404, 403, 302),
    ("GET", "/admin/user/create"): (200, 403, 302),
    ("POST", "/admin/user/create"): (302, 403, 302),
    ("GET", "/admin/user/edit/{user}"): (200, 403, 302),
    ("POST", "/admin/user/edit/{user}"): (302, 403, 302),
    ("GET", "/admin/user/delete?pks={user}"): (200, 403, 302),
    ("POST", "/admin/user/delete"): (302, 403, 302),
    ("GET", "/admin/user/export/csv"): (200, 403, 302),
    ("GET", "/admin/user/export/json"): (200, 403, 302),
    ("GET", "/admin/user/export/xml"): (404, 403, 302),
    ("POST", "/admin/user/action/activate"): (200, 403, 302),
    ("POST", "/admin/user/action/deactivate"): (200, 403, 302),
    ("POST", "/admin/user/action/change"): (200, 403, 302),
    ("POST", "/admin/user/action/publish"): (404, 404, 302),
    ("GET", "/admin/post/list"): (200, 200, 302),
    ("GET", "/admin/post/details/{post}"): (200, 200, 302),
    ("GET", "/admin/post/create"): (200, 403, 302),
    ("POST", "/admin/post/create"): (302, 403, 302),
    ("GET", "/admin/post/edit/{post}"): (200, 403, 302),
    ("POST", "/admin/post/edit/{post}"): (302, 403, 302),
    ("GET", "/admin/post/delete?pks={post}"): (200, 403, 302),
    ("POST", "/admin/post/delete"): (302, 403, 302),
    ("GET", "/admin/post/export/csv"): (200, 403, 302),
    ("POST", "/admin/post/action/publish"): (200, 403, 302),
    ("POST", "/admin/post/action/unpublish"): (200, 403, 302),
    ("POST", "/admin/post/action/change"): (200, 403, 302),
    ("GET", "/admin/post/ajax/lookup?name=author"): (200, 200, 302),
    ("GET", "/admin/user/list?_edit=1"): (200, 403, 302),
    ("POST", "/admin/user/cells"): (302, 403, 302),
    ("GET", "/admin/user/cell/{user}?name=name"): (200, 403, 302),
    ("POST", "/admin/user/cell/{user}?name=name"): (400, 403, 302),
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
PERSONAS = ["olga", "vera", "mallory"]


@pytest.fixture
def keys(database: Database) -> dict[str, int]:
    """Store a user with a post, whose keys stand in for those of the table."""
    recorded = database.recorded_by(JOURNAL)
    alice, bob = add_user(recorded, "Alice"), add_user(recorded, "Bob")
    ids = {"user": alice.id, "post": add_post(recorded, alice).id}
    stmt = select(Change.operation).where(Change.key == str(bob.id), Change.table_name == "users")
    change = select(ChangeSet.id).where(ChangeSet.operation.in_(stmt))
    ids |= add_views(recorded)
    return {**ids, "change": recorded.read(lambda session: session.scalars(change).one())}


def add_views(database: Database) -> dict[str, int]:
    """Store a private view of Zoe's, and one that is shared."""
    zoe = add_operator(database, "zoe").id
    private = SavedView(name="Hers", query="", list_name="user", owner_id=zoe, private_to=zoe)
    shared = SavedView(name="Ours", query="", list_name="user", owner_id=zoe)
    database.write(lambda session: session.add_all([private, shared]))
    return {"private": private.id, "shared": shared.id}


@pytest.fixture
def before(keys: dict[str, int], database: Database) -> tuple[object, object]:
    return contents(database)


def contents(database: Database) -> tuple[object, object]:
    return (
        [(user.name, user.email, user.is_active) for user in users(database)],
        [(post.title, post.user_id, post.version) for post in posts(database)],
    )


def filled(keys: dict[str, int], path: str) -> dict[str, str]:
    sent = SENT if "/user/" in path else {**SENT, "pks": "{post}"}
    return {name: value.format(**keys) for name, value in sent.items()}


def routes(app: Starlette) -> Iterator[tuple[str, Route | Mount]]:
    """Yield each route with the prefix under which it is mounted."""
    for route in app.routes:
        inner = getattr(route, "routes", None)
        if isinstance(route, Mount) and inner:
            yield from ((route.path, below) for below in inner)
        elif isinstance(route, Route | Mount):
            yield "", route


def answers(route: Route | Mount, prefix: str, method: str, path: str) -> bool:
    if not path.startswith(f"{prefix}/"):
        return False
    scope = {"type": "http", "method": method, "path": path.removeprefix(prefix).split("?")[0]}
    return route.matches(scope)[0] is Match.FULL


@pytest.mark.parametrize("name", PERSONAS)
@pytest.mark.parametrize(("method", "path"), TABLE)
def test_each_route_answers_each_persona_as_written(
    request: pytest.FixtureRequest, keys: dict[str, int], name: str, method: str, path: str
) -> None:
    client: TestClient = request.getfixturevalue(name)
    data = filled(keys, path) if method == "POST" else None
    response = client.request(method, path.format(**keys), data=data)
    assert response.status_code == TABLE[method, path][PERSONAS.index(name)]


@pytest.mark.parametrize("name", ["vera", "mallory"])
def test_what_is_refused_changes_nothing(
    request: pytest.FixtureRequest,
    database: Database,
    keys: dict[str, int],
    before: tuple[object, object],
    name: str,
) -> None:
    client: TestClient = request.getfixturevalue(name)
    for method, path in TABLE:
        if path not in ("/admin/login", "/admin/logout"):
            client.request(method, path.format(**keys), data=filled(keys, path))
    assert contents(database) == before


@pytest.mark.parametrize("path", [path for method, path in TABLE if method == "GET"])
def test_a_get_or_head_changes_nothing_whatever_it_carries(
    olga: TestClient,
    database: Database,
    keys: dict[str, int],
    before: tuple[object, object],
    path: str,
) -> None:
    """A page that asks for its heading alone is answered as the page itself is."""
    expected = TABLE["GET", path][0]
    for method in ("GET", "HEAD"):
        response = olga.request(method, path.format(**keys), data=filled(keys, path))
        assert response.status_code == expected
    assert contents(database) == before


def test_every_route_is_in_the_table(app: Starlette) -> None:
    for prefix, route in routes(app):
        methods = (getattr(route, "methods", None) or {"GET"}) - {"HEAD"}
        for method in methods:
            known = any(answers(route, prefix, m, p) for m, p in TABLE if m == method)
            assert known, f"Write down who may {method} {prefix}{route.path}."


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_route_takes_other_methods(
    olga: TestClient,
    database: Database,
    keys: dict[str, int],
    before: tuple[object, object],
    method: str,
) -> None:
    for _, path in TABLE:
        assert olga.request(method, path.format(**keys)).status_code in (404, 405)
    assert contents(database) == before


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
    exports = ["Export CSV", "Export JSON"]
    assert page.buttons == [
        *("Trash", "Edit in the list", *exports, "New user", "Conditions"),
        *("Search", "Apply filters", "Activate"),
        *("Deactivate", "Change fields…", "Delete selected…", "Clear selection"),
    ]
    details = get(olga, f"/admin/user/details/{keys['user']}")
    assert details.buttons == ["History", "Delete", "Edit", "Activate", "Deactivate"]


def test_rights_are_read_at_each_request(
    olga: TestClient, database: Database, keys: dict[str, int]
) -> None:
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
