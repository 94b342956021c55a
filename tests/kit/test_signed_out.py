"""Who is not signed in is led to the sign-in page and back, and loses nothing they typed."""

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import EveryoneIsOlga, Publisher, make_app
from tests.kit.browser import form_on
from tests.personas import visit


class OnlyOlga(EveryoneIsOlga):
    """Knows Olga by her session, and that others had one when they say so."""

    async def identify(self, request: Any) -> bool:
        request.state.operator_name = "olga"
        return bool(request.session.get("username") == "olga")

    def had_session(self, request: Any) -> bool:
        return "had-session" in request.headers

    async def login(self, request: Any) -> bool:
        is_olga = await super().login(request)
        request.session.update({"username": "olga"} if is_olga else {})
        return is_olga


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def stranger(library: Database) -> TestClient:
    return visit(make_app(library, authentication_backend=OnlyOlga()))


def sign_in(client: TestClient, **sent: str) -> Any:
    return client.post("/admin/login", data={"username": "olga", "password": "x", **sent})


def test_the_way_leads_to_the_sign_in_page_and_back(stranger: TestClient) -> None:
    answer = stranger.get("/admin/publisher/list?search=a%26b&page=2")
    page = stranger.get(answer.headers["location"])
    sent = {**form_on(page.text), "username": "olga", "password": "x"}
    answer = stranger.post("/admin/login", data=sent)
    assert answer.headers["location"] == "/admin/publisher/list?search=a%26b&page=2"
    assert stranger.get(answer.headers["location"]).status_code == 200


def test_from_the_front_page_there_is_no_way_to_remember(stranger: TestClient) -> None:
    assert stranger.get("/admin/").headers["location"] == "/admin/login"
    assert sign_in(stranger).headers["location"] == "/admin/"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/admin/",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/admin/\t/evil",
        "/admin/\\evil",
        "\n/admin/",
        " /admin/",
        "%2F%2Fevil.example",
        "/admin/../evil",
        "/admin/x/../../evil",
        "/admin/%2e%2e/evil",
        "/admin/.%2E/evil",
        "/evil",
        "/administrator",
        "admin/",
        "@evil.example",
        "",
    ],
)
def test_no_link_leads_elsewhere_after_signing_in(stranger: TestClient, target: str) -> None:
    """What is not plainly a page of this admin means the front page."""
    page = stranger.get("/admin/login", params={"next": target})
    assert form_on(page.text)["next"] == ["/admin/"]
    assert sign_in(stranger, next=target).headers["location"] == "/admin/"


@pytest.mark.parametrize(
    "target", ["/admin/book/edit/a%2Fb?x=%2e%2e", "/admin/tag/edit/a..b", "/admin/?q=ü"]
)
def test_a_page_of_this_admin_is_a_fine_target(stranger: TestClient, target: str) -> None:
    assert sign_in(stranger, next=target).status_code == 302
    page = stranger.get("/admin/login", params={"next": target})
    assert form_on(page.text)["next"] == [target]


def test_a_wrong_password_keeps_the_name_and_the_way(stranger: TestClient) -> None:
    answer = sign_in(stranger, username="<ed>", next="/admin/book/list")
    sent = form_on(answer.text)
    assert answer.status_code == 400
    assert (sent["username"], sent["next"]) == (["<ed>"], ["/admin/book/list"])
    assert sent["password"] == [""]


def test_what_was_typed_when_the_session_ended_can_be_sent_again(
    library: Database, stranger: TestClient
) -> None:
    """The page holds all of it; after signing in elsewhere, one button sends it."""
    typed = {"name": 'Müller & "Söhne"\r\n<b>', "tags": ["a", "b"]}
    headers = {"Had-Session": "yes"}
    answer = stranger.post("/admin/publisher/create?page=2", data=typed, headers=headers)
    assert answer.status_code == 401
    sent = form_on(answer.text)
    assert sent.pop("_operation")
    assert sent == {"name": [typed["name"]], "tags": ["a", "b"]}
    sign_in(stranger)
    assert stranger.post("/admin/publisher/create", data=sent).status_code == 302
    assert library.read(lambda session: session.query(Publisher).count()) == 1


def test_a_stranger_can_not_change_anything(library: Database, stranger: TestClient) -> None:
    answer = stranger.post("/admin/publisher/create", data={"name": "Forged"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/admin/login")
    assert library.read(lambda session: session.query(Publisher).count()) == 0


@pytest.mark.parametrize("path", ["book/ajax/lookup?name=publisher", "book/list", "nowhere"])
def test_a_script_is_told_by_status(stranger: TestClient, path: str) -> None:
    answer = stranger.get(f"/admin/{path}", headers={"Accept": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["book/list", "book/edit/1", "nowhere/list", "x", "book/edit/99"])
def test_a_stranger_learns_nothing_of_what_exists(stranger: TestClient, path: str) -> None:
    """Every address leads to the sign-in page."""
    answer = stranger.get(f"/admin/{path}")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/admin/login?next=")


def test_a_password_is_never_put_into_a_page(
    library: Database, stranger: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when the database is away and other forms are kept to be sent again."""

    async def gone(*_: object) -> bool:
        raise OperationalError("SELECT", {}, Exception())

    monkeypatch.setattr(OnlyOlga, "login", gone)
    answer = stranger.post("/admin/login", data={"username": "olga", "password": "a-secret"})
    assert answer.status_code == 503
    assert "a-secret" not in answer.text
