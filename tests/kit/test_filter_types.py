"""Filters that a column's type chooses: what they offer, and which rows they leave."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from sqladmin.exceptions import ImproperlyConfigured

from admin.kit import (
    BooleanFilter,
    ChoiceFilter,
    ModelAdmin,
    NumberFilter,
    PeriodFilter,
    RelatedFilter,
    RelatedOnlyFilter,
    TextFilter,
    ValuesFilter,
)
from tests.kit.app import Binding, Book, Cover, Publisher, PublisherAdmin, Tag, TagAdmin, make_app
from tests.kit.filtered import OwnFilterAdmin, PlainAdmin
from tests.kit.pages import store, titles
from tests.kit.specimen import Specimen
from tests.personas import visit

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from models.database import Database
    from tests.databases import Sqlite


@pytest.fixture
def client(library: Database) -> TestClient:
    return visit(make_app(library, PlainAdmin, PublisherAdmin, TagAdmin))


def listed(client: TestClient, query: str) -> list[str]:
    """Return the titles at an address with several values of a name."""
    rows = client.get(f"/admin/book/export/json?{query}")
    assert rows.status_code == 200, rows.text
    return sorted(row["title"] for row in rows.json())


def test_the_type_of_a_column_chooses_its_filter(library: Database) -> None:
    site = make_app(library, PlainAdmin, PublisherAdmin).state.site
    view = site.views_of({Book})[0]
    assert [type(filter_) for filter_ in view.filters] == [
        BooleanFilter,
        ChoiceFilter,
        PeriodFilter,
        PeriodFilter,
        NumberFilter,
        NumberFilter,
        RelatedFilter,
        RelatedFilter,
        TextFilter,
        TextFilter,
        TextFilter,
    ]
    assert view.filters[9].title == "House"


@pytest.fixture
def books(library: Database) -> None:
    """Store books that differ in all that is filtered by."""
    orion, ace = Publisher(name="Orion"), Publisher(name="Ace")
    tag = Tag(id="sea")
    one = Book(
        title="One",
        binding=Binding.PAPERBACK,
        price=Decimal("9.50"),
        pages=10,
        lendable=True,
        publisher=orion,
        subtitle="Maps of the sea",
        printed_on=date(2026, 1, 1),
        acquired_at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
        tags=[tag],
    )
    two = Book(
        title="Two",
        binding=Binding.HARD_COVER,
        price=Decimal("20.00"),
        pages=20,
        lendable=False,
        publisher=ace,
        subtitle="100% maps_",
        printed_on=date(2026, 2, 1),
        acquired_at=datetime(2026, 2, 1, tzinfo=UTC),
    )
    store(library, one, two, Book(title="Bare"), Cover(artist="Ann", book=two))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("binding=PAPERBACK", ["One"]),
        ("binding=PAPERBACK&binding=HARD_COVER", ["One", "Two"]),
        ("binding=PAPERBACK&binding=empty", ["Bare", "One"]),
        ("binding__not=PAPERBACK", ["Bare", "Two"]),
        ("lendable=true&lendable=false", ["One", "Two"]),
        ("price__gte=9.5&price__lte=19.99", ["One"]),
        ("price__gt=9.50", ["Two"]),
        ("price__lt=20", ["One"]),
        ("price=20", ["Two"]),
        ("price__empty=yes", ["Bare"]),
        ("pages__gte=-5", ["One", "Two"]),
        ("publisher=1&publisher=2", ["One", "Two"]),
        ("publisher=empty", ["Bare"]),
        ("publisher__not=1", ["Bare", "Two"]),
        ("publisher__empty=no", ["One", "Two"]),
        ("tags=sea", ["One"]),
        ("tags__empty=yes", ["Bare", "Two"]),
        ("subtitle__contains=MAPS", ["One", "Two"]),
        ("subtitle__contains=%25", ["Two"]),
        ("subtitle__contains=_", ["Two"]),
        ("subtitle__startswith=maps", ["One"]),
        ("subtitle__empty=yes", ["Bare"]),
        ("printed_on=2026-01-01", ["One"]),
        ("printed_on__gte=2026-01-02", ["Two"]),
        ("acquired_at__lte=2026-01-31", ["One"]),
        ("acquired_at__lt=2026-01-31", []),
        ("acquired_at__gt=2026-01-31", ["Two"]),
        ("acquired_at__gte=2026-01-31T23:59", ["One", "Two"]),
        ("acquired_at__gt=2026-01-31T23:59", ["Two"]),
        ("publisher.name__contains=ori", ["One"]),
        ("publisher.name__empty=yes", ["Bare"]),
        ("cover.artist__contains=ann", ["Two"]),
        ("cover.artist__empty=yes", ["Bare", "One"]),
    ],
)
def test_a_parameter_leaves_the_rows_it_means(
    client: TestClient, books: None, query: str, expected: list[str]
) -> None:
    assert listed(client, query) == expected


@pytest.mark.parametrize(("zone", "expected"), [("Asia/Tokyo", []), ("UTC", ["One"])])
def test_days_are_those_of_the_operators_zone(
    client: TestClient, books: None, zone: str, expected: list[str]
) -> None:
    """In Tokyo, both were acquired on the first of February."""
    client.post("/admin/preferences", data={"timezone": zone})
    query = {"acquired_at__gte": "2026-01-31", "acquired_at__lte": "2026-01-31"}
    assert titles(client, **query) == expected


def test_the_panel_shows_what_each_filter_is_set_to(client: TestClient, books: None) -> None:
    page = client.get("/admin/book/list?lendable=true&price__gte=3&publisher=1").text
    assert 'name="lendable" value="true" checked' in page
    assert 'name="price__gte" value="3"' in page
    assert 'name="publisher" value="1" checked> <span>Orion</span>' in page


def test_a_parameter_beyond_the_panel_survives_its_form(client: TestClient) -> None:
    page = client.get("/admin/book/list?price__gt=3&_other=1&sortBy=title&page=1").text
    for kept in ('name="price__gt" value="3"', 'name="_other"', 'name="sortBy"'):
        assert f'<input type="hidden" {kept}' in page
    assert '<input type="hidden" name="page"' not in page


def test_a_filter_of_ones_own_has_a_default(library: Database) -> None:
    client = visit(make_app(library, OwnFilterAdmin))
    store(library, Book(title="One"), Book(title="Three"))
    assert titles(client) == ["One"]
    assert titles(client, length="long") == ["Three"]
    assert titles(client, length="") == ["One", "Three"]
    assert client.get("/admin/book/list?length=other").status_code == 400


def test_a_filter_without_choices_is_not_shown(library: Database) -> None:
    client = visit(make_app(library, OwnFilterAdmin))
    assert 'data-filter="length"' in client.get("/admin/book/list").text
    assert 'data-filter="length"' not in client.get("/admin/book/list?hide=1").text


class OccurringAdmin(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_filters = [RelatedOnlyFilter(Book.publisher), ValuesFilter(Book.subtitle), Book.tags]
    form_columns = [Book.title]

    def scope(self, stmt: Any, request: Any) -> Any:
        return stmt.where(Book.title != "Hidden")


def offered(client: TestClient, name: str, term: str = "") -> list[str]:
    params = {"_filter": "1", "name": name, "term": term}
    answer = client.get("/admin/book/ajax/lookup", params=params)
    assert answer.status_code == 200, answer.text
    return [choice["text"] for choice in answer.json()["results"]]


def test_a_picker_offers_what_occurs_in_the_list(library: Database) -> None:
    used, hidden, unused = (Publisher(name=name) for name in ("Used", "Hidden", "Unused"))
    store(library, Book(title="One", publisher=used), Book(title="Hidden", publisher=hidden))
    store(library, unused)
    client = visit(make_app(library, OccurringAdmin, PublisherAdmin))
    assert offered(client, "publisher") == ["Used"]
    assert offered(client, "publisher", "hid") == []


def test_a_picker_offers_the_values_of_a_column(library: Database) -> None:
    store(library, *(Book(title=f"T{n}", subtitle=f"S{n % 3}") for n in range(9)))
    store(library, Book(title="Hidden", subtitle="Secret"))
    client = visit(make_app(library, OccurringAdmin, PublisherAdmin))
    assert offered(client, "subtitle") == ["S0", "S1", "S2"]
    assert offered(client, "subtitle", "s1") == ["S1"]
    assert titles(client, subtitle="S1") == ["T1", "T4", "T7"]


def test_what_nothing_says_how_to_search_is_typed(library: Database) -> None:
    client = visit(make_app(library, OccurringAdmin, PublisherAdmin))
    assert client.get("/admin/book/ajax/lookup?_filter=1&name=tags").status_code == 400
    assert client.get("/admin/book/ajax/lookup?_filter=1&name=title").status_code == 400


def test_values_declared_for_a_text_are_its_choices(library: Database) -> None:
    class Stated(ModelAdmin, model=Book):
        column_list = [Book.title]
        column_filters = [ChoiceFilter(Book.subtitle, values=[("new", "New"), ("old", "Old one")])]
        form_columns = [Book.title]

    store(library, Book(title="A", subtitle="new"), Book(title="B", subtitle="old"))
    client = visit(make_app(library, Stated))
    assert titles(client, subtitle="old") == ["B"]
    assert "Old one" in client.get("/admin/book/list").text
    assert client.get("/admin/book/list?subtitle=other").status_code == 400


@pytest.mark.parametrize("declared", ["nothing", "publisher.nothing", "title.name", "notes"])
def test_a_path_that_leads_nowhere_stops_the_start(sqlite: Sqlite, declared: str) -> None:
    class Wrong(ModelAdmin, model=Specimen if declared == "notes" else Book):
        column_filters: ClassVar[list[Any]] = [declared]

    with pytest.raises(ImproperlyConfigured, match="column_filters"):
        make_app(sqlite.open(sqlite.empty()), Wrong)
