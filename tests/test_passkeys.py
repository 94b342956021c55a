"""Passkeys: made here, used here, and nothing that is forged, old or somebody else's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from httpx2 import Response
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.auth.factors import passkeys
from admin.auth.factors.passkeys import relying_party
from admin.history import JOURNAL
from admin.settings import Settings
from main import create_app
from models import BackupCode, Change, Operator, Passkey
from models.base import utc_now
from models.database import Database
from tests.authenticator import PRESENT, Authenticator, as_bytes
from tests.factors import OVERVIEW, STEP, add_app, add_passkey, code_now, enter, is_signed_in
from tests.pages import Page, follow, get
from tests.personas import add_operator, sign_in, visit

ADD = f"{OVERVIEW}/passkeys/add"
OPTIONS = f"{OVERVIEW}/passkeys/options"
SIGN_IN = "/admin/login/passkey"
NOT_MADE = "This browser made no passkey that works here. Try again."
NOT_ACCEPTED = "The passkey was not accepted. Try again, or use another way."
Forge = Callable[[Authenticator], object]
# Where the database makes no difference.
one_database = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def options(client: TestClient, path: str) -> dict[str, Any]:
    response = client.post(path)
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def add(client: TestClient, device: Authenticator, name: str = "My phone") -> Response:
    credential = device.create(options(client, OPTIONS))
    return client.post(ADD, data={"name": name, "credential": credential})


def use(client: TestClient, device: Authenticator, path: str = SIGN_IN, **more: str) -> Response:
    credential = device.get(options(client, f"{path}/options"))
    return client.post(path, data={"credential": credential, **more})


def stored(database: Database) -> list[Passkey]:
    stmt = select(Passkey).order_by(Passkey.id)
    return list(database.read(lambda session: session.scalars(stmt).all()))


def key_of(database: Database) -> str:
    return f"{OVERVIEW}/passkeys/{stored(database)[0].id}"


@pytest.fixture
def ed(database: Database) -> Operator:
    return add_operator(database, "ed", "Editor")


@pytest.fixture
def device(database: Database, ed: Operator) -> Authenticator:
    """Hold Ed's passkey."""
    return add_passkey(database, ed)


@pytest.fixture
def stranger(app: Starlette) -> TestClient:
    return visit(app)


# Adding


def test_a_passkey_is_added_and_signs_in_alone(
    olga: TestClient, app: Starlette, database: Database
) -> None:
    device = Authenticator()
    assert Page(add(olga, device)).heading == "Your backup codes"
    assert [passkey.name for passkey in stored(database)] == ["My phone"]
    stranger = visit(app)
    assert use(stranger, device).headers["location"] == "/admin/"
    assert is_signed_in(stranger)


def test_browsers_are_asked_for_what_needs_no_password(olga: TestClient) -> None:
    asked = options(olga, OPTIONS)
    chosen = asked["authenticatorSelection"]
    assert chosen["residentKey"] == chosen["userVerification"] == "required"
    assert asked["rp"] == {"id": "testserver", "name": "Admin"}
    assert len(as_bytes(asked["challenge"])) == 32
    assert asked["attestation"] == "none"


def test_a_device_that_has_one_is_not_asked_again(app: Starlette, database: Database) -> None:
    olga, device = sign_in(app, database, "olga"), Authenticator()
    add(olga, device)
    (known,) = options(olga, OPTIONS)["excludeCredentials"]
    assert as_bytes(known["id"]) == device.credential_id


def test_several_are_added_and_the_second_brings_no_new_codes(
    olga: TestClient, database: Database
) -> None:
    add(olga, Authenticator())
    page = follow(olga, add(olga, Authenticator(), "Key ring"))
    assert page.alerts == ["The passkey was added."]
    assert [passkey.name for passkey in stored(database)] == ["My phone", "Key ring"]
    count = database.read(lambda session: session.scalars(select(BackupCode)).all())
    assert len(count) == 10


@one_database
@pytest.mark.parametrize(
    "forge",
    [
        lambda device: setattr(device, "origin", "https://mallory.example"),
        lambda device: setattr(device, "origin", "http://testserver.mallory.example"),
        lambda device: setattr(device, "origin", "https://testserver"),
        lambda device: setattr(device, "rp_id", "mallory.example"),
        lambda device: setattr(device, "flags", PRESENT),
        lambda device: setattr(device, "flags", 0),
        lambda device: setattr(device, "cross_origin", True),
    ],
    ids=["origin", "longer origin", "scheme", "site", "unverified", "absent", "frame"],
)
def test_a_forged_passkey_is_not_kept(olga: TestClient, database: Database, forge: Forge) -> None:
    device = Authenticator()
    forge(device)
    response = add(olga, device, "Typed")
    assert (response.status_code, Page(response).alerts) == (400, [NOT_MADE, NOT_MADE])
    assert Page(response).fields()["name"] == "Typed"
    assert stored(database) == []


