"""Signing in: who gets in, what a session is, and where it leads."""

import base64
import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

import itsdangerous
import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from httpx2 import Response
from sqlalchemy import func, select, update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth import passwords, signing_in
from admin.auth.backend import COOKIE_LIFETIME
from admin.auth.operators import LONGEST_USERNAME, normalize_username
from admin.auth.passwords import LONGEST_PASSWORD
from admin.auth.sessions import hash_token
from admin.settings import Settings
from main import create_app
from models import Operator, OperatorSession
from models.base import utc_now
from models.database import Database
from tests.pages import Page
from tests.personas import PASSWORD, add_operator, visit

WRONG = "Enter a correct username and password."


@pytest.fixture
def someone(app: Starlette, database: Database) -> TestClient:
    """Open a browser at a site where Olga is an operator."""
    add_operator(database, "olga", is_superuser=True)
    return visit(app)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Count the passwords that are checked against a hash."""
    hasher = Mock(wraps=passwords.hasher)
    monkeypatch.setattr(passwords, "hasher", hasher)
    verify: Mock = hasher.verify
    return verify


def enter(
    client: TestClient, username: str = "olga", password: str = PASSWORD, **more: str
) -> Response:
    return client.post("/admin/login", data={"username": username, "password": password, **more})


def signed(payload: object, secret: str) -> str:
    data = base64.b64encode(json.dumps(payload).encode())
    return itsdangerous.TimestampSigner(secret, digest_method=hashlib.sha256).sign(data).decode()


def content(cookie: str) -> dict[str, object]:
    held: dict[str, object] = json.loads(base64.b64decode(cookie.partition(".")[0]))
    return held


def is_signed_in(client: TestClient) -> bool:
    return client.get("/admin/").status_code == 200


def only_operator(database: Database) -> Operator:
    return database.read(lambda session: session.scalars(select(Operator)).one())


def count_sessions(database: Database) -> int:
    count = select(func.count()).select_from(OperatorSession)
    return database.read(lambda session: session.scalar(count)) or 0


def test_the_right_password_opens_the_admin(someone: TestClient) -> None:
    response = enter(someone)
    assert (response.status_code, response.headers["location"]) == (302, "/admin/")
    assert is_signed_in(someone)


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.upper(), f"{PASSWORD} "])
def test_a_wrong_password_is_refused(someone: TestClient, password: str) -> None:
    response = enter(someone, password=password)
    assert response.status_code == 400
    assert Page(response).alerts == [WRONG]
    assert "set-cookie" not in response.headers
    assert not is_signed_in(someone)


def test_an_unknown_name_gets_the_same_answer(someone: TestClient) -> None:
    wrong, unknown = enter(someone, password="wrong"), enter(someone, "bolga")
    assert unknown.status_code == wrong.status_code
    assert unknown.text.replace("bolga", "olga") == wrong.text


@pytest.mark.parametrize("username", ["olga", "nobody", "", "\0", "x" * 5000])
@pytest.mark.parametrize("password", [PASSWORD, "wrong", ""])
def test_every_attempt_costs_one_hash(
    someone: TestClient, verified: Mock, username: str, password: str
) -> None:
    enter(someone, username, password)
    assert verified.call_count == 1


def test_a_disabled_operator_is_refused_like_anyone(
    app: Starlette, database: Database, verified: Mock
) -> None:
    add_operator(database, "dora", is_active=False)
    response = enter(visit(app), "dora")
    assert (response.status_code, Page(response).alerts) == (400, [WRONG])
    assert verified.call_count == 1


@pytest.mark.parametrize("username", ["OLGA", " olga ", "ＯＬＧＡ"])
def test_a_name_is_the_same_in_any_case_and_width(someone: TestClient, username: str) -> None:
    assert enter(someone, username).status_code == 302


def test_a_password_is_the_same_from_any_keyboard(app: Starlette, database: Database) -> None:
    composed = passwords.hash_password("caf\u00e9")
    add = Operator(username="chloé", password_hash=composed)
    database.write(lambda session: session.add(add))
    assert enter(visit(app), "chloe\u0301", "cafe\u0301").status_code == 302


@pytest.mark.parametrize("text", ["olga\0", "\0", "x" * 5000, "\U0010ffff", "'; --", "ﷺ" * 1000])
def test_no_text_is_too_odd_to_be_refused(someone: TestClient, text: str) -> None:
    assert enter(someone, username=text).status_code == 400
    assert enter(someone, password=text).status_code == 400


def test_a_name_that_only_begins_like_one_is_unknown(app: Starlette, database: Database) -> None:
    longest = add_operator(database, "x" * LONGEST_USERNAME).username
    assert enter(visit(app), f"{longest}x").status_code == 400
    assert enter(visit(app), longest).status_code == 302


def test_a_password_that_only_begins_like_one_is_wrong(app: Starlette, database: Database) -> None:
    longest = "x" * LONGEST_PASSWORD
    operator = Operator(username="olga", password_hash=passwords.hash_password(longest))
    database.write(lambda session: session.add(operator))
    assert enter(visit(app), password=f"{longest}x").status_code == 400
    assert enter(visit(app), password=longest).status_code == 302


def test_a_password_sent_as_a_file_is_refused(someone: TestClient) -> None:
    files = {"password": ("password.txt", PASSWORD)}
    response = someone.post("/admin/login", data={"username": "olga"}, files=files)
    assert response.status_code == 400


@pytest.mark.parametrize("charset", ["unicode_escape", "undefined", "punycode", "utf-16"])
def test_only_utf_8_is_read(someone: TestClient, charset: str) -> None:
    """Python's other codecs may read half a character, fail in their own way, or take minutes."""
    head = b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\n'
    kind = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
    content = head + rb"\ud800" + b"_\r\n--b--\r\n"
    assert someone.post("/admin/login", content=content, headers=kind).status_code == 415
    kind = {"Content-Type": "application/x-www-form-urlencoded; Charset=UTF-8"}
    assert someone.post("/admin/login", content=b"username=", headers=kind).status_code == 400


