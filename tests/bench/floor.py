"""The smallest page over the best statement: no page of an admin can be faster than this.

It knows no operator, no menu, no form and no count; it shows how much room there is.
"""

import csv
import io
import os
import sqlite3
from collections.abc import Iterator
from functools import partial
from html import escape

import psycopg
from sqlalchemy import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.bench import filling
from tests.bench.cases import cases

BLOCK = 64 * 1024  # bytes
BATCH = 1000  # rows
Connection = psycopg.Connection | sqlite3.Connection


def create_app() -> Starlette:
    """Serve the first case at /0, the second one at /1, and so on, on one connection."""
    connection = connect(os.environ["DATABASE_URL"])
    return Starlette(
        routes=[
            # The statements don't depend on the size of the table.
            Route(f"/{number}", partial(export if case.is_export else page, connection, case.floor))
            for number, case in enumerate(cases(posts=1))
        ]
    )


def connect(address: str) -> Connection:
    url = make_url(address)
    if url.get_backend_name() != "sqlite":
        return filling.connect(url)
    return sqlite3.connect(str(url.database), check_same_thread=False)


def page(connection: Connection, sql: str, _request: Request) -> Response:
    if isinstance(connection, psycopg.Connection):
        found = connection.execute(sql.encode()).fetchall()
    else:
        found = connection.execute(on_sqlite(sql)).fetchall()
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row)}</tr>" for row in found
    )
    return HTMLResponse(f"<!DOCTYPE html><title>Floor</title><table>{rows}</table>")


def on_sqlite(sql: str) -> str:
    """Return the statement with the word for a comparison in any case that SQLite has."""
    return sql.replace(" ILIKE ", " LIKE ")


def export(connection: Connection, sql: str, _request: Request) -> Response:
    if isinstance(connection, psycopg.Connection):
        return StreamingResponse(copied(connection, sql), media_type="text/csv")
    return StreamingResponse(written(connection, sql), media_type="text/csv")


def copied(connection: psycopg.Connection, sql: str) -> Iterator[bytes]:
    """Yield what COPY sends, in blocks: each costs a change of threads."""
    block = bytearray()
    command = f"COPY ({sql}) TO STDOUT WITH (FORMAT csv, HEADER)"
    with connection.cursor() as cursor, cursor.copy(command.encode()) as copy:
        for line in copy:
            block += line
            if len(block) > BLOCK:
                yield bytes(block)
                block.clear()
    yield bytes(block)


def written(connection: sqlite3.Connection, sql: str) -> Iterator[str]:
    cursor = connection.execute(sql)
    while rows := cursor.fetchmany(BATCH):
        block = io.StringIO()
        csv.writer(block).writerows(rows)
        yield block.getvalue()
