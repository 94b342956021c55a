"""Looking on with another operator's rights."""

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models import Change, ChangeSet, Operator, OperatorSession, Post, Role
from models.database import Database
from tests.databases import statements
from tests.pages import Page, follow, get
from tests.personas import add_operator, sign_in
from tests.records import add_post, add_user


@pytest.fixture
def vera_id(database: Database) -> int:
    return add_operator(database, "vera", "Viewer").id


def view_as(client: TestClient, operator_id: int) -> Page:
    return follow(client, client.post(f"/admin/view-as/{operator_id}"))


def events(database: Database) -> list[tuple[str, str, str]]:
    stmt = (
        select(Change.action, Change.label, ChangeSet.operator_name)
        .join(ChangeSet, ChangeSet.operation == Change.operation)
        .where(Change.action.in_(["view as", "stop viewing"]))
        .order_by(ChangeSet.id)
    )
    rows = database.read(lambda session: session.execute(stmt).all())
    return [(action, label, name) for action, label, name in rows]


def test_pages_are_those_of_the_other_with_a_banner(
    olga: TestClient, database: Database, vera_id: int
) -> None:
    page = view_as(olga, vera_id)
    (banner,) = page.root.find("div", **{"class": "viewing"})
    assert banner.attributes["role"] == "status"
    assert "You look on as vera" in banner.text
    assert "Roles" not in page.links()
    assert olga.get("/admin/role/list").status_code == 403
    assert olga.get("/admin/post/create").status_code == 403


def test_it_ends_at_the_press_of_a_button_and_is_recorded(
    olga: TestClient, database: Database, vera_id: int
) -> None:
    view_as(olga, vera_id)
    page = follow(olga, olga.post("/admin/view-as/stop"))
    assert "Roles" in page.links()
    assert not page.root.find("div", **{"class": "viewing"})
    assert events(database) == [("view as", "vera", "olga"), ("stop viewing", "vera", "olga")]
    assert "Began to look on as somebody else (vera)" in get(olga, "/admin/history").root.text


@pytest.fixture
def editor_id(database: Database) -> int:
    return add_operator(database, "ed", "Editor").id


@pytest.mark.parametrize(
    "path",
    [
        "user/create",
        "user/edit/1",
        "user/delete",
        "user/action/activate",
        "user/cells",
        "user/cell/1",
        "user/views",
        "user/choices",
        "user/trash",
        "history/1/undo",
        "view-as/1",
        "account",
        "nothing",
    ],
)
def test_nothing_is_changed_meanwhile(
    olga: TestClient, database: Database, editor_id: int, path: str
) -> None:
    view_as(olga, editor_id)
    assert olga.get("/admin/user/create").status_code == 200
    response = olga.post(f"/admin/{path}", data={"pks": "1", "name": "Zoe"})
    if response.status_code == 405:
        return
    assert response.status_code == 403
    assert "can change nothing" in response.text


def test_accounts_are_out_of_reach_meanwhile(olga: TestClient, vera_id: int) -> None:
    view_as(olga, vera_id)
    assert olga.get("/admin/account").status_code == 403
    assert olga.post("/admin/logout").status_code == 302
    assert olga.get("/admin/").status_code == 302


@pytest.fixture
def peer(app: Starlette, database: Database) -> TestClient:
    """Sign in Paul, who may look at operators and posts."""
    rights = {"operator": {"may": ["details"]}, "post": {"may": ["details"]}}
    database.write(lambda session: session.add(Role(name="Peer", rights=rights)))
    add_role = {"post": {"may": ["list"]}}
    database.write(lambda session: session.add(Role(name="Less", rights=add_role)))
    return sign_in(app, database, "paul", "Peer")


@pytest.mark.parametrize(
    ("roles", "status"), [(["Less"], 302), (["Peer"], 302), (["Viewer"], 403), (["Owner"], 403)]
)
def test_nobody_looks_on_as_somebody_who_may_do_more(
    peer: TestClient, database: Database, roles: list[str], status: int
) -> None:
    other = add_operator(database, "other", *roles)
    assert peer.post(f"/admin/view-as/{other.id}").status_code == status


def test_who_may_not_see_operators_looks_on_as_nobody(vera: TestClient, database: Database) -> None:
    nobody = add_operator(database, "nobody")
    assert vera.post(f"/admin/view-as/{nobody.id}").status_code == 403


@pytest.mark.parametrize(("attributes", "status"), [({"is_active": False}, 400), (None, 404)])
def test_there_has_to_be_somebody(
    olga: TestClient, database: Database, attributes: dict[str, bool] | None, status: int
) -> None:
    key = 999 if attributes is None else add_operator(database, "gone", **attributes).id
    assert olga.post(f"/admin/view-as/{key}").status_code == status
    assert olga.get(f"/admin/view-as/{key}").status_code in (404, 405)
    for bad in ("x", "-1", "9" * 40, "%00", "\u0661"):
        assert olga.post(f"/admin/view-as/{bad}").status_code == 404


def test_it_ends_when_the_other_may_do_more(
    olga: TestClient, app: Starlette, database: Database, vera_id: int
) -> None:
    view_as(olga, vera_id)
    second = sign_in(app, database, "otto", is_superuser=True)
    role = database.read(lambda s: s.scalars(select(Role).where(Role.name == "Viewer")).one())
    sent = {"name": "Viewer", "rights": ["may/post/list"], "description": ""}
    shown = second.post(f"/admin/role/edit/{role.id}", data=sent)
    (seen,) = Page(shown).root.find("input", name="_seen")
    second.post(f"/admin/role/edit/{role.id}", data={**sent, "_seen": seen.attributes["value"]})
    stmt = select(OperatorSession.viewing_as_id)
    assert set(database.read(lambda session: session.scalars(stmt).all())) == {None}
    assert "Roles" in get(olga, "/admin/").links()


def test_it_costs_no_statement_more(olga: TestClient, database: Database, vera_id: int) -> None:
    olga.get("/admin/account")
    with statements(database) as own:
        olga.get("/admin/history/999")
    view_as(olga, vera_id)
    with statements(database) as theirs:
        olga.get("/admin/history/999")
    assert len(theirs) == len(own)


def test_whoever_is_looked_at_is_untouched(
    olga: TestClient, app: Starlette, database: Database
) -> None:
    add_post(database, add_user(database, "Alice"))
    ed = sign_in(app, database, "ed", "Editor")
    stmt = select(Operator.id).where(Operator.username == "ed")
    view_as(olga, database.read(lambda session: session.scalars(stmt).one()))
    post = database.read(lambda session: session.scalars(select(Post)).one())
    assert ed.get(f"/admin/post/edit/{post.id}").status_code == 200
    assert ed.post("/admin/post/delete", data={"pks": str(post.id)}).status_code == 302