def test_what_was_typed_is_shown_again_without_the_password(someone: TestClient) -> None:
    response = enter(someone, '"><script>', "hunter2")
    assert Page(response).fields()["username"] == '"><script>'
    assert "hunter2" not in response.text


def test_signing_in_again_ends_the_old_session(someone: TestClient, database: Database) -> None:
    enter(someone)
    old = someone.cookies["admin"]
    enter(someone)
    assert content(old)["token"] != content(someone.cookies["admin"])["token"]
    assert count_sessions(database) == 1
    assert not is_signed_in(visit(someone.app, cookies={"admin": old}))
    assert is_signed_in(someone)


def test_a_planted_cookie_does_not_survive_signing_in(
    someone: TestClient, settings: Settings
) -> None:
    planted = {"token": "known to mallory", "_messages": [], "color": "red"}
    someone.cookies.set("admin", signed(planted, settings.secret_key))
    response = enter(someone)
    held = content(response.cookies["admin"])
    assert held.keys() == {"token"}
    assert held["token"] != "known to mallory"


def test_a_failed_attempt_leaves_the_old_session_alone(someone: TestClient) -> None:
    enter(someone)
    enter(someone, password="wrong")
    assert is_signed_in(someone)


def test_the_cookie_is_kept_from_scripts_and_other_sites(someone: TestClient) -> None:
    name, *flags = enter(someone).headers.get_list("set-cookie")[-1].split("; ")
    assert name.startswith("admin=")
    assert flags == [
        "path=/",
        f"Max-Age={COOKIE_LIFETIME.total_seconds():.0f}",
        "httponly",
        "samesite=lax",
    ]


def test_the_cookie_of_production_is_bound_to_the_host(
    settings: Settings, database: Database
) -> None:
    add_operator(database, "olga")
    app = create_app(replace(settings, env="production"), database)
    client = visit(app, base_url="https://testserver")
    name, *flags = enter(client).headers.get_list("set-cookie")[-1].split("; ")
    assert name.startswith("__Host-admin=")
    assert {"path=/", "httponly", "samesite=lax", "secure"} <= set(flags)
    assert not any(flag.startswith("domain") for flag in flags)
    assert is_signed_in(client)


def test_the_database_knows_the_token_by_its_hash_alone(
    someone: TestClient, database: Database
) -> None:
    enter(someone)
    token = str(content(someone.cookies["admin"])["token"])
    stored = database.read(lambda session: session.scalars(select(OperatorSession)).one())
    assert stored.token_hash == hash_token(token)
    assert token not in str(vars(stored))
    assert len(token) >= 43


def test_a_cookie_someone_else_signed_opens_nothing(
    someone: TestClient, settings: Settings
) -> None:
    enter(someone)
    genuine = someone.cookies["admin"]
    payload = content(genuine)
    swapped = signed({"token": "x"}, settings.secret_key).split(".")[0]
    for forged in (
        signed(payload, "another secret"),
        # The last two bits of the last character are padding and may differ.
        f"{genuine[:-1]}{'A' if genuine[-1] != 'A' else 'E'}",
        ".".join([swapped, *genuine.split(".")[1:]]),
        genuine.partition(".")[0],
        "null",
        "",
    ):
        assert not is_signed_in(visit(someone.app, cookies={"admin": forged}))


