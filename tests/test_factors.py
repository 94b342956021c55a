"""The pages on which operators look after their second factors, and who must have one."""

import base64
from dataclasses import replace
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from httpx2 import Response
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.testclient import TestClient

import main
from admin.auth.backend import OperatorAuth
from admin.auth.factors import Codes, reset_factors
from admin.history import JOURNAL
from admin.kit import Refused
from admin.kit.history import origin
from admin.settings import Settings
from main import create_app
from models import BackupCode, Change, Operator, OperatorSession, Passkey, Role
from models.database import Database
from tests.factors import (
    OVERVIEW,
    add_app,
    add_codes,
    add_passkey,
    code_now,
    enter,
    is_signed_in,
)
from tests.pages import Page, follow, get, submit
from tests.personas import PASSWORD, add_operator, sign_in, visit
from tests.test_sign_in import content

APP = f"{OVERVIEW}/app"
REMOVE = f"{APP}/remove"
CODES = f"{OVERVIEW}/codes"
NOT_NOW = "This code is not the one of the app right now. Is its clock right?"


def secret_on(page: Page) -> str:
    (key,) = page.root.find("code", **{"class": "factor-key"})
    return key.text.replace(" ", "")


def set_up(client: TestClient) -> Response:
    """Set an app up as people do: read the key, type what the app shows."""
    page = get(client, APP)
    code = code_now(secret=secret_on(page))
    return client.post(APP, data={**page.fields(), "code": code})


def shown_codes(response: Response) -> list[str]:
    return [code.text for code in Page(response).root.find("code")]


def the_operator(database: Database, username: str = "olga") -> Operator:
    stmt = select(Operator).where(Operator.username == username)
    return database.read(lambda session: session.scalars(stmt).one())


def codes_left(database: Database) -> int:
    return len(database.read(lambda session: session.scalars(select(BackupCode)).all()))


def require_for(database: Database, role: str) -> None:
    stmt = update(Role).where(Role.name == role).values(requires_second_factor=True)
    database.write(lambda session: session.execute(stmt))


# An authenticator app


def test_an_app_is_set_up_once_a_code_confirms_it(olga: TestClient, database: Database) -> None:
    assert get(olga, APP).heading == "Set up an app"
    assert the_operator(database).totp_secret is None
    assert set_up(olga).status_code == 200
    assert the_operator(database).totp_secret is not None
    assert is_signed_in(olga)


def test_the_key_has_160_bits_in_groups_of_four(olga: TestClient) -> None:
    (key,) = get(olga, APP).root.find("code", **{"class": "factor-key"})
    groups = key.text.split(" ")
    assert [len(group) for group in groups] == [4] * 8
    assert len(base64.b32decode("".join(groups))) == 20


def test_the_picture_is_drawn_here_and_holds_itself(olga: TestClient) -> None:
    (picture,) = get(olga, APP).root.find("img", **{"class": "qr-code"})
    kind, _, drawing = picture.attributes["src"].partition(",")
    assert kind.startswith("data:image/svg+xml")
    assert unquote(drawing).startswith("<svg")
    assert picture.attributes["alt"]


def test_another_code_keeps_the_key_on_the_page(olga: TestClient, database: Database) -> None:
    before = secret_on(get(olga, APP))
    refused = submit(olga, APP, code="000000")
    assert (refused.status_code, Page(refused).error("code")) == (400, NOT_NOW)
    assert secret_on(Page(refused)) == secret_on(get(olga, APP)) == before
    assert the_operator(database).totp_secret is None


def test_the_cookie_does_not_tell_the_key(olga: TestClient) -> None:
    secret = secret_on(get(olga, APP))
    assert secret not in str(content(olga.cookies["admin"]))


def test_the_code_that_confirmed_is_used_up(
    olga: TestClient, app: Starlette, database: Database
) -> None:
    page = get(olga, APP)
    code = code_now(secret=secret_on(page))
    olga.post(APP, data={**page.fields(), "code": code})
    client = visit(app)
    enter(client, "olga")
    assert client.post("/admin/login/second-step", data={"code": code}).status_code == 400


def test_other_sessions_end_with_a_new_app(olga: TestClient, app: Starlette) -> None:
    other = visit(app)
    enter(other, "olga")
    assert is_signed_in(other)
    set_up(olga)
    assert not is_signed_in(other)
    assert is_signed_in(olga)


def test_an_app_sent_twice_is_set_up_once(settings: Settings, database: Database) -> None:
    recorded = database.recorded_by(JOURNAL)
    olga = sign_in(create_app(settings, recorded), recorded, "olga")
    page = get(olga, APP)
    data = {**page.fields(), "code": code_now(secret=secret_on(page))}
    assert olga.post(APP, data=data).status_code == 200
    assert olga.post(APP, data=data).headers["location"] == OVERVIEW
    assert codes_left(database) == 10


def test_who_has_an_app_is_not_given_a_second_one(
    olga: TestClient, database: Database, settings: Settings
) -> None:
    add_app(database, settings, "olga")
    before = the_operator(database).totp_secret
    assert olga.get(APP).headers["location"] == OVERVIEW
    assert olga.post(APP, data={"code": code_now()}).headers["location"] == OVERVIEW
    assert the_operator(database).totp_secret == before


