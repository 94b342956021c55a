"""Drilling down by date: years, then months, then days, on top of a list.

A period is a range of instants computed here, in the operator's zone, so that an index on the
column answers alone, whatever the size of the table. What is offered counts the rows in the
view's scope, but neither filters nor search: no index serves their combination with a date, and
a bar that moves with each word typed is no way to find one's way.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from sqlalchemy import ARRAY, Date, and_, column, func, literal, select, true

from admin.kit.errors import BadAddress
from admin.kit.filters import is_nullable, stored_type, utc_now
from admin.kit.languages import get_language, gettext
from admin.kit.lists.addresses import Address
from admin.kit.scopes import scope_names
from admin.kit.zones import first_instant, get_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Dialect, FromClause, ScalarSelect, Select
    from sqlalchemy.orm import QueryableAttribute, Session
    from sqlalchemy.types import TypeEngine
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

    # The period whose parts are offered, those parts, and whether dates are missing.
    Offer = tuple["Period", Sequence["Period"], bool]
    Bounds = tuple[FromClause, ColumnElement[Any], ColumnElement[Any]]

PARAMETER = "_date"
EMPTY = "empty"
WRITTEN = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
# Where dates lie further apart, years far from today are reached by their address alone.
YEARS_BEFORE, YEARS_AFTER = 79, 20
MOST_REMEMBERED = 1000
FRESH = 30  # seconds


@dataclass(frozen=True)
class Period:
    """A year, a month or a day, or all time; written as the beginning of an ISO date."""

    parts: tuple[int, ...] = ()

    @property
    def value(self) -> str:
        return "-".join(f"{part:0{width}}" for part, width in zip(self.parts, (4, 2, 2)))  # noqa: B905

    @property
    def label(self) -> str:
        """The last part, in words; what is above it stands before it."""
        if len(self.parts) == 2:  # noqa: PLR2004 - a year and a month
            return str(get_language().locale.months["stand-alone"]["wide"][self.parts[1]])
        return str(self.parts[-1])

    @property
    def above(self) -> list[Period]:
        """The year and the month that it is in, and itself."""
        return [Period(self.parts[: depth + 1]) for depth in range(len(self.parts))]

    @property
    def first_day(self) -> date:
        return date(*[*self.parts, 1, 1][:3])

    @property
    def next_day(self) -> date:
        """The day after the last one; raises OverflowError at the end of the calendar."""
        first = self.first_day
        if len(self.parts) == 3:  # noqa: PLR2004 - a day
            return first + timedelta(days=1)
        if len(self.parts) == 2:  # noqa: PLR2004 - a month
            return (first + timedelta(days=31)).replace(day=1)
        if first.year == date.max.year:
            raise OverflowError
        return first.replace(year=first.year + 1)


ALL_TIME = Period()


@dataclass(frozen=True)
class Link:
    """One step; without a URL it is where one is."""

    label: str
    url: str = ""


@dataclass(frozen=True)
class DateBar:
    """The way back, and what lies within."""

    title: str
    trail: Sequence[Link]
    choices: Sequence[Link]


@dataclass(frozen=True)
class Outline:
    """What was found within a period: its first and last day, and the periods that have rows."""

    first: date | None
    last: date | None
    found: Sequence[Period]
    has_empty: bool


@dataclass
class DateHierarchy:
    """The drill-down of one view, by one column.

    It remembers which periods it asked for, because that depends on the first and the last date:
    so one statement asks for both, and only when dates have come outside of these, a second.
    Where everybody sees the same rows, it asks at most once in `FRESH` seconds.
    """

    column: QueryableAttribute[Any]
    remembered: dict[Period, tuple[Period, ...]] = field(default_factory=dict)
    offered: dict[Any, tuple[float, Offer | None]] = field(default_factory=dict)

    def narrow(self, stmt: Select[Any], request: Request) -> Select[Any]:
        """Keep the rows of the period that the address asks for."""
        value = request.query_params.get(PARAMETER, "")
        if not value:
            return stmt
        is_empty = value == EMPTY and is_nullable(self.column)
        return stmt.where(self.column.is_(None) if is_empty else self.within(parse(value)))

    def within(self, period: Period) -> ColumnElement[bool]:
        """Return the condition for rows of a period: from its start to before its end."""
        if not period.parts:
            return self.column.is_not(None)
        start, end = self.bounds(period)
        after = [] if start is None else [self.column >= start]
        before = [] if end is None else [self.column < end]
        return and_(true(), *after, *before)

    def bounds(self, period: Period) -> tuple[date | None, date | None]:
        """Return where a period begins and ends; None at the ends of the calendar.

        There, its first and last day hold all that is stored before and after them in this zone.
        """
        end = None
        with suppress(OverflowError):
            end = self.bound(period.next_day)
        start = self.bound(period.first_day) if period.first_day > date.min else None
        return start, end

    def bound(self, day: date) -> date:
        """Return the beginning of a day as the column knows it; see `PeriodFilter.bound`."""
        if self.has_days:
            return day
        return self.without_zone(first_instant(day, get_zone()))

    @cached_property
    def has_days(self) -> bool:
        return isinstance(stored_type(self.column), Date)

    @cached_property
    def has_zone(self) -> bool:
        return bool(getattr(stored_type(self.column), "timezone", False))

    def without_zone(self, moment: datetime) -> datetime:
        return moment if self.has_zone else moment.replace(tzinfo=None)

    def bar(self, view: ModelAdmin, request: Request, session: Session) -> DateBar | None:
        """Return what to offer, or None where there is nothing to choose from."""
        value = request.query_params.get(PARAMETER, "")
        title, link = str(view.label(self.column.key)), linker(request)
        if value == EMPTY and is_nullable(self.column):
            return DateBar(
                title, [Link(gettext("All dates"), link("")), Link(gettext("No date"))], []
            )
        asked = parse(value) if value else ALL_TIME
        shown, found, has_empty = self.look(view, request, session, asked)
        choices = [Link(each.label, link(each.value)) for each in found]
        if has_empty:
            choices.append(Link(gettext("No date"), link(EMPTY)))
        return DateBar(title, trail(link, shown, asked), choices) if value or choices[1:] else None

    def look(self, view: ModelAdmin, request: Request, session: Session, asked: Period) -> Offer:
        """Return what is offered, as it was some seconds ago at most."""
        if len(asked.parts) == 3:  # noqa: PLR2004 - a day
            return asked, [], False
        rows, is_alike = alike(view, request)
        key, now = (get_zone().key, asked, rows), time.monotonic()
        then, offer = self.offered.get(key, (-FRESH, None))
        if offer is None or not is_alike or now - then >= FRESH:
            offer = self.search(view, request, session, asked)
            if not is_alike:
                return offer
            if len(self.offered) >= MOST_REMEMBERED:
                self.offered.clear()
            self.offered[key] = now, offer
        return offer

    def search(self, view: ModelAdmin, request: Request, session: Session, asked: Period) -> Offer:
        """Find what to offer; a level at which there is one choice only is skipped."""
        parts = self.remembered.get(asked, ())
        outline = self.ask(view, request, session, asked, parts)
        shown = common(asked, outline)
        if parts != (needed := parts_of(shown, outline)):
            self.remember(asked, needed)
            outline = self.ask(view, request, session, asked, needed)
        return shown, outline.found, outline.has_empty

    def remember(self, asked: Period, parts: tuple[Period, ...]) -> None:
        if len(self.remembered) >= MOST_REMEMBERED:
            self.remembered.clear()
        self.remembered[asked] = parts

    def ask(
        self,
        view: ModelAdmin,
        request: Request,
        session: Session,
        asked: Period,
        parts: Sequence[Period],
    ) -> Outline:
        """Look up the ends of a period, and which of its parts have rows, in one statement."""
        rows = view.list_query(request).order_by(None)
        within = rows.where(self.within(asked))
        can_be_empty = not asked.parts and is_nullable(self.column)
        empty = self.has_empty(rows) if can_be_empty else literal(value=False)
        ends = self.end(within, self.column.asc()), self.end(within, self.column.desc())
        stmt = select(*ends, empty)
        if parts:
            table, start, end = self.bounds_of(parts, session.get_bind().dialect)
            inside = has(rows, (self.column >= start) & (self.column < end))
            stmt = stmt.add_columns(inside).select_from(table).order_by(start)
        answers = session.execute(stmt).all()
        first, last, has_empty = answers[0][:3]
        found = [part for part, answer in zip(parts, answers, strict=False) if answer[3]]
        return Outline(local_day(first), local_day(last), found, bool(has_empty))

    def has_empty(self, rows: Select[Any]) -> ColumnElement[bool]:
        """Say whether a row has no date; in order, because a scan might meet these last."""
        stmt = rows.where(self.column.is_(None)).order_by(self.column).limit(1)
        one = stmt.with_only_columns(literal(1), maintain_column_froms=True)
        return one.scalar_subquery().is_not(None)

    def bounds_of(self, parts: Sequence[Period], dialect: Dialect) -> Bounds:
        """Return a table of the bounds of periods, made of a parameter or two, and its columns.

        However many there are, the statement stays the same, so that it is written only once.
        """
        type_: TypeEngine[Any] = self.column.type
        lowest, highest = self.calendar
        bounds = [self.bounds(part) for part in parts]
        starts, ends = (
            [start or lowest for start, _ in bounds],
            [end or highest for _, end in bounds],
        )
        if dialect.name == "postgresql":
            array = ARRAY(type_)
            rows = func.unnest(literal(starts, array), literal(ends, array))
            table = rows.table_valued(column("start", type_), column("end", type_)).render_derived(
                name="periods"
            )
            return table, table.c.start, table.c.end
        written = type_.dialect_impl(dialect).literal_processor(dialect)
        assert written is not None  # noqa: S101 - dates and times have one
        pairs = [
            [written(each).strip("'") for each in pair] for pair in zip(starts, ends, strict=True)
        ]
        each = func.json_each(json.dumps(pairs)).table_valued("value").alias("periods")
        start, end = (func.json_extract(each.c.value, f"$[{n}]", type_=type_) for n in (0, 1))
        return each, start, end

    @property
    def calendar(self) -> tuple[date, date]:
        if self.has_days:
            return date.min, date.max
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        return self.without_zone(first), self.without_zone(last)

    def end(self, rows: Select[Any], order: ColumnElement[Any]) -> ScalarSelect[Any]:
        """Return the first value in this order; unlike min() it finds an index despite joins."""
        stmt = rows.with_only_columns(self.column, maintain_column_froms=True)
        return stmt.order_by(order).limit(1).scalar_subquery()


def alike(view: ModelAdmin, request: Request) -> tuple[frozenset[str] | None, bool]:
    """Return the scopes that say which rows there are, and whether they are so for all who ask."""
    names = scope_names(view, request, Action.LIST)
    scopes = [view.row_scopes[name] for name in names or () if name in view.row_scopes]
    return names, not view.is_scoped and not any(callable(scope.condition) for scope in scopes)


def has(rows: Select[Any], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    stmt = rows.where(condition).with_only_columns(literal(1), maintain_column_froms=True)
    return stmt.exists()


def hierarchy_of(view: ModelAdmin) -> DateHierarchy | None:
    """Return the drill-down that a view declares; checks say what is wrong with others."""
    name = view.date_hierarchy
    return DateHierarchy(getattr(view.model, name)) if name in view.mapper.attrs else None


def parse(value: str) -> Period:
    """Read a period from the address; raise a 400 for one that isn't in the calendar."""
    written = WRITTEN.fullmatch(value)
    with suppress(ValueError):
        if written:
            period = Period(tuple(int(part) for part in written.groups() if part))
            if period.first_day:  # The calendar has it.
                return period
    sentence = gettext("There is no such date. Write it as 2026, 2026-05 or 2026-05-17.")
    raise BadAddress(sentence, ["_date"])


