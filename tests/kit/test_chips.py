"""What narrows a list, in words above it, and how each of it is taken away."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.kit.app import Book, Publisher, PublisherAdmin, make_app
from tests.kit.filtered import OwnFilterAdmin, PlainAdmin
from tests.kit.pages import follow, keys, links, store, texts
from tests.kit.test_related_filter import HiddenPublishers
from tests.personas import visit

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.testclient import TestClient

    from models.database import Database

LIST = "/admin/book/list"


@pytest.fixture
def client(library: Database) -> TestClient:
    store(library, Book(title="One", publisher=Publisher(name="Orion & Sons"), lendable=True))
    return visit(make_app(library, PlainAdmin, PublisherAdmin))


def chips(page: Response) -> dict[str, str]:
    """Return what each chip says, and where it leads."""
    found = texts(r'<a class="chip".*?</span><span>(.*?)</span><span', page.text)
    return {name: unescape(links(page, f"Remove {name}")[0]) for name in found}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("search=map", "Search: map"),
        ("lendable=true", "Lendable: Yes"),
        ("lendable=empty", "Lendable: Unknown"),
        ("binding=HARD_COVER", "Binding: Hard cover"),
        ("binding__not=PAPERBACK", "Binding is not Paperback"),
        ("acquired_at=week", "Acquired at: Past 7 days"),
        ("acquired_at__gte=2026-01-01", "Acquired at is on or after 2026-01-01"),
        ("printed_on__lte=2026-01-01", "Printed on is on or before 2026-01-01"),
        ("price__gte=1.50", "Price is at least 1.50"),
        ("publisher=1", "Publisher: Orion & Sons"),
        ("publisher=99", "Publisher: 99"),
        ("publisher=empty", "Publisher: Empty"),
        ("publisher__empty=no", "Publisher is not empty"),
        ("publisher.name__startswith=Or", "House begins with “Or”"),
        ("subtitle__contains=<b>", "Subtitle contains “<b>”"),
        (
            "_where=title__contains%3Da%26price__gte%3D5",
            "Title contains “a” and Price is at least 5",
        ),
        ("_where=publisher__in%3D1,99", "Publisher is one of Orion & Sons and 99"),
        ("_where=binding%3DPAPERBACK%26binding%3DHARD_COVER", "Binding: Paperback and Hard cover"),
    ],
)
def test_a_chip_says_what_is_asked_for(client: TestClient, query: str, said: str) -> None:
    assert list(chips(client.get(f"{LIST}?{query}"))) == [said]


def test_a_chip_takes_away_itself_and_the_place(client: TestClient) -> None:
    page = client.get(
        f"{LIST}?lendable=true&lendable=false&search=o&sortBy=title&page=1&_where=price%3D1"
    )
    where = "_where=price%3D1"
    assert chips(page) == {
        "Search: o": f"{LIST}?lendable=true&lendable=false&sortBy=title&{where}",
        "Lendable: Yes": f"{LIST}?lendable=false&search=o&sortBy=title&{where}",
        "Lendable: No": f"{LIST}?lendable=true&search=o&sortBy=title&{where}",
        "Price: 1": f"{LIST}?lendable=true&lendable=false&search=o&sortBy=title",
    }


def test_clear_all_keeps_the_order_and_the_size(client: TestClient) -> None:
    page = client.get(
        f"{LIST}?search=o&lendable=true&_where=price%3D1&sortBy=title&pageSize=25&page=1"
    )
    assert set(links(page, "Clear all")) == {f"{LIST}?sortBy=title&pageSize=25"}


def test_without_filters_there_is_nothing_to_clear(client: TestClient) -> None:
    page = client.get(f"{LIST}?sortBy=title&lendable=&_where=")
    assert chips(page) == {}
    assert links(page, "Clear all") == []


def test_a_default_is_taken_away_by_saying_so(library: Database) -> None:
    store(library, Book(title="One"), Book(title="Three"))
    client = visit(make_app(library, OwnFilterAdmin))
    page = client.get(LIST)
    assert chips(page) == {"Length: Short": f"{LIST}?length="}
    assert len(keys(follow(client, page, "Remove Length: Short"))) == 2


def test_a_default_that_was_taken_away_stays_away_on_the_next_page(library: Database) -> None:
    store(library, *(Book(title=title) for title in ("One", "Three", "Seven")))
    client = visit(make_app(library, OwnFilterAdmin))
    page = client.get(f"{LIST}?length=&page=2")
    assert all("length=" in path for path in links(page, "25"))
    assert links(page, "25")


def test_an_empty_result_names_what_was_asked_for(client: TestClient) -> None:
    page = client.get(f"{LIST}?lendable=false&publisher=1&sortBy=title")
    assert "No books match." in page.text
    assert texts(r"<li>(.*?)</li>", page.text.partition("empty-state")[2]) == [
        "Lendable: No",
        "Publisher: Orion & Sons",
    ]
    assert links(page, "Clear all filters") == [f"{LIST}?sortBy=title"]


def test_a_group_names_nothing_that_may_not_be_listed(library: Database) -> None:
    store(library, Publisher(name="Secret"))
    page = visit(make_app(library, PlainAdmin, HiddenPublishers)).get(
        f"{LIST}?_where=publisher%3D1"
    )
    assert list(chips(page)) == ["Publisher: 1"]
    assert "Secret" not in page.text


NARROWED = "lendable=true&publisher=1&publisher=2&_where=price__gte%3D1&sortBy=title"


@pytest.mark.parametrize("button", ["Save", "Save and continue editing", "Save and add another"])
def test_the_filters_are_there_again_after_a_form(client: TestClient, button: str) -> None:
    page = client.get(f"{LIST}?{NARROWED.replace('price__gte%3D1', 'title%3DOne')}")
    [row] = links(page, "One")
    path = client.get(row, headers={"referer": str(page.url)}).headers["location"]
    assert urlsplit(path).query == urlsplit(str(page.url)).query
    saved = client.post(path, data={"title": "Emma", "publisher": "1", "save": button})
    assert urlsplit(saved.headers["location"]).query == urlsplit(path).query


def test_the_filters_are_there_again_after_adding(client: TestClient) -> None:
    page = client.get(f"{LIST}?{NARROWED}")
    [path] = links(page, "New book")
    saved = client.post(path, data={"title": "Emma", "publisher": "1"})
    assert saved.headers["location"] == f"{LIST}?{NARROWED}"