def test_a_challenge_makes_one_passkey(olga: TestClient, database: Database) -> None:
    asked = options(olga, OPTIONS)
    for status in (200, 400):
        credential = Authenticator().create(asked)
        response = olga.post(ADD, data={"name": "x", "credential": credential})
        assert response.status_code == status
    assert len(stored(database)) == 1


def test_a_passkey_is_nobody_elses_as_well(
    olga: TestClient, app: Starlette, database: Database
) -> None:
    device = Authenticator()
    add(olga, device)
    response = add(sign_in(app, database, "vera", "Viewer"), device)
    assert response.status_code == 400
    assert len(stored(database)) == 1


@one_database
@pytest.mark.parametrize(
    "credential",
    [
        *("", "x", "{}", "[]", "null", "1", '{"id":1}', "[" * 5_000, '{"id":"\\ud800"}', "\0"),
        '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA"}}',
    ],
    ids=lambda text: text[:20],
)
def test_nonsense_is_refused(olga: TestClient, credential: str) -> None:
    options(olga, OPTIONS)
    assert olga.post(ADD, data={"name": "x", "credential": credential}).status_code == 400
    options(olga, f"{SIGN_IN}/options")
    assert olga.post(SIGN_IN, data={"credential": credential}).status_code == 400


def test_there_is_an_end_to_passkeys(
    olga: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passkeys, "MOST_PASSKEYS", 1)
    add(olga, Authenticator())
    assert add(olga, Authenticator()).status_code == 400
    assert "Add a passkey" not in get(olga, OVERVIEW).links()
    assert len(stored(database)) == 1


@one_database
@pytest.mark.parametrize(
    ("typed", "kept"),
    [("", "Passkey"), (" \0\n ", "Passkey"), ("x" * 300, "x" * 100), ("<b>", "<b>")],
    ids=str,
)
def test_any_name_is_one(olga: TestClient, database: Database, typed: str, kept: str) -> None:
    add(olga, Authenticator(), typed)
    assert stored(database)[0].name == kept
    assert kept in get(olga, OVERVIEW).root.text


@one_database
def test_without_scripts_the_page_says_what_else_there_is(olga: TestClient) -> None:
    (note,) = get(olga, ADD).root.find("noscript")
    assert "Passkeys need scripts" in note.text
    assert [link.attributes["href"] for link in note.find("a")] == [f"{OVERVIEW}/app"]
    response = olga.post(ADD, data={"name": "x", "credential": ""})
    assert (response.status_code, "Passkeys need scripts" in response.text) == (400, True)


# Looking after them


def test_a_passkey_is_renamed(olga: TestClient, database: Database) -> None:
    add(olga, Authenticator())
    follow(olga, olga.post(key_of(database), data={"name": "Old phone"}))
    assert stored(database)[0].name == "Old phone"


def test_a_passkey_is_removed_and_the_codes_with_the_last_factor(
    olga: TestClient, app: Starlette, database: Database
) -> None:
    device = Authenticator()
    add(olga, device)
    follow(olga, olga.post(key_of(database), data={"do": "remove"}))
    assert stored(database) == []
    assert not database.read(lambda session: session.scalars(select(BackupCode)).all())
    assert use(visit(app), device).status_code == 400


def test_the_last_use_is_shown(
    stranger: TestClient, device: Authenticator, database: Database
) -> None:
    use(stranger, device)
    assert "Last used" in get(stranger, OVERVIEW).root.text
    assert stored(database)[0].used_at is not None


@pytest.mark.parametrize("sent", [{"name": "Mine"}, {"do": "remove"}], ids=str)
def test_the_passkey_of_somebody_else_is_a_404(
    olga: TestClient, device: Authenticator, database: Database, sent: dict[str, str]
) -> None:
    assert olga.get(key_of(database)).status_code == 404
    assert olga.post(key_of(database), data=sent).status_code == 404
    assert [passkey.name for passkey in stored(database)] == ["Key"]


@one_database
@pytest.mark.parametrize("key", [0, 2**31, 10**30])
def test_a_key_of_none_is_a_404(olga: TestClient, key: int) -> None:
    assert olga.get(f"{OVERVIEW}/passkeys/{key}").status_code == 404
    assert olga.post(f"{OVERVIEW}/passkeys/{key}", data={"name": "x"}).status_code == 404


# Signing in


def test_it_leads_to_what_was_asked_for(stranger: TestClient, device: Authenticator) -> None:
    response = use(stranger, device, next="/admin/user/list")
    assert response.headers["location"] == "/admin/user/list"


