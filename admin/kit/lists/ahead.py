"""Reading a list along with the session that asks for it, on one connection and in one thread.

Whether the operator may see the list is asked afterwards, as on every page. Until then nobody gets
what was read, which is nothing where their roles forbid the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sqladmin.authorization import AuthorizationBackend
from sqlalchemy.exc import DBAPIError

from admin.kit.filters.builder import BUILD, PART

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

    Work = Callable[[Session], Any]

READ = "admin_read_ahead"
# With these an address of a list asks for something else than its rows.
ELSEWHERE = {BUILD, PART, "_edit"}


@dataclass(frozen=True)
class Outcome:
    """What work returned, or what it raised."""

    value: Any = None
    error: Exception | None = None

    @classmethod
    def of(cls, work: Work, session: Session) -> Self:
        """Do the work; where the database fails, all that was done in the session is repeated."""
        try:
            return cls(work(session))
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - raised when the page asks for it
            return cls(error=error)

    def get(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


def may_read_ahead(view: ModelAdmin, request: Request) -> bool:
    """Say whether reading the list takes nothing that is prepared after signing in."""
    backend = view.site.authorization_backend
    is_prepared = getattr(type(backend), "load", None) not in (None, AuthorizationBackend.load)
    is_rows = ELSEWHERE.isdisjoint(request.query_params)
    return is_rows and not is_prepared and not view.is_scoped


def identify_and_read(
    identify: Callable[[Request, Session], bool],
    request: Request,
    work: Work | None,
    session: Session,
) -> bool:
    """Say whether someone signed in is asking, and do for them the work of their page."""
    is_known = identify(request, session)
    if is_known and work is not None:
        request.scope[READ] = Outcome.of(work, session)
    return is_known


async def result_of(site: AdminSite, request: Request, work: Work) -> Any:
    """Return what the work of a page makes, which may have been done already."""
    outcome: Outcome | None = request.scope.pop(READ, None)
    found = outcome and outcome.get()
    return await site.read(work) if found is None else found
