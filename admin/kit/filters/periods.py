"""Days and periods as filters mean them: they begin at midnight in the operator's zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Date

from admin.kit.filters.columns import stored_type
from admin.kit.zones import get_zone

if TYPE_CHECKING:
    from admin.kit.filters.columns import Column

PERIODS = ("today", "week", "month", "year")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")


def utc_now() -> datetime:
    return datetime.now(UTC)


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


def span(column: Column, text: str) -> tuple[date, date]:
    """Return the first value within a period, a day or a minute, and the first one after it.

    Raises a ValueError or an OverflowError for what no calendar has.
    """
    if text in PERIODS:
        start, end = period(text, utc_now().astimezone(get_zone()))
    elif DAY.fullmatch(text):
        start = datetime.fromisoformat(text).replace(tzinfo=get_zone())
        end = start + timedelta(days=1)
    elif MINUTE.fullmatch(text) and not isinstance(stored_type(column), Date):
        start = datetime.fromisoformat(text).replace(tzinfo=get_zone()).astimezone(UTC)
        end = start + timedelta(minutes=1)
    else:
        raise ValueError(text)
    return bound(column, start), bound(column, end)


def bound(column: Column, moment: datetime) -> date:
    """Return the moment as the column knows it: a day, or a time with a zone or without."""
    stored = stored_type(column)
    if isinstance(stored, Date):
        return moment.date()
    moment = moment.astimezone(UTC)
    return moment if getattr(stored, "timezone", False) else moment.replace(tzinfo=None)
