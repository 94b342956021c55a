"""The roles' screens: a matrix to tick, who gains and loses what, and who may see any of it."""

from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth.operators import find_roles
from admin.history import JOURNAL
from admin.kit import RowScope
from admin.views.posts import PostAdmin
from models import Operator, Post, Role
from models.database import Database
from tests.databases import statements
from tests.history.conftest import change_sets
from tests.pages import Element, Page, follow, get
from tests.personas import add_operator, sign_in

VIEWER = {name: {"may": ["list", "details"]} for name in ("user", "post")}


def stored(database: Database, name: str) -> Role:
    stmt = select(Role).where(Role.name == name)
    return database.read(lambda session: session.scalars(stmt).one())


def path(database: Database, name: str) -> str:
    return f"/admin/role/edit/{stored(database, name).id}"


def boxes(page: Page) -> list[Element]:
    return [box for box in page.root.find("input") if box.attributes.get("name") == "rights"]


def ticked(page: Page) -> list[str]:
    """Return the boxes that a browser would send."""
    return [
        box.attributes["value"]
        for box in boxes(page)
        if "checked" in box.attributes or box.attributes.get("type") == "hidden"
    ]


def send(client: TestClient, page: Page, rights: list[str], **changes: Any) -> Response:
    held = {name: value for name, value in page.fields().items() if name != "rights"}
    # Where the form leads, as browsers see it: the page's own address.
    return client.post(page.path, data={**held, "rights": rights, **changes})


def agree(client: TestClient, response: Response) -> Response:
    """Press the first button of the page that shows who gains and loses what."""
    assert response.status_code in (200, 409), response.text
    (form,) = [f for f in Page(response).root.find("form") if f.find("table")]
    sent: dict[str, list[str]] = {}
    for element in form.find("input"):
        sent.setdefault(element.attributes["name"], []).append(element.attributes["value"])
    return client.post(response.url.path, data=sent)


def table(response: Response) -> list[list[str]]:
    return Page(response).table


# The matrix


def test_an_untouched_matrix_changes_nothing(olga: TestClient, database: Database) -> None:
    for name in ("Owner", "Editor", "Viewer"):
        before = stored(database, name)
        page = get(olga, path(database, name))
        assert send(olga, page, ticked(page)).status_code == 302
        after = stored(database, name)
        assert (after.rights, after.version) == (before.rights, before.version)


def test_boxes_are_named_by_their_row_and_column(olga: TestClient, database: Database) -> None:
    page = get(olga, path(database, "Viewer"))
    (box,) = [b for b in boxes(page) if b.attributes["value"] == "may/post/edit"]
    names = box.attributes["aria-labelledby"].split()
    said = [e.text for name in names for tag in ("span",) for e in page.root.find(tag, id=name)]
    assert said == ["Posts", "Edit"]


def test_only_what_a_screen_offers_can_be_ticked(olga: TestClient, database: Database) -> None:
    values = {box.attributes["value"] for box in boxes(get(olga, path(database, "Viewer")))}
    assert {"may/post/action:publish", "may/history/events", "may/*/*"} <= values
    assert not {"may/post/import", "may/history/edit", "may/user/action:publish"} & values


def test_what_is_ticked_is_stored(olga: TestClient, database: Database) -> None:
    page = get(olga, path(database, "Viewer"))
    more = ["may/post/edit", "may/post/action:publish", "hidden/user/email"]
    assert send(olga, page, [*ticked(page), *more]).status_code == 302
    rights = stored(database, "Viewer").rights
    assert rights["post"] == {"may": ["list", "details", "edit", "action:publish"]}
    assert rights["user"] == {"may": ["list", "details"], "hidden": ["email"]}


def test_unticking_everything_leaves_nothing(olga: TestClient, database: Database) -> None:
    page = get(olga, path(database, "Viewer"))
    assert send(olga, page, [""]).status_code == 302
    assert stored(database, "Viewer").rights == {}


