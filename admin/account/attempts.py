"""Passwords and addresses that are tried on the account's pages count as attempts to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from admin.auth.door import auth_of
from admin.auth.guessing import ACCOUNT_HERE, Guard, count_attempt, forgive, guards_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit import AdminSite


def guards(site: AdminSite, request: Request, operator_id: int | None) -> Sequence[Guard]:
    """Return the counters of an operator's account, or of strangers at one address."""
    visitor = auth_of(site).doorman.visitor(request)
    if operator_id is not None:
        return guards_of(operator_id, "", visitor)
    return [Guard(f"stranger at {visitor.network}", ACCOUNT_HERE, None, visitor.network)]


async def count(site: AdminSite, request: Request, operator_id: int | None = None) -> None:
    """Count an attempt before it is judged; raise a 429 after too many failures."""
    counters = guards(site, request, operator_id)
    await apart(site, lambda session: count_attempt(session, counters))


async def forget(site: AdminSite, request: Request, operator_id: int) -> None:
    """Take back what was counted: it was right."""
    counters = guards(site, request, operator_id)
    await apart(site, lambda session: forgive(session, counters))


async def apart(site: AdminSite, work: Callable[[Session], object]) -> None:
    """Write without the key that was sent: it is for what the form is about."""
    await anyio.to_thread.run_sync(site.database.write, work, limiter=site.limiter)
