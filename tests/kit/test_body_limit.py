"""What a request may send is bounded, and a broken one is the sender's mistake, never ours."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

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
