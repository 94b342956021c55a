"""What a form writes is stored once, however often the form is sent.

A double click, a reload, a proxy that tries again, a lost answer: each sends the same key with the
same content, which the history knows as one operation. Other content is another operation.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from starlette.exceptions import HTTPException

from admin.kit.compiling import pass_request
from admin.kit.errors import Refused
from admin.kit.forms import posted
from admin.kit.history import AlreadyDoneError, current_origin, set_origin
from admin.kit.history.images import row_of
from admin.kit.history.recorder import CREATE, table_of
from admin.kit.keys import join, key_after
from admin.kit.naming import label_of
from admin.kit.reading import may_be_called

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

OPERATION_FIELD = "_operation"
REASON_FIELD = "_reason"
LONGEST_REASON = 500
# Names of fields by which operators prove who they are begin so; no page goes on with them.
PROOF = "_confirm"
# A second click may be on another button, and a question may have been answered in between.
NO_CONTENT = {OPERATION_FIELD, "save", "confirmed"}


@pass_request
def one_time_key(request: Request) -> str:
    """Return the key for the forms of this page: the one that was sent, or a new one."""
    if not hasattr(request.state, "one_time_key"):
        request.state.one_time_key = secrets.token_urlsafe(16)
    key: str = request.state.one_time_key
    return key


def keep_key(request: Request, sent: FormData) -> None:
    """Let the forms of this page bear the key that was sent, if there is one."""
    key = sent.get(OPERATION_FIELD)
    if isinstance(key, str) and key:
        request.state.one_time_key = key


def to_send_again(sent: FormData) -> list[tuple[str, Any]]:
    """Return what a page may keep, so that it can be sent once more: no password."""
    return [
        (name, value)
        for name, value in sent.multi_items()
        if name != OPERATION_FIELD and not is_password(name) and not name.startswith(PROOF)
    ]


def is_password(name: str) -> bool:
    """Say whether a field holds a password, by its name: no page keeps what was typed there."""
    return "password" in name.lower()


def claim(request: Request, sent: FormData) -> None:
    """Let what this request writes be known by the key that was sent, else by a new one."""
    keep_key(request, sent)
    request.state.reason = reason_in(sent)
    set_origin(operation=operation_of(request, sent), reason=request.state.reason)


def reason_in(sent: FormData) -> str:
    """Return why the operator wants this, if they say so; no database text holds a NUL."""
    return str(sent.get(REASON_FIELD, "")).replace("\0", "\ufffd").strip()[:LONGEST_REASON]


def operation_of(request: Request, sent: FormData) -> UUID:
    """Return what the history calls this request.

    Operator, address and content are part of it, so that nobody can take another's operation by
    its key, or hide a new text behind an old one.
    """
    operator = (getattr(request.state, "operator_id", None), request.state.operator_name)
    content = [pair for pair in sent.multi_items() if pair[0] not in NO_CONTENT]
    told = json.dumps([operator, request.url.path, one_time_key(request), content])
    return UUID(bytes=hashlib.sha256(told.encode()).digest()[:16], version=5)


def claim_next() -> None:
    """Give the next unit of work of this request an operation of its own."""
    operation = current_origin().operation
    if operation is not None:
        digest = hashlib.sha256(operation.bytes).digest()
        set_origin(operation=UUID(bytes=digest[:16], version=5))


async def is_stored(site: AdminSite, operation: UUID | None) -> bool:
    """Say whether the history holds the operation."""
    journal = site.database.journal
    if journal is None or operation is None:
        return False
    return await site.read(lambda session: bool(journal.holds(session, operation)))


async def stored_once(
    site: AdminSite,
    request: Request,
    answer: Callable[[], Awaitable[Response]],
    repeat: Callable[[UUID], Awaitable[Response]],
) -> Response:
    """Answer a request that writes; one that was stored before gets what `repeat` answers.

    What was stored by the first request may be why the second one is refused, so a refusal asks.
    """
    claim(request, await posted(request))
    operation = current_origin().operation
    assert operation is not None  # noqa: S101 - it has just been claimed
    response, refusal = None, None
    try:
        response = await answer()
    except AlreadyDoneError:
        return await repeat(operation)
    except (HTTPException, Refused) as error:
        refusal = error
    status = getattr(refusal or response, "status_code", 400)
    if 400 <= status < 500 and await is_stored(site, operation):  # noqa: PLR2004 - HTTP's range
        return await repeat(operation)
    if refusal is not None:
        raise refusal
    assert response is not None  # noqa: S101 - there is one if nothing was raised
    return response


def find_stored(
    view: ModelAdmin, request: Request, operation: UUID, key: str, session: Session
) -> tuple[str, Any]:
    """Return the label that an operation stored, and the object, if it is still there.

    `key` is the object's, if it had one before.
    """
    changes = view.site.database.journal.changes.__table__
    stmt = select(changes).where(changes.c.operation == operation)
    stmt = stmt.where(changes.c.table_name == table_of(view.mapper).name)
    # Of several rows of the table, the one that was asked for.
    is_asked = changes.c.key == key if key else changes.c.action == CREATE
    stmt = stmt.order_by(is_asked.desc(), changes.c.position).limit(1)
    entry = session.execute(stmt).one_or_none()
    label = entry.label if entry and may_be_called(view.model) else ""
    if entry:
        key = join(key_after(view.model, entry.key, row_of(table_of(view.mapper), entry.after)))
    obj = session.scalar(view.object_query(request, key, "list")) if key else None
    return (label, None) if obj is None else (label_of(obj), obj)