def test_a_cookie_past_its_age_opens_nothing(
    someone: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(someone)
    later = time.time() + COOKIE_LIFETIME.total_seconds() + 2
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert not is_signed_in(someone)


def test_an_expired_session_opens_nothing(someone: TestClient, database: Database) -> None:
    enter(someone)
    past = update(OperatorSession).values(expires_at=utc_now())
    database.write(lambda session: session.execute(past))
    assert not is_signed_in(someone)


def test_expired_sessions_are_removed_at_the_next_sign_in(
    someone: TestClient, database: Database
) -> None:
    enter(someone)
    past = update(OperatorSession).values(expires_at=utc_now())
    database.write(lambda session: session.execute(past))
    enter(visit(someone.app))
    assert count_sessions(database) == 1


def test_a_session_lasts_half_a_day(someone: TestClient, database: Database) -> None:
    enter(someone)
    stored = database.read(lambda session: session.scalars(select(OperatorSession)).one())
    assert timedelta(hours=11.9) < stored.expires_at - utc_now() <= timedelta(hours=12)


def test_the_last_sign_in_is_noted(someone: TestClient, database: Database) -> None:
    assert only_operator(database).last_sign_in_at is None
    enter(someone)
    seen = only_operator(database).last_sign_in_at
    assert seen is not None
    assert utc_now() - seen < timedelta(minutes=1)


def test_a_failed_attempt_is_no_sign_in(someone: TestClient, database: Database) -> None:
    enter(someone, password="wrong")
    assert only_operator(database).last_sign_in_at is None


def test_a_hash_takes_as_much_as_owasp_asks_for(real_hasher: PasswordHasher) -> None:
    made = extract_parameters(real_hasher.hash(PASSWORD))
    assert (made.type, made.memory_cost, made.time_cost) == (Type.ID, 19 * 1024, 2)


def test_an_old_hash_is_renewed_at_sign_in(app: Starlette, database: Database) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    operator = Operator(username="olga", password_hash=old)
    database.write(lambda session: session.add(operator))
    enter(visit(app), password="wrong")
    assert only_operator(database).password_hash == old
    assert enter(visit(app)).status_code == 302
    renewed = only_operator(database).password_hash
    assert passwords.hasher.check_needs_rehash(old)
    assert not passwords.hasher.check_needs_rehash(renewed)
    assert enter(visit(app)).status_code == 302


def test_a_new_hash_is_left_alone(someone: TestClient, database: Database) -> None:
    before = only_operator(database).password_hash
    enter(someone)
    assert only_operator(database).password_hash == before


def test_an_operator_disabled_while_the_hash_runs_stays_out(
    someone: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify_slowly(password_hash: str | None, password: str) -> bool:
        database.write(lambda session: session.execute(update(Operator).values(is_active=False)))
        return passwords.verify_password(password_hash, password)

    monkeypatch.setattr(signing_in, "verify_password", verify_slowly)
    assert enter(someone).status_code == 400
    assert count_sessions(database) == 0


def test_one_operator_may_sign_in_from_many_places_at_once(
    real_database: Database, real_settings: Settings
) -> None:
    add_operator(real_database, "olga")
    with visit(create_app(real_settings, real_database)) as client, ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(enter, client) for _ in range(4)]
        assert [answer.result().status_code for answer in answers] == [302] * 4


@pytest.mark.parametrize(
    "target",
    ["/admin/user/list?search=a%26b&page=2", "/admin/", "/admin/post/edit/1"],
)
def test_signing_in_leads_to_what_was_asked_for(someone: TestClient, target: str) -> None:
    asked = someone.get(target)
    page = Page(someone.get(asked.headers["location"]))
    response = enter(someone, next=page.fields()["next"])
    assert response.headers["location"] == target


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/\\evil.example",
        "/admin/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/elsewhere",
        "/adminevil",
        "/admin/\r\nSet-Cookie: admin=x",
        "\t//evil.example",
        "",
    ],
)
def test_signing_in_leads_to_no_other_site(someone: TestClient, target: str) -> None:
    assert enter(someone, next=target).headers["location"] == "/admin/"


def test_an_address_of_the_page_is_no_attempt(someone: TestClient) -> None:
    query = f"?username=olga&password={PASSWORD}"
    for request in (someone.get, someone.head):
        response = request(f"/admin/login{query}")
        assert response.status_code == 200
        assert "set-cookie" not in response.headers
    assert not is_signed_in(someone)


def test_names_have_one_spelling() -> None:
    assert normalize_username(" ＯlgaSS ") == normalize_username("olgaß") == "olgass"
