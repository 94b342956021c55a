"""Lists: walking from page to page, whatever comes and goes meanwhile."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from admin.kit.lists import counting, pages
from models.database import Database
from tests.databases import statements
from tests.kit.app import Book, Publisher, make_app
from tests.kit.pages import cells, follow, keys, links, sentence, store
from tests.personas import visit

LIST = "/admin/book/list"
SETTINGS = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class SortedAdmin(ModelAdmin, model=Book):
    column_list = [Book.title, Book.pages, Book.printed_on, "publisher.name"]
    column_sortable_list = [Book.title, Book.pages, Book.printed_on, "publisher.name"]
    column_searchable_list = [Book.title]
    form_columns = [Book.title]
    page_size = 2
    page_size_options = [2, 5]


@pytest.fixture
def shelf(library: Database) -> TestClient:
    return visit(make_app(library, SortedAdmin))


def add(library: Database, count: int, **values: Any) -> None:
    store(library, *(Book(title=f"Book {n}", **values) for n in range(1, count + 1)))


def walk(client: TestClient, path: str, link: str = "Next") -> Iterator[list[str]]:
    """Yield the keys of page after page, following a link."""
    page = client.get(path)
    yield keys(page)
    for _ in range(20):
        if not links(page, link):
            return
        page = follow(client, page, link)
        yield keys(page)
    pytest.fail("There is no end to it.")


SORTS = st.lists(
    st.sampled_from(["title", "pages", "printed_on", "publisher.name"]).flatmap(
        lambda name: st.sampled_from([name, f"-{name}"])
    ),
    max_size=3,
    unique_by=lambda name: name.removeprefix("-"),
)
BOOKS = st.fixed_dictionaries(
    {
        "title": st.sampled_from("aÄb"),
        "pages": st.none() | st.integers(1, 3),
        "printed_on": st.none() | st.dates(),
        "publisher_id": st.none() | st.sampled_from([1, 2]),
    }
)


@SETTINGS
@given(
    rows=st.lists(BOOKS, min_size=5, max_size=9),
    sorts=SORTS,
    gone=st.sets(st.integers(1, 9), max_size=3),
    come=st.lists(BOOKS, min_size=1, max_size=3),
)
def test_a_walk_shows_each_row_once_while_others_come_and_go(
    library: Database,
    rows: list[dict[str, Any]],
    sorts: list[str],
    gone: set[int],
    come: list[dict[str, Any]],
) -> None:
    def fill(session: Any) -> None:
        session.execute(delete(Book))
        session.execute(delete(Publisher))
        session.execute(insert(Publisher), [{"id": 1, "name": "A"}, {"id": 2, "name": "b"}])
        session.execute(insert(Book), [{"id": n, **row} for n, row in enumerate(rows, 1)])

    def change(session: Any) -> None:
        session.execute(delete(Book).where(Book.id.in_(gone)))
        session.execute(insert(Book), [{"id": 100 + n, **row} for n, row in enumerate(come)])

    library.write(fill)
    client = visit(make_app(library, SortedAdmin))
    path = f"{LIST}?{'&'.join(f'sortBy={name}' for name in sorts)}"
    asked = walk(client, path)
    seen = next(asked)
    library.write(
        change if come else lambda session: session.execute(delete(Book).where(Book.id.in_(gone)))
    )
    seen += [key for page in asked for key in page]
    assert len(seen) == len(set(seen))
    assert {str(n) for n in range(1, len(rows) + 1)} - set(map(str, gone)) <= set(seen)
    after = [key for page in walk(client, path) for key in page]
    back = list(walk(client, f"{path}&last=1", "Previous"))
    assert [key for page in back[::-1] for key in page] == after


def test_pages_have_numbers_until_somebody_goes_to_a_value(
    shelf: TestClient, library: Database
) -> None:
    add(library, 9)
    page = follow(shelf, shelf.get(LIST), "Next")
    assert ["3–4 of 9" in page.text, links(page, "1") != [], links(page, "4") != []] == [True] * 3
    assert keys(follow(shelf, page, "4")) == ["7", "8"]
    assert keys(follow(shelf, follow(shelf, page, "4"), "3")) == ["5", "6"]
    assert "2 of 9" in shelf.get(f"{LIST}?from=4").text


def test_a_page_that_lost_its_rows_gives_way_to_its_neighbour(
    shelf: TestClient, library: Database
) -> None:
    add(library, 5)
    page = follow(shelf, shelf.get(LIST), "Next")
    following, previous = links(page, "Next")[0], links(page, "Previous")[0]
    library.write(lambda session: session.execute(delete(Book).where(Book.id.in_([1, 5]))))
    assert keys(shelf.get(following)) == ["4"]
    assert keys(shelf.get(previous)) == ["2", "3"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sortBy=pages&from=20", ["2", "3"]),
        ("sortBy=-pages&from=20", ["2", "1"]),
        ("sortBy=title&from=Book 2", ["2", "3"]),
        ("sortBy=printed_on&from=2024-01-03", ["3", "4"]),
        ("from=3", ["3", "4"]),
        ("from=99", ["5"]),
    ],
)
def test_a_list_goes_to_a_value_of_what_it_is_sorted_by(
    shelf: TestClient, library: Database, query: str, found: list[str]
) -> None:
    for n in range(1, 6):
        store(library, Book(title=f"Book {n}", pages=10 * n, printed_on=date(2024, 1, n)))
    assert keys(shelf.get(f"{LIST}?{query}")) == found


@pytest.mark.parametrize(
    "query",
    [
        *("after=x", "after=W10", "after=WyJ4Il0", "after=WzEsMl0", "after=" + "A" * 9000),
        *("before=e30", "at=bnVsbA", "after=%00", "after=W3siZGF0ZSI6Mn1d", "after=WzFlOTk5XQ"),
        *("after=WzE4NDQ2NzQ0MDczNzA5NTUxNjE2XQ", "after=WyJcdWQ4MDAiXQ", "after=WyJcdTAwMDAiXQ"),
        *("from=x", "from=1e9", f"from=1{'0' * 150}", "sortBy=printed_on&from=2024-13-01"),
        *("sortBy=printed_on&from=3", "sortBy=pages&from=NaN", "sortBy=title&from=%00x"),
        *("after=W1tdXQ", "after=W3t9XQ", "page=2&skip=x&after=WzFd", "skip=0&after=WzFd"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused_in_a_sentence(
    shelf: TestClient, library: Database, query: str
) -> None:
    add(library, 3)
    answer = shelf.get(f"{LIST}?{query}")
    # SQLite compares anything with anything.
    assert answer.status_code == 400 or (query == "after=WyJ4Il0" and answer.status_code == 200)
    assert sentence(answer)


def test_the_size_of_pages_is_chosen_without_losing_the_place(
    shelf: TestClient, library: Database
) -> None:
    add(library, 9)
    page = follow(shelf, shelf.get(LIST), "Next")
    assert keys(follow(shelf, page, "5")) == ["3", "4", "5", "6", "7"]


def test_a_small_list_is_shown_whole(shelf: TestClient, library: Database) -> None:
    add(library, 5)
    page = follow(shelf, shelf.get(LIST), "Show all")
    assert keys(page) == ["1", "2", "3", "4", "5"]
    assert "Next" not in page.text


def test_a_count_stops_at_its_limit_until_somebody_asks(
    shelf: TestClient, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_COUNTED", 3)
    monkeypatch.setattr(counting, "MOST_FOUND", 3)
    add(library, 6)
    page = shelf.get(f"{LIST}?search=book")
    assert "1–2 of 3+" in page.text or "1–2 of about 6" in page.text
    assert "1–2 of 6" in follow(shelf, page, "Count all").text
    assert keys(follow(shelf, page, "Last")) == ["5", "6"]


def test_a_number_too_far_down_is_refused(
    shelf: TestClient, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_COUNTED", 3)
    monkeypatch.setattr(pages, "MOST_COUNTED", 3)
    add(library, 6)
    assert shelf.get(f"{LIST}?page=3").status_code == 400


def test_what_fits_on_a_page_is_not_counted(shelf: TestClient, library: Database) -> None:
    add(library, 2)
    with statements(library) as seen:
        assert "1–2 of 2" in shelf.get(LIST).text
    assert len(seen) == 1


def test_headings_sort_by_several_columns_with_priorities(
    shelf: TestClient, library: Database
) -> None:
    for title, number in [("b", 1), ("a", 2), ("a", 1), ("b", 2)]:
        store(library, Book(title=title, pages=number))
    page = follow(shelf, follow(shelf, shelf.get(f"{LIST}?pageSize=5"), "Pages"), "Title")
    assert [row[:2] for row in cells(page)] == [["a", "1"], ["a", "2"], ["b", "1"], ["b", "2"]]
    page = follow(shelf, page, "Title ▲")
    assert [row[:2] for row in cells(page)] == [["b", "1"], ["b", "2"], ["a", "1"], ["a", "2"]]
    page = follow(shelf, page, "×Don’t sort by this")
    assert [row[1] for row in cells(page)] == ["1", "1", "2", "2"]