@pytest.mark.parametrize("proof", [PASSWORD, "code", "backup"])
def test_an_app_is_removed_with_a_code_or_the_password(
    olga: TestClient, database: Database, settings: Settings, proof: str
) -> None:
    add_app(database, settings, "olga")
    backup = add_codes(database, the_operator(database))[0]
    typed = {"code": code_now(), "backup": backup}.get(proof, proof)
    follow(olga, submit(olga, REMOVE, password=typed))
    assert the_operator(database).totp_secret is None
    assert codes_left(database) == 0


def test_without_either_it_stays(olga: TestClient, database: Database, settings: Settings) -> None:
    add_app(database, settings, "olga")
    for wrong in ("000000", "wrong", "", "abcdefghabcdefgh", "\0", "wrong"):
        response = submit(olga, REMOVE, password=wrong)
        assert response.status_code in (400, 429)
        assert not wrong or f'value="{wrong}"' not in response.text
    assert response.status_code == 429
    assert the_operator(database).totp_secret is not None


def test_other_sessions_end_without_the_app(
    olga: TestClient, app: Starlette, database: Database, settings: Settings
) -> None:
    other = visit(app)
    enter(other, "olga")
    add_app(database, settings, "olga")
    submit(olga, REMOVE, password=PASSWORD)
    assert not is_signed_in(other)
    assert is_signed_in(olga)


# Backup codes


def test_the_first_factor_brings_ten_codes(olga: TestClient, database: Database) -> None:
    made = shown_codes(set_up(olga))
    assert len(set(made)) == codes_left(database) == 10
    assert all(len(code.replace(" ", "")) == 24 for code in made)


def test_codes_are_shown_once(olga: TestClient) -> None:
    response = set_up(olga)
    assert response.headers["cache-control"] == "no-store"
    (code, *_) = shown_codes(response)
    for path in (OVERVIEW, CODES, APP):
        assert code not in olga.get(path).text


def test_codes_can_be_saved_as_text_without_scripts(olga: TestClient) -> None:
    response = set_up(olga)
    link = Page(response).links()["Save as text"]
    assert unquote(link.partition(",")[2]).split("\n") == shown_codes(response)


def test_new_codes_replace_all(olga: TestClient, database: Database, settings: Settings) -> None:
    add_app(database, settings, "olga")
    (old, *_) = add_codes(database, the_operator(database))
    (new, *_) = shown_codes(submit(olga, CODES))
    known, key = Codes(settings.secret_keys), the_operator(database).id
    assert codes_left(database) == 10
    assert not database.write(lambda session: known.verify(session, key, old))
    assert database.write(lambda session: known.verify(session, key, new))


@pytest.mark.parametrize(("left", "warns"), [(10, False), (4, False), (3, True), (0, True)])
def test_few_codes_are_warned_of(
    olga: TestClient, database: Database, settings: Settings, left: int, warns: bool
) -> None:
    add_app(database, settings, "olga")
    operator, known = the_operator(database), Codes(settings.secret_keys)
    for code in add_codes(database, operator)[left:]:
        assert database.write(lambda session, code=code: known.verify(session, operator.id, code))  # type: ignore[misc]
    page = get(olga, OVERVIEW)
    assert any("left: make new ones" in alert for alert in page.alerts) == warns
    assert f"{left} codes are left" in page.root.text


def test_codes_without_a_factor_are_not_made(olga: TestClient, database: Database) -> None:
    assert olga.post(CODES).headers["location"] == OVERVIEW
    assert codes_left(database) == 0


# Who must have a factor


@pytest.fixture
def held(app: Starlette, database: Database) -> TestClient:
    """Sign in Vera, whose role requires a second factor, which she lacks."""
    require_for(database, "Viewer")
    return sign_in(app, database, "vera", "Viewer")


@pytest.mark.parametrize("path", ["/admin/", "/admin/user/list", "/admin/account", "/admin/x"])
def test_who_must_have_a_factor_is_led_to_it(held: TestClient, path: str) -> None:
    assert held.get(path).headers["location"] == OVERVIEW
    assert "You must set up a second factor" in get(held, OVERVIEW).alerts[0]


def test_programs_are_told(held: TestClient) -> None:
    response = held.get("/admin/search?q=a", headers={"Accept": "application/json"})
    assert response.status_code == 403


def test_what_they_sent_is_kept(held: TestClient) -> None:
    response = held.post("/admin/user/create", data={"name": "Typed at length"})
    assert response.status_code == 403
    assert "Typed at length" in response.text


def test_they_may_leave(held: TestClient) -> None:
    assert held.post("/admin/logout").headers["location"] == "/admin/login"


def test_they_go_on_with_a_factor(held: TestClient) -> None:
    set_up(held)
    assert is_signed_in(held)


def test_a_role_that_requires_a_factor_does_so_at_once(app: Starlette, database: Database) -> None:
    vera = sign_in(app, database, "vera", "Viewer")
    assert is_signed_in(vera)
    require_for(database, "Viewer")
    assert not is_signed_in(vera)


