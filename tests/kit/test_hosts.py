"""The hosts that a site answers to; whoever asks for another one is told no more than that."""

from typing import Any
from unittest.mock import AsyncMock

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from admin.kit.hosts import KnownHosts
from tests.databases import Sqlite

HOSTS = ["Admin.example.org", "*.example.net", "[::1]"]


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("admin.example.org", True),
        ("ADMIN.EXAMPLE.ORG:8443", True),
        ("a.example.net", True),
        ("a.b.example.net", True),
        ("[::1]:8000", True),
        ("example.net", False),
        ("evil-example.net", False),
        ("example.org", False),
        ("a.admin.example.org", False),
        ("admin.example.org.evil.example", False),
        ("evil.example:admin.example.org", False),
        ("admin.example.org@evil.example", False),
        ("admin.example.org/..", False),
        ("admin.example.org:x", False),
        ("admin.example.org:", False),
        ("[::1", False),
        ("::1", False),
        ("", False),
    ],
)
def test_a_host_is_known_or_it_is_not(host: str, is_known: bool) -> None:
    assert KnownHosts(AsyncMock(), HOSTS).knows(host) is is_known


@pytest.mark.parametrize("number", [0, 2])
def test_a_request_names_one_host(number: int) -> None:
    """Two parts of a chain of servers could read two hosts differently."""
    headers: Any = [(b"host", b"admin.example.org")] * number
    scope = {"type": "http", "headers": headers}
    with pytest.raises(HTTPException) as refused:
        anyio.run(KnownHosts(AsyncMock(), HOSTS), scope, AsyncMock(), AsyncMock())
    assert refused.value.status_code == 400


def test_an_unknown_host_is_logged_and_answered_in_words(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/admin/", headers={"Host": "evil.example"})
    assert (answer.status_code, "This site is not at that address." in answer.text) == (400, True)
    assert "'evil.example'" in caplog.text


def test_what_a_proxy_is_said_to_have_been_asked_for_is_ignored(client: TestClient) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = client.get("/admin/publisher/list", headers=headers)
    assert (answer.status_code, "evil" in answer.text) == (200, False)
