"""Days, weeks and months of UTC, counted alike by both databases."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from admin.kit import Card, Figures, per_day, per_month, per_week
from admin.kit.cards import Source
from admin.kit.periods import months_before
from models.database import Database
from tests.databases import statements
from tests.kit.app import Book
from tests.kit.pages import store

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)  # a Wednesday
TODAY = datetime(2026, 3, 4, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def count(library: Database, source: Source, now: datetime = NOW) -> Figures:
    assert callable(source)
    return library.read(lambda session: source(session, now))


def acquire(library: Database, *moments: datetime) -> None:
    store(library, *(Book(title="Emma", acquired_at=moment) for moment in moments))


def counted(library: Database, source: Source) -> list[tuple[str, Any]]:
    shown = Card("x", "X", "book", source).translated(count(library, source))
    return [(row.label, row.value) for row in shown.rows]


def test_days_without_rows_are_zeros(library: Database) -> None:
    acquire(library, TODAY, TODAY - timedelta(days=2))
    assert counted(library, per_day(Book.acquired_at, 3)) == [
        ("2026-03-02", 1),
        ("2026-03-03", 0),
        ("2026-03-04", 1),
    ]


def test_a_day_begins_at_midnight_utc(library: Database) -> None:
    tokyo = timezone(timedelta(hours=9))
    acquire(library, TODAY - INSTANT, TODAY, datetime(2026, 3, 4, 8, 59, tzinfo=tokyo))
    assert counted(library, per_day(Book.acquired_at, 2)) == [("2026-03-03", 2), ("2026-03-04", 1)]


def test_what_is_yet_to_come_is_not_counted(library: Database) -> None:
    acquire(library, NOW - INSTANT, NOW, NOW + timedelta(hours=1))
    found = count(library, per_day(Book.acquired_at, 1))
    assert (found.total, found.latest) == (1, "2026-03-04")


def test_weeks_begin_on_monday(library: Database) -> None:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    acquire(library, monday - INSTANT, monday)
    assert counted(library, per_week(Book.acquired_at, 2)) == [("2026-W09", 1), ("2026-W10", 1)]


def test_months_reach_over_the_turn_of_the_year(library: Database) -> None:
    acquire(library, datetime(2025, 12, 31, 23, 59, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert counted(library, per_month(Book.acquired_at, 4)) == [
        ("2025-12", 1),
        ("2026-01", 1),
        ("2026-02", 0),
        ("2026-03", 0),
    ]


def test_the_time_before_is_cut_as_the_present_is(library: Database) -> None:
    """In the period before, what came later in the day than now does not count either."""
    before = NOW - timedelta(days=2)
    acquire(library, TODAY, before - INSTANT, before, TODAY - timedelta(days=3))
    found = count(library, per_day(Book.acquired_at, 2))
    assert (found.total, found.previous) == (1, 2)


def test_days_of_a_column_of_days(library: Database) -> None:
    store(library, *(Book(title="Emma", printed_on=date(2026, 3, day)) for day in (3, 4, 5)))
    assert counted(library, per_day(Book.printed_on, 2)) == [("2026-03-03", 1), ("2026-03-04", 1)]


def test_an_empty_table_has_no_latest_day(library: Database) -> None:
    found = count(library, per_month(Book.acquired_at, 12))
    assert (len(found.rows), found.total, found.previous, found.latest) == (12, 0, 0, "")


def test_one_statement_counts_all_periods(library: Database) -> None:
    with statements(library) as seen:
        count(library, per_day(Book.acquired_at, 30))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("moment", "months", "expected"),
    [
        ("2026-03-31", 1, "2026-02-28"),
        ("2024-02-29", 12, "2023-02-28"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-12-31", 12, "2025-12-31"),
        ("2026-12-31", 36, "2023-12-31"),
    ],
)
def test_a_shorter_month_ends_sooner(moment: str, months: int, expected: str) -> None:
    assert months_before(datetime.fromisoformat(moment), months).isoformat()[:10] == expected
