"""Who asked for a change, from where, and why: known before the work begins, stored with it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


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


NOBODY = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=NOBODY)


def current_origin() -> Origin:
    return _current.get()


def set_origin(**changes: Any) -> None:
    """Say more about where the work of this request comes from."""
    _current.set(replace(_current.get(), **changes))


@contextmanager
def origin(**changes: Any) -> Iterator[None]:
    """Say more about where the work within comes from."""
    token = _current.set(replace(_current.get(), **changes))
    try:
        yield
    finally:
        _current.reset(token)
