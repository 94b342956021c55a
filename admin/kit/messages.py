"""What just happened, said once on the next page."""

import json
from typing import Any

from sqladmin.flash import FlashLevel, flash
from starlette.requests import Request

# The messages travel in the cookie, which browsers cap at 4 kB: so many bytes of JSON at most.
LARGEST_MESSAGE = 800
LARGEST_LABEL = 300
LARGEST_URL = 600
LARGEST_TOTAL = 2000
MOST_MESSAGES = 5


def success(request: Request, message: str, *, label: str = "", url: str = "") -> None:
    """Say what was done; `{}` in the message stands for the object's label, linked to `url`.

    With a history, those who may take back what the request did last get a button for it.
    """
    link = url if size(url) <= LARGEST_URL else ""
    extra = {"label": shorten(label, LARGEST_LABEL), "url": link}
    undo_path = getattr(request.state, "undo_path", str)()
    if undo_path:
        extra["undo"] = undo_path
    add(request, FlashLevel.success, message, **extra)


def warning(request: Request, message: str) -> None:
    """Say that nothing, or not everything, was done."""
    add(request, FlashLevel.warning, message)


def add(request: Request, level: FlashLevel, message: str, **extra: str) -> None:
    """Keep the message beside SQLAdmin's own; the newest ones win."""
    flash(request, shorten(message, LARGEST_MESSAGE), level.value)
    messages: list[dict[str, Any]] = request.session["_messages"][-MOST_MESSAGES:]
    messages[-1].update(extra)
    while size(messages) > LARGEST_TOTAL:
        del messages[0]
    request.session["_messages"] = messages


def shorten(text: str, largest: int) -> str:
    """Cut a text that takes more than `largest` bytes."""
    short = text[:largest]
    while size(short) > largest:
        short = short[:-1]
    return text if short == text else f"{short}…"


def size(value: Any) -> int:
    return len(json.dumps(value))
