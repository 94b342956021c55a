"""What is done once a page is answered: nobody waits for it, and nothing fails with it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from admin.auth.sessions import USE_NOTED_EVERY, note_use
from models.base import utc_now

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from admin.auth.backend import OperatorAuth
    from admin.auth.sessions import SignedIn

log = logging.getLogger(__name__)


class Visits:
    """Notes the last use of sessions, for each at most once a minute."""

    # In this process, of these sessions, a use is being written down at the moment.
    under_way: set[str]

    def __init__(self, app: ASGIApp, auth: OperatorAuth) -> None:
        self.app = app
        self.auth = auth
        self.under_way = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        signed_in: SignedIn | None = scope.get("state", {}).get("operator")
        if signed_in is not None and self.is_due(signed_in):
            await self.note(signed_in.token_hash)

    def is_due(self, signed_in: SignedIn) -> bool:
        used = signed_in.used_at
        is_old = used is None or used <= utc_now() - USE_NOTED_EVERY
        return is_old and signed_in.token_hash not in self.under_way

    async def note(self, token_hash: str) -> None:
        self.under_way.add(token_hash)
        try:
            await self.auth.site.write(lambda session: note_use(session, token_hash))
        except SQLAlchemyError as error:
            log.warning("The use of a session was not noted: %s", type(error).__name__)
        finally:
            self.under_way.discard(token_hash)
