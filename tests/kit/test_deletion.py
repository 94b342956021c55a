"""A deletion shows what goes, asks, and takes all of the selection or nothing."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from models.database import Database
from tests.kit.app import (
    Book,
    BookAdmin,
    Chapter,
    Publisher,
    Tag,
    book_tags,
    make_app,
)
from tests.kit.browser import form_on
from tests.personas import visit


def count(library: Database, table: Any) -> int:
    return library.read(lambda s: s.scalar(select(func.count()).select_from(table))) or 0


def shelve(library: Database, *titles: str, **attributes: Any) -> None:
    """Store books, with keys from 1 on."""
    library.write(lambda s: s.add_all([Book(title=title, **attributes) for title in titles]))


def add_chapters(library: Database, book_id: int, number: int) -> None:
    rows = [Chapter(book_id=book_id, slug=f"c{n:04}", heading=f"<b>{n}") for n in range(number)]
    library.write(lambda s: s.add_all(rows))


def delete(client: TestClient, *keys: str, view: str = "book") -> Any:
    return client.post(f"/admin/{view}/delete", data={"pks": list(keys)})


def test_it_asks_first_and_a_get_deletes_nothing(library: Database, client: TestClient) -> None:
    """The page that asks sends exactly the selection."""
    shelve(library, "Emma", "Persuasion")
    page = client.get("/admin/book/delete?pks=1&pks=2")
    assert "Emma" in page.text
    assert count(library, Book) == 2
    assert client.post("/admin/book/delete", data=form_on(page.text)).status_code == 302
    assert count(library, Book) == 0


def test_it_says_what_was_deleted(library: Database, client: TestClient) -> None:
    shelve(library, "Emma", "A", "B")
    assert "“Emma” was deleted." in client.get(delete(client, "1").headers["location"]).text
    assert "2 books were deleted." in client.get(delete(client, "2", "3").headers["location"]).text


@pytest.mark.parametrize("missing", ["99", "abc", "1;2", "99999999999999999999", "01"])
def test_a_missing_row_stops_the_whole_deletion(
    library: Database, client: TestClient, missing: str
) -> None:
    shelve(library, "Emma")
    assert delete(client, "1", missing).status_code == 404
    assert count(library, Book) == 1


def test_a_row_outside_the_scope_stops_the_whole_deletion(library: Database) -> None:
    """A hidden row is as good as missing, on the page that asks too."""

    class Scoped(BookAdmin, model=Book):
        def scope(self, stmt: Any, request: Any) -> Any:
            return stmt.where(Book.title != "Hidden")

    client = visit(make_app(library, Scoped))
    shelve(library, "Emma", "Hidden")
    assert client.get("/admin/book/delete?pks=1&pks=2").status_code == 404
    assert delete(client, "1", "2").status_code == delete(client, "2").status_code == 404
    assert count(library, Book) == 2


def test_a_forbidden_row_stops_the_whole_deletion(library: Database) -> None:
    class Careful(BookAdmin, model=Book):
        async def check_can_delete(self, request: Any, model: Any) -> bool:
            return model is None or model.title != "Kept"

    client = visit(make_app(library, Careful))
    shelve(library, "Emma", "Kept")
    assert delete(client, "1", "2").status_code == 403
    assert count(library, Book) == 2


def test_a_row_in_use_stops_the_whole_deletion(library: Database, client: TestClient) -> None:
    library.write(lambda s: s.add_all([Publisher(name="Free"), Publisher(name="Used")]))
    shelve(library, "Emma", publisher_id=2)
    answer = delete(client, "1", "2", view="publisher")
    assert (answer.status_code, count(library, Publisher)) == (400, 2)
    assert "This publisher is still " in answer.text


def test_nothing_selected_is_a_warning(client: TestClient) -> None:
    """It leads back to the place in the list."""
    ask = partial(client.get, "/admin/book/delete?pks=")
    for send in (ask, partial(delete, client), partial(delete, client, "")):
        answer = send()
        assert answer.status_code == 302
        assert "so nothing was deleted." in client.get(answer.headers["location"]).text
    answer = client.post("/admin/book/delete", data={"_back": "page=3&search=x"})
    assert answer.headers["location"] == "/admin/book/list?page=3&search=x"


def test_a_key_may_hold_a_comma(library: Database, client: TestClient) -> None:
    """The row “a” is not meant by the key “a,b”."""
    library.write(lambda s: s.add_all([Tag(id="a"), Tag(id="b"), Tag(id="a,b")]))
    assert delete(client, "a,b", view="tag").status_code == 302
    assert library.read(lambda s: {tag.id for tag in s.scalars(select(Tag))}) == {"a", "b"}


def test_links_to_other_rows_go_too(library: Database, client: TestClient) -> None:
    """The rows at the other end of a many-to-many relation stay."""
    library.write(lambda s: s.add(Book(title="Emma", tags=[Tag(id="novel"), Tag(id="1815")])))
    assert delete(client, "1").status_code == 302
    assert (count(library, book_tags), count(library, Tag)) == (0, 2)
    library.write(lambda s: s.add(Book(title="Emma", tags=[s.get_one(Tag, "novel")])))
    assert delete(client, "novel", view="tag").status_code == 302
    assert (count(library, book_tags), count(library, Book)) == (0, 1)


def test_it_may_be_switched_off(library: Database) -> None:
    class Kept(ModelAdmin, model=Tag):
        can_delete = False

    client = visit(make_app(library, Kept))
    library.write(lambda s: s.add(Tag(id="novel")))
    assert client.get("/admin/tag/delete?pks=novel").status_code == 403
    assert delete(client, "novel", view="tag").status_code == 403