def test_a_new_role_is_stored_with_its_rights(olga: TestClient, database: Database) -> None:
    page = get(olga, "/admin/role/create")
    response = send(olga, page, ["", "may/post/list"], name="Reader", description="Reads.")
    assert response.status_code == 302
    assert stored(database, "Reader").rights == {"post": {"may": ["list"]}}


def test_what_is_not_there_any_more_is_shown_and_kept(olga: TestClient, database: Database) -> None:
    old = {
        "gone": {"may": ["list", "action:x"], "scope": "mine", "note": "kept"},
        "post": {"may": ["list", "action:old"], "hidden": ["lost"]},
    }
    role = Role(name="Old", rights=old)
    database.write(lambda session: session.add(role))
    page = get(olga, path(database, "Old"))
    assert "not there any more" in page.root.text
    response = send(olga, page, [*ticked(page), "scope/gone/mine", "may/user/list"])
    assert response.status_code == 302
    assert stored(database, "Old").rights == {**old, "user": {"may": ["list"]}}


@pytest.mark.parametrize(
    "forged",
    [
        ["may/post/fly"],
        ["may/nothing/list"],
        ["scope/post/mine"],
        ["hidden/post/password"],
        ["is_superuser"],
        ['{"*": {"may": ["*"]}}'],
        ["may/" * 2000],
        ["\0"],
        [f"may/x{number}/list" for number in range(5000)],
    ],
)
def test_what_is_not_offered_is_refused_at_the_matrix(
    olga: TestClient, database: Database, forged: list[str]
) -> None:
    page = get(olga, path(database, "Viewer"))
    response = send(olga, page, ["", "may/post/edit", *forged], description="Typed")
    assert response.status_code == 400
    answer = Page(response)
    assert answer.error("rights").startswith("There is no such right")
    assert len(answer.error("rights")) < 120
    assert (ticked(answer), answer.fields()["description"]) == (["", "may/post/edit"], "Typed")
    assert stored(database, "Viewer").rights == VIEWER


def test_what_is_implied_is_said(olga: TestClient, database: Database) -> None:
    role = Role(name="Writer", rights={"post": {"may": ["edit"]}})
    database.write(lambda session: session.add(role))
    page = get(olga, path(database, "Writer"))
    (box,) = [b for b in boxes(page) if b.attributes["value"] == "may/post/list"]
    (said,) = page.root.find("small", id=box.attributes["aria-describedby"])
    assert (said.text, "hidden" in said.attributes) == ("included", False)


def test_the_details_say_it_in_words(olga: TestClient, database: Database) -> None:
    role = Role(name="Writer", rights={"post": {"may": ["edit", "action:publish"]}})
    database.write(lambda session: session.add(role))
    page = get(olga, f"/admin/role/details/{role.id}")
    assert "Posts: List, Details, Edit, and Publish" in page.root.text


def test_an_unreadable_document_allows_nothing_and_breaks_nothing(
    app: Starlette, database: Database
) -> None:
    rights = {"post": {"may": "list"}, "user": ["list"], "*": {"may": [["*"]]}}
    role = Role(name="Broken", rights=rights)
    database.write(lambda session: session.add(role))
    nora = sign_in(app, database, "nora", "Broken")
    assert nora.get("/admin/").status_code == 200
    assert nora.get("/admin/post/list").status_code == 403
    olga = sign_in(app, database, "olga", is_superuser=True)
    assert olga.get(path(database, "Broken")).status_code == 200


# Who gains and loses what


@pytest.fixture
def holders(database: Database) -> None:
    add_operator(database, "ann", "Viewer")
    add_operator(database, "bob", "Viewer", "Editor")


