"""What goes over the wire, at a real server: odd heads, and the headers of every answer."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin import server
from tests.browser.conftest import served
from tests.databases import Sqlite


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def port(app: Starlette) -> Iterator[int]:
    with served(app, http=server.BoundedProtocol) as url:
        yield int(url.rpartition(":")[2])


def talk(port: int, *sent: bytes) -> bytes:
    """Send pieces, and return all that is answered until the connection is closed."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):
            for piece in sent:
                connection.sendall(piece)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                answer += piece
    return answer


@pytest.mark.parametrize("path", ["/", "/admin", "/healthz", "/readyz", "/nothing", "/admin/"])
def test_what_lies_outside_the_admin_is_protected_too(mallory: TestClient, path: str) -> None:
    headers = mallory.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_an_address_that_names_another_host_leads_nowhere_else(port: int) -> None:
    asked = b"GET http://evil.example/admin/login HTTP/1.1\r\nHost: testserver\r\n"
    answer = talk(port, asked + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"evil" not in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /admin/login HTTP/1.1\r\nHost: a\r\nHost: testserver\r\nConnection: close\r\n\r\n",
        b"GET /admin/login HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"POST /admin/login HTTP/1.1\r\nHost: testserver\r\nContent-Length: x\r\n\r\n",
        b"GET /admin/login\r\n\r\n",
        b"\x16\x03\x01\x00",
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(port: int, head: bytes) -> None:
    assert talk(port, head).startswith(b"HTTP/1.1 400 ")


def test_a_head_without_end_is_cut_off(port: int) -> None:
    endless = [b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(200)]
    answer = talk(port, b"GET /healthz HTTP/1.1\r\nHost: testserver\r\n", *endless)
    assert answer in (server.TOO_LARGE, b"")  # The answer is lost if more was on its way.


def test_who_sends_no_head_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    assert talk(port, b"GET /healthz HTTP/1.1\r\nX-Slow: ") == b""


def test_a_connection_serves_more_than_one_request(port: int) -> None:
    asked = b"GET /healthz HTTP/1.1\r\nHost: testserver\r\n"
    answer = talk(port, asked + b"\r\n", asked + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_trace_is_refused(mallory: TestClient) -> None:
    for path in ("/", "/healthz", "/admin/login", "/admin/user/list"):
        assert mallory.request("TRACE", path, headers={"X-Token": "x"}).status_code == 405
