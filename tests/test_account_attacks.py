"""Attacks on accounts that pass between two of their parts."""

import logging
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.account import confirm
from admin.auth.factors import Codes
from admin.auth.guessing import ACCOUNT_HERE, count_attempt, factor_guard
from admin.auth.links import make_link
from admin.auth.operators import disable_operator
from admin.settings import Settings
from models import OneTimeLink, Role
from models.database import Database
from tests.factors import OVERVIEW, STEP, add_app, code_now, enter, is_signed_in
from tests.operators import CHOSEN, edit, find
from tests.pages import Page, get
from tests.personas import PASSWORD, add_operator, sign_in, visit
from tests.test_confirm import let_pass

OWN = {"old_password": PASSWORD, "new_password": CHOSEN, "new_password_again": CHOSEN}


def copy_of(client: TestClient) -> TestClient:
    """Return the browser of somebody who has a copy of all cookies."""
    return visit(client.app, cookies=dict(client.cookies))


def links_of(database: Database, username: str) -> list[OneTimeLink]:
    stmt = select(OneTimeLink).where(OneTimeLink.operator_id == find(database, username).id)
    return database.read(lambda session: list(session.scalars(stmt)))


def test_a_copied_cookie_does_not_outlive_a_new_password_of_one_s_own(vera: TestClient) -> None:
    thief = copy_of(vera)
    vera.post("/admin/account/password", data=OWN)
    assert (is_signed_in(vera), is_signed_in(thief)) == (True, False)


def test_a_copied_cookie_does_not_outlive_a_first_factor(vera: TestClient) -> None:
    thief = copy_of(vera)
    secret = get(vera, f"{OVERVIEW}/app").root.find("code")[0].text.replace(" ", "")
    page = Page(vera.post(f"{OVERVIEW}/app", data={"code": code_now(secret=secret)}))
    assert page.heading == "Your backup codes"
    assert (is_signed_in(vera), is_signed_in(thief)) == (True, False)


def test_a_copied_cookie_does_not_outlive_the_removal_of_a_factor(
    vera: TestClient, database: Database, settings: Settings
) -> None:
    add_app(database, settings, "vera")
    vera = visit(vera.app)
    enter(vera, "vera")
    vera.post(STEP, data={"code": code_now()})
    thief = copy_of(vera)
    vera.post(f"{OVERVIEW}/app/remove", data={"password": PASSWORD})
    assert find(database, "vera").totp_secret is None
    assert (is_signed_in(vera), is_signed_in(thief)) == (True, False)


def test_who_must_set_up_a_factor_while_looking_on_can_stop(
    app: Starlette, database: Database
) -> None:
    """The page for it is closed meanwhile."""
    olga = sign_in(app, database, "olga", "Owner")
    vera = add_operator(database, "vera", "Viewer")
    olga.post(f"/admin/view-as/{vera.id}")
    stmt = update(Role).where(Role.name == "Owner").values(requires_second_factor=True)
    database.write(lambda session: session.execute(stmt))
    assert get(olga, "/admin/user/list").root.find("form", action="/admin/view-as/stop")
    assert olga.post("/admin/view-as/stop").headers["location"] == "/admin/"
    assert olga.get("/admin/").headers["location"] == OVERVIEW


def by_command(_client: TestClient, database: Database) -> None:
    disable_operator(database, "vera")


def by_form(client: TestClient, database: Database) -> None:
    edit(client, find(database, "vera"), is_active="")


@pytest.mark.parametrize("disable", [by_command, by_form])
def test_a_link_does_not_come_back_with_its_operator(
    olga: TestClient, database: Database, disable: Any
) -> None:
    vera = add_operator(database, "vera", "Viewer")
    database.write(lambda session: make_link(session, vera))
    disable(olga, database)
    assert not find(database, "vera").is_active
    assert links_of(database, "vera") == []


def test_wrong_codes_elsewhere_lose_nothing_that_was_sent(
    app: Starlette, database: Database, settings: Settings
) -> None:
    olga = sign_in(app, database, "olga", is_superuser=True)
    add_app(database, settings, "olga")
    let_pass(database)
    guards = [factor_guard(find(database, "olga").id)]
    for _ in range(ACCOUNT_HERE.every):
        database.write(lambda session: count_attempt(session, guards))
    sent = {"username": "zoe", "_confirm": "1", "_confirm_code": code_now()}
    answer = olga.post("/admin/operator/create", data=sent)
    page = Page(answer)
    assert (answer.status_code, page.heading) == (429, "Confirm that it is you")
    assert "Retry-After" in answer.headers
    assert page.fields()["username"] == "zoe"


def test_of_two_proofs_at_once_the_second_keeps_the_cookie_of_the_first(
    olga: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double click leaves one signed in."""
    let_pass(database)
    monkeypatch.setattr(confirm, "renew_session", lambda _session, _token_hash: None)
    proved = {"username": "zoe", "_confirm": "1", "_confirm_password": PASSWORD}
    answer = olga.post("/admin/operator/create", data=proved)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_code_waits_on_no_page_for_the_database(
    app: Starlette, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_operator(database, "olga")
    add_app(database, settings, "olga")
    client = visit(app)
    enter(client, "olga")

    def fail(*_: object) -> bool:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(Codes, "verify", fail)
    code = code_now()
    answer = client.post(STEP, data={"code": code})
    assert (answer.status_code, code in answer.text) == (503, False)


def test_the_log_of_requests_has_no_link(app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("uvicorn.access")
    with caplog.at_level(logging.INFO, log.name):
        path = "/prefix/admin/login/link/its-token"
        log.info('%s - "%s %s HTTP/%s" %d', "192.0.2.1", "GET", path, "1.1", 302)
    assert "/admin/login/link/…" in caplog.text
    assert "its-token" not in caplog.text
