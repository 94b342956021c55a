"""The time zone in which times are read and typed; they are stored in UTC.

It is the one that somebody chose, else the browser's as a script reported it, else UTC. It is a
context variable, as the language is.
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import DateTime, TypeDecorator
from sqlalchemy.orm import ColumnProperty, RelationshipProperty

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapper

UNIVERSAL = ZoneInfo("UTC")
# Files beside the zones, which mean something else on each machine.
NO_PLACES = {"Factory", "localtime", "posixrules"}

_current: ContextVar[ZoneInfo] = ContextVar("zone", default=UNIVERSAL)


def get_zone() -> ZoneInfo:
    """Return the zone of this request, or UTC outside of one."""
    return _current.get()


def set_zone(zone: ZoneInfo) -> None:
    """Choose the zone for what this task does from here on."""
    _current.set(zone)


def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of that name, if there is one; no name reaches a file by itself."""
    return ZoneInfo(name) if name in known_zones() else None


@functools.cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones() - NO_PLACES)


def zone_name(zone: ZoneInfo) -> str:
    """Return the zone as people read it."""
    return zone.key.replace("_", " ")


def is_universal(zone: ZoneInfo) -> bool:
    return zone.key == UNIVERSAL.key


def in_zone(moment: datetime) -> datetime:
    """Return the instant on the clocks of the zone."""
    try:
        return moment.astimezone(_current.get())
    except OverflowError:  # At either end of the calendar there may be no such day.
        return moment


def instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the instants at which the zone's clocks show this, in UTC and in order.

    There are none where clocks are put forward, and two where they are put back.
    """
    found = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    real = {found_ for found_ in found if found_.astimezone(zone).replace(tzinfo=None) == wall}
    return sorted(real)


def has_instants(mapper: Mapper[Any], names: list[str]) -> bool:
    """Say whether one of these columns, which may be dotted paths, holds instants."""
    return any(is_instant(mapper, name) for name in names)


def is_instant(mapper: Mapper[Any], path: str) -> bool:
    name, _, rest = path.partition(".")
    prop = mapper.attrs.get(name)
    if isinstance(prop, RelationshipProperty):
        return bool(rest) and is_instant(prop.mapper, rest)
    if not isinstance(prop, ColumnProperty):
        return False
    type_ = prop.columns[0].type
    stored = type_.impl_instance if isinstance(type_, TypeDecorator) else type_
    return isinstance(stored, DateTime) and stored.timezone


@functools.lru_cache(maxsize=4096)
def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins, in UTC: where clocks skip midnight, when they were put forward."""
    midnight = datetime.combine(day, time.min)
    found = instants(midnight, zone)
    if found:
        return found[0]
    # Both readings of a time that isn't: one before the clocks were put forward, one after.
    before, after = sorted(midnight.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1))
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        is_before = middle.astimezone(zone).replace(tzinfo=None) < midnight
        before, after = (middle, after) if is_before else (before, middle)
    return after
