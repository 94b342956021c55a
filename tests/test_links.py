"""Links by which a password is chosen: made for somebody, or asked for by e-mail."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth.guessing import ACCOUNT_HERE
from admin.auth.links import LINK_LIFETIME, MAILED_LINK_LIFETIME, make_link
from admin.auth.passwords import verify_password
from admin.auth.sessions import hash_token
from admin.settings import Settings
from main import create_app
from models import OneTimeLink, Operator
from models.base import utc_now
from models.database import Database
from tests.mail import Inbox, mail_server
from tests.operators import CHOSEN, act, change, find
from tests.pages import Page, follow, get
from tests.personas import PASSWORD, add_operator, password_hash, sign_in, visit

CHOOSE, FORGOT = "/admin/login/password", "/admin/login/forgot"
NEW = {"new_password": CHOSEN, "new_password_again": CHOSEN}
NO_GOOD = "This link does not work"


@pytest.fixture
def vera_is(database: Database) -> Operator:
    return add_operator(database, "vera", "Viewer", email="vera@example.org")


def token_for(database: Database, operator: Operator, lifetime: timedelta = LINK_LIFETIME) -> str:
    return database.write(lambda session: make_link(session, operator, lifetime))


def opened(app: Starlette, token: str) -> TestClient:
    """Open a link in a browser of its own."""
    client = visit(app)
    response = client.get(f"/admin/login/link/{token}")
    assert (response.status_code, response.headers["location"]) == (302, CHOOSE)
    return client


def count_links(database: Database) -> int:
    stmt = select(func.count()).select_from(OneTimeLink)
    return database.read(lambda session: session.scalar(stmt)) or 0


def test_a_link_leads_to_a_password(app: Starlette, database: Database, vera_is: Operator) -> None:
    client = opened(app, token_for(database, vera_is))
    page = get(client, CHOOSE)
    assert "You choose the password of vera." in page.root.text
    done = follow(client, client.post(CHOOSE, data={**page.fields(), **NEW}))
    assert done.alerts == ["Your password is set. Sign in with it."]
    vera = find(database, "vera")
    assert verify_password(vera.password_hash, CHOSEN)
    assert not vera.must_change_password
    assert client.get("/admin/").status_code == 302


def test_the_token_stays_out_of_addresses(
    app: Starlette, database: Database, vera_is: Operator
) -> None:
    token = token_for(database, vera_is)
    client = opened(app, token)
    response = client.get(CHOOSE)
    assert token not in response.text
    assert response.headers["referrer-policy"] in ("same-origin", "no-referrer")


def test_the_database_knows_a_link_by_its_hash_alone(database: Database, vera_is: Operator) -> None:
    token = token_for(database, vera_is)
    stored = database.read(lambda session: session.scalars(select(OneTimeLink)).one())
    assert stored.token_hash == hash_token(token)
    assert token not in str(vars(stored))


def test_it_works_once(app: Starlette, database: Database, vera_is: Operator) -> None:
    token = token_for(database, vera_is)
    assert opened(app, token).post(CHOOSE, data=NEW).status_code == 302
    again = opened(app, token).post(CHOOSE, data=NEW)
    assert (again.status_code, Page(again).heading) == (404, NO_GOOD)


def test_a_form_that_is_sent_twice_says_that_it_is_done(
    app: Starlette, database: Database, vera_is: Operator
) -> None:
    client = opened(app, token_for(database, vera_is))
    typed, cookies = {**get(client, CHOOSE).fields(), **NEW}, dict(client.cookies)
    for _ in range(2):
        response = visit(app, cookies=cookies).post(CHOOSE, data=typed)
        assert response.headers["location"] == "/admin/login"


def test_of_two_who_use_it_at_once_one_does(
    real_database: Database, real_settings: Settings
) -> None:
    app = create_app(real_settings, real_database)
    vera = add_operator(real_database, "vera")
    token = token_for(real_database, vera)
    clients = [opened(app, token) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda client: client.post(CHOOSE, data=NEW), clients))
    assert sorted(answer.status_code for answer in answers) == [302, 404, 404, 404]


@pytest.mark.parametrize(
    "what",
    ["unknown", "expired", "used", "newer", "disabled", "signed in", "password changed", "deleted"],
)
def test_what_is_no_good_is_answered_alike(
    app: Starlette, database: Database, vera_is: Operator, what: str
) -> None:
    lifetime = timedelta(seconds=-1) if what == "expired" else LINK_LIFETIME
    token = token_for(database, vera_is, lifetime)
    spoil(app, database, vera_is, token, what)
    client = opened(app, "x" * 43 if what == "unknown" else token)
    for answer in (client.get(CHOOSE), client.post(CHOOSE, data=NEW)):
        assert answer.status_code == 404
        assert Page(answer).heading == NO_GOOD
        assert "vera" not in answer.text
    if what != "deleted":
        assert not verify_password(find(database, "vera").password_hash, CHOSEN) or what == "used"


def spoil(app: Starlette, database: Database, vera: Operator, token: str, what: str) -> None:
    """Do to a link what makes it no good."""
    later = utc_now() + timedelta(seconds=1)
    if what == "used":
        opened(app, token).post(CHOOSE, data=NEW)
    elif what == "newer":
        token_for(database, vera)
    elif what == "disabled":
        change(database, vera, is_active=False)
    elif what == "signed in":
        change(database, vera, last_sign_in_at=later)
    elif what == "password changed":
        change(database, vera, password_changed_at=later)
    elif what == "deleted":
        database.write(lambda session: session.execute(delete(Operator)))


def test_without_a_link_there_is_no_form(app: Starlette) -> None:
    assert visit(app).get(CHOOSE).status_code == 404
    assert visit(app).post(CHOOSE, data=NEW).status_code == 404


@pytest.mark.parametrize("token", ["%00", "x" * 9000, "a%2Fb", "'; --"])
def test_no_token_is_too_odd(app: Starlette, token: str) -> None:
    client = visit(app)
    assert client.get(f"/admin/login/link/{token}").status_code in (302, 404)
    assert client.get(CHOOSE).status_code == 404


def test_guessing_links_gets_slow(app: Starlette) -> None:
    client = opened(app, "x")
    for _ in range(ACCOUNT_HERE.every):
        assert client.post(CHOOSE, data=NEW).status_code == 404
    assert client.post(CHOOSE, data=NEW).status_code == 429


def test_looking_at_a_link_does_not_use_it(
    app: Starlette, database: Database, vera_is: Operator
) -> None:
    """Programs that read messages open what is in them."""
    token = token_for(database, vera_is)
    for _ in range(3):
        assert opened(app, token).get(CHOOSE).status_code == 200
    assert count_links(database) == 1


def test_all_that_is_wrong_is_said_and_the_link_stays_good(
    app: Starlette, database: Database, vera_is: Operator
) -> None:
    client = opened(app, token_for(database, vera_is))
    wrong = {"new_password": "verakommt", "new_password_again": "other"}
    page = Page(client.post(CHOOSE, data=wrong))
    assert page.error("new_password").startswith("A password has at least 15 characters.")
    assert page.error("new_password_again") == "The two passwords are not the same."
    assert find(database, "vera").password_hash == password_hash()
    assert client.post(CHOOSE, data=NEW).status_code == 302


def test_a_new_password_ends_all_sessions(app: Starlette, database: Database) -> None:
    vera = sign_in(app, database, "vera", "Viewer")
    token = token_for(database, find(database, "vera"))
    opened(app, token).post(CHOOSE, data=NEW)
    assert vera.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({"password_hash": "another"}, 0),
        ({"email": "other@example.org"}, 0),
        ({"is_active": False}, 0),
        ({"username": "veronica", "must_change_password": True}, 1),
    ],
)
def test_whoever_changes_an_operator_ends_their_links(
    database: Database, vera_is: Operator, values: dict[str, Any], left: int
) -> None:
    """No page and no command has to think of it."""

    def work(session: Session) -> None:
        for name, value in values.items():
            setattr(session.get_one(Operator, vera_is.id), name, value)

    token_for(database, vera_is)
    database.write(work)
    assert count_links(database) == left


def test_an_owner_makes_a_link(
    app: Starlette, olga: TestClient, database: Database, vera_is: Operator
) -> None:
    page = Page(act(olga, "link", vera_is))
    url = page.root.find("p", **{"class": "secret"})[0].text
    assert url.startswith("http://testserver/admin/login/link/")
    client = visit(app)
    client.get(url)
    assert client.post(CHOOSE, data=NEW).status_code == 302


def test_a_new_address_ends_the_links_of_the_old_one(
    olga: TestClient, database: Database, vera_is: Operator
) -> None:
    token_for(database, vera_is)
    path = f"/admin/operator/edit/{vera_is.id}"
    assert olga.post(path, data={"email": "v@example.org"}).status_code == 302
    assert count_links(database) == 0


# By e-mail


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as inbox:
        yield inbox


@pytest.fixture
def mailing(settings: Settings, database: Database, inbox: Inbox) -> Starlette:
    """Build the application with a server for messages."""
    public = "https://admin.example.org/prefix"
    mail = replace(settings, smtp_url=inbox.url, mail_from="admin@example.org", public_url=public)
    return create_app(mail, database)


def ask(app: Starlette, email: str, **options: Any) -> Page:
    response = visit(app, **options).post(FORGOT, data={"email": email})
    assert response.status_code == 200
    return Page(response)


def test_who_forgot_gets_a_link(
    mailing: Starlette, database: Database, inbox: Inbox, vera_is: Operator
) -> None:
    assert FORGOT in get(visit(mailing), "/admin/login").links().values()
    ask(mailing, " VERA@Example.org ")
    assert inbox.messages[0]["To"] == "vera@example.org"
    token = inbox.link().rpartition("/")[2]
    assert opened(mailing, token).post(CHOOSE, data=NEW).status_code == 302
    assert verify_password(find(database, "vera").password_hash, CHOSEN)


def test_the_link_does_not_depend_on_the_request(
    mailing: Starlette, inbox: Inbox, vera_is: Operator
) -> None:
    """Else a request with another Host would send the link, and who opens it, elsewhere."""
    client = visit(mailing, headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil"})
    client.post(FORGOT, data={"email": "vera@example.org"})
    forged = client.post(FORGOT, data={"email": "x@y.org"}, headers={"Host": "evil.example"})
    assert forged.status_code == 400
    assert inbox.link().startswith("https://admin.example.org/prefix/admin/login/link/")


@pytest.mark.parametrize("email", ["nobody@example.org", "off@example.org", "\0@example.org"])
def test_the_answer_is_the_same_whoever_it_is(
    mailing: Starlette, database: Database, inbox: Inbox, vera_is: Operator, email: str
) -> None:
    add_operator(database, "off", email="off@example.org", is_active=False)
    known, other = ask(mailing, "vera@example.org"), ask(mailing, email)
    assert known.root.text == other.root.text
    assert [message["To"] for message in inbox.messages] == ["vera@example.org"]


def test_the_answer_comes_before_the_message(
    mailing: Starlette, inbox: Inbox, vera_is: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[float] = []
    monkeypatch.setattr("admin.auth.mail.Mailer.send", lambda *_: answered.append(time.monotonic()))
    events: list[float] = []

    async def app(scope: object, receive: object, send: object) -> None:
        async def note(message: dict[str, object]) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                events.append(time.monotonic())
            await send(message)  # type: ignore[operator]

        await mailing(scope, receive, note)  # type: ignore[arg-type]

    visit(app).post(FORGOT, data={"email": "vera@example.org"})
    assert len(events) == len(answered) == 1
    assert events[0] <= answered[0]


def test_a_message_that_fails_is_no_answer_either(
    mailing: Starlette, inbox: Inbox, vera_is: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    expected = ask(mailing, "nobody@example.org").root.text
    inbox.replies = {"RCPT": "550 no"}
    assert ask(mailing, "vera@example.org").root.text == expected
    assert "A link was not sent: MailError" in caplog.text
    assert "vera" not in caplog.text


def test_nobody_s_mailbox_is_filled(mailing: Starlette, inbox: Inbox, vera_is: Operator) -> None:
    for number in range(4):
        ask(mailing, "vera@example.org", client=(f"192.0.2.{number}", 1))
    assert len(inbox.messages) == 1


def test_asking_too_often_gets_slow(mailing: Starlette) -> None:
    for _ in range(ACCOUNT_HERE.every):
        ask(mailing, "nobody@example.org")
    response = visit(mailing).post(FORGOT, data={"email": "nobody@example.org"})
    assert response.status_code == 429


def test_an_address_that_is_none_is_said(mailing: Starlette) -> None:
    response = visit(mailing).post(FORGOT, data={"email": "vera"})
    assert response.status_code == 400
    assert "such as ann@example.org" in Page(response).error("email")


def test_a_mailed_link_is_good_for_two_hours(
    mailing: Starlette, database: Database, vera_is: Operator
) -> None:
    ask(mailing, "vera@example.org")
    link = database.read(lambda session: session.scalars(select(OneTimeLink)).one())
    assert abs(link.expires_at - link.created_at - MAILED_LINK_LIFETIME) < timedelta(seconds=5)


def test_without_a_server_nobody_is_promised_a_message(mallory: TestClient) -> None:
    assert FORGOT not in get(mallory, "/admin/login").links().values()
    assert mallory.get(FORGOT).status_code == 404
    assert mallory.post(FORGOT, data={"email": "vera@example.org"}).status_code == 404


def test_an_owner_sends_a_link(
    mailing: Starlette, database: Database, inbox: Inbox, vera_is: Operator
) -> None:
    olga = sign_in(mailing, database, "olga", is_superuser=True)
    page = follow(olga, act(olga, "link", vera_is, access="mail"))
    assert page.alerts == ["A link was sent to vera@example.org."]
    assert inbox.link().startswith("https://admin.example.org/prefix/admin/login/link/")


def test_a_link_that_can_not_be_sent_is_shown(
    mailing: Starlette, database: Database, inbox: Inbox, vera_is: Operator
) -> None:
    olga = sign_in(mailing, database, "olga", is_superuser=True)
    inbox.replies = {"MAIL": "451 later"}
    page = Page(act(olga, "link", vera_is, access="mail"))
    assert page.alerts == ["The message could not be sent; here is the link."]
    assert re.search(r"/admin/login/link/[\w-]{43}", page.root.text)


def test_a_new_operator_is_invited_by_e_mail(
    mailing: Starlette, database: Database, inbox: Inbox
) -> None:
    olga = sign_in(mailing, database, "olga", is_superuser=True)
    sent = {"username": "zoe", "access": "mail"}
    refused = Page(olga.post("/admin/operator/create", data=sent))
    assert refused.error("email") == "A message needs an e-mail address."
    stored = olga.post("/admin/operator/create", data={**sent, "email": "zoe@example.org"})
    assert stored.status_code == 302
    token = inbox.link().rpartition("/")[2]
    assert opened(mailing, token).post(CHOOSE, data=NEW).status_code == 302


def test_expired_links_are_removed(database: Database, vera_is: Operator) -> None:
    zoe = add_operator(database, "zoe")
    token_for(database, vera_is)
    past = update(OneTimeLink).values(expires_at=utc_now())
    database.write(lambda session: session.execute(past))
    token_for(database, zoe)
    assert count_links(database) == 1


def test_signing_in_ends_a_link(app: Starlette, database: Database, vera_is: Operator) -> None:
    token = token_for(database, vera_is)
    entered = {"username": "vera", "password": PASSWORD}
    assert visit(app).post("/admin/login", data=entered).status_code == 302
    assert opened(app, token).get(CHOOSE).status_code == 404
