"""Rows as JSON text from which each value comes back exactly as it was."""

from __future__ import annotations

import base64
import enum
import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Column, Table

Image = dict[str, Any]

# Stands for a value that is not to be kept: that it changed is recorded, what it was is not.
SECRET: Any = type("Secret", (), {"__repr__": lambda _self: "SECRET"})()

# JSON has no such values: they are written as an object with the name of their kind.
WRITERS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    enum.Enum: ("enum", lambda member: member.name),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    timedelta: ("timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    Decimal: ("decimal", str),
    UUID: ("uuid", str),
    bytes: ("bytes", lambda value: base64.b64encode(value).decode()),
    float: ("float", str),
    dict: ("object", lambda value: [[key, write(item)] for key, item in value.items()]),
}
PLAIN = (str, int, bool, type(None))
READERS: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda parts: timedelta(*parts),
    "decimal": Decimal,
    "uuid": UUID,
    "bytes": base64.b64decode,
    "float": float,
    "object": lambda items: {key: read(item) for key, item in items},
    "enum": str,
    "secret": lambda _value: SECRET,
}


def write(value: Any) -> Any:
    """Return what stands for the value in JSON; raise `TypeError` for one of an unknown kind."""
    if isinstance(value, PLAIN) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if value is SECRET:
        return {"secret": True}
    if isinstance(value, list | tuple):
        return [write(item) for item in value]
    for kind, (name, to_text) in WRITERS.items():
        if isinstance(value, kind):
            return {name: to_text(value)}
    raise TypeError(f"History can't keep a {type(value).__name__}.")


def read(value: Any) -> Any:
    """Return the value which `write` stood for; members of enumerations come back by name."""
    if isinstance(value, dict):
        ((name, content),) = value.items()
        return READERS[name](content)
    if isinstance(value, list):
        return [read(item) for item in value]
    return value


to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def dump(image: Mapping[str, Any]) -> str:
    """Return an image as text that is the same for the same values."""
    return to_json({name: write(value) for name, value in image.items()})


def load(text: str | None) -> Image:
    """Return the values of an image by column, none for NULL."""
    return {name: read(value) for name, value in json.loads(text or "{}").items()}


def image_of(table: Table, row: Mapping[str, Any]) -> Image:
    """Return what is kept of a row: all columns, but nothing of the secret ones."""
    return {column.name: kept(column, row[column.name]) for column in table.columns}


def kept(column: Column[Any], value: Any) -> Any:
    return SECRET if is_secret(column) and value is not None else value


def row_of(table: Table, text: str | None) -> Image:
    """Return the values of an image, as far as the table still has columns for them."""
    values = [(table.columns.get(name), value) for name, value in load(text).items()]
    return {column.name: stored(column, value) for column, value in values if column is not None}


def stored(column: Column[Any], value: Any) -> Any:
    """Return what to hand the column for a value of an image; a lost member stays a name."""
    members = getattr(column.type, "enum_class", None)
    if members is None or not isinstance(value, str):
        return value
    return members.__members__.get(value, value)


def is_lost(column: Column[Any], value: Any) -> bool:
    """Say whether the column's enumeration has lost this member."""
    members = getattr(column.type, "enum_class", None)
    return members is not None and isinstance(value, str) and not isinstance(value, members)


def same(one: Any, other: Any) -> bool:
    """Say whether two values are equal; other than in Python, 1 is not true and NaN is NaN."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    return dump({"": one}) == dump({"": other}) or bool(one == other)


def is_secret(column: Column[Any]) -> bool:
    """Say whether the model marks the column by `info={"secret": True}`."""
    return bool(column.info.get("secret"))


def is_recorded(column: Column[Any]) -> bool:
    """Say whether a change of this column alone is worth an entry."""
    return bool(column.info.get("recorded", True))
