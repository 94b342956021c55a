"""Proving once more who one is, before something dangerous; nothing that was sent is lost."""

from datetime import timedelta

import pytest
from httpx2 import Response as Answer
from sqlalchemy import delete, update
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from admin.account.confirm import PASSWORD as PASSWORD_PROOF
from admin.account.confirm import Proof
from admin.auth.backend import OperatorAuth
from admin.history import JOURNAL
from admin.kit import AdminSite
from admin.kit.forms import posted
from admin.kit.history import pages as history_pages
from admin.kit.routing import route
from admin.settings import Settings
from main import create_app
from models import OperatorSession
from models.base import utc_now
from models.database import Database
from tests.history.conftest import change_sets
from tests.pages import Page, follow
from tests.personas import PASSWORD, add_operator, sign_in, visit
from tests.records import add_user, users

GUARDED, CONFIRM = "/admin/guarded", "/admin/account/confirm"
HEADING = "Confirm that it is you"
PROVED = {"_confirm": "1", "_confirm_password": PASSWORD}
GUESSED = {"_confirm": "1", "_confirm_password": "wrong"}
SENT = {"b": ["2", "1"], "a": "<é>\r\n", "_operation": "key", "pass": "word"}


async def guarded(site: AdminSite, request: Request) -> Response:
    """Answer with what was sent, once the operator is known to be there."""
    sent = await site.authentication_backend.confirm(request)
    if sent is not None:
        return sent
    form = await posted(request) if request.method == "POST" else request.query_params
    return JSONResponse(form.multi_items())


