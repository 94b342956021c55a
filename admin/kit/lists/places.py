"""Where in a list a page begins, as its address says it."""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Enum, Integer, Numeric, String

from admin.kit.errors import BadAddress
from admin.kit.filters import stored_type
from admin.kit.history.images import read, to_json, write
from admin.kit.languages import gettext
from admin.kit.lists.query import PLACE
from admin.kit.zones import get_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Dialect
    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from admin.kit.lists.keyset import Term

LONGEST_TOKEN = 4_000  # characters
LONGEST_VALUE = 200  # characters
LARGEST_PAGE = 10**8
MOST_SKIPPED = 10  # pages; they are read, so they are few
LARGEST_INTEGER = 2**63 - 1
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# What a database stores, as its driver hands it out.
SCALARS = (str, int, float, bytes, date, time, timedelta, Decimal, UUID, type(None))


@dataclass(frozen=True)
class Place:
    """`kind` is "first", "page", "after", "before", "at" or "last".

    `number` counts pages from one, and is None where nobody knows; `values` say where the row
    stands that the page lies after, before or at; `skipped` are the pages in between.
    """

    kind: str = "first"
    number: int | None = 1
    values: Sequence[Any] = ()
    skipped: int = 0


def asked_place(request: Request, terms: Sequence[Term], dialect: Dialect) -> Place:
    """Read the place; raise a 400 for one that makes no sense."""
    asked = request.query_params
    number = asked_number(asked, "page", LARGEST_PAGE)
    for kind in ("after", "before", "at"):
        if asked.get(kind):
            values = read_token(asked[kind], len(terms))
            return Place(kind, number, values, asked_number(asked, "skip", MOST_SKIPPED) or 0)
    if asked.get("from", "").strip():
        return Place("at", None, [beginning(terms[0], asked["from"].strip(), dialect)])
    if asked.get("last"):
        return Place("last", None)
    return Place("page", number) if number and number > 1 else Place()


def asked_number(asked: QueryParams, name: str, largest: int) -> int | None:
    """Read a number above zero, capped; raise a 400 for anything else."""
    text = asked.get(name)
    if not text:
        return None
    number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    if number < 1:
        raise BadAddress(no_number(name), [name])
    return min(number, largest)


def no_number(name: str) -> str:
    if name == "pageSize":
        return gettext("The number of rows on a page must be a whole number above zero.")
    return gettext("The page must be a whole number above zero.")


def token(values: Sequence[Any]) -> str:
    """Return the values of a row's cursor as text for an address."""
    text = to_json([write(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_token(text: str, length: int) -> list[Any]:
    """Return the values in a token; raise a 400 for what is none."""
    try:
        padded = text[:LONGEST_TOKEN] + "=" * (-len(text) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        found = [read(value) for value in values]
        is_known = len(found) == length and all(map(can_be_stored, found))
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        raise unreadable() from None
    if not is_known:
        raise unreadable()
    return found


def can_be_stored(value: Any) -> bool:
    """Say whether any column of any database can hold the value."""
    if isinstance(value, str):
        return not UNSTORABLE.search(value)
    if isinstance(value, int):
        return abs(value) <= LARGEST_INTEGER
    return isinstance(value, SCALARS) and value not in (math.inf, -math.inf)


def unreadable() -> BadAddress:
    return BadAddress(gettext("The address names no place in this list."), PLACE)


def jump_type(term: Term) -> str:
    """Return the type of the input for a value to go to, or "" where there is none."""
    type_ = stored_type(term.column)
    if isinstance(type_, Date | DateTime):
        return "date"
    if isinstance(type_, Integer | Numeric):
        return "number"
    return "text" if isinstance(type_, String) and not isinstance(type_, Enum) else ""


def beginning(term: Term, text: str, dialect: Dialect) -> Any:
    """Return the value, as the driver takes it, at which the typed one begins in this order.

    Raises a 400 for what the column can't hold.
    """
    try:
        value = typed(term, text[:LONGEST_VALUE])
    except (ValueError, ArithmeticError):
        sentence = gettext("“%(text)s” is nothing that this list is sorted by.", text=text[:50])
        raise BadAddress(sentence, PLACE) from None
    process = term.column.type.dialect_impl(dialect).bind_processor(dialect)
    return process(value) if process else value


def typed(term: Term, text: str) -> Any:
    """Return a typed value as the column has it; raise `ValueError` for what it can't have."""
    type_ = stored_type(term.column)
    if isinstance(type_, Date):
        return date.fromisoformat(text)
    if isinstance(type_, DateTime):
        day = date.fromisoformat(text)
        return edge(day, is_end=term.descending, keeps_zone=type_.timezone)
    if isinstance(type_, Integer):
        value = int(text)
        if abs(value) > LARGEST_INTEGER:
            raise ValueError
        return value
    if isinstance(type_, Numeric):
        number = Decimal(text)
        if not number.is_finite():
            raise ValueError
        return number
    if "\0" in text or not jump_type(term):
        raise ValueError
    return text


def edge(day: date, *, is_end: bool, keeps_zone: bool) -> datetime:
    """Return the first instant of a day in the operator's zone, or the last one."""
    start = datetime.combine(day + timedelta(days=is_end), time(), get_zone()).astimezone(UTC)
    moment = start - timedelta(microseconds=is_end)
    return moment if keeps_zone else moment.replace(tzinfo=None)