def test_the_last_factor_stays_with_who_must_have_one(held: TestClient, database: Database) -> None:
    set_up(held)
    assert "Remove the app" not in get(held, OVERVIEW).links()
    assert held.post(REMOVE, data={"password": PASSWORD}).status_code == 409
    assert the_operator(database, "vera").totp_secret is not None


def test_a_setting_requires_a_factor_of_all(settings: Settings, database: Database) -> None:
    app = create_app(replace(settings, require_second_factor=True), database)
    olga = sign_in(app, database, "olga", is_superuser=True)
    assert olga.get("/admin/").headers["location"] == OVERVIEW


def test_who_looks_as_somebody_else_shows_their_own_factors(
    app: Starlette, database: Database
) -> None:
    """What counts is who sits there, not whose rights they borrow."""
    require_for(database, "Viewer")
    olga = sign_in(app, database, "olga", is_superuser=True)
    vera = add_operator(database, "vera", "Viewer")
    look = update(OperatorSession).values(viewing_as_id=vera.id)
    database.write(lambda session: session.execute(look))
    assert is_signed_in(olga)


# Proving it once more


def test_each_page_of_change_asks_to_confirm(
    olga: TestClient,
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def confirm(_self: object, _request: object) -> RedirectResponse:
        return RedirectResponse("/confirm", 302)

    add_app(database, settings, "olga")
    add_passkey(database, the_operator(database))
    key = database.read(lambda session: session.scalars(select(Passkey.id)).one())
    monkeypatch.setattr(OperatorAuth, "confirm", confirm)
    for path in (APP, REMOVE, CODES, *(f"{OVERVIEW}/passkeys/{at}" for at in ("add", key))):
        for method in ("GET", "POST"):
            assert olga.request(method, path).headers["location"] == "/confirm"
    assert olga.post(f"{OVERVIEW}/passkeys/options").headers["location"] == "/confirm"
    assert get(olga, OVERVIEW).heading == "Two-factor sign-in"


# Recovery


@pytest.fixture
def lost(database: Database, settings: Settings) -> Operator:
    """Add Ed, who has all kinds of factors, and none at hand."""
    ed = add_operator(database, "ed", "Editor")
    add_app(database, settings, "ed")
    add_codes(database, ed)
    add_passkey(database, ed)
    return ed


def test_a_reset_takes_all_factors_and_sessions(
    app: Starlette, database: Database, lost: Operator
) -> None:
    ed = visit(app)
    enter(ed, "ed")
    recorded = database.recorded_by(JOURNAL)
    recorded.write(lambda session: reset_factors(session, lost.id))
    assert the_operator(database, "ed").totp_secret is None
    assert codes_left(database) == 0
    assert not database.read(lambda session: session.scalars(select(Passkey)).all())
    assert not database.read(lambda session: session.scalars(select(OperatorSession)).all())
    noted = select(Change.label).where(Change.action == "reset second factors")
    assert database.read(lambda session: session.scalars(noted).all()) == ["ed"]
    assert enter(ed, "ed").headers["location"] == "/admin/"


def reset_by(database: Database, by: Operator, lost: Operator) -> str:
    """Reset somebody's factors in another's name; return the sentence of a refusal."""
    try:
        with origin(operator_id=by.id, operator_name=by.username, source="action"):
            database.recorded_by(JOURNAL).write(lambda session: reset_factors(session, lost.id))
    except Refused as refusal:
        return refusal.sentence
    return ""


@pytest.mark.parametrize(
    ("roles", "is_superuser", "may"),
    [
        *((["Owner"], False, True), ([], True, True), (["Editor"], False, True)),
        *(([], False, False), (["Viewer"], False, False), (["Viewer", "Editor"], False, True)),
    ],
)
def test_nobody_resets_who_may_do_more(
    database: Database, lost: Operator, roles: list[str], is_superuser: bool, may: bool
) -> None:
    by = add_operator(database, "olga", *roles, is_superuser=is_superuser)
    assert (reset_by(database, by, lost) == "") == may
    assert codes_left(database) == (0 if may else 10)


def test_an_owner_resets_no_superuser(database: Database) -> None:
    zoe = add_operator(database, "zoe", is_superuser=True)
    add_codes(database, zoe)
    assert "is a superuser" in reset_by(database, add_operator(database, "olga", "Owner"), zoe)
    assert codes_left(database) == 10


def test_a_command_resets_by_name(
    real_database: Database, real_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_operator(real_database, "ed", "Editor")
    add_app(real_database, real_settings, "ed")
    monkeypatch.setattr(main, "read_settings", lambda: real_settings)
    result = CliRunner().invoke(main.cli, ["operator", "reset-factors", "ED"])
    assert result.output == "ed has no second factor any more.\n"
    assert the_operator(real_database, "ed").totp_secret is None
    unknown = CliRunner().invoke(main.cli, ["operator", "reset-factors", "nobody"])
    assert (unknown.exit_code, unknown.output) == (
        1,
        "Error: There is no operator called nobody.\n",
    )
