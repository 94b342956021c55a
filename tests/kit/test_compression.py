"""What is made for each request is compressed on its way out, unless it is small."""

import zlib

import pytest
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import Book, Publisher
from tests.personas import visit

LIST, EXPORT = "/admin/book/list", "/admin/book/export/csv"


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def library(library: Database) -> Database:
    titles = [{"title": f"Volume {number}"} for number in range(5000)]
    library.write(lambda session: session.execute(insert(Book), titles))
    return library


@pytest.fixture
def client(toy: Starlette) -> TestClient:
    """Open the toy without actions, whose one-time keys make each page another one."""
    toy.state.site.disable_action("change")
    return visit(toy)


@pytest.mark.parametrize("path", [LIST, EXPORT, "/admin/nowhere", "/admin/login"])
def test_pages_and_exports_are_compressed(client: TestClient, path: str) -> None:
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == plain.text
    assert "content-encoding" not in plain.headers


def test_a_page_says_how_long_it_is(client: TestClient) -> None:
    with client.stream("GET", LIST, headers={"Accept-Encoding": "gzip"}) as answer:
        sent = b"".join(answer.iter_raw())
    assert int(answer.headers["content-length"]) == len(sent)
    assert len(sent) < len(zlib.decompress(sent, 31)) / 4


def test_head_is_answered_as_get_is(client: TestClient) -> None:
    headers = {"Accept-Encoding": "gzip"}
    head, get = client.head(LIST, headers=headers), client.get(LIST, headers=headers)
    assert (head.content, head.headers) == (b"", get.headers)


def test_an_export_arrives_piece_by_piece(client: TestClient) -> None:
    """What has arrived can be read, before the rest is made."""
    reader = zlib.decompressobj(31)
    with client.stream("GET", EXPORT, headers={"Accept-Encoding": "gzip"}) as answer:
        pieces = [reader.decompress(piece) for piece in answer.iter_raw()]
    assert sum(b"Volume" in piece for piece in pieces) > 1
    assert reader.eof


@pytest.mark.parametrize("accept", ["", "br", "gzip;q=0", "*;q=0", "identity, gzip;q=0.1"])
def test_who_does_not_want_it_gets_plain_pages(client: TestClient, accept: str) -> None:
    answer = client.get(LIST, headers={"Accept-Encoding": accept})
    assert "content-encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["vary"]


def test_small_answers_are_left_alone(client: TestClient, library: Database) -> None:
    library.write(lambda session: session.add(Publisher(name="Murray")))
    path = "/admin/book/ajax/lookup?name=publisher&term=mur"
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.json()["results"]
    assert "content-encoding" not in answer.headers
    redirect = client.post("/admin/logout", headers={"Accept-Encoding": "gzip"})
    assert (redirect.status_code, redirect.headers.get("content-encoding")) == (302, None)


@pytest.mark.parametrize("accept", ["gzip", "identity"])
def test_tests_see_what_a_page_was_made_of(client: TestClient, accept: str) -> None:
    answer = client.get(LIST, headers={"Accept-Encoding": accept})
    assert answer.context["title"] == "Books"  # type: ignore[attr-defined]
