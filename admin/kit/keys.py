"""Primary keys as they stand in URLs and forms."""

import enum
import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqladmin.helpers import object_identifier_values
from sqlalchemy import BigInteger, Column, ColumnElement, Integer, SmallInteger, inspect, tuple_
from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException

from admin.kit.formats import write_number
from admin.kit.languages import ngettext

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapper


MOST_SELECTED = 1000
# Browsers change line ends in forms and resolve a path of `.` or `..`; routes end at a line feed;
# proxies may decode `%` twice.
SPELLING = str.maketrans({"~": "~~", "\n": "~n", "\r": "~r", "%": "~p"})
SPELLED = {"~~": "~", "~n": "\n", "~r": "\r", "~p": "%", "~.": "."}


class BadKeyError(ValueError):
    """No row can have this key."""


def key_of(obj: Any) -> str:
    """Return the key as one text that survives URLs and forms, whatever characters it holds."""
    return join([getattr(obj, column.name) for column in key_columns(type(obj))])


def key_reader(model: type) -> Callable[[Any], str]:
    """Return `key_of` for objects of one model, faster where the key is a whole number."""
    columns = key_columns(model)
    names = [column.name for column in columns]
    if len(columns) == 1 and isinstance(columns[0].type, Integer):
        read = attrgetter(*names)
        return lambda obj: str(read(obj))
    return lambda obj: join([getattr(obj, name) for name in names])


def join(values: Sequence[Any]) -> str:
    """Return the text of a key; semicolons stand between the values of several columns."""
    texts = [str(value.value if isinstance(value, enum.Enum) else value) for value in values]
    if len(texts) > 1:
        texts = [text.replace("\\", "\\\\").replace(";", r"\;") for text in texts]
    key = ";".join(texts).translate(SPELLING)
    return f"~{key}" if key in (".", "..") else key


def unspell(key: str) -> str:
    return re.sub("~[~nrp.]", lambda found: SPELLED[found.group()], key)


def in_path(key: str) -> str:
    """Return the key as a path holds it; most are numbers, which stay as they are."""
    return key if key.isascii() and key.isalnum() else quote(key, safe="")


def in_paths(keys: Sequence[str]) -> Sequence[str]:
    """Return keys as paths hold them; numbers are found out at once."""
    joined = "".join(keys)
    return keys if joined.isascii() and joined.isalnum() else list(map(in_path, keys))


def key_columns(model: type) -> tuple[Column[Any], ...]:
    mapper: Mapper[Any] = inspect(model)
    return tuple(column for column in mapper.primary_key if isinstance(column, Column))


def matches_keys(model: type, keys: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that picks the rows with these keys; raise `BadKeyError` if none can."""
    columns = key_columns(model)
    values = [parse_key(model, key) for key in keys]
    if len(columns) == 1:
        return columns[0].in_([value for (value,) in values])
    return tuple_(*columns).in_(values)


def parse_key(model: type, key: str) -> tuple[Any, ...]:
    """Return the values of the primary key's columns."""
    try:
        values = object_identifier_values(unspell(key), model)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise BadKeyError from error
    # Other spellings of a number (`01`, `1_0`, `+1`) are refused, so that a row has one address.
    if not all(map(can_hold, key_columns(model), values)) or key != join(values):
        raise BadKeyError
    return values


def key_after(model: type, key: str, after: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the key of a row after a change, which may have changed the key itself.

    `after` has the columns that were changed.
    """
    columns = zip(key_columns(model), parse_key(model, key), strict=True)
    return tuple(after.get(column.name, value) for column, value in columns)


def can_hold(column: Column[Any], value: Any) -> bool:
    """Say whether the column can hold the value at all, on any database."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, int) and isinstance(column.type, Integer):
        low, high = integer_range(column.type)
        return low <= value <= high
    return True


def integer_range(type_: Integer) -> tuple[int, int]:
    """Return the smallest and the largest number that a column of this type holds."""
    bits = 64 if isinstance(type_, BigInteger) else 16 if isinstance(type_, SmallInteger) else 32
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def selected_keys(model: type, values: ImmutableMultiDict[str, Any]) -> list[str]:
    """Return the keys ticked in a form, each once, in order.

    SQLAdmin's links join keys by commas; a text key may hold a comma itself, so only keys of
    other types are split.
    """
    given = [value for value in values.getlist("pks") if isinstance(value, str)]
    if not any(column.type.python_type is str for column in key_columns(model)):
        given = [key for value in given for key in value.split(",")]
    keys = list(dict.fromkeys(key for key in given if key))
    if len(keys) > MOST_SELECTED:
        sentence = ngettext(
            "Select at most %(count)s row at a time.",
            "Select at most %(count)s rows at a time.",
            MOST_SELECTED,
            count=write_number(MOST_SELECTED),
        )
        raise HTTPException(400, sentence)
    return keys
