"""What goes wrong is said in a sentence; the rest of it is for the log alone."""

import logging
import re
from typing import Any
from unittest.mock import AsyncMock

import anyio
import pytest
from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from admin.kit import Refused, action
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import Publisher, PublisherAdmin, make_app
from tests.kit.pages import links
from tests.personas import visit


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def library(library: Database) -> Database:
    library.write(lambda session: session.add(Publisher(name="Murray")))
    return library


def failing(library: Database, error: Exception) -> TestClient:
    """Open a library one of whose actions raises this error."""

    class Failing(PublisherAdmin, model=Publisher):
        @action(name="fail")
        async def fail(self, request: Any) -> None:
            raise error

    return visit(make_app(library, Failing))


def answer_to(library: Database, error: Exception) -> Any:
    return failing(library, error).post("/admin/publisher/action/fail", data={"pks": "1"})


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (HTTPException(400), 400, "This request could not be understood."),
        (HTTPException(403), 403, "You are not allowed to do this."),
        (HTTPException(404), 404, "There is nothing here. It may have been deleted."),
        (HTTPException(409, "Try <later>."), 409, "Try &lt;later&gt;."),
        (HTTPException(429), 429, "Too many attempts. Wait a few minutes and try again."),
        (Refused("Not this one."), 400, "Not this one."),
        (Refused("Gone.", status=404), 404, "Gone."),
        (RuntimeError("a secret"), 500, "Something went wrong on our side."),
        (exc.OperationalError("SELECT secret", {}, Exception()), 503, "The database can&#39;t be"),
        (exc.ProgrammingError("SELECT secret", {}, Exception()), 500, "Something went wrong on"),
    ],
    ids=str,
)
def test_every_error_is_a_page_with_a_sentence(
    library: Database, error: Exception, status: int, sentence: str
) -> None:
    answer = answer_to(library, error)
    assert answer.status_code == status
    assert sentence in answer.text
    assert f"<h1>Error {status}</h1>" in answer.text
    assert not re.search(r"secret|Traceback|SELECT|sqlalche|\.py", answer.text)


def test_a_wrong_method_is_a_page_that_names_the_right_one(client: TestClient) -> None:
    answer = client.get("/admin/logout")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "This address can&#39;t be used this way." in answer.text


def test_the_unforeseen_is_found_in_the_log_by_its_reference(
    library: Database, caplog: pytest.LogCaptureFixture
) -> None:
    answer = answer_to(library, RuntimeError("a secret"))
    reference = re.search(r"Reference: (\w{8})\.", answer.text)
    assert reference
    assert f"Reference {reference[1]}" in caplog.text
    assert "RuntimeError: a secret" in caplog.text


def test_what_the_operator_can_mend_is_not_logged_as_an_error(
    library: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer_to(library, Refused("Not this one."))
        answer_to(library, HTTPException(404))
    assert caplog.records == []


def test_a_database_that_is_away_will_be_back(
    library: Database, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_work: object) -> None:
        raise exc.OperationalError("SELECT secret", {}, Exception("connection refused"))

    monkeypatch.setattr(library, "read", gone)
    answer = client.get("/admin/publisher/list")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Try again shortly." in answer.text
    assert not re.search("secret|refused", answer.text)


def test_half_an_answer_is_never_taken_for_a_whole_one(library: Database) -> None:
    """An error after the answer has begun cuts the connection."""

    class Streaming(PublisherAdmin, model=Publisher):
        @action(name="stream")
        async def stream(self, request: Any) -> StreamingResponse:
            async def parts() -> Any:
                yield "half"
                raise RuntimeError("in the middle")

            return StreamingResponse(parts())

    client = visit(make_app(library, Streaming))
    with pytest.raises(RuntimeError, match="in the middle"):
        client.post("/admin/publisher/action/stream", data={"pks": "1"})


def test_someone_who_leaves_is_no_error(
    library: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a body and a closed connection: nobody is left to answer, and nothing is wrong."""
    headers = [(b"host", b"testserver"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/admin/publisher/create"}
    half = {"type": "http.request", "body": b"name=", "more_body": True}
    receive, send = AsyncMock(side_effect=[half, {"type": "http.disconnect"}]), AsyncMock()
    anyio.run(make_app(library), {**scope, "query_string": b"", "headers": headers}, receive, send)
    send.assert_not_called()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_unknown_host_is_refused(client: TestClient) -> None:
    """So that no link and no redirect is ever made from it."""
    for host in ("evil.example", "testserver.evil.example", "", "testserver@evil.example"):
        answer = client.get("/admin/publisher/list", headers={"Host": host})
        assert answer.status_code == 400
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("http://testserver/admin/publisher/list?page=2", ["/admin/publisher/list?page=2"]),
        ("http://testserver/admin/publisher/details/99", []),  # the page itself
        ("http://testserver/admin/", []),  # it is offered anyway
        ("http://testserver/elsewhere", []),
        ("http://testserver//evil.example/admin/", []),
        ("https://evil.example/admin/publisher/list", []),
        ("http://[", []),
        ("", []),
    ],
)
def test_an_error_page_leads_back_to_where_one_came_from(
    client: TestClient, came_from: str, back: list[str]
) -> None:
    path, headers = "/admin/publisher/details/99", {"Referer": came_from}
    answer = client.get(path, headers=headers, follow_redirects=True)
    assert answer.status_code == 404
    assert links(answer, "Back") == back
    assert links(answer, "To the front page") == ["/admin/"]
