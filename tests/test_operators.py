"""The operators' screens: adding, changing and deactivating those who sign in."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.testclient import TestClient

from admin.auth.factors import held_by
from admin.auth.guessing import count_attempt, factor_guard, locked_until
from admin.auth.passwords import verify_password
from admin.settings import Settings
from models import Change, Operator, SavedView, SignInCounter
from models.base import utc_now
from models.database import Database
from models.operator import UNUSABLE
from tests.databases import statements
from tests.factors import add_app, add_passkey
from tests.operators import (
    CHOSEN,
    act,
    add_role,
    change,
    count_sessions,
    edit,
    find,
    role_keys,
    role_names,
)
from tests.pages import Page, follow, get
from tests.personas import PASSWORD, add_operator, password_hash, sign_in, visit

NEW = "/admin/operator/create"
ONE_BY_ONE = ["set-password", "link", "sign-out", "unlock", "reset-factors"]


@pytest.fixture
def ed(database: Database) -> Operator:
    return add_operator(database, "ed", "Editor", email="ed@example.org")


def secret(page: Page) -> str:
    (found,) = page.root.find("p", **{"class": "secret"})
    return found.text


def test_the_list_tells_who_they_are_and_what_they_have(
    olga: TestClient, database: Database, ed: Operator
) -> None:
    change(database, ed, last_sign_in_at=datetime(2026, 3, 4, 12, tzinfo=UTC))
    row = next(row for row in get(olga, "/admin/operator/list").table if row[0] == "ed")
    assert row == ["ed", "ed@example.org", "Editor", "Yes", "No", "2026-03-04 12:00 UTC", "No"]
    assert get(olga, "/admin/operator/list?search=example").names == ["ed"]
    assert get(olga, "/admin/operator/list?is_superuser=true").names == ["olga"]


def test_the_list_of_many_takes_no_more_statements(olga: TestClient, database: Database) -> None:
    def count() -> int:
        with statements(database) as sent:
            get(olga, "/admin/operator/list")
        return len(sent)

    add_operator(database, "ed", "Viewer")
    few = count()
    for number in range(12):
        add_operator(database, f"vera{number}", "Viewer", "Editor")
    assert count() == few


def test_no_page_shows_a_hash(olga: TestClient, ed: Operator) -> None:
    details = olga.get(f"/admin/operator/details/{ed.id}")
    assert "argon2id" in details.text
    for page in ("details", "edit", "history"):
        answer = olga.get(f"/admin/operator/{page}/{ed.id}")
        assert answer.status_code == 200
        assert password_hash().split("$")[-1] not in answer.text
    assert "$argon2" not in olga.get("/admin/operator/export/json").text


def test_a_forged_form_stores_no_hash(olga: TestClient, database: Database, ed: Operator) -> None:
    edit(olga, ed, password_hash="!", totp_secret="x", must_change_password="y", id="99")
    assert find(database, "ed").password_hash == password_hash()


def test_a_new_operator_gets_a_password_that_is_shown_once(
    app: Starlette, olga: TestClient, database: Database
) -> None:
    sent = {"username": "Zoe", "email": "ZOE@Example.org", "access": "password"}
    response = olga.post(NEW, data={**sent, "roles": role_keys(database, "Viewer")})
    zoe, password = find(database, "zoe"), secret(Page(response))
    assert (zoe.email, role_names(database, "zoe")) == ("zoe@example.org", ["Viewer"])
    assert password not in olga.get(f"/admin/operator/details/{zoe.id}").text
    client = visit(app)
    entered = client.post("/admin/login", data={"username": "zoe", "password": password})
    assert entered.status_code == 302
    assert client.get("/admin/user/list").headers["location"] == "/admin/account/password"


def test_a_new_operator_may_be_invited(
    app: Starlette, olga: TestClient, database: Database
) -> None:
    response = olga.post(NEW, data={"username": "zoe", "access": "link", "roles": ""})
    assert find(database, "zoe").password_hash == UNUSABLE
    client = visit(app)
    client.get(secret(Page(response)))
    sent = {"new_password": CHOSEN, "new_password_again": CHOSEN}
    assert client.post("/admin/login/password", data=sent).status_code == 302
    assert verify_password(find(database, "zoe").password_hash, CHOSEN)


def test_a_form_that_is_sent_twice_adds_one(olga: TestClient, database: Database) -> None:
    sent = {**get(olga, NEW).fields(), "username": "zoe", "access": "link"}
    first, second = (olga.post(NEW, data=sent) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 302)
    assert "was stored before" in follow(olga, second).root.text


@pytest.mark.parametrize("name", ["zoe smith", "", "zoe/1", "zo\u202ee", "x" * 151, "a\0b"])
def test_a_name_that_nobody_can_have(olga: TestClient, name: str) -> None:
    response = olga.post(NEW, data={"username": name, "access": "link"})
    assert response.status_code == 400
    assert Page(response).error("username")


@pytest.mark.parametrize(("field", "value"), [("username", "ＥＤ"), ("email", "ED@EXAMPLE.ORG")])
def test_names_and_addresses_are_there_once_in_any_case(
    olga: TestClient, ed: Operator, field: str, value: str
) -> None:
    sent = {"username": "zoe", "email": "zoe@example.org", "access": "link", field: value}
    response = olga.post(NEW, data=sent)
    assert response.status_code == 400
    assert "already exists" in Page(response).error(field)
    assert Page(response).entered["username"] in ("zoe", "ed")


def test_several_may_have_no_address(olga: TestClient, database: Database) -> None:
    for name in ("zoe", "yan"):
        olga.post(NEW, data={"username": name, "email": "", "access": "link"})
        assert find(database, name).email is None


@pytest.mark.parametrize("forged", [["99"], ["x"], ["1", "99"]])
def test_a_role_that_does_not_exist_is_refused(
    olga: TestClient, database: Database, ed: Operator, forged: list[str]
) -> None:
    response = edit(olga, ed, roles=forged)
    assert response.status_code == 400
    assert Page(response).error("roles") == "Choose one of the list."
    assert role_names(database, "ed") == ["Editor"]


def test_roles_are_changed_and_recorded(olga: TestClient, database: Database, ed: Operator) -> None:
    assert edit(olga, ed, roles=role_keys(database, "Viewer", "Owner")).status_code == 302
    assert role_names(database, "ed") == ["Owner", "Viewer"]
    stmt = select(Change.action).where(Change.table_name == "operator_roles")
    found = database.read(lambda session: session.scalars(stmt).all())
    assert sorted(found) == ["create", "create", "delete"]


def test_what_a_form_does_not_say_stays(olga: TestClient, database: Database, ed: Operator) -> None:
    """A program that sends one field takes nobody's roles away."""
    path = f"/admin/operator/edit/{ed.id}"
    assert olga.post(path, data={"email": "ed@example.com"}).status_code == 302
    assert role_names(database, "ed") == ["Editor"]
    assert edit(olga, ed, roles="").status_code == 302
    assert role_names(database, "ed") == []


