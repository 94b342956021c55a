"""Exports: which rows a file holds, and what it costs."""

import gc
import re
import time
from typing import Any

import anyio
import httpx2
import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from admin.kit import exporting
from models.database import Database
from tests.databases import statements
from tests.kit.app import Book, Publisher, make_app
from tests.kit.pages import Allow, cells, rows, store
from tests.kit.screens import ExportedAdmin
from tests.personas import visit

KINDS = ["csv", "json"]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 3)


@pytest.fixture
def client(library: Database) -> TestClient:
    return visit(make_app(library, ExportedAdmin))


@pytest.fixture
def shelf(library: Database) -> None:
    """Store eleven books with ties and gaps, and one out of sight."""
    ace, bee = Publisher(name="Ace"), Publisher(name="bee")
    for number in range(11):
        publisher = (ace, bee, None)[number % 3]
        pages, lendable = (None, 1, 2)[number % 3], (True, None, False)[number % 3]
        book = Book(title=f"T{number}", pages=pages, lendable=lendable, publisher=publisher)
        store(library, book)
    store(library, Book(title="Hidden", publisher=ace))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "query",
    [
        "",
        "search=t1",
        "search=ace&publisher=1",
        "sortBy=pages&sort=desc",
        "sortBy=publisher.name",
        "sortBy=publisher.name&sort=desc&search=t",
        "sortBy=lendable",
        "sortBy=title&page=2&pageSize=25",
        "search=nothing",
    ],
)
def test_a_file_holds_the_rows_of_the_list_in_its_order(
    client: TestClient, shelf: None, kind: str, query: str
) -> None:
    page = client.get(f"/admin/book/list?{query}")
    assert [row["title"] for row in rows(client, query, kind)] == [row[0] for row in cells(page)]


@pytest.mark.parametrize(
    ("rights", "status"),
    [(["list", "export"], 200), (["list"], 403), (["export"], 403), ([], 403)],
)
def test_an_export_needs_the_right_to_list_as_well(
    library: Database, rights: list[str], status: int
) -> None:
    backend = Allow(*(f"book:{right}" for right in rights))
    client = visit(make_app(library, ExportedAdmin, authorization_backend=backend))
    assert client.get("/admin/book/export/csv").status_code == status
    if "list" in rights:
        offered = "/admin/book/export/csv" in client.get("/admin/book/list").text
        assert offered == (status == 200)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("export/xml", 404),
        ("export/CSV", 404),
        ("export/json?search=%00", 400),
        ("export/json?sortBy=summary", 400),
        ("export/csv?publisher=abc", 400),
    ],
)
def test_a_mistake_is_a_page_and_no_file(client: TestClient, path: str, status: int) -> None:
    answer = client.get(f"/admin/book/{path}")
    assert answer.status_code == status
    assert "Content-Disposition" not in answer.headers


def test_head_sends_the_name_of_the_file_and_no_rows(client: TestClient, shelf: None) -> None:
    answer = client.head("/admin/book/export/csv")
    assert (answer.status_code, answer.content) == (200, b"")
    name = r'attachment; filename="book_[\d-]{10}_\d{6}\.csv"'
    assert re.fullmatch(name, answer.headers["Content-Disposition"])


def test_each_chunk_takes_one_statement_on_a_connection_given_back_after_it(
    client: TestClient, library: Database, shelf: None
) -> None:
    log: list[str] = []
    pool = library.writer.engine.pool
    with statements(library) as seen:
        event.listen(pool, "checkout", lambda *_: log.append("out"))
        event.listen(pool, "checkin", lambda *_: log.append("in"))
        assert len(rows(client, "sortBy=publisher.name")) == 11
    assert len(seen) == 4
    assert log == ["out", "in"] * 4


def test_no_more_than_one_chunk_of_objects_is_alive_at_once(
    client: TestClient, library: Database, shelf: None
) -> None:
    alive = []

    def count(session: Session, obj: object) -> None:
        alive.append(sum(isinstance(other, Book) for other in gc.get_objects()))

    gc.collect()
    event.listen(Session, "loaded_as_persistent", count)
    try:
        assert len(rows(client)) == 11
    finally:
        event.remove(Session, "loaded_as_persistent", count)
    assert len(alive) >= 11
    assert max(alive) <= 2 * 3


def test_of_many_exports_few_read_at_once(
    library: Database, shelf: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages would wait behind the others for a thread."""
    read_chunk, reading, most = exporting.read_chunk, [], set()

    def slowly(*arguments: Any) -> Any:
        reading.append(arguments)
        most.add(len(reading))
        time.sleep(0.05)
        reading.pop()
        return read_chunk(*arguments)

    transport = httpx2.ASGITransport(make_app(library, ExportedAdmin))
    browser = httpx2.AsyncClient(transport=transport, base_url="http://testserver")

    async def download() -> None:
        async with browser, anyio.create_task_group() as downloads:
            for _ in range(6):
                downloads.start_soon(browser.get, "/admin/book/export/csv")

    monkeypatch.setattr(exporting, "read_chunk", slowly)
    anyio.run(download)
    assert max(most) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_after_the_first_chunk_cuts_the_connection(
    client: TestClient, shelf: None, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A file that just ended would be taken for a whole one."""
    read_chunk = exporting.read_chunk

    def fail_later(view: Any, request: Any, form: Any, last: Any, session: Any) -> Any:
        if last is not None:
            raise RuntimeError("The disk is on fire.")
        return read_chunk(view, request, form, last, session)

    monkeypatch.setattr(exporting, "read_chunk", fail_later)
    with pytest.raises(RuntimeError, match="on fire"):
        client.get(f"/admin/book/export/{kind}")
