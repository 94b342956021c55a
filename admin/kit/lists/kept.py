"""What an operator keeps of a list: views under a name, columns, page size, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ScalarSelect
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class SavedView:
    """A view that the operator may open; `query` is an address of the list without its path."""

    id: int
    name: str
    query: str
    is_shared: bool
    is_own: bool


@dataclass(frozen=True)
class Kept:
    """What one operator finds at one list.

    `default` is the view that opens by itself, or "". `seen` has, by view, the largest key that
    was there when they last looked; `newest` is the largest one now.
    """

    views: Sequence[SavedView] = ()
    columns: Sequence[str] = ()
    page_size: int | None = None
    default: str = ""
    seen: Mapping[str, int] = field(default_factory=dict)
    newest: int | None = None


class ListStore(Protocol):
    """Keeps it in tables; `list_name` is the identity of a `ModelAdmin`."""

    def load(
        self,
        session: Session,
        operator_id: int,
        list_name: str,
        newest: ScalarSelect[Any] | None = None,
    ) -> Kept:
        """Return all that a page needs, in one statement that asks for `newest` as well."""

    def lock(self, session: Session, operator_id: int) -> None:
        """Let what this operator writes in two tabs follow each other."""

    def add(self, session: Session, operator_id: int, list_name: str, **values: Any) -> int:
        """Add a view with `name`, `query` and `is_shared`; return its key."""

    def change(self, session: Session, key: int, **values: Any) -> bool:
        """Change these values of a view; say whether it was still there."""

    def delete(self, session: Session, key: int) -> bool:
        """Delete a view; say whether it was still there."""

    def keep(self, session: Session, operator_id: int, list_name: str, **values: Any) -> None:
        """Keep these of `columns`, `page_size`, `default` and `seen`."""