def local_day(value: date | None) -> date | None:
    """Return the day of a value on the operator's calendar."""
    if not isinstance(value, datetime):
        return value
    with suppress(OverflowError):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.astimezone(get_zone()).date()
    return value.date()


def common(asked: Period, outline: Outline) -> Period:
    """Return the smallest period that holds all that was found, within the one asked for."""
    if outline.first is None or outline.last is None:
        return asked
    ends = zip(parts_of_day(outline.first), parts_of_day(outline.last), strict=True)
    same: list[int] = []
    for first, last in ends:
        if first != last:
            break
        same.append(first)
    # A single day is offered within its month, as there is nothing within a day.
    shared = Period(tuple(same[:2]))
    return shared if len(shared.parts) > len(asked.parts) else asked


def parts_of_day(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


def parts_of(shown: Period, outline: Outline) -> tuple[Period, ...]:
    """Return the periods to ask for: years near today, or months, or days, between the ends."""
    if outline.first is None or outline.last is None:
        return ()
    depth = len(shown.parts)
    first, last = parts_of_day(outline.first)[depth], parts_of_day(outline.last)[depth]
    numbers = range(first, last + 1)
    if not shown.parts and len(numbers) > YEARS_BEFORE + YEARS_AFTER:
        now = utc_now().year
        near = range(max(first, now - YEARS_BEFORE), min(last, now + YEARS_AFTER) + 1)
        return tuple(Period((year,)) for year in sorted({first, *near, last}))
    return tuple(Period((*shown.parts, number)) for number in numbers)


def trail(link: Callable[[str], str], shown: Period, asked: Period) -> list[Link]:
    """Return the way down to what is shown, with links to what is above what was asked for."""
    depth = len(asked.parts)
    way = [
        Link(period.label, link(period.value) if len(period.parts) < depth else "")
        for period in shown.above
    ]
    return [Link(gettext("All dates"), link("")), *way] if depth else way


def linker(request: Request) -> Callable[[str], str]:
    """Return what makes addresses of this list in a period, from its first page on."""
    path = Address.of(request).link(**{PARAMETER: ""})
    start = f"{path}{'&' if '?' in path else '?'}"
    return lambda value: f"{start}{PARAMETER}={value}" if value else path
