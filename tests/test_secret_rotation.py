"""Replacing the secret: nobody is signed out, and the old one can go."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware
from starlette.testclient import TestClient

from admin.settings import Settings
from main import create_app
from models.database import Database
from tests.databases import Sqlite
from tests.personas import visit

NEW = "another secret of the tests, as long"


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


def with_secrets(settings: Settings, database: Database, *secrets: str) -> Starlette:
    newest, *others = secrets
    changed = replace(settings, secret_key=newest, secret_key_fallbacks=tuple(others))
    return create_app(changed, database)


def with_cookie(app: Starlette, cookie: str) -> TestClient:
    client = visit(app)
    client.cookies.set("admin", cookie, domain="testserver.local", path="/")
    return client


def test_a_session_outlives_the_secret_that_signed_it(
    olga: TestClient, settings: Settings, database: Database
) -> None:
    old = settings.secret_key
    client = with_cookie(with_secrets(settings, database, NEW, old), olga.cookies["admin"])
    answer = client.get("/admin/")
    assert answer.status_code == 200
    renewed = with_cookie(with_secrets(settings, database, NEW), client.cookies["admin"])
    assert renewed.get("/admin/").status_code == 200
    assert "set-cookie" not in client.get("/admin/").headers


def test_a_secret_that_is_no_longer_accepted_signs_nobody_in(
    olga: TestClient, settings: Settings, database: Database
) -> None:
    client = with_cookie(with_secrets(settings, database, NEW), olga.cookies["admin"])
    assert client.get("/admin/").status_code == 302


def test_what_caches_may_share_bears_no_cookie(
    olga: TestClient, settings: Settings, database: Database
) -> None:
    page = olga.get("/admin/").text
    name = page.split("/admin/statics/")[1].split('"')[0]
    app = with_secrets(settings, database, NEW, settings.secret_key)
    answer = with_cookie(app, olga.cookies["admin"]).get(f"/admin/statics/{name}")
    assert "public" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers


def test_a_forged_cookie_is_not_signed_anew(settings: Settings, database: Database) -> None:
    app = with_secrets(settings, database, NEW, settings.secret_key)
    for forged in ("x", "e30=.a.b", "eyJ0b2tlbiI6ICJ4In0=.aR8yXw.AAAAAAAAAAAAAAAAAAAAAAAAAAA"):
        answer = with_cookie(app, forged).get("/admin/login")
        assert "set-cookie" not in answer.headers


def test_starlette_still_signs_with_what_is_replaced() -> None:
    """The subclass sets `signer`, and reads it as `session_cookie`."""
    middleware = SessionMiddleware(lambda *_: None, "secret")  # type: ignore[arg-type]
    cookie = middleware.signer.sign("x")
    assert middleware.signer.unsign(cookie) == b"x"
    assert middleware.session_cookie == "session"
