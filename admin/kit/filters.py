"""Filters of a list: a column, the choices its parameter offers, and what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Enum, String, TypeDecorator, and_, or_
from sqlalchemy.orm import QueryableAttribute
from sqlalchemy.types import TypeEngine
from starlette.exceptions import HTTPException

from admin.kit.keys import BadKeyError, parse_key
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.zones import get_zone


@dataclass(frozen=True)
class Choice:
    value: str
    label: str


class Filter:
    """Base of all filters; a subclass says its `choices` and the `condition` of a value."""

    template = "sqladmin/filters/choices.html"

    def __init__(
        self, column: QueryableAttribute[Any], title: str = "", parameter_name: str = ""
    ) -> None:
        self.column = column
        self.parameter_name = parameter_name or column.key
        self.title = title or column.key.replace("_", " ").capitalize()

    @property
    def choices(self) -> Sequence[Choice]:
        """What is offered; empty where any value may be asked for."""
        return ()

    def condition(self, value: str) -> ColumnElement[bool]:
        """Return what the value asks for; raise a 400 for a value that is not offered."""
        raise NotImplementedError

    def refuse(self) -> HTTPException:
        return HTTPException(
            400, gettext("The filter “%(title)s” can't be set to this.", title=self.title)
        )


class BooleanFilter(Filter):
    """Yes or no, and empty where the column allows it."""

    @property
    def choices(self) -> Sequence[Choice]:
        known = (Choice("true", lazy_gettext("Yes")), Choice("false", lazy_gettext("No")))
        return (
            (*known, Choice("empty", lazy_gettext("Unknown")))
            if is_nullable(self.column)
            else known
        )

    def condition(self, value: str) -> ColumnElement[bool]:
        if value not in {choice.value for choice in self.choices}:
            raise self.refuse()
        return self.column.is_({"true": True, "false": False, "empty": None}[value])


class EmptyFilter(Filter):
    """Has a value, or none; an empty text counts as none."""

    choices = (Choice("no", lazy_gettext("Has a value")), Choice("yes", lazy_gettext("Empty")))

    def condition(self, value: str) -> ColumnElement[bool]:
        if value not in ("yes", "no"):
            raise self.refuse()
        empty: ColumnElement[bool] = self.column.is_(None)
        stored = stored_type(self.column)
        if isinstance(stored, String) and not isinstance(stored, Enum):
            empty = or_(empty, self.column == "")
        return empty if value == "yes" else ~empty


class PeriodFilter(Filter):
    """Today, the past seven days, this month, this year, and empty where the column allows it.

    Days begin at midnight in the operator's zone; where the column knows no zone, in UTC.
    """

    @property
    def choices(self) -> Sequence[Choice]:
        periods = (
            Choice("today", lazy_gettext("Today")),
            Choice("week", lazy_gettext("Past 7 days")),
            Choice("month", lazy_gettext("This month")),
            Choice("year", lazy_gettext("This year")),
        )
        empty = (Choice("empty", lazy_gettext("No date")), Choice("any", lazy_gettext("Has date")))
        return (*periods, *empty) if is_nullable(self.column) else periods

    def condition(self, value: str) -> ColumnElement[bool]:
        if value not in {choice.value for choice in self.choices}:
            raise self.refuse()
        if value == "empty":
            return self.column.is_(None)
        if value == "any":
            return self.column.is_not(None)
        start, end = (
            self.bound(moment) for moment in period(value, utc_now().astimezone(get_zone()))
        )
        return (self.column >= start) & (self.column < end)

    def bound(self, moment: datetime) -> date:
        """Return the moment as the column knows it: a day, or a time with a zone or without."""
        stored = stored_type(self.column)
        if isinstance(stored, Date):
            return moment.date()
        moment = moment.astimezone(UTC)
        return moment if getattr(stored, "timezone", False) else moment.replace(tzinfo=None)


class RelatedFilter(Filter):
    """The rows that belong to one related object, named by its key: `?author=5`."""

    template = "sqladmin/filters/related.html"

    def condition(self, value: str) -> ColumnElement[bool]:
        relationship = self.column.property
        target = relationship.mapper
        try:
            values = dict(zip(target.primary_key, parse_key(target.class_, value), strict=True))
        except BadKeyError:
            raise self.refuse() from None
        pairs = relationship.local_remote_pairs
        if all(remote in values for _, remote in pairs):
            return and_(*(local == values[remote] for local, remote in pairs))
        same = and_(*(column == value for column, value in values.items()))
        return self.column.any(same) if relationship.uselist else self.column.has(same)


def utc_now() -> datetime:
    return datetime.now(UTC)


def stored_type(column: QueryableAttribute[Any]) -> TypeEngine[Any]:
    """Return the type of the column in the database, below the decorations of the model."""
    type_ = column.type
    return type_.impl_instance if isinstance(type_, TypeDecorator) else type_


def is_nullable(column: QueryableAttribute[Any]) -> bool:
    return bool(column.property.columns[0].nullable)


def period(name: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the first instant of the period and the first one after it."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    tomorrow = today + timedelta(days=1)
    if name == "week":
        return today - timedelta(days=7), tomorrow
    if name == "month":
        month = today.replace(day=1)
        return month, (month + timedelta(days=32)).replace(day=1)
    if name == "year":
        return today.replace(month=1, day=1), today.replace(year=today.year + 1, month=1, day=1)
    return today, tomorrow
