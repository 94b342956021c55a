"""Counts of the filters' choices: what they count, how far, and what they cost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from admin.kit import ModelAdmin
from admin.kit.lists import facets
from tests.databases import statements
from tests.kit.app import Binding, Book, make_app
from tests.kit.pages import follow, keys, links, store
from tests.personas import visit

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.testclient import TestClient

    from models.database import Database


class CountedAdmin(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_searchable_list = [Book.title]
    column_filters = [Book.lendable, Book.binding, Book.pages]
    form_columns = [Book.title]


@pytest.fixture
def client(library: Database) -> TestClient:
    """Store six books: three lendable paperbacks, two lendable hard covers, one of neither."""
    kinds = [(True, Binding.PAPERBACK)] * 3 + [(True, Binding.HARD_COVER)] * 2 + [(False, None)]
    books = (Book(title=f"T{n}", lendable=a, binding=b) for n, (a, b) in enumerate(kinds))
    store(library, *books)
    return visit(make_app(library, CountedAdmin))


def counts(page: Response, name: str) -> dict[str, str]:
    """Return the count beside each choice."""
    pattern = rf'name="{name}" value="(\w+)"[^>]*> <span>[^<]*</span> <span class="facet">([^<]*)<'
    return dict(re.findall(pattern, page.text))


def test_choices_are_counted_when_it_is_asked_for(client: TestClient) -> None:
    page = client.get("/admin/book/list")
    assert counts(page, "lendable") == {}
    page = follow(client, page, "Show counts")
    assert counts(page, "lendable") == {"true": "5", "false": "1", "empty": "0"}
    assert links(page, "Hide counts") == ["/admin/book/list"]


def test_the_other_filters_and_the_search_hold_meanwhile(client: TestClient) -> None:
    page = client.get("/admin/book/list?_facets=1&binding=PAPERBACK&lendable=false")
    assert counts(page, "lendable") == {"true": "3", "false": "0", "empty": "0"}
    assert counts(page, "binding") == {"HARD_COVER": "0", "PAPERBACK": "0", "empty": "1"}
    page = client.get("/admin/book/list?_facets=1&search=t5")
    assert counts(page, "lendable") == {"true": "0", "false": "1", "empty": "0"}


def test_no_choice_is_counted_to_the_end(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "MOST_COUNTED", 2)
    page = client.get("/admin/book/list?_facets=1")
    assert counts(page, "lendable") == {"true": "2+", "false": "1", "empty": "0"}


def test_all_counts_take_one_statement(client: TestClient, library: Database) -> None:
    with statements(library) as plain:
        assert len(keys(client.get("/admin/book/list"))) == 6
    with statements(library) as counted:
        assert len(keys(client.get("/admin/book/list?_facets=1"))) == 6
    assert len(counted) == len(plain) + 1


@pytest.mark.parametrize(("shows", "query"), [("always", ""), ("never", "?_facets=1")])
def test_a_view_may_count_always_or_never(
    client: TestClient, library: Database, shows: str, query: str
) -> None:
    class Decided(CountedAdmin, model=Book):
        show_facets = shows  # type: ignore[assignment]

    page = visit(make_app(library, Decided)).get(f"/admin/book/list{query}")
    assert bool(counts(page, "lendable")) == (shows == "always")
    assert links(page, "Show counts") == links(page, "Hide counts") == []
