"""Values as people read them."""

import enum
import functools
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from admin.kit.formats import write_date, write_minute, write_number, write_plain
from admin.kit.languages import Language, get_language, gettext, ngettext
from admin.kit.zones import get_zone, in_zone, is_universal

LONGEST_CELL = 120  # characters of a text in a list
EMPTY = Markup('<span class="empty-value" title="{}">–</span>')
DATE = Markup('<time datetime="{}">{}</time>')
INSTANT = Markup('<time datetime="{}Z" title="{} UTC">{}</time>')
BOOLEAN = Markup('<span class="boolean boolean-{}">{}</span>')


def empty() -> Markup:
    """Return what stands where there is nothing."""
    return empty_in(get_language())


@functools.lru_cache(maxsize=64)
def empty_in(_language: Language) -> Markup:
    return EMPTY.format(gettext("Empty"))


def display_boolean(value: bool) -> Markup:
    return boolean_in(get_language(), bool(value))


@functools.lru_cache(maxsize=64)
def boolean_in(_language: Language, value: bool) -> Markup:
    """Remember the two that lists are full of."""
    return BOOLEAN.format(*(("yes", gettext("Yes")) if value else ("no", gettext("No"))))


def display_datetime(value: datetime) -> Markup:
    """Show minutes in the operator's zone, with the exact instant behind them.

    The page says once which zone that is; UTC is said each time.
    """
    if value.tzinfo is None:
        return DATE.format(value.isoformat(), write_minute(value))
    utc = value.astimezone(UTC).replace(tzinfo=None)
    suffix = " UTC" if is_universal(get_zone()) else ""
    shown = write_minute(in_zone(value)) + suffix
    return INSTANT.format(utc.isoformat(), utc.isoformat(" ", "seconds"), shown)


def display_date(value: date) -> Markup:
    return DATE.format(value.isoformat(), write_date(value))


def display_enum(value: enum.Enum) -> str:
    """Show the name in words, which a catalogue may know."""
    return gettext(value.name.replace("_", " ").capitalize())


def display_bytes(value: bytes) -> str:
    size = len(value)
    return ngettext("%(count)s byte", "%(count)s bytes", size, count=write_number(size))


def display_list(value: list[Any]) -> str:
    return ", ".join(map(str, value))


def display_decimal(value: float | Decimal) -> str:
    return write_plain(value)


# The most special type first.
BY_TYPE: tuple[tuple[type, Callable[[Any], Markup | str]], ...] = (
    (bool, display_boolean),
    (enum.Enum, display_enum),
    (datetime, display_datetime),
    (date, display_date),
    (bytes, display_bytes),
    (list, display_list),
    (float, display_decimal),
    (Decimal, display_decimal),
)


@functools.cache
def display_of(kind: type) -> Callable[[Any], Markup | str] | None:
    """Remember how values of a type are shown."""
    return next((show for special, show in BY_TYPE if issubclass(kind, special)), None)


def display(value: Any, *, longest: int | None = None) -> Markup:
    """Return the value as safe HTML; what is HTML already stays, a text beyond `longest` is cut."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return empty()
    show = display_of(type(value))  # type: ignore[arg-type]  # mypy: a type is hashable
    shown = value if show is None else show(value)
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
