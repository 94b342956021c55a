"""Values as people read them."""

import enum
import functools
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from markupsafe import Markup, escape

LONGEST_CELL = 120  # characters of a text in a list
EMPTY = Markup('<span class="empty-value" title="Empty">–</span>')
YES = Markup('<span class="boolean boolean-yes">Yes</span>')
NO = Markup('<span class="boolean boolean-no">No</span>')


def display_boolean(value: bool) -> Markup:
    return YES if value else NO


def display_datetime(value: datetime) -> Markup:
    """Show minutes, in UTC if the zone is known; attribute and tooltip hold the exact instant."""
    is_aware = value.tzinfo is not None
    shown = (value.astimezone(UTC) if is_aware else value).replace(tzinfo=None)
    minutes = shown.isoformat(" ", "minutes") + (" UTC" if is_aware else "")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(value.isoformat(), minutes)


def display_date(value: date) -> Markup:
    return Markup('<time datetime="{0}">{0}</time>').format(value.isoformat())


def display_enum(value: enum.Enum) -> str:
    return value.name.replace("_", " ").capitalize()


def display_bytes(value: bytes) -> str:
    return f"{len(value):,} bytes"


def display_list(value: list[Any]) -> str:
    return ", ".join(map(str, value))


# The most special type first.
BY_TYPE: tuple[tuple[type, Callable[[Any], Markup | str]], ...] = (
    (bool, display_boolean),
    (enum.Enum, display_enum),
    (datetime, display_datetime),
    (date, display_date),
    (bytes, display_bytes),
    (list, display_list),
)


def display(value: Any, *, longest: int | None = None) -> Markup:
    """Return the value as safe HTML; what is HTML already stays, a text beyond `longest` is cut."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return EMPTY
    shown = next((show(value) for kind, show in BY_TYPE if isinstance(value, kind)), value)
    if hasattr(shown, "__html__"):
        return escape(shown)
    text = str(shown)
    return escape(text if longest is None or len(text) <= longest else f"{text[:longest]}…")


def display_short(value: Any) -> Markup:
    """Return the value for a cell of a list, where a long text is cut."""
    return display(value, longest=LONGEST_CELL)


def value_at(obj: Any, path: str) -> Any:
    """Return the value at a dotted path, or None where a relation on the way is empty."""
    return functools.reduce(lambda value, name: getattr(value, name, None), path.split("."), obj)
