"""Counting rows by day, week and month of UTC.

Each period is a range of instants computed here, so that no database decides in which time zone a
day begins, an index on the column answers alone, and a period without rows is a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Date, ScalarSelect, func, select

from admin.kit.cards import Figures, Row, Source
from admin.kit.filters.columns import stored_type
from admin.kit.filters.periods import bound
from admin.kit.formats import write_date, write_month, write_week

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import QueryableAttribute, Session

    Column = QueryableAttribute[Any]
    Back = Callable[[datetime, int], datetime]


def per_day(column: Column, last: int) -> Source:
    """Return a source that counts the rows of the last days, today included."""
    return Periods(column, last, days_before, midnight, write_date)


def per_week(column: Column, last: int) -> Source:
    """Return a source that counts the rows of the last weeks, which begin on Monday."""
    return Periods(column, last, weeks_before, monday, write_week)


def per_month(column: Column, last: int) -> Source:
    """Return a source that counts the rows of the last months, the current one included."""
    return Periods(column, last, months_before, first_of_month, write_month)


@dataclass(frozen=True)
class Periods:
    """Counts `last` periods up to now, in one statement; a period is kept by its first day.

    What is dated later than now hasn't happened. The time before is cut as the current period is,
    because the whole of it would always look like more.
    """

    column: Column
    last: int
    before: Back
    begin: Callable[[datetime], datetime]
    write: Callable[[date], str]
    has_days: ClassVar[bool] = True

    def __call__(self, session: Session, now: datetime) -> Figures:
        until, column = end_of(self.column, now), self.column
        starts = [self.before(self.begin(now), n) for n in range(self.last - 1, -1, -1)]
        counts = [counted(column, *period) for period in pairwise([*starts, until])]
        past = counted(column, self.before(starts[0], self.last), self.before(until, self.last))
        found = session.execute(select(*counts, past, latest(column, until))).one()
        rows = [Row(start.date().isoformat(), n) for start, n in zip(starts, found, strict=False)]
        return Figures(rows, found[-2], f"{found[-1]:%Y-%m-%d}" if found[-1] else "")

    def write_label(self, label: str) -> str:
        return self.write(date.fromisoformat(label))

    def write_latest(self, label: str) -> str:
        return write_date(date.fromisoformat(label))


def counted(column: Column, start: datetime, end: datetime) -> ScalarSelect[int]:
    """Count the rows from `start` to before `end`."""
    stmt = select(func.count()).where(column >= bound(column, start), column < bound(column, end))
    return stmt.scalar_subquery()


def latest(column: Column, until: datetime) -> ScalarSelect[Any]:
    stmt = select(func.max(column)).where(column < bound(column, until))
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
