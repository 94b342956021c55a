"""What a request may send is bounded, and a broken one is the sender's mistake, never ours."""

import time
from collections.abc import Iterator
from unittest.mock import AsyncMock

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from admin.kit.body_limit import BodyLimit
from tests.databases import Sqlite

MEGABYTE = 1024 * 1024
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


def in_chunks(size: int) -> Iterator[bytes]:
    """Send a body that declares no length."""
    yield b"name="
    for _ in range(size // 1024):
        yield b"x" * 1024


@pytest.mark.parametrize(("path", "largest"), [("publisher/create", 2048), ("login", 16)])
def test_a_body_that_is_too_large_is_a_413(client: TestClient, path: str, largest: int) -> None:
    """Declared or not; strangers at the sign-in page may send less."""
    size = largest * 1024
    for body in (b"name=" + b"x" * size, in_chunks(size)):
        answer = client.post(f"/admin/{path}", content=body, headers=FORM)
        assert answer.status_code == 413
        assert f"larger than {largest} kB" in answer.text


def test_a_text_of_a_megabyte_is_stored(client: TestClient) -> None:
    sent = {"title": "Emma", "summary": "x" * MEGABYTE}
    assert client.post("/admin/book/create", data=sent).status_code == 302
    assert client.post("/admin/book/edit/1", data=sent).status_code == 302


@pytest.mark.parametrize("number", [5_000, 60_000])
def test_very_many_fields_are_not_our_mistake(client: TestClient, number: int) -> None:
    fields = {f"field{n}": "" for n in range(number)}
    answer = client.post("/admin/publisher/create", data=fields)
    assert 400 <= answer.status_code < 500
    files = dict.fromkeys(list(fields)[:5000], (None, "x"))
    answer = client.post("/admin/publisher/create", files=files)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["publisher/create", "publisher/delete", "login"])
def test_a_file_is_refused(client: TestClient, path: str) -> None:
    """Not one form here asks for a file."""
    files = {"name": ("name.txt", b"x"), "pks": ("pks.txt", b"1")}
    answer = client.post(f"/admin/{path}", files=files)
    assert answer.status_code == 400
    assert "Too many files." in answer.text


BROKEN = [
    ("multipart/form-data", b"x", 400),
    ("multipart/form-data; boundary=", b"x", 400),
    ("multipart/form-data; boundary=b", b"not a part", 400),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx", 400),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="n', 400),
    ("multipart/form-data; boundary=b; charset=nope", b"--b--", 415),
    ("application/x-www-form-urlencoded; charset=utf-16", b"name=x", 415),
    ("multipart/form-data; boundary=\xfc", b"--\xfc\r\n", 400),
    ("application/x-www-form-urlencoded", b"%ff%fe=%zz&&&=&other", 400),
    ("application/x-www-form-urlencoded", b"\xff\xfe\x00", 400),
    ("application/json", b'{"name": "x"}', 415),
    ("text/plain", b"name=x", 415),
    ("", b"name=x", 415),
]


@pytest.mark.parametrize(("content_type", "body", "status"), BROKEN)
@pytest.mark.parametrize("path", ["publisher/create", "login"])
def test_a_broken_body_is_not_our_mistake(
    client: TestClient, content_type: str, body: bytes, status: int, path: str
) -> None:
    headers = {b"Content-Type": content_type.encode("latin-1")} if content_type else {}
    assert client.post(f"/admin/{path}", content=body, headers=headers).status_code == status


def test_a_name_that_no_form_has_is_refused(client: TestClient) -> None:
    answer = client.post("/admin/publisher/create", data={"n" * 1001: "x"})
    assert (answer.status_code, "no form here has" in answer.text) == (400, True)


HEADS = [
    ("/admin/publisher/list?search=" + "x" * 17_000, {}, 414, "This address is too long."),
    ("/admin/publisher/list?" + "a=1&" * 1_000, {}, 400, "too many parameters"),
    ("/admin/publisher/list", {"X-Long": "x" * 33_000}, 431, "delete this site"),
    ("/admin/publisher/list", {f"X-{n}": "x" for n in range(100)}, 431, "delete this site"),
]


@pytest.mark.parametrize(("path", "headers", "status", "sentence"), HEADS)
def test_a_head_that_is_too_large_is_refused_in_words(
    client: TestClient, path: str, headers: dict[str, str], status: int, sentence: str
) -> None:
    answer = client.get(path, headers=headers)
    assert (answer.status_code, sentence in answer.text) == (status, True)


SCOPE: Scope = {"type": "http", "path": "/", "headers": []}


async def read_slowly(scope: Scope, receive: Receive, send: Send) -> None:
    await Request(scope, receive).body()


@pytest.mark.parametrize("is_endless", [True, False])
def test_a_body_that_does_not_end_is_not_waited_for(is_endless: bool) -> None:
    """Neither one that trickles in, nor one that stops."""

    async def trickle() -> Message:
        await anyio.sleep(0.01 if is_endless else 60)
        return {"type": "http.request", "body": b"x", "more_body": True}

    limit = BodyLimit(read_slowly, seconds=0.1)
    start = time.monotonic()
    with pytest.raises(HTTPException) as refused:
        anyio.run(limit, SCOPE, trickle, AsyncMock())
    assert refused.value.status_code == 408
    assert refused.value.headers == {"Connection": "close"}
    assert time.monotonic() - start < 10


def test_after_the_body_one_waits_for_as_long_as_it_takes() -> None:
    """What comes then is that the browser has left, while a long answer is made."""
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await anyio.sleep(0.2)
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def work(_scope: Scope, receive: Receive, _send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"

    limit = BodyLimit(work, seconds=0.1)
    anyio.run(limit, SCOPE, receive, AsyncMock())


@pytest.mark.parametrize(
    ("path", "largest"), [("account/password", 16), ("login/code", 16), ("login-page/create", 2048)]
)
def test_short_forms_may_send_less(client: TestClient, path: str, largest: int) -> None:
    body = b"name=" + b"x" * largest * 1024
    answer = client.post(f"/admin/{path}", content=body, headers=FORM)
    assert (answer.status_code, f"larger than {largest} kB" in answer.text) == (413, True)


@pytest.mark.parametrize("size", [8, 2048])
def test_who_goes_on_sending_while_being_answered_gets_no_second_answer(size: int) -> None:
    """An export listens for its reader to leave, and hears the rest of what they send."""
    heard: list[str] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        heard.append((await receive())["type"])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 1024 * size, "more_body": True}

    scope = {"type": "http", "path": "/post/export/csv", "headers": []}
    anyio.run(BodyLimit(app, limit=1024 * 1024), scope, receive, AsyncMock())
    assert heard == ["http.request" if size == 8 else "http.disconnect"]
