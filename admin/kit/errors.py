"""What went wrong, in words: refusals the operator can mend, and a page for the rest."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Table
from sqlalchemy import exc as sa_exc
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin.kit.constraints import BrokenRule, broken_rule, field_of

log = logging.getLogger(__name__)

SENTENCES = {
    400: "This request could not be understood.",
    401: "You are signed out.",
    403: "You are not allowed to do this.",
    404: "There is nothing here. It may have been deleted.",
    405: "This address can't be used this way.",
    413: "What was sent is too large.",
    415: "This can't be read. Send it as a form.",
    429: "Too many attempts. Wait a few minutes and try again.",
    500: "Something went wrong on our side.",
    503: "The database can't be reached at the moment. Try again shortly.",
}
# Seconds after which a browser or a crawler may ask again.
RETRY_AFTER = "5"
UNAVAILABLE = (sa_exc.OperationalError, sa_exc.InterfaceError, sa_exc.TimeoutError)


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The operator can mend this; the sentence is shown at the field, or on top of the form."""

    def __init__(self, sentence: str, *, field: str | None = None, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.status = status


class ChangedMeanwhile(Refused):
    """The row is no longer as it was when the operator opened it."""

    def __init__(self) -> None:
        super().__init__(
            "Someone else saved this after you opened it. Below is what you typed: save again to "
            "replace their version, or reload the page to see it.",
            status=409,
        )


def require(allowed: bool) -> None:
    if not allowed:
        raise HTTPException(403)


def require_found(obj: Any) -> None:
    if obj is None:
        raise HTTPException(404)


def refusal_from(error: Exception, mapper: Mapper[Any], name: str) -> Refused | None:
    """Say in words what was refused about a row of `mapper`, which sentences call `name`.

    Returns None for what the operator can't mend.
    """
    if isinstance(error, Refused):
        return error
    if isinstance(error, StaleDataError):
        return ChangedMeanwhile()
    if isinstance(error, sa_exc.IntegrityError):
        return refused_rule(broken_rule(error, mapper.class_.metadata), mapper, name.lower())
    if isinstance(error, sa_exc.DataError | OverflowError):
        return Refused("A value is too long or out of range for the database.")
    return None


def refused_rule(rule: BrokenRule, mapper: Mapper[Any], name: str) -> Refused:
    """Return the sentence for a broken rule, at the field it is about."""
    field = field_of(mapper, rule.columns)
    if rule.kind == "unique":
        words = " and ".join(column.replace("_", " ") for column in rule.columns) or "value"
        return Refused(f"A {name} with this {words} already exists.", field=field)
    if rule.kind == "not null":
        return Refused("This field is required.", field=field)
    if rule.kind == "foreign key":
        return refused_reference(rule, mapper, name, field)
    return Refused("A rule of the database doesn't allow this.", field=field)


def refused_reference(
    rule: BrokenRule, mapper: Mapper[Any], name: str, field: str | None
) -> Refused:
    """Tell a choice that doesn't exist from a row that others still refer to."""
    if rule.table is None:
        return Refused(f"This {name} is still in use, or refers to something that doesn't exist.")
    if rule.table in {table.name for table in mapper.tables if isinstance(table, Table)}:
        return Refused("Choose one that exists.", field=field)
    return Refused(f"This {name} is still used by {rule.table.replace('_', ' ')}.")


class ErrorPages:
    """Answers every exception with a page; an unforeseen one gets a reference that is also logged.

    `render` makes the page. When the answer has already begun, the exception goes on, so that the
    server cuts the connection and nobody takes half an answer for a whole one.
    """

    def __init__(
        self, app: ASGIApp, render: Callable[[Request, HTTPException], Awaitable[Response]]
    ) -> None:
        self.app = app
        self.render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_remember(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_remember)
        except ClientDisconnect:
            return  # Nobody is left to answer, and nothing went wrong here.
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            response = await self.render(Request(scope), http_error(error))
            await response(scope, receive, send)


def http_error(error: Exception) -> HTTPException:
    """Return the answer to an exception, logging the unforeseen under its reference."""
    if isinstance(error, HTTPException):
        return error
    if isinstance(error, Refused):
        return HTTPException(error.status, error.sentence)
    reference = secrets.token_hex(4)
    log.error("Reference %s", reference, exc_info=error)
    if isinstance(error, UNAVAILABLE):
        headers = {"Retry-After": RETRY_AFTER}
        return HTTPException(503, f"{SENTENCES[503]} Reference: {reference}.", headers=headers)
    return HTTPException(500, f"{SENTENCES[500]} Reference: {reference}.")