@pytest.fixture
def somebody(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Sign in Olga, who last proved who she is a while ago, where a page asks for it."""
    own = OperatorAuth.routes

    def routes(auth: OperatorAuth) -> object:
        return [*own(auth), route("/guarded", auth.site, guarded, "guarded", "GET", "POST")]

    monkeypatch.setattr(OperatorAuth, "routes", routes)
    olga = sign_in(create_app(settings, database), database, "olga", is_superuser=True)
    let_pass(database)
    return olga


def let_pass(database: Database, **time: float) -> None:
    past = utc_now() - timedelta(**(time or {"minutes": 16}))
    stmt = update(OperatorSession).values(confirmed_at=past)
    database.write(lambda session: session.execute(stmt))


def is_in(client: TestClient) -> bool:
    return client.get("/admin/account").status_code == 200


def asked(answer: Answer) -> Page:
    page = Page(answer)
    assert page.heading == HEADING
    return page


def hidden(page: Page) -> list[tuple[str, str]]:
    (main,) = page.root.find("main")
    found = [field.attributes for field in main.find("input") if field.attributes.get("value")]
    return [(field["name"], field["value"]) for field in found]


def test_of_late_nobody_is_asked(somebody: TestClient, database: Database) -> None:
    let_pass(database, minutes=14)
    assert somebody.get(f"{GUARDED}?a=1").json() == [["a", "1"]]


def test_what_was_sent_waits_on_the_page_that_asks(somebody: TestClient) -> None:
    answer = somebody.post(GUARDED, data=SENT)
    assert answer.status_code == 403
    page = asked(answer)
    kept = [("_operation", "key"), ("b", "2"), ("b", "1"), ("a", "<é>\r\n"), ("pass", "word")]
    assert hidden(page) == [*kept, ("_confirm", "1")]
    (form,) = [form for form in page.root.find("form") if form.find("input", name="_confirm")]
    assert "action" not in form.attributes


def test_it_goes_on_with_exactly_what_was_sent(somebody: TestClient) -> None:
    at_first = somebody.post(GUARDED, data={**SENT, **PROVED})
    again = somebody.post(GUARDED, data=SENT)
    assert at_first.json() == again.json()


def test_a_page_opens_once_the_proof_was_sent_elsewhere(somebody: TestClient) -> None:
    """A password is never in an address."""
    page = asked(somebody.get(f"{GUARDED}?a=1%262&b="))
    fields = {**dict(hidden(page)), **PROVED}
    assert fields["next"] == f"{GUARDED}?a=1%262&b="
    answer = somebody.post(CONFIRM, data=fields)
    assert (answer.status_code, answer.headers["location"]) == (302, fields["next"])
    assert somebody.get(fields["next"]).json() == [["a", "1&2"], ["b", ""]]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/x", "", "/admin/.."]
)
def test_it_goes_on_to_no_other_site(somebody: TestClient, target: str) -> None:
    for data in (PROVED, {}):
        answer = somebody.post(CONFIRM, data={"next": target, **data})
        assert (answer.status_code, answer.headers["location"]) == (302, "/admin/")


def test_it_can_be_asked_for_alone(somebody: TestClient) -> None:
    page = asked(somebody.get(f"{CONFIRM}?next={GUARDED}"))
    assert ("next", GUARDED) in hidden(page)
    assert page.root.find("form", action=CONFIRM)


def test_a_typed_password_is_on_no_page(somebody: TestClient) -> None:
    """Its form asks for it again; the page says so."""
    sent = {"name": "Zoe", "Password": "secret-1", "new_password": "secret-2", **GUESSED}
    for data in ({"name": "Zoe", "new_password": "secret-2"}, sent):
        answer = somebody.post(GUARDED, data=data)
        assert "secret-" not in answer.text
        assert ("name", "Zoe") in hidden(asked(answer))
    said = "Passwords that you typed have to be typed again"
    assert said in somebody.post(GUARDED, data={"password": "x"}).text
    assert said not in somebody.post(GUARDED, data={"name": "x"}).text


def test_nor_is_it_on_the_page_of_who_is_signed_out(
    somebody: TestClient, database: Database
) -> None:
    database.write(lambda session: session.execute(delete(OperatorSession)))
    answer = somebody.post(GUARDED, data={"name": "Zoe", "new_password": "secret-1", **PROVED})
    assert (answer.status_code, "secret-1" in answer.text) == (401, False)
    assert hidden(Page(answer))[1:] == [("name", "Zoe")]


def test_a_wrong_password_is_refused_and_nothing_lost(somebody: TestClient) -> None:
    page = asked(somebody.post(GUARDED, data={**SENT, **GUESSED}))
    assert page.alerts == ["This is not right. Try again."]
    assert ("a", "<é>\r\n") in hidden(page)
    assert somebody.post(GUARDED, data={**SENT, **PROVED}).status_code == 200


def test_five_wrong_passwords_end_the_session(somebody: TestClient, database: Database) -> None:
    copy = visit(somebody.app, cookies=dict(somebody.cookies))
    for _ in range(4):
        asked(somebody.post(GUARDED, data=GUESSED))
    answer = somebody.post(GUARDED, data={**SENT, **GUESSED})
    assert (answer.status_code, Page(answer).heading) == (401, "You are signed out")
    assert ("a", "<é>\r\n") in hidden(Page(answer))
    assert "wrong" not in answer.text
    assert not is_in(copy)
    assert "end session" in change_sets(database)[-1].summary


def test_five_wrong_passwords_elsewhere_lead_to_the_sign_in(somebody: TestClient) -> None:
    for _ in range(5):
        answer = somebody.post(CONFIRM, data={"next": GUARDED, **GUESSED})
    assert answer.headers["location"] == "/admin/login?next=%2Fadmin%2Fguarded"


def test_guesses_count_as_they_do_at_the_sign_in(somebody: TestClient, database: Database) -> None:
    """Who has the browser gets five of them in all, not five at each door."""
    for _ in range(4):
        somebody.post(GUARDED, data=GUESSED)
    login = {"username": "olga", "password": "wrong"}
    browser = visit(somebody.app, cookies={"admin-device": somebody.cookies["admin-device"]})
    assert browser.post("/admin/login", data=login).status_code == 400
    answer = somebody.post(GUARDED, data={**SENT, **PROVED})
    assert answer.status_code == 429
    assert 55 <= int(answer.headers["retry-after"]) <= 60
    assert "Try again in" in asked(answer).alerts[0]


def test_success_forgets_the_wrong_ones(somebody: TestClient, database: Database) -> None:
    for _ in range(2):
        for _ in range(4):
            somebody.post(GUARDED, data=GUESSED)
        assert somebody.post(GUARDED, data=PROVED).status_code == 200
        let_pass(database)


def test_a_proof_renews_the_session(somebody: TestClient) -> None:
    """Who copied the cookie does not rise along, and is out."""
    copy = visit(somebody.app, cookies=dict(somebody.cookies))
    somebody.post(GUARDED, data=PROVED)
    assert (is_in(somebody), is_in(copy)) == (True, False)


def test_it_holds_for_a_session_and_not_for_an_operator(
    somebody: TestClient, database: Database
) -> None:
    other = visit(somebody.app)
    other.post("/admin/login", data={"username": "olga", "password": PASSWORD})
    let_pass(database)
    somebody.post(GUARDED, data=PROVED)
    assert somebody.get(GUARDED).status_code == 200
    assert other.get(GUARDED).status_code == 403


def test_another_operators_password_proves_nothing(
    somebody: TestClient, database: Database
) -> None:
    add_operator(database, "vera")
    data = {"_confirm": "1", "_confirm_password": "", "username": "vera"}
    asked(somebody.post(GUARDED, data=data))


@pytest.mark.parametrize("proof", [PROVED, {"_confirm_code": "123456"}])
def test_any_way_to_prove_it_will_do(
    somebody: TestClient, monkeypatch: pytest.MonkeyPatch, proof: dict[str, str]
) -> None:
    code = Proof("_confirm_code", "Code", lambda _database, _id, text: text == "123456", "text")
    monkeypatch.setattr(OperatorAuth, "proofs", lambda _auth, _operator: [PASSWORD_PROOF, code])
    page = asked(somebody.post(GUARDED, data={"_confirm_code": "654321"}))
    assert "Code" in page.root.text
    assert "654321" not in dict(hidden(page)).values()
    assert somebody.post(GUARDED, data=proof).status_code == 200


def test_all_of_it_is_in_the_history(somebody: TestClient, database: Database) -> None:
    before = len(change_sets(database))
    for proof in (GUESSED, PROVED):
        somebody.post(GUARDED, data=proof)
    told = [(found.operator_name, found.summary) for found in change_sets(database)[before:]]
    assert told == [("olga", '[["","refuse confirm",1]]'), ("olga", '[["","confirm",1]]')]


def test_a_script_is_told_in_words(somebody: TestClient) -> None:
    answer = somebody.get(GUARDED, headers={"Accept": "application/json"})
    assert answer.status_code == 403
    assert "Reload the page" in answer.text


def test_undoing_much_needs_a_proof(
    somebody: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is done once proved, and can be undone in turn."""
    monkeypatch.setattr(history_pages, "MOST_UNCONFIRMED", 0)
    add_user(database.recorded_by(JOURNAL), "Alice")
    undo = f"/admin/history/{change_sets(database)[-1].id}/undo"
    asked(somebody.post(undo, data={"skip": "1"}))
    assert len(users(database)) == 1
    page = follow(somebody, somebody.post(undo, data={"skip": "1", **PROVED}))
    assert not users(database)
    assert "Undone: 1 row was put back." in page.alerts[0]
    assert page.root.find(
        "form", action=f"/admin/history/{change_sets(database)[-1].operation.hex}/undo"
    )


def test_undoing_little_needs_none(somebody: TestClient, database: Database) -> None:
    add_user(database.recorded_by(JOURNAL), "Alice")
    assert somebody.post(f"/admin/history/{change_sets(database)[-1].id}/undo").status_code == 302
    assert not users(database)