def test_roles_given_meanwhile_are_not_taken_away_unseen(
    olga: TestClient, database: Database, ed: Operator
) -> None:
    path = f"/admin/operator/edit/{ed.id}"
    old = {**get(olga, path).fields(), "roles": role_keys(database, "Editor"), "email": "e@x.org"}
    edit(olga, ed, roles=role_keys(database, "Editor", "Viewer"))
    response = olga.post(path, data=old)
    assert response.status_code == 409
    assert role_names(database, "ed") == ["Editor", "Viewer"]


@pytest.mark.parametrize("change_to", [{"is_active": "false"}, {"roles": ""}])
def test_who_loses_something_is_signed_out(
    app: Starlette, olga: TestClient, database: Database, change_to: dict[str, str]
) -> None:
    vera = sign_in(app, database, "vera", "Viewer")
    edit(olga, find(database, "vera"), **change_to)
    assert vera.get("/admin/").status_code == 302
    assert count_sessions(database, find(database, "vera")) == 0


def test_who_gains_something_stays(app: Starlette, olga: TestClient, database: Database) -> None:
    vera = sign_in(app, database, "vera", "Viewer")
    edit(olga, find(database, "vera"), roles=role_keys(database, "Viewer", "Editor"))
    assert vera.get("/admin/user/create").status_code == 200


def test_a_password_is_set_for_somebody(
    app: Starlette, olga: TestClient, database: Database
) -> None:
    vera = sign_in(app, database, "vera", "Viewer")
    operator = find(database, "vera")
    typed = {"new_password": CHOSEN, "new_password_again": CHOSEN}
    response = act(olga, "set-password", operator, **typed)
    assert follow(olga, response).alerts == ["The password of vera was set."]
    assert verify_password(find(database, "vera").password_hash, CHOSEN)
    assert vera.get("/admin/").status_code == 302
    events = get(olga, "/admin/history?action=set+password").table
    assert "olga" in events[0]


def test_a_password_may_be_made(olga: TestClient, database: Database, ed: Operator) -> None:
    response = act(olga, "set-password", ed, must_change="y")
    assert verify_password(find(database, "ed").password_hash, secret(Page(response)))
    assert find(database, "ed").must_change_password


def test_all_that_is_wrong_with_a_password_is_said_at_once(
    olga: TestClient, database: Database, ed: Operator
) -> None:
    page = Page(act(olga, "set-password", ed, new_password="ed", new_password_again="de"))
    assert page.error("new_password") == (
        "A password has at least 15 characters. This is a common password."
    )
    assert page.error("new_password_again") == "The two passwords are not the same."
    assert "autocomplete" in page.root.find("input", id="new_password")[0].attributes
    assert find(database, "ed").password_hash == password_hash()