@pytest.mark.usefixtures("holders")
def test_nothing_is_stored_before_the_operator_agrees(olga: TestClient, database: Database) -> None:
    page = get(olga, path(database, "Viewer"))
    rights = ["", "may/post/list", "may/post/details", "may/post/edit"]
    shown = send(olga, page, rights)
    assert stored(database, "Viewer").rights == VIEWER
    assert table(shown) == [["ann", "Posts: Edit", "Users: List and Details"]]
    assert "1 other operator has this role" in Page(shown).root.text
    assert agree(olga, shown).status_code == 302
    assert stored(database, "Viewer").rights == {"post": {"may": ["list", "details", "edit"]}}


@pytest.mark.usefixtures("holders")
def test_the_operator_is_asked_again_if_others_changed_it(
    olga: TestClient, database: Database
) -> None:
    shown = send(olga, get(olga, path(database, "Viewer")), ["", "may/post/list"])
    add_operator(database, "cid", "Viewer")
    again = agree(olga, shown)
    assert (again.status_code, [row[0] for row in table(again)]) == (409, ["ann", "cid"])
    assert stored(database, "Viewer").rights == VIEWER
    assert agree(olga, again).status_code == 302


@pytest.mark.usefixtures("holders")
def test_one_can_go_back_to_the_form_with_what_was_typed(
    olga: TestClient, database: Database
) -> None:
    shown = send(olga, get(olga, path(database, "Viewer")), ["", "may/post/list"])
    sent = {"rights": ["", "may/post/list"], "name": "Typed", "_edit": "1"}
    form = Page(olga.post(shown.url.path, data=sent))
    assert ticked(form) == ["", "may/post/list"]
    assert (form.fields()["name"], stored(database, "Viewer").rights) == ("Typed", VIEWER)


@pytest.mark.usefixtures("holders")
def test_what_touches_nobody_is_stored_at_once(olga: TestClient, database: Database) -> None:
    page = get(olga, path(database, "Viewer"))
    assert send(olga, page, ticked(page), description="New words").status_code == 302


# Who may


@pytest.mark.parametrize("name", ["Viewer", "Editor"])
def test_roles_are_for_those_with_rights_on_them(
    app: Starlette, database: Database, name: str
) -> None:
    client = sign_in(app, database, "vera", name)
    assert "Roles" not in get(client, "/admin/").links()
    assert client.get("/admin/role/list").status_code == 403
    assert client.get("/admin/role/edit/1").status_code == 403
    assert client.post("/admin/role/delete", data={"pks": "1"}).status_code == 403


@pytest.fixture
def clerk(app: Starlette, database: Database) -> TestClient:
    """Sign in Cleo, who edits roles, and otherwise may look at posts."""
    add_operator(database, "olga", is_superuser=True)
    rights = {"role": {"may": ["create", "edit", "delete"]}, "post": {"may": ["list"]}}
    database.write(lambda session: session.add(Role(name="Clerk", rights=rights)))
    return sign_in(app, database, "cleo", "Clerk")


def test_the_form_refuses_what_the_operator_lacks(clerk: TestClient, database: Database) -> None:
    page = get(clerk, path(database, "Viewer"))
    response = send(clerk, page, [*ticked(page), "may/post/edit"], description="Typed")
    answer = Page(response)
    assert response.status_code == 403
    assert "Edit on “post”" in answer.alerts[0]
    assert answer.fields()["description"] == "Typed"
    assert "may/post/edit" in ticked(answer)
    assert stored(database, "Viewer").rights == VIEWER


def test_the_form_refuses_one_s_own_role(clerk: TestClient, database: Database) -> None:
    page = get(clerk, path(database, "Clerk"))
    response = send(clerk, page, [*ticked(page), "may/post/details"])
    assert "You have this role yourself" in Page(response).alerts[0]
    sent = {"pks": stored(database, "Clerk").id}
    assert clerk.post("/admin/role/delete", data=sent).status_code == 403


