"""Where operators' views of lists are kept, and what they chose for each list."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CursorResult,
    Integer,
    Row,
    ScalarSelect,
    Select,
    String,
    bindparam,
    case,
    delete,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from admin.kit.lists.kept import Kept, SavedView
from models import ListChoice, Operator
from models import SavedView as View

MOST_LOADED = 200  # the operator's own first, then those that others share


@lru_cache(maxsize=100)
def kept_by(newest: ScalarSelect[Any] | None) -> Select[Any]:
    """Return the statement, put together once: every list asks it.

    Those for whoever sees some of the rows are made for a request, so only some are remembered.
    """
    operator, list_name = bindparam("operator", type_=Integer), bindparam("list", type_=String)
    chosen = (ListChoice.operator_id == Operator.id) & (ListChoice.list_name == list_name)
    is_visible = or_(View.private_to.is_(None), View.private_to == Operator.id)
    others_last = case((View.owner_id == Operator.id, 0), else_=1)
    largest = null() if newest is None else newest
    return (
        select(
            ListChoice.columns,
            ListChoice.page_size,
            ListChoice.default_view,
            ListChoice.seen,
            View.id,
            View.name,
            View.query,
            View.owner_id,
            View.private_to,
            largest.label("newest"),
        )
        .select_from(Operator)
        .outerjoin(ListChoice, chosen)
        .outerjoin(View, (View.list_name == list_name) & is_visible)
        .where(Operator.id == operator)
        .order_by(others_last, View.name, View.id)
        .limit(MOST_LOADED)
    )


class SavedViews:
    """Keeps them in `saved_views` and `list_choices`, without an entry in the history."""

    def load(
        self,
        session: Session,
        operator_id: int,
        list_name: str,
        newest: ScalarSelect[Any] | None = None,
    ) -> Kept:
        """Return all that a page needs, in one statement that asks for `newest` as well."""
        parameters = {"operator": operator_id, "list": list_name}
        # These are no objects: the connection alone answers in three quarters of the time.
        rows = session.connection().execute(kept_by(newest), parameters).all()
        return kept(rows, operator_id) if rows else Kept()

    def lock(self, session: Session, operator_id: int) -> None:
        """Let what this operator writes in two tabs follow each other."""
        session.execute(
            select(Operator.id).where(Operator.id == operator_id).with_for_update(key_share=True)
        )

    def add(self, session: Session, operator_id: int, list_name: str, **values: Any) -> int:
        """Add a view with `name`, `query` and `is_shared`; return its key."""
        is_shared = values.pop("is_shared")
        private_to = None if is_shared else operator_id
        view = View(owner_id=operator_id, list_name=list_name, private_to=private_to, **values)
        session.add(view)
        session.flush()
        return view.id

    def change(self, session: Session, key: int, **values: Any) -> bool:
        """Change these values of a view; say whether it was still there."""
        if "is_shared" in values:
            values["private_to"] = null() if values.pop("is_shared") else View.owner_id
        return changed(session, update(View).where(View.id == key).values(values))

    def delete(self, session: Session, key: int) -> bool:
        """Delete a view; say whether it was still there."""
        return changed(session, delete(View).where(View.id == key))

    def keep(self, session: Session, operator_id: int, list_name: str, **values: Any) -> None:
        """Keep these of `columns`, `page_size`, `default` and `seen`."""
        if "default" in values:
            values["default_view"] = values.pop("default")
        choice = session.get(ListChoice, (operator_id, list_name))
        if choice is None:
            choice = ListChoice(operator_id=operator_id, list_name=list_name)
            session.add(choice)
        for name, value in values.items():
            setattr(choice, name, value)


def kept(rows: Sequence[Row[Any]], operator_id: int) -> Kept:
    first = rows[0]
    return Kept(
        [
            SavedView(
                id=row.id,
                name=row.name,
                query=row.query,
                is_shared=row.private_to is None,
                is_own=row.owner_id == operator_id,
            )
            for row in rows
            if row.id is not None
        ],
        columns=first.columns or (),
        page_size=first.page_size,
        default=first.default_view or "",
        seen=first.seen or {},
        newest=first.newest,
    )


def changed(session: Session, stmt: Any) -> bool:
    result: CursorResult[Any] = session.execute(stmt)  # type: ignore[assignment]
    return bool(result.rowcount)
