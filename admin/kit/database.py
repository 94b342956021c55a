"""What the kit asks of a database."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

Result = TypeVar("Result")


class Database(Protocol):
    """Runs a unit of work in one session; the work may be called again if the server went away."""

    sessions: sessionmaker[Session]

    @property
    def journal(self) -> Any:
        """The `Journal` of what is written, or None."""

    def read(self, work: Callable[[Session], Result]) -> Result:
        """Return the result of work that changes nothing."""

    def write(self, work: Callable[[Session], Result], *, operation: UUID | None = None) -> Result:
        """Return the result of work whose changes are committed together or not at all.

        Raises `AlreadyDoneError` for work that bears the key of an earlier operation.
        """