def test_somebody_is_signed_out_everywhere(
    app: Starlette, olga: TestClient, database: Database
) -> None:
    vera = sign_in(app, database, "vera", "Viewer")
    act(olga, "sign-out", find(database, "vera"))
    assert vera.get("/admin/").status_code == 302


def test_who_has_to_wait_is_let_in(olga: TestClient, database: Database, ed: Operator) -> None:
    def lock(session: Session) -> None:
        count_attempt(session, guards)
        session.execute(update(SignInCounter).values(locked_until=utc_now() + timedelta(days=1)))

    guards = [factor_guard(ed.id)]
    database.write(lock)
    response = act(olga, "unlock", ed)
    assert follow(olga, response).alerts == ["ed can sign in without waiting."]
    assert database.read(lambda session: locked_until(session, ed.id)) is None
    assert "ed" in get(olga, "/admin/history?action=unlock").root.text


def test_who_lost_their_factors_is_helped(
    app: Starlette, olga: TestClient, database: Database, ed: Operator, settings: Settings
) -> None:
    there = visit(app)
    there.post("/admin/login", data={"username": "ed", "password": PASSWORD})
    add_app(database, settings, "ed")
    add_passkey(database, ed)
    response = act(olga, "reset-factors", ed)
    assert follow(olga, response).alerts == ["ed has no second factor any more."]
    assert not database.read(lambda session: held_by(session, ed.id)).has_any
    assert there.get("/admin/").status_code == 302
    assert "ed" in get(olga, "/admin/history?action=reset+second+factors").root.text


@pytest.mark.parametrize("action", ONE_BY_ONE)
def test_what_is_done_to_somebody_is_in_their_history(
    app: Starlette, olga: TestClient, database: Database, action: str
) -> None:
    sign_in(app, database, "zoe")
    zoe = find(database, "zoe")
    act(olga, action, zoe)
    assert "olga · Action" in get(olga, f"/admin/operator/history/{zoe.id}").root.text


def test_several_are_deactivated_and_let_in_again(
    app: Starlette, olga: TestClient, database: Database, ed: Operator
) -> None:
    vera = sign_in(app, database, "vera", "Viewer")
    keys = [str(ed.id), str(find(database, "vera").id)]
    for action, is_active in (("deactivate", False), ("activate", True)):
        path = f"/admin/operator/action/{action}"
        olga.post(path, data={"pks": keys, "confirmed": "yes"})
        assert [find(database, name).is_active for name in ("ed", "vera")] == [is_active] * 2
        assert vera.get("/admin/").status_code == 302


@pytest.mark.parametrize("action", ONE_BY_ONE)
def test_what_is_for_one_is_done_to_no_more(
    olga: TestClient, database: Database, ed: Operator, action: str
) -> None:
    zoe = add_operator(database, "zoe")
    path = f"/admin/operator/action/{action}"
    for sent in ({"pks": [str(ed.id), str(zoe.id)]}, {"_all": "1"}):
        asked = olga.post(path, data=sent)
        assert "Choose one operator." in asked.text
        assert olga.post(path, data={**sent, "confirmed": "yes"}).status_code == 400
    assert find(database, "ed").password_hash == password_hash()


def test_a_deleted_operator_s_views_stay_as_their_keys_say(
    olga: TestClient, database: Database, ed: Operator
) -> None:
    view = SavedView(name="Ours", query="", list_name="user", owner_id=ed.id)
    database.write(lambda session: session.add(view))
    sent = get(olga, f"/admin/operator/delete?pks={ed.id}").fields()
    assert olga.post("/admin/operator/delete", data=sent).status_code == 302
    stmt = select(Operator.username)
    assert "ed" not in database.read(lambda session: session.scalars(stmt).all())


def test_nothing_here_is_undone(olga: TestClient, ed: Operator) -> None:
    """No password is kept, and what has ended stays so."""
    page = follow(olga, edit(olga, ed, roles=""))
    assert not [button for button in page.buttons if button == "Undo"]
    assert olga.get("/admin/operator/trash").status_code == 404


def test_every_change_asks_who_is_there(
    olga: TestClient, database: Database, ed: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*_: object) -> Response:
        return Response(status_code=499)

    monkeypatch.setattr("admin.auth.backend.OperatorAuth.confirm", ask, raising=False)
    paths = [NEW, f"/admin/operator/edit/{ed.id}", "/admin/operator/delete"]
    actions = [*ONE_BY_ONE, "activate", "deactivate"]
    for path in [*paths, *(f"/admin/operator/action/{action}" for action in actions)]:
        sent = {"pks": str(ed.id), "confirmed": "yes", "email": "e@example.org"}
        assert olga.post(path, data=sent).status_code == 499
    assert olga.get("/admin/operator/list").status_code == 200
    assert find(database, "ed").email == "ed@example.org"


