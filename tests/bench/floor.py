"""The smallest page over the best statement: no page of an admin can be faster than this.

It knows no operator, no menu, no form and no count; it shows how much room there is.
"""

import os
from collections.abc import Iterator
from functools import partial
from html import escape

from psycopg import Connection
from sqlalchemy import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.bench.cases import cases
from tests.bench.data import connect

BLOCK = 64 * 1024  # bytes


def create_app() -> Starlette:
    """Serve the first case at /0, the second one at /1, and so on, on one connection."""
    connection = connect(make_url(os.environ["DATABASE_URL"]))
    return Starlette(
        routes=[
            # The statements don't depend on the size of the table.
            Route(f"/{number}", partial(export if case.is_export else page, connection, case.floor))
            for number, case in enumerate(cases(users=1))
        ]
    )


def page(connection: Connection, sql: str, _request: Request) -> Response:
    found = connection.execute(sql.encode()).fetchall()
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row)}</tr>" for row in found
    )
    return HTMLResponse(f"<!DOCTYPE html><title>Floor</title><table>{rows}</table>")


def export(connection: Connection, sql: str, _request: Request) -> Response:
    return StreamingResponse(copied(connection, sql), media_type="text/csv")


def copied(connection: Connection, sql: str) -> Iterator[bytes]:
    """Yield what COPY sends, in blocks: each costs a change of threads."""
    block = bytearray()
    with connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
        for line in copy:
            block += line
            if len(block) > BLOCK:
                yield bytes(block)
                block.clear()
    yield bytes(block)
