"""Counting rows by day, week and month of UTC.

Each period is a range of instants computed here, so that no database decides in which time zone a
day begins, an index on the column answers alone, and a period without rows is a zero.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, ScalarSelect, func, select

from admin.kit.cards import Figures, Row, Source
from admin.kit.filters import PeriodFilter, stored_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import QueryableAttribute, Session

    Column = QueryableAttribute[Any]
    Back = Callable[[datetime, int], datetime]


def per_day(column: Column, last: int) -> Source:
    """Return a source that counts the rows of the last days, today included."""
    return by_period(column, last, days_before, midnight, "%Y-%m-%d")


def per_week(column: Column, last: int) -> Source:
    """Return a source that counts the rows of the last weeks, which begin on Monday."""
    return by_period(column, last, weeks_before, monday, "%G-W%V")


def per_month(column: Column, last: int) -> Source:
    """Return a source that counts the rows of the last months, the current one included."""
    return by_period(column, last, months_before, first_of_month, "%Y-%m")


def by_period(
    column: Column, last: int, before: Back, begin: Callable[[datetime], datetime], label: str
) -> Source:
    """Return a source that counts `last` periods up to now, in one statement.

    What is dated later than now hasn't happened. The time before is cut as the current period is,
    because the whole of it would always look like more.
    """

    def count(session: Session, now: datetime) -> Figures:
        until = end_of(column, now)
        starts = [before(begin(now), n) for n in range(last - 1, -1, -1)]
        counts = [counted(column, *period) for period in pairwise([*starts, until])]
        past = counted(column, before(starts[0], last), before(until, last))
        found = session.execute(select(*counts, past, latest(column, until))).one()
        rows = [Row(f"{start:{label}}", n) for start, n in zip(starts, found, strict=False)]
        return Figures(rows, found[-2], f"{found[-1]:%Y-%m-%d}" if found[-1] else "")

    return count


def counted(column: Column, start: datetime, end: datetime) -> ScalarSelect[int]:
    """Count the rows from `start` to before `end`."""
    bound = PeriodFilter(column).bound
    stmt = select(func.count()).where(column >= bound(start), column < bound(end))
    return stmt.scalar_subquery()


def latest(column: Column, until: datetime) -> ScalarSelect[Any]:
    stmt = select(func.max(column)).where(column < PeriodFilter(column).bound(until))
    return stmt.scalar_subquery()


def end_of(column: Column, now: datetime) -> datetime:
    """Return the moment before which all has happened; a column of days knows no hours."""
    if isinstance(stored_type(column), Date):
        return midnight(now) + timedelta(days=1)
    return now


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def monday(moment: datetime) -> datetime:
    return midnight(moment) - timedelta(days=moment.weekday())


def first_of_month(moment: datetime) -> datetime:
    return midnight(moment).replace(day=1)


def days_before(moment: datetime, count: int) -> datetime:
    return moment - timedelta(days=count)


def weeks_before(moment: datetime, count: int) -> datetime:
    return moment - timedelta(weeks=count)


def months_before(moment: datetime, count: int) -> datetime:
    """Return the same moment some months before, or the last day of a shorter month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - count, 12)
    after = datetime(year + month // 11, (month + 1) % 12 + 1, 1, tzinfo=moment.tzinfo)
    longest = (after - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, longest))
