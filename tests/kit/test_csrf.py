"""Nothing that another site starts changes anything here."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import Publisher, make_app
from tests.personas import visit

HERE, SIBLING = "http://testserver", "http://blog.testserver"
FROM_ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "CROSS-SITE"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": HERE},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": SIBLING},
    {"Origin": "http://testserver:8080"},
    {"Origin": "http://["},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "https://evil.example", "Referer": f"{HERE}/admin/"},
    {"Referer": "https://evil.example/http://testserver/"},
    {"Referer": f"{SIBLING}/page"},
]
FROM_HERE = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": HERE},
    {"Origin": HERE},
    {"Referer": f"{HERE}/admin/publisher/create"},
    {},
]
CHANGES = [
    ("/admin/publisher/create", {"name": "Forged"}),
    ("/admin/publisher/edit/1", {"name": "Forged"}),
    ("/admin/publisher/delete", {"pks": "1"}),
    ("/admin/login", {"username": "mallory", "password": "x"}),
    ("/admin/logout", {}),
    ("/admin/nowhere", {}),
]


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def library(library: Database) -> Database:
    library.write(lambda session: session.add(Publisher(name="Murray")))
    return library


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=str)
@pytest.mark.parametrize(("path", "sent"), CHANGES)
def test_a_change_from_another_site_is_refused(
    library: Database, client: TestClient, path: str, sent: dict[str, str], headers: Any
) -> None:
    """Whatever the address, and before anyone looks who is asking."""
    answer = client.post(path, data=sent, headers=headers)
    assert answer.status_code == 403
    assert "This request came from another site and was refused." in answer.text
    assert "set-cookie" not in answer.headers
    assert library.read(lambda session: session.get_one(Publisher, 1).name) == "Murray"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post", "BREW"])
def test_every_method_but_the_safe_ones_counts_as_a_change(client: TestClient, method: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.request(method, "/admin/publisher/list", headers=headers).status_code == 403


@pytest.mark.parametrize("headers", FROM_HERE, ids=str)
def test_a_change_from_here_is_made(client: TestClient, headers: dict[str, str]) -> None:
    """So is one without any of the headers: no browser sends that."""
    sent = {"name": "Renamed"}
    assert client.post("/admin/publisher/edit/1", data=sent, headers=headers).status_code == 302


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=str)
def test_a_link_from_another_site_works(client: TestClient, headers: dict[str, str]) -> None:
    """Reading is harmless, for it changes nothing."""
    assert client.get("/admin/publisher/list", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/admin/logout", "/admin/publisher/action/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_link_signs_out_or_changes(client: TestClient, path: str, method: str) -> None:
    assert client.request(method, path).status_code in (404, 405)


def test_a_get_of_a_deletion_only_asks(library: Database, client: TestClient) -> None:
    assert client.get("/admin/publisher/delete?pks=1").status_code == 200
    assert library.read(lambda session: session.get(Publisher, 1))


def test_websockets_are_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/admin/publisher/list"):
        pass


def test_the_port_belongs_to_the_origin(library: Database) -> None:
    """Another service on the same machine is another site."""
    client = visit(make_app(library), base_url="http://testserver:8443")
    sent = {"name": "Forged"}
    for origin, status in ((f"{HERE}:8443", 302), (HERE, 403)):
        answer = client.post("/admin/publisher/edit/1", data=sent, headers={"Origin": origin})
        assert answer.status_code == status