def test_it_leads_to_no_other_site(stranger: TestClient, device: Authenticator) -> None:
    assert use(stranger, device, next="//mallory.example").headers["location"] == "/admin/"


def test_it_is_enough_where_an_app_is_asked_for(
    stranger: TestClient, device: Authenticator, database: Database, settings: Settings
) -> None:
    add_app(database, settings, "ed")
    assert use(stranger, device).headers["location"] == "/admin/"
    assert is_signed_in(stranger)


def test_it_is_a_second_step(stranger: TestClient, device: Authenticator) -> None:
    assert enter(stranger, "ed").headers["location"] == STEP
    assert use(stranger, device, STEP).headers["location"] == "/admin/"
    assert is_signed_in(stranger)


def test_a_second_step_asks_for_ones_own_passkeys(
    stranger: TestClient, device: Authenticator
) -> None:
    enter(stranger, "ed")
    (allowed,) = options(stranger, f"{STEP}/options")["allowCredentials"]
    assert as_bytes(allowed["id"]) == device.credential_id


def test_a_second_step_takes_nobody_elses(
    stranger: TestClient, device: Authenticator, database: Database
) -> None:
    others = add_passkey(database, add_operator(database, "mallory"))
    enter(stranger, "ed")
    response = use(stranger, others, STEP)
    assert response.status_code == 400
    assert NOT_ACCEPTED in response.text
    assert not is_signed_in(stranger)


def test_strangers_learn_of_no_passkey(stranger: TestClient, device: Authenticator) -> None:
    assert not options(stranger, f"{SIGN_IN}/options").get("allowCredentials")
    assert stranger.post(f"{STEP}/options").status_code == 401


@one_database
@pytest.mark.parametrize(
    "forge",
    [
        lambda device: setattr(device, "origin", "https://mallory.example"),
        lambda device: setattr(device, "rp_id", "mallory.example"),
        lambda device: setattr(device, "flags", PRESENT),
        lambda device: setattr(device, "flags", 0),
        lambda device: setattr(device, "cross_origin", True),
        lambda device: setattr(device, "key", ec.generate_private_key(ec.SECP256R1())),
        lambda device: setattr(device, "credential_id", b"unknown"),
        lambda device: setattr(device, "user_handle", b"999"),
        lambda device: setattr(device, "user_handle", b""),
    ],
    ids=["origin", "site", "unverified", "absent", "frame", "key", "name", "owner", "nobody"],
)
@pytest.mark.parametrize("path", [SIGN_IN, STEP])
def test_a_forged_answer_lets_nobody_in(
    stranger: TestClient, device: Authenticator, database: Database, path: str, forge: Forge
) -> None:
    if path == STEP:
        enter(stranger, "ed")
    forge(device)
    response = use(stranger, device, path)
    assert response.status_code == 400
    assert NOT_ACCEPTED in response.text
    assert not is_signed_in(stranger)
    assert stored(database)[0].used_at is None


def test_another_challenge_is_not_signed(stranger: TestClient, device: Authenticator) -> None:
    first = options(stranger, f"{SIGN_IN}/options")
    options(stranger, f"{SIGN_IN}/options")
    response = stranger.post(SIGN_IN, data={"credential": device.get(first)})
    assert response.status_code == 400


def test_a_challenge_is_for_its_purpose(
    olga: TestClient, device: Authenticator, database: Database
) -> None:
    """What was signed to add a passkey signs nobody in."""
    asked = options(olga, OPTIONS)
    assert olga.post(SIGN_IN, data={"credential": device.get(asked)}).status_code == 400


def test_a_challenge_is_for_the_browser_that_asked(
    stranger: TestClient, app: Starlette, device: Authenticator
) -> None:
    credential = device.get(options(stranger, f"{SIGN_IN}/options"))
    assert visit(app).post(SIGN_IN, data={"credential": credential}).status_code == 400


@pytest.mark.parametrize(("age", "status"), [(4, 302), (6, 400), (-1, 400)])
def test_a_challenge_is_good_for_five_minutes(
    stranger: TestClient,
    device: Authenticator,
    monkeypatch: pytest.MonkeyPatch,
    age: int,
    status: int,
) -> None:
    credential = device.get(options(stranger, f"{SIGN_IN}/options"))
    later = utc_now() + timedelta(minutes=age)
    monkeypatch.setattr(passkeys, "utc_now", lambda: later)
    assert stranger.post(SIGN_IN, data={"credential": credential}).status_code == status


