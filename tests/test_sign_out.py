"""Signing out: for every copy of the cookie, and by POST alone."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models.database import Database
from tests.personas import PASSWORD, visit


def is_signed_in(client: TestClient) -> bool:
    return client.get("/admin/").status_code == 200


def test_it_leads_to_the_sign_in_page_and_takes_the_cookie(olga: TestClient) -> None:
    response = olga.post("/admin/logout")
    assert (response.status_code, response.headers["location"]) == (302, "/admin/login")
    assert "admin" not in olga.cookies
    assert not is_signed_in(olga)


def test_a_copy_of_the_cookie_ends_with_it(app: Starlette, olga: TestClient) -> None:
    copy = visit(app, cookies={"admin": olga.cookies["admin"]})
    assert is_signed_in(copy)
    olga.post("/admin/logout")
    assert not is_signed_in(copy)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_signs_nobody_out(olga: TestClient, method: str) -> None:
    assert olga.request(method, "/admin/logout").status_code == 405
    assert is_signed_in(olga)


def test_another_site_signs_nobody_out(olga: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert olga.post("/admin/logout", headers=headers).status_code == 403
    assert is_signed_in(olga)


def test_other_sessions_stay(
    app: Starlette, database: Database, olga: TestClient, vera: TestClient
) -> None:
    elsewhere = visit(app)
    elsewhere.post("/admin/login", data={"username": "olga", "password": PASSWORD})
    olga.post("/admin/logout")
    assert is_signed_in(elsewhere)
    assert is_signed_in(vera)


def test_a_stranger_may_press_it_too(mallory: TestClient) -> None:
    assert mallory.post("/admin/logout").headers["location"] == "/admin/login"
