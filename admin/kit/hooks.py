"""Calling a view's asynchronous hooks: within a unit of work, and after one."""

from __future__ import annotations

import logging
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio.from_thread

from admin.kit import messages
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.requests import Request

log = logging.getLogger(__name__)

within_work: ContextVar[bool] = ContextVar("within_work", default=False)


def wait_for(hook: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> Any:
    """Call a hook from the worker thread, whose unit of work waits for it."""
    token = within_work.set(True)
    try:
        return anyio.from_thread.run(hook, *arguments)
    finally:
        within_work.reset(token)


def refuse_nested_work() -> None:
    """Refuse a second unit of work within the first.

    With all threads waiting for such hooks, none would be left for what the hooks wait for.
    """
    if within_work.get():
        raise RuntimeError("This hook runs in a session: use `object_session`, not the site's.")


async def follow_up(request: Request, hook: Coroutine[Any, Any, Any]) -> Any:
    """Run a step that follows a stored change: if it fails, that is a warning, not an error."""
    try:
        return await hook
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("Reference %s", reference)
        sentence = gettext(
            "It was stored, but a step that follows failed. Reference: %(reference)s.",
            reference=reference,
        )
        messages.warning(request, sentence)
