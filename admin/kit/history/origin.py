"""Who asked for a change, from where, and why: known before the work begins, stored with it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from starlette.requests import HTTPConnection

LONGEST_ADDRESS = 45  # characters


@dataclass(frozen=True)
class Origin:
    """Where a unit of work comes from; the operator's name is text, so that it outlives the row.

    `source` is one of form, cell, action, import, command, undo and so on. `operation` is the
    one-time key of a form: work that bears a key is done once at most. `undoes` is the change set
    that is taken back.
    """

    operator_id: int | None = None
    operator_name: str = ""
    source: str = "command"
    request_id: str = ""
    address: str = ""
    reason: str = ""
    operation: UUID | None = None
    undoes: int | None = None


@dataclass(frozen=True)
class Recorded:
    """What a unit of work left in the history: of each table and action, how many rows."""

    operation: UUID
    counts: Mapping[tuple[str, str], int]


NOBODY = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=NOBODY)
# A list, because worker threads have copies of the context: they add to the same one.
_recorded: ContextVar[list[Recorded] | None] = ContextVar("recorded", default=None)


def current_origin() -> Origin:
    return _current.get()


def set_origin(**changes: Any) -> None:
    """Say more about where the work of this request comes from."""
    _current.set(replace(_current.get(), **changes))


def address_of(request: HTTPConnection) -> str:
    """Return the client's address, cut to what is kept: a proxy may hand on anything as one."""
    address = request.client.host if request.client else ""
    return address.replace("\0", "")[:LONGEST_ADDRESS]


@contextmanager
def origin(**changes: Any) -> Iterator[None]:
    """Say more about where the work within comes from."""
    token = _current.set(replace(_current.get(), **changes))
    try:
        yield
    finally:
        _current.reset(token)


def watch_recorded() -> list[Recorded]:
    """Return a list that gets what is recorded from now on, in this context and those below."""
    found: list[Recorded] = []
    _recorded.set(found)
    return found


def note_recorded(operation: UUID, counts: Mapping[tuple[str, str], int]) -> None:
    found = _recorded.get()
    if found is not None:
        found.append(Recorded(operation, dict(counts)))


def has_recorded() -> bool:
    """Say whether anything was recorded since the list was asked for."""
    return bool(_recorded.get())


def forget_recorded() -> None:
    """Take back what was noted: it was not committed."""
    (_recorded.get() or []).clear()