def test_undo_and_restore_refuse_what_the_operator_lacks(
    clerk: TestClient, database: Database
) -> None:
    recorded = database.recorded_by(JOURNAL)

    def work(session: Any) -> None:
        session.delete(find_roles(session, ["Editor"])[0])

    recorded.write(work)
    trash = get(clerk, "/admin/role/trash")
    (form,) = [f for f in trash.root.find("main")[0].find("form") if f.find("button")]
    sent = {
        element.attributes["name"]: element.attributes.get("value", "")
        for tag in ("input", "button")
        for element in form.find(tag)
        if "name" in element.attributes
    }
    page = follow(clerk, clerk.post("/admin/role/trash", data=sent))
    assert "You can't give what you may not do yourself" in page.root.text
    stmt = select(Role.name)
    assert "Editor" not in database.read(lambda session: session.scalars(stmt).all())


def test_a_change_that_ended_sessions_can_be_undone(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    """Events stay; what the role allowed comes back."""
    before = stored(database, "Viewer").rights
    page = get(olga, path(database, "Viewer"))
    left = [value for value in ticked(page) if "user" not in value]
    done = follow(olga, agree(olga, send(olga, page, left)))
    assert stored(database, "Viewer").rights != before
    assert vera.get("/admin/").status_code == 302
    (form,) = [f for f in done.root.find("form") if "/undo" in f.attributes.get("action", "")]
    undo = form.attributes["action"]
    assert olga.post(undo).status_code == 302
    assert stored(database, "Viewer").rights == before
    number = change_sets(database)[-1].undoes
    shown = get(olga, f"/admin/history/{number}").root.find("form")
    assert undo not in [form.attributes.get("action") for form in shown]


def test_rights_take_no_statement_of_their_own(olga: TestClient, database: Database) -> None:
    """They come with the session, however many roles there are."""
    page = "/admin/user/details/0"
    olga.get(page)
    with statements(database) as few:
        olga.get(page)
    names = [f"Role {number}" for number in range(5)]

    def work(session: Any) -> None:
        session.add_all([Role(name=name, rights=VIEWER) for name in names])
        session.flush()
        (found,) = session.scalars(select(Operator)).all()
        found.roles = find_roles(session, names)

    database.write(work)
    with statements(database) as many:
        olga.get(page)
    assert len(many) == len(few)


@pytest.mark.usefixtures("holders")
def test_a_deletion_says_who_loses_what(olga: TestClient, database: Database) -> None:
    key = stored(database, "Viewer").id
    page = get(olga, f"/admin/role/delete?pks={key}")
    assert page.table == [["ann", "–", "Users: List and Details Posts: List and Details"]]
    assert olga.post("/admin/role/delete", data=page.fields()).status_code == 302


# Rows


@pytest.fixture
def scoped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the posts' screen two kinds of rows to choose from."""
    scopes = {
        "new": RowScope("New ones", Post.id > 1),
        "own": RowScope("Own ones", Post.id < 1),
    }
    monkeypatch.setattr(PostAdmin, "row_scopes", scopes)


@pytest.mark.usefixtures("scoped", "holders")
def test_rows_are_chosen_for_each_screen(olga: TestClient, database: Database) -> None:
    page = get(olga, path(database, "Viewer"))
    assert [o.text for o in page.root.find("option", value="scope/post/new")] == ["New ones"]
    shown = send(olga, page, [*ticked(page), "scope/post/new"])
    lost = "Posts: List (rows: all rows) and Details (rows: all rows)"
    assert table(shown) == [["ann", "–", lost]]
    assert agree(olga, shown).status_code == 302
    assert stored(database, "Viewer").rights["post"]["scope"] == "new"


@pytest.mark.usefixtures("scoped")
def test_a_screen_has_one_kind_of_rows(olga: TestClient, database: Database) -> None:
    page = get(olga, path(database, "Viewer"))
    response = send(olga, page, [*ticked(page), "scope/post/new", "scope/post/own"])
    assert response.status_code == 400
    assert Page(response).error("rights") == "Choose one kind of rows for each screen."
    assert "may/post/list" in ticked(Page(response))