# Who may do what to whom

CLERK = {
    "operator": {"may": ["create", "edit", "delete"]},
    "user": {"may": ["edit"]},
    "post": {"may": ["details"], "hidden": ["content"]},
}


@pytest.fixture
def cleo(app: Starlette, database: Database) -> TestClient:
    """Sign in Cleo, who manages operators and users, and nothing else."""
    add_operator(database, "owen", is_superuser=True)
    add_role(database, "Clerk", CLERK)
    return sign_in(app, database, "cleo", "Clerk")


@pytest.mark.parametrize(
    ("role", "is_given"), [("Clerk", True), ("Editor", False), ("Owner", False), ("Viewer", False)]
)
def test_nobody_gives_what_they_lack(
    cleo: TestClient, database: Database, role: str, is_given: bool
) -> None:
    sent = {"username": "zoe", "access": "link", "roles": role_keys(database, role)}
    response = cleo.post(NEW, data=sent)
    assert (response.status_code == 200) == is_given
    if not is_given:
        assert response.status_code == 403
        assert "what you may not do yourself" in Page(response).error("roles")


def test_nobody_but_a_superuser_makes_one(cleo: TestClient, database: Database) -> None:
    response = cleo.post(NEW, data={"username": "zoe", "access": "link", "is_superuser": "y"})
    assert Page(response).error("is_superuser") == "Only a superuser can say who is a superuser."
    zoe = add_operator(database, "zoe")
    assert edit(cleo, zoe, is_superuser="y").status_code == 403
    assert not find(database, "zoe").is_superuser


@pytest.mark.parametrize("roles", [["Owner"], ["Clerk", "Owner"], []])
def test_nobody_changes_their_own_roles(
    cleo: TestClient, database: Database, roles: list[str]
) -> None:
    response = edit(cleo, find(database, "cleo"), roles=role_keys(database, *roles))
    assert "yourself" in Page(response).error("roles")
    assert role_names(database, "cleo") == ["Clerk"]
    edited = edit(cleo, find(database, "cleo"), email="cleo@example.org")
    assert edited.status_code == 302


@pytest.mark.parametrize("name", ["owen", "ed"])
def test_nobody_touches_who_may_do_more(
    cleo: TestClient, database: Database, ed: Operator, name: str
) -> None:
    other = find(database, name)
    before = (other.version, other.password_hash)
    key = str(other.id)
    assert cleo.get(f"/admin/operator/edit/{key}").status_code == 403
    post = cleo.post(f"/admin/operator/edit/{key}", data={"email": "cleo@example.org"})
    assert post.status_code == 403
    assert cleo.post("/admin/operator/delete", data={"pks": key}).status_code == 403
    for action in (*ONE_BY_ONE, "deactivate", "activate"):
        response = act(cleo, action, other)
        assert response.status_code == 403 or action == "activate"
    other = find(database, name)
    assert (other.version, other.password_hash, other.is_active) == (*before, True)


def test_an_action_says_at_once_that_it_is_refused(cleo: TestClient, database: Database) -> None:
    owen = find(database, "owen")
    asked = cleo.post("/admin/operator/action/set-password", data={"pks": str(owen.id)})
    assert Page(asked).alerts == ["owen is a superuser, so only a superuser can do this."]


@pytest.mark.parametrize("action", [*ONE_BY_ONE, "deactivate"])
def test_oneself_is_looked_after_elsewhere(
    olga: TestClient, database: Database, action: str
) -> None:
    add_operator(database, "owen", is_superuser=True)
    me = find(database, "olga")
    response = act(olga, action, me)
    assert response.status_code in (400, 403)
    assert "yourself" in response.text
    assert olga.get("/admin/").status_code == 200


def test_nobody_deletes_themselves(olga: TestClient, database: Database) -> None:
    add_operator(database, "owen", is_superuser=True)
    me = find(database, "olga")
    sent = get(olga, f"/admin/operator/delete?pks={me.id}").fields()
    response = olga.post("/admin/operator/delete", data=sent)
    assert response.status_code == 403
    assert "You can't delete yourself." in Page(response).root.text


def test_a_viewer_has_no_operators_page(vera: TestClient, ed: Operator) -> None:
    for path in ("list", f"details/{ed.id}", f"edit/{ed.id}", "create"):
        assert vera.get(f"/admin/operator/{path}").status_code == 403
    assert act(vera, "set-password", ed).status_code == 403


def test_the_password_of_the_tests_keeps_the_rules(olga: TestClient, ed: Operator) -> None:
    typed = {"new_password": PASSWORD, "new_password_again": PASSWORD}
    assert act(olga, "set-password", ed, **typed).status_code == 302
