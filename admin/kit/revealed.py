"""Sensitive values that somebody has asked to see, with a reason, and sees for a minute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from admin.kit.reading import is_sensitive, sensitive_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

REVEAL = "reveal"
SECONDS = 60
# In the session, which is signed: what is revealed in it, and until when.
REVEALED = "revealed"


def sensitive_names(view: ModelAdmin, names: Iterable[str]) -> list[str]:
    """Return which of these columns are sensitive."""
    if not sensitive_attributes(view.model):
        return []
    return [name for name in names if is_sensitive(view.mapper, name)]


def may_reveal(view: ModelAdmin, request: Request, names: Iterable[str]) -> bool:
    """Say whether the operator may see sensitive ones of these columns, of some rows at least.

    It takes a history that records it, and a session that it ends with.
    """
    can_be_told = view.site.journal is not None and "session" in request.scope
    has_some = can_be_told and bool(sensitive_names(view, names))
    return has_some and view.has_permission(request, REVEAL)


def reveal(view: ModelAdmin, request: Request, key: str) -> None:
    """Show an object's sensitive values in this session from now on, for a minute."""
    until = int(time.time()) + SECONDS
    request.session[REVEALED] = [view.identity, key, until]


def seconds_left(view: ModelAdmin, request: Request, key: str) -> int:
    """Return for how long an object's sensitive values may still be shown, 0 for not at all."""
    if not may_reveal(view, request, view.details_names):
        return 0
    identity, of, until = request.session.get(REVEALED) or ("", "", 0)
    left: int = until - int(time.time())
    return left if (identity, of) == (view.identity, key) and 0 < left <= SECONDS else 0
