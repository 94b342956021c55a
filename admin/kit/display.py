"""Values as people read them."""

import enum
import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from admin.kit.formats import (
    write_date,
    write_grouped,
    write_minute,
    write_minutes,
    write_number,
    write_plain,
    write_stamps,
)
from admin.kit.languages import Language, get_language, gettext, ngettext
from admin.kit.zones import get_zone, in_zone, is_universal

LONGEST_CELL = 120  # characters of a text in a list
SPECIAL = re.compile("[&<>\"']")
EMPTY = Markup('<span class="empty-value" title="{}">–</span>')
DATE = Markup('<time datetime="{}">{}</time>')
BOOLEAN = Markup('<span class="{}">{}</span>')
MASK = "••••"
MASKED = Markup('<span class="masked-value" title="{}">{}</span>')
EMPTY_AS = Markup('<span class="empty-value">{}</span>')
LINK = Markup('<a href="{}" rel="noopener noreferrer">{}</a>')
JSON_SHEET = Markup('<pre class="json">{}</pre>')


# Of text that is HTML by all means: `Markup()` asks it first, which takes three times as long.
html: Callable[[str], Markup] = functools.partial(str.__new__, Markup)


def escaped(text: str) -> str:
    """Return the text as HTML has it; few have anything to escape."""
    return escape(text) if SPECIAL.search(text) else text


def escaped_all(texts: Sequence[str]) -> Sequence[str]:
    """Return texts as HTML has them; they are looked through at once."""
    joined = "\0".join(texts)
    found = escape(joined)
    if len(found) == len(joined):
        return texts
    parts = str.split(found, "\0")
    return parts if len(parts) == len(texts) else [escaped(text) for text in texts]


def empty() -> Markup:
    """Return what stands where there is nothing."""
    return empty_in(get_language())


@functools.lru_cache(maxsize=64)
def empty_in(_language: Language) -> Markup:
    return EMPTY.format(gettext("Empty"))


def masked() -> Markup:
    """Return what stands for a value that is not shown to everybody who sees its row."""
    return MASKED.format(gettext("Not shown"), MASK)


def display_boolean(value: bool | None) -> Markup:
    return boolean_in(get_language(), value if value is None else bool(value))


@functools.lru_cache(maxsize=64)
def boolean_in(_language: Language, value: bool | None) -> Markup:
    """Remember the three that lists are full of."""
    if value is None:
        return BOOLEAN.format("unknown", gettext("Unknown"))
    return BOOLEAN.format(*(("yes", gettext("Yes")) if value else ("no", gettext("No"))))


def display_datetime(value: datetime) -> Markup:
    """Show minutes in the operator's zone, with the second behind them.

    The page says once which zone that is; UTC is said each time.
    """
    if value.tzinfo is None:
        return DATE.format(value.isoformat(), write_minute(value))
    return write_instants([value])[0]


def display_instants(values: Sequence[datetime]) -> list[Markup] | None:
    """Return each as `display_datetime` shows it; None if one of them is in no zone."""
    return None if any(value.tzinfo is None for value in values) else write_instants(values)


def write_instants(values: Sequence[datetime]) -> list[Markup]:
    moments = [value.astimezone(UTC) for value in values]
    stamps = write_stamps(moments)
    # A list is full of them, and `Markup.format` takes ten times as long.
    if is_universal(get_zone()):
        shown = escaped_all(write_minutes(moments, stamps))
        return [
            html(f'<time datetime="{stamp}Z">{text} UTC</time>')
            for stamp, text in zip(stamps, shown, strict=True)
        ]
    shown = escaped_all(write_minutes(list(map(in_zone, moments))))
    return [
        html(f'<time datetime="{at}Z" title="{at[:10]} {at[11:]} UTC">{text}</time>')
        for at, text in zip(stamps, shown, strict=True)
    ]


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


def display_json(value: Any) -> str:
    """Show a value as JSON in one line; what JSON doesn't know is its text."""
    return json.dumps(value, ensure_ascii=False, default=str)


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
    (dict, display_json),
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


def plain_text(cell: Markup) -> str:
    """Return what somebody reads of a value's HTML, in one line."""
    return cell.striptags() if "<" in cell or "&" in cell else " ".join(str.split(cell))


def display_short(value: Any) -> Markup:
    """Return the value for a cell of a list, where a long text is cut."""
    if type(value) is str and 0 < len(value) <= LONGEST_CELL and not value.isspace():
        return html(escaped(value))
    return display(value, longest=LONGEST_CELL)


def display_object(value: Any) -> Markup:
    """Return what a related object calls itself, for a cell of a list."""
    text = str(value)
    return html(escaped(text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"))


# What the declaration of a column knows more about its values than their type says.


def display_number(value: Any) -> Markup:
    """Return a number with its thousands set apart, and all of its digits."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool | enum.Enum)
    return escape(write_grouped(value)) if is_number else display(value)


def display_url(value: Any, *, longest: int | None = None) -> Markup:
    """Return a link if the address leads to a web page, else the text alone."""
    shown = display(value, longest=longest)
    return LINK.format(value, shown) if is_web_address(str(value)) else shown


def is_web_address(text: str) -> bool:
    """Say whether a browser finds a page there; no other scheme, such as a script's, counts."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return text.isprintable() and parts.scheme in ("http", "https") and bool(parts.hostname)


def display_json_short(value: Any) -> Markup:
    return display_short(display_json(value))


def display_json_sheet(value: Any) -> Markup:
    """Return JSON as people write it, a line for each entry."""
    text = json.dumps(value, ensure_ascii=False, default=str, indent=2)
    return JSON_SHEET.format(text)


def display_choice(value: Any, *, labels: Mapping[Any, Any], longest: int | None = None) -> Markup:
    """Return the label of a choice, which may be a lazy text; an unknown one as it is."""
    label = labels.get(value)
    return display(value if label is None else str(label), longest=longest)
