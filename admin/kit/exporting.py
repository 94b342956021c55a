"""Lists as CSV and JSON files, streamed in chunks, so that memory stays the same at any size."""

from __future__ import annotations

import base64
import csv
import functools
import io
import json
import math
import re
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from sqladmin.authorization import Action
from starlette.responses import Response, StreamingResponse

from admin.kit.lists.columns import columns_of
from admin.kit.lists.keyset import cursor, seek
from admin.kit.lists.query import order, results, with_relations
from admin.kit.revealed import REVEAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

CHUNK = 2000  # rows
# What spreadsheets take for the start of a formula: OWASP, "CSV Injection".
FORMULA = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠]")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")

Chunk = tuple[str, "Sequence[Any] | None"]


async def export(
    view: ModelAdmin, request: Request, export_type: str, *, is_clear: bool = False
) -> Response:
    """Return the file of all rows that the list's search, filters, sort and scope select.

    Sensitive values are masked, unless they are asked for in clear, of rows that may be revealed.
    Each chunk is read on its own, so a slow download holds no transaction open; rows changed
    meanwhile may appear as they were or as they are.
    """
    kind = FORMATS[export_type](view.export_names, is_clear=is_clear)
    # Read before the answer begins, so that a failure is still an error page.
    first = await read_in_turn(view, request, kind, None)
    moment = datetime.now(UTC).strftime("%Y-%m-%d_%H%M%S")
    name = f"{quote(view.identity)}_{moment}.{export_type}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if request.method == "HEAD":
        return Response(media_type=kind.media_type, headers=headers)
    file = write(kind, chunks(view, request, kind, first))
    return StreamingResponse(file, media_type=kind.media_type, headers=headers)


async def write(kind: Format, chunks: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield the file, piece by piece."""
    yield kind.head
    separator = ""
    async for lines in chunks:
        if lines:
            yield separator + lines
            separator = kind.separator
    yield kind.tail


async def chunks(
    view: ModelAdmin, request: Request, kind: Format, chunk: Chunk
) -> AsyncIterator[str]:
    """Yield the lines of the first chunk and of all that follow."""
    lines, last = chunk
    yield lines
    while last is not None:
        lines, last = await read_in_turn(view, request, kind, last)
        yield lines


async def read_in_turn(
    view: ModelAdmin, request: Request, kind: Format, last: Sequence[Any] | None
) -> Chunk:
    """Read a chunk when it is this file's turn: pages keep most of the threads."""
    async with view.site.export_limiter:
        return await view.site.read(functools.partial(read_chunk, view, request, kind, last))


def read_chunk(
    view: ModelAdmin,
    request: Request,
    kind: Format,
    last: Sequence[Any] | None,
    session: Session,
) -> Chunk:
    """Return the lines after `last`, and the cursor of the last one if more may follow."""
    rights = (Action.EXPORT, REVEAL) if kind.is_clear else (Action.EXPORT,)
    query = results(view, request, rights=rights)
    terms = order(view, request, query)
    nulls_are_largest = session.get_bind().dialect.name == "postgresql"
    conditions = seek(terms, last, nulls_are_largest=nulls_are_largest) if last else []
    stmt = with_relations(view, query.first(terms, conditions, CHUNK), view.export_names)
    found = session.execute(stmt.add_columns(*cursor(terms))).all()
    columns = view.export_columns
    if kind.is_clear:
        columns = list(columns_of(view, view.export_names, {}, is_clear=True).values())
    rows = [[plain_value(column.exported(row[0], request)) for column in columns] for row in found]
    return kind.lines(rows), tuple(found[-1][1:]) if len(found) == CHUNK else None


class Format:
    """A kind of file: `head`, then the lines of each chunk with separators between, then `tail`."""

    media_type: ClassVar[str]
    separator: ClassVar[str] = ""
    tail: ClassVar[str] = ""
    head: str

    def __init__(self, names: Sequence[str], *, is_clear: bool = False) -> None:
        self.names = names
        self.is_clear = is_clear

    def lines(self, rows: Sequence[Sequence[Any]]) -> str:
        """Return rows of plain values as text; no rows are no text."""
        raise NotImplementedError


class CsvFormat(Format):
    """A heading, then a line for each row."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, names: Sequence[str], *, is_clear: bool = False) -> None:
        super().__init__(names, is_clear=is_clear)
        self.head = self.lines([names])

    def lines(self, rows: Sequence[Sequence[Any]]) -> str:
        text = io.StringIO()
        csv.writer(text).writerows([csv_cell(value) for value in row] for row in rows)
        return text.getvalue()


def csv_cell(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula; nothing is an empty cell."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else as_json(value)
    is_formula = FORMULA.match(text) and not NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


class JsonFormat(Format):
    """An array of objects, one a line."""

    media_type = "application/json"
    head, separator, tail = "[\n", ",\n", "\n]\n"

    def lines(self, rows: Sequence[Sequence[Any]]) -> str:
        return self.separator.join(as_json(dict(zip(self.names, row, strict=True))) for row in rows)


FORMATS: dict[str, type[Format]] = {"csv": CsvFormat, "json": JsonFormat}


def plain_value(value: Any) -> Any:
    """Return the value as JSON knows it; times in ISO 8601, bytes in base 64, the rest as text."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


# `json.dumps` would build an encoder for each value.
as_json = json.JSONEncoder(ensure_ascii=False, default=plain_value).encode