@pytest.mark.parametrize("counts", [True, False])
def test_an_answer_is_taken_once(
    stranger: TestClient, app: Starlette, device: Authenticator, counts: bool
) -> None:
    """Not even with the cookie of the browser that asked, and a device that counts nothing."""
    device.counts = counts
    credential = device.get(options(stranger, f"{SIGN_IN}/options"))
    copy = visit(app, cookies={"admin": stranger.cookies["admin"]})
    assert stranger.post(SIGN_IN, data={"credential": credential}).status_code == 302
    assert copy.post(SIGN_IN, data={"credential": credential}).status_code == 400
    assert not is_signed_in(copy)


def test_a_count_that_goes_back_is_refused_and_recorded(
    settings: Settings, database: Database
) -> None:
    recorded = database.recorded_by(JOURNAL)
    client = visit(create_app(settings, recorded))
    device = add_passkey(recorded, add_operator(recorded, "ed"))
    device.count = 7
    assert use(client, device).status_code == 302
    device.count = 3
    assert use(client, device).status_code == 400
    noted = select(Change.label).where(Change.action == "refuse passkey")
    assert recorded.read(lambda session: session.scalars(noted).all()) == ["ed"]


def test_a_device_that_counts_nothing_is_used_again(
    stranger: TestClient, device: Authenticator
) -> None:
    device.counts = False
    assert use(stranger, device).status_code == 302
    assert use(stranger, device).status_code == 302


def test_a_disabled_operator_stays_out(
    stranger: TestClient, device: Authenticator, database: Database
) -> None:
    disable = update(Operator).values(is_active=False)
    database.write(lambda session: session.execute(disable))
    assert use(stranger, device).status_code == 400


def test_the_token_is_a_new_one(stranger: TestClient, device: Authenticator) -> None:
    enter(stranger, "ed")
    before = stranger.cookies["admin"]
    use(stranger, device, STEP)
    assert not is_signed_in(visit(stranger.app, cookies={"admin": before}))


def test_a_code_still_works_beside_it(
    stranger: TestClient, device: Authenticator, database: Database, settings: Settings
) -> None:
    add_app(database, settings, "ed")
    enter(stranger, "ed")
    assert stranger.post(STEP, data={"code": code_now()}).status_code == 302


# What browsers call this site


def asked_at(url: str, settings: Settings) -> tuple[str, str] | None:
    scheme, _, host = url.partition("://")
    headers = [(b"host", host.encode())]
    scope = {"type": "http", "scheme": scheme, "path": "/", "headers": headers, "server": None}
    party = relying_party(settings, Request(scope))
    return (party.id, party.origin) if party else None


@one_database
@pytest.mark.parametrize(
    ("url", "hosts", "expected"),
    [
        ("http://localhost:8000", "localhost", ("localhost", "http://localhost:8000")),
        ("http://LOCALHOST:80", "localhost", ("localhost", "http://localhost")),
        ("http://a.example.org", "*.example.org", ("a.example.org", "http://a.example.org")),
        ("http://mallory.example", "localhost", None),
        ("http://mallory.example", "*", None),
        ("http://127.0.0.1:8000", "127.0.0.1", None),
        ("http://[::1]:8000", "[::1]", None),
    ],
)
def test_a_host_counts_only_if_the_settings_name_it(
    settings: Settings, url: str, hosts: str, expected: object
) -> None:
    assert asked_at(url, replace(settings, allowed_hosts=(hosts,))) == expected


@one_database
def test_the_public_address_goes_before_the_host(settings: Settings) -> None:
    public = replace(settings, public_url="https://admin.example.org:8443", allowed_hosts=("*",))
    expected = ("admin.example.org", "https://admin.example.org:8443")
    assert asked_at("http://mallory.example", public) == expected


@one_database
def test_production_is_always_https(settings: Settings) -> None:
    production = replace(settings, env="production", allowed_hosts=("admin.example.org",))
    assert asked_at("http://admin.example.org", production) == (
        "admin.example.org",
        "https://admin.example.org",
    )


def test_where_there_can_be_none_none_is_offered(database: Database, settings: Settings) -> None:
    app = create_app(replace(settings, allowed_hosts=("127.0.0.1",)), database)
    olga = visit(app, base_url="http://127.0.0.1")
    add_operator(database, "olga")
    assert "passkey" not in olga.get("/admin/login").text
    assert olga.post(f"{SIGN_IN}/options").status_code == 404
    enter(olga, "olga")
    assert "Add a passkey" not in get(olga, OVERVIEW).links()
    assert olga.get(ADD).status_code == 404


@one_database
def test_the_sign_in_page_offers_it_to_scripts(stranger: TestClient) -> None:
    page = get(stranger, "/admin/login?next=%2Fadmin%2Fuser%2Flist")
    (form,) = [form for form in page.root.find("form") if "data-passkey" in form.attributes]
    assert "hidden" in form.attributes
    assert form.attributes["action"] == SIGN_IN
    assert "Passkeys need scripts" in page.root.find("noscript")[0].text
