"""Where the numbers of the front page's cards are kept: a row for each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from admin.kit.snapshots import Snapshot
from models import CardSnapshot


class CardSnapshots:
    """Keeps the numbers in `card_snapshots`; one conditional UPDATE decides who counts."""

    def load(self, session: Session) -> Mapping[str, Snapshot]:
        """Return all of them, in one statement."""
        return {
            row.name: Snapshot(row.data, row.computed_at, row.claimed_at)
            for row in session.scalars(select(CardSnapshot))
        }

    def claim(
        self, session: Session, name: str, *, now: datetime, counted: datetime, claimed: datetime
    ) -> bool:
        """Claim a card, unless it was counted after `counted` or claimed after `claimed`."""
        is_stale = or_(CardSnapshot.computed_at.is_(None), CardSnapshot.computed_at <= counted)
        is_free = or_(CardSnapshot.claimed_at.is_(None), CardSnapshot.claimed_at <= claimed)
        stmt = update(CardSnapshot).where(CardSnapshot.name == name, is_stale, is_free)
        claimed_rows = cast("CursorResult[Any]", session.execute(stmt.values(claimed_at=now)))
        return bool(claimed_rows.rowcount) or add_claimed(session, name, now)

    def keep(
        self, session: Session, name: str, data: Any, *, now: datetime, claimed_at: datetime
    ) -> None:
        """Keep the numbers and end the claim, unless somebody else has it by now."""
        mine = (CardSnapshot.name == name, CardSnapshot.claimed_at == claimed_at)
        values = {"data": data, "computed_at": now, "claimed_at": None}
        session.execute(update(CardSnapshot).where(*mine).values(values))


def add_claimed(session: Session, name: str, now: datetime) -> bool:
    """Add the row of a card that has none, unless somebody else does at the same moment."""
    if session.get(CardSnapshot, name):
        return False
    try:
        with session.begin_nested():
            session.add(CardSnapshot(name=name, claimed_at=now))
    except IntegrityError:
        return False
    return True
