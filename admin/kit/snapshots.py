"""Where the numbers of cards are kept between two counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Snapshot:
    """What was counted last, when, and since when somebody has been counting anew."""

    data: Any = None
    computed_at: datetime | None = None
    claimed_at: datetime | None = None


class Snapshots(Protocol):
    """Keeps snapshots by the name of their card."""

    def load(self, session: Session) -> Mapping[str, Snapshot]:
        """Return all of them, in one statement."""

    def claim(
        self, session: Session, name: str, *, now: datetime, counted: datetime, claimed: datetime
    ) -> bool:
        """Claim a card, unless it was counted after `counted` or claimed after `claimed`."""

    def keep(
        self, session: Session, name: str, data: Any, *, now: datetime, claimed_at: datetime
    ) -> None:
        """Keep the numbers and end the claim, unless somebody else has it by now."""


class InMemory:
    """Keeps them in this process, which counts for itself alone and begins anew at each start."""

    def __init__(self) -> None:
        self.kept: dict[str, Snapshot] = {}

    def load(self, session: Session) -> Mapping[str, Snapshot]:
        return dict(self.kept)

    def claim(
        self, session: Session, name: str, *, now: datetime, counted: datetime, claimed: datetime
    ) -> bool:
        known = self.kept.get(name, Snapshot())
        if (known.computed_at or counted) > counted or (known.claimed_at or claimed) > claimed:
            return False
        self.kept[name] = Snapshot(known.data, known.computed_at, now)
        return True

    def keep(
        self, session: Session, name: str, data: Any, *, now: datetime, claimed_at: datetime
    ) -> None:
        if self.kept[name].claimed_at == claimed_at:
            self.kept[name] = Snapshot(data, now)
