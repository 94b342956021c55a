"""Statements that the cells of a list would send one by one, refused while somebody develops."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import ORMExecuteState

drawing: ContextVar[bool] = ContextVar("drawing", default=False)


class LazyLoadError(RuntimeError):
    """A cell of a list loads something, which would be a statement a row."""


def watch() -> None:
    """Let sessions of this process refuse what cells load, where a site asks for it."""
    # Listening again would do nothing, but look through all kinds of sessions for it.
    if not event.contains(Session, "do_orm_execute", refuse):
        event.listen(Session, "do_orm_execute", refuse)


def refuse(state: ORMExecuteState) -> None:
    if drawing.get() and (state.is_relationship_load or state.is_column_load):
        raise LazyLoadError


@contextmanager
def refusing() -> Iterator[None]:
    """Refuse lazy loads meanwhile."""
    token = drawing.set(True)
    try:
        yield
    finally:
        drawing.reset(token)
