"""Filters: what each offers, and which rows it leaves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqladmin.exceptions import ImproperlyConfigured
from starlette.testclient import TestClient

from admin.kit import BooleanFilter, EmptyFilter, PeriodFilter, RelatedFilter
from admin.kit.filters import Filter, period, periods
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import (
    Binding,
    Book,
    Publisher,
    make_app,
)
from tests.kit.pages import sentence, store, titles
from tests.kit.screens import FilteredAdmin
from tests.personas import visit

NOW = datetime(2024, 2, 29, 13, 30, tzinfo=UTC)


@pytest.fixture
def client(library: Database) -> TestClient:
    return visit(make_app(library, FilteredAdmin))


@pytest.mark.parametrize(
    ("value", "found"), [("true", ["Yes"]), ("false", ["No"]), ("empty", ["Unknown"])]
)
def test_a_boolean_is_yes_or_no_or_unknown(
    client: TestClient, library: Database, value: str, found: list[str]
) -> None:
    known = {"Yes": True, "No": False, "Unknown": None}
    store(library, *(Book(title=title, lendable=value) for title, value in known.items()))
    assert titles(client, lendable=value) == found


def test_unknown_is_offered_only_where_the_column_may_be_empty() -> None:
    assert [choice.value for choice in BooleanFilter(Book.lendable).choices][2:] == ["empty"]
    assert [choice.value for choice in PeriodFilter(Book.acquired_at).choices][4:] == [
        "empty",
        "any",
    ]
    assert len(BooleanFilter(Book.title).choices) == 2
    assert len(PeriodFilter(Book.title).choices) == 4


@pytest.mark.parametrize(
    ("name", "full"), [("subtitle", "x"), ("pages", 3), ("binding", Binding.PAPERBACK)]
)
def test_a_column_is_empty_or_has_a_value(
    client: TestClient, library: Database, name: str, full: Any
) -> None:
    store(library, Book(title="Full", **{name: full}), Book(title="None"))
    assert titles(client, **{name: "yes"}) == ["None"]
    assert titles(client, **{name: "no"}) == ["Full"]


def test_a_text_without_characters_counts_as_empty(client: TestClient, library: Database) -> None:
    store(library, Book(title="Blank", subtitle=""), Book(title="Full", subtitle=" "))
    assert titles(client, subtitle="yes") == ["Blank"]
    assert titles(client, subtitle="no") == ["Full"]


@pytest.mark.parametrize(
    ("name", "first", "after"),
    [
        ("today", "2024-02-29", "2024-03-01"),
        ("week", "2024-02-22", "2024-03-01"),
        ("month", "2024-02-01", "2024-03-01"),
        ("year", "2024-01-01", "2025-01-01"),
    ],
)
def test_a_period_begins_and_ends_at_midnight_utc(name: str, first: str, after: str) -> None:
    midnights = tuple(datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (first, after))
    assert period(name, NOW) == midnights


def test_december_ends_with_the_year() -> None:
    start, end = period("month", datetime(2024, 12, 31, 23, 59, tzinfo=UTC))
    assert (start.month, end) == (12, datetime(2025, 1, 1, tzinfo=UTC))


@pytest.fixture
def moments(library: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store books acquired around the end of today, which is the 29th of February 2024."""
    monkeypatch.setattr(periods, "utc_now", lambda: NOW)
    start, end = period("today", NOW)
    tick = timedelta(microseconds=1)
    for title, moment in {
        "before": start - tick,
        "first": start,
        "last": end - tick,
        "after": end,
    }.items():
        store(library, Book(title=title, acquired_at=moment, printed_on=moment.date()))
    store(library, Book(title="never"))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("today", ["first", "last"]),
        ("week", ["before", "first", "last"]),
        ("month", ["before", "first", "last"]),
        ("year", ["after", "before", "first", "last"]),
        ("empty", ["never"]),
        ("any", ["after", "before", "first", "last"]),
    ],
)
@pytest.mark.parametrize("name", ["acquired_at", "printed_on"])
def test_a_period_holds_its_first_instant_and_not_the_next_ones(
    client: TestClient, moments: None, name: str, value: str, found: list[str]
) -> None:
    assert titles(client, **{name: value}) == found


@pytest.mark.parametrize(
    ("name", "value", "title"),
    [
        ("lendable", "banana", "Lendable"),
        ("subtitle", "maybe", "Has a subtitle"),
        ("acquired_at", "2024-13-45", "Acquired"),
        ("publisher", "abc", "Publisher"),
        ("publisher", "01", "Publisher"),
        ("publisher", "9" * 30, "Publisher"),
        ("publisher", "1;2", "Publisher"),
        ("tag", "\0", "Tags"),
    ],
)
def test_a_value_that_is_not_offered_is_refused_by_the_name_of_the_filter(
    client: TestClient, name: str, value: str, title: str
) -> None:
    answer = client.get("/admin/book/list", params={name: value})
    assert answer.status_code == 400
    assert f"The filter “{title}” can't be set to this." in sentence(answer)


def test_an_empty_value_filters_nothing(client: TestClient, library: Database) -> None:
    store(library, Book(title="One"))
    assert titles(client, lendable="", publisher="", subtitle="") == ["One"]


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        ([BooleanFilter(Book.lendable, parameter_name="page")], "'page' is taken"),
        ([EmptyFilter(Book.pages), RelatedFilter(Book.tags, parameter_name="pages")], "taken"),
        ([EmptyFilter(Publisher.name)], "not a column of Book"),
        ([EmptyFilter(Book.publisher)], "can't filter by"),
        ([RelatedFilter(Book.pages)], "can't filter by"),
    ],
)
def test_filters_that_could_not_work_stop_the_start(
    sqlite: Sqlite, filters: list[Filter], problem: str
) -> None:
    class Wrong(FilteredAdmin, model=Book):
        column_filters = filters

    database = sqlite.open(sqlite.empty())
    with pytest.raises(ImproperlyConfigured, match=problem):
        make_app(database, Wrong)
