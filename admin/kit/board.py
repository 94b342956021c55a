"""The front page's cards, shown from snapshots that are counted anew in the background."""

from __future__ import annotations

import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from markupsafe import Markup
from sqladmin.exceptions import ImproperlyConfigured

from admin.kit.cards import Card, Figures, Shown
from admin.kit.filters.periods import utc_now
from admin.kit.formats import write_minute, write_time
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.snapshots import InMemory, Snapshot, Snapshots
from admin.kit.zones import get_zone, in_zone, is_universal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from admin.kit.database import Database

log = logging.getLogger(__name__)

# Whoever claims a card has counted it by then, or never will; a failed card rests as long.
CLAIM_LASTS = timedelta(minutes=2)
UNKNOWN = Shown(note=lazy_gettext("Being counted. Reload the page in a moment."))


@dataclass(frozen=True)
class Panel:
    """A card with its numbers, ready to print."""

    card: Card
    shown: Shown
    as_of: Markup


class Board:
    """The cards in order; of all processes and requests, one at a time counts a card."""

    def __init__(
        self,
        cards: Sequence[Card] = (),
        snapshots: Snapshots | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        check_names([card.name for card in cards])
        self.cards = cards
        self.snapshots = snapshots or InMemory()
        self.clock = clock
        self.is_refreshing = False
        # The pages' threads are never taken.
        self.limiter = anyio.CapacityLimiter(1)

    def load(self, session: Session) -> Mapping[str, Snapshot]:
        """Return what is known about the cards."""
        return self.snapshots.load(session)

    def panel(self, card: Card, known: Mapping[str, Snapshot]) -> Panel:
        """Return the card as it was counted last."""
        snapshot = known.get(card.name, Snapshot())
        if snapshot.data is None or snapshot.computed_at is None:
            return Panel(card, UNKNOWN, Markup())
        try:
            shown = card.show(card.translated(Figures.from_json(snapshot.data)))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Another release may have kept it; the next count replaces it.
            log_failure(card, "can't be shown", error)
            return Panel(card, UNKNOWN, Markup())
        return Panel(card, shown, as_of(snapshot.computed_at, self.clock()))

    def due(self, known: Mapping[str, Snapshot]) -> list[Card]:
        """Return the cards that are stale and that nobody is counting."""
        now = self.clock()
        return [card for card in self.cards if is_due(card, known.get(card.name), now)]

    async def refresh(self, database: Database) -> None:
        """Count what is due, each card in a worker thread; it never raises."""
        if self.is_refreshing:
            return
        self.is_refreshing = True
        try:
            for card in await self.in_thread(self.find_due, database):
                await self.in_thread(self.count, database, card)
        finally:
            self.is_refreshing = False

    async def in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self.limiter)

    def find_due(self, database: Database) -> list[Card]:
        try:
            return self.due(database.read(self.load)) if self.cards else []
        except Exception as error:  # noqa: BLE001 - the database may be away, or have no tables yet
            log.warning("The cards can't be counted: %s", type(error).__name__)
            return []

    def count(self, database: Database, card: Card) -> None:
        """Count one card and keep its numbers; on a failure the old ones stay."""
        try:
            now = self.clock()
            if database.write(partial(self.claim, card, now)):
                data = database.read(lambda session: card.count(session, now)).as_json()
                card.show(
                    card.translated(Figures.from_json(data))
                )  # What can't be shown is not kept.
                database.write(partial(self.keep, card, data, now))
        except Exception as error:  # noqa: BLE001 - one card must not stop the others
            log_failure(card, "can't be counted", error)

    def claim(self, card: Card, now: datetime, session: Session) -> bool:
        bounds = {"counted": now - card.max_age, "claimed": now - CLAIM_LASTS}
        return self.snapshots.claim(session, card.name, now=now, **bounds)

    def keep(self, card: Card, data: Any, claimed_at: datetime, session: Session) -> None:
        self.snapshots.keep(session, card.name, data, now=self.clock(), claimed_at=claimed_at)


def check_names(names: Sequence[str]) -> None:
    """Raise `ImproperlyConfigured` for a name that the page or the table couldn't hold."""
    if len(set(names)) < len(names):
        raise ImproperlyConfigured("Two cards have the same name.")
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,99}", name):
            raise ImproperlyConfigured(f"{name!r} is no name of a card: use a-z, 0-9 and hyphens.")


def is_due(card: Card, snapshot: Snapshot | None, now: datetime) -> bool:
    if snapshot is None:
        return True
    if snapshot.claimed_at and snapshot.claimed_at > now - CLAIM_LASTS:
        return False
    return snapshot.computed_at is None or snapshot.computed_at <= now - card.max_age


def as_of(moment: datetime, now: datetime) -> Markup:
    """Return the time of day, and before it the day unless it is today; in the operator's zone."""
    here = in_zone(moment)
    is_today = here.date() == in_zone(now).date()
    shown = write_time(here.time()) if is_today else write_minute(here)
    shown += " UTC" if is_universal(get_zone()) else ""
    time = Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), shown)
    return Markup(gettext("As of %(time)s")) % {"time": time}  # noqa: S704 - it is our catalogue's


def log_failure(card: Card, what: str, error: Exception) -> None:
    reference = secrets.token_hex(4)
    log.error("Reference %s: the card %s %s", reference, card.name, what, exc_info=error)
