"""What went wrong, in words: refusals the operator can mend, and a page for the rest."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Collection
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
from admin.kit.formats import join_words
from admin.kit.history import AlreadyDoneError, set_origin
from admin.kit.languages import gettext, in_sentence, lazy_gettext

log = logging.getLogger(__name__)

SENTENCES = {
    400: lazy_gettext("This request could not be understood."),
    401: lazy_gettext("You are signed out."),
    403: lazy_gettext("You are not allowed to do this."),
    404: lazy_gettext("There is nothing here. It may have been deleted."),
    405: lazy_gettext("This address can't be used this way."),
    408: lazy_gettext("What was sent took too long to arrive. Send it again."),
    413: lazy_gettext("What was sent is too large."),
    414: lazy_gettext("This address is too long."),
    415: lazy_gettext("This can't be read. Send it as a form."),
    429: lazy_gettext("Too many attempts. Wait a few minutes and try again."),
    431: lazy_gettext("Your browser sends too much with each request: delete this site's cookies."),
    500: lazy_gettext("Something went wrong on our side."),
    503: lazy_gettext("The database can't be reached at the moment. Try again shortly."),
}
TOO_SLOW = lazy_gettext(
    "The database takes too long over this. Ask for less: search for something rarer, or change "
    "the filters or the order."
)
# PostgreSQL's code and SQLite's name for a statement that somebody ended.
CANCELLED = {"57014", "SQLITE_INTERRUPT"}
# Seconds after which a browser or a crawler may ask again.
RETRY_AFTER = "5"
Label = Callable[[str], str]
UNAVAILABLE = (sa_exc.OperationalError, sa_exc.InterfaceError, sa_exc.TimeoutError)


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The operator can mend this; the sentence is shown at the field, or on top of the form."""

    def __init__(self, sentence: str, *, field: str | None = None, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.status = status


class BadAddress(HTTPException):
    """An address asks of a list what no list has; without these parameters it can be shown."""

    def __init__(
        self, sentence: str, parameters: Collection[str], *, value: str = "", status: int = 400
    ) -> None:
        super().__init__(status, sentence)
        self.parameters = parameters
        self.value = value

    def is_about(self, name: str, value: str) -> bool:
        """Say whether a parameter is to blame: all of its values, unless one is named."""
        return name in self.parameters and self.value in ("", value)


class ChangedMeanwhile(Refused):
    """The row is no longer as it was when the operator opened it."""

    def __init__(self) -> None:
        sentence = gettext(
            "Someone else saved this after you opened it. Below is what you typed: save again to "
            "replace their version, or reload the page to see it."
        )
        super().__init__(sentence, status=409)


def require(allowed: bool) -> None:
    if not allowed:
        raise HTTPException(403)


def require_found(obj: Any) -> None:
    if obj is None:
        raise HTTPException(404)


def refusal_from(error: Exception, mapper: Mapper[Any], name: str, label: Label) -> Refused | None:
    """Say in words what was refused about a row of `mapper`, which sentences call `name`.

    Returns None for what the operator can't mend.
    """
    if isinstance(error, Refused):
        return error
    if isinstance(error, StaleDataError):
        return ChangedMeanwhile()
    if isinstance(error, sa_exc.IntegrityError):
        rule = broken_rule(error, mapper.class_.metadata)
        return refused_rule(rule, mapper, in_sentence(name), label)
    if isinstance(error, sa_exc.DataError | OverflowError):
        return Refused(gettext("A value is too long or out of range for the database."))
    return None


def refused_rule(rule: BrokenRule, mapper: Mapper[Any], name: str, label: Label) -> Refused:
    """Return the sentence for a broken rule, at the field it is about."""
    field = field_of(mapper, rule.columns)
    if rule.kind == "unique":
        return Refused(already_exists(rule, mapper, name, label), field=field)
    if rule.kind == "not null":
        return Refused(gettext("This field is required."), field=field)
    if rule.kind == "foreign key":
        return refused_reference(rule, mapper, name, field)
    return Refused(gettext("A rule of the database doesn't allow this."), field=field)


def already_exists(rule: BrokenRule, mapper: Mapper[Any], name: str, label: Label) -> str:
    """Say what may be there only once, in the words of the page."""
    columns = {column.name: column for column in mapper.columns}
    known = [columns[column] for column in rule.columns if column in columns]
    words = [in_sentence(label(mapper.get_property_by_column(column).key)) for column in known]
    if not words:
        return gettext("A %(name)s with this value already exists.", name=name)
    sentence = gettext("A %(name)s with this %(fields)s already exists.")
    return sentence % {"name": name, "fields": join_words(words)}


def refused_reference(
    rule: BrokenRule, mapper: Mapper[Any], name: str, field: str | None
) -> Refused:
    """Tell a choice that doesn't exist from a row that others still refer to."""
    if rule.table is None:
        return Refused(
            gettext(
                "This %(name)s is still in use, or refers to something that doesn't exist.",
                name=name,
            )
        )
    if rule.table in {table.name for table in mapper.tables if isinstance(table, Table)}:
        return Refused(gettext("Choose one that exists."), field=field)
    users = rule.table.replace("_", " ")
    return Refused(gettext("This %(name)s is still used by %(users)s.", name=name, users=users))


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
        # Names the request in the log, on pages about errors and in the history.
        request_id = scope.setdefault("state", {})["request_id"] = secrets.token_hex(4)
        # Whoever asks, known or not: what a request writes is never taken for a command's.
        set_origin(source="form", request_id=request_id)

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
            response = await self.render(Request(scope), http_error(error, request_id))
            await response(scope, receive, send)


def http_error(error: Exception, reference: str) -> HTTPException:
    """Return the answer to an exception, logging the unforeseen under its reference."""
    if isinstance(error, HTTPException):
        return error
    if isinstance(error, Refused):
        return HTTPException(error.status, error.sentence)
    if isinstance(error, AlreadyDoneError):
        return HTTPException(409, gettext("This was done before; it was not done again."))
    log.error("Reference %s", reference, exc_info=error)
    if is_cancelled(error):
        return HTTPException(503, with_reference(str(TOO_SLOW), reference))
    if isinstance(error, UNAVAILABLE):
        headers = {"Retry-After": RETRY_AFTER}
        return HTTPException(503, with_reference(SENTENCES[503], reference), headers=headers)
    return HTTPException(500, with_reference(SENTENCES[500], reference))


def is_cancelled(error: Exception) -> bool:
    """Say whether a statement was ended because it took too long."""
    cause = getattr(error, "orig", None)
    codes = getattr(cause, "sqlstate", None), getattr(cause, "sqlite_errorname", None)
    return not CANCELLED.isdisjoint(codes)


def with_reference(sentence: str, reference: str) -> str:
    # Not within the f-string: the extraction of texts does not look into these.
    said = gettext("Reference: %(reference)s.", reference=reference)
    return f"{sentence} {said}"
