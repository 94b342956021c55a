"""Walking the chain of change sets, and shortening it at its old end without breaking it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from admin.kit.history.chain import chained, content_hash
from admin.kit.history.journal import recorder_of
from admin.kit.history.recorder import PRUNE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from admin.kit.history.journal import Journal

BATCH = 500


class BrokenHistoryError(Exception):
    """The history is not what was recorded; `number` is the first change set that shows it."""

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(f"Change set {number:,} {sentence}.")
        self.number = number


@dataclass(frozen=True)
class Verified:
    """How many change sets are as they were recorded, the last one's number and its hash.

    Who keeps the number and the hash elsewhere can tell later that nothing was cut off the end.
    """

    count: int
    number: int
    hash: str


def verify(journal: Journal, session: Session, head: tuple[int, str] | None = None) -> Verified:
    """Walk the chain; raise `BrokenHistoryError` at the first change set that breaks it.

    `head` is the number and hash that an earlier walk returned: they must still be there.
    """
    number, previous = start(journal, session)
    count, first = 0, number
    for change_set in change_sets(journal, session):
        if change_set.id != number + 1:
            raise BrokenHistoryError(number + 1, "is missing")
        verify_one(journal, session, change_set, previous)
        number, previous, count = change_set.id, change_set.hash, count + 1
        if head and head[0] == number and head[1] != previous:
            raise BrokenHistoryError(number, "is another one than before")
    stored = session.execute(select(journal.heads.__table__)).one()
    if (stored.position, stored.hash) != (number, previous):
        raise BrokenHistoryError(number + 1, "is missing")
    if head and not first <= head[0] <= number:
        raise BrokenHistoryError(head[0], "is missing")
    return Verified(count, number, previous)


def verify_one(journal: Journal, session: Session, change_set: Any, previous: str) -> None:
    content = content_hash(change_set, journal.entries(session, change_set.operation))
    if content != change_set.content_hash:
        raise BrokenHistoryError(change_set.id, "is not what was recorded")
    expected = chained(previous, change_set.id, content)
    if (change_set.previous_hash, change_set.hash) != (previous, expected):
        raise BrokenHistoryError(change_set.id, "doesn't follow the one before")


def start(journal: Journal, session: Session) -> tuple[int, str]:
    """Return the number and hash after which the chain begins: those of the last checkpoint."""
    pruned = session.scalar(select(journal.heads.pruned_through)) or 0
    if not pruned:
        return 0, ""
    table = journal.changes.__table__
    stmt = select(table.c.after).where(table.c.action == PRUNE, table.c.key == str(pruned))
    for after in session.scalars(stmt):
        return pruned, json.loads(after)["hash"]
    raise BrokenHistoryError(pruned, "was removed without a checkpoint")


def change_sets(journal: Journal, session: Session) -> Iterator[Any]:
    """Read all change sets in order, a bounded number at a time."""
    table, last = journal.change_sets.__table__, 0
    while True:
        stmt = select(table).where(table.c.id > last).order_by(table.c.id).limit(BATCH)
        found = session.execute(stmt).all()
        yield from found
        if len(found) < BATCH:
            return
        last = found[-1].id


def prune(journal: Journal, session: Session, before: datetime) -> int:
    """Remove what was recorded before a moment, and return how many change sets that were.

    A checkpoint stays: an entry with the hash up to which the chain was, so that what is left can
    still be verified. The entry is part of the present unit of work.
    """
    table = journal.change_sets.__table__
    # Locked, so that no other removal runs at the same time.
    pruned: int = session.scalar(select(journal.heads.pruned_through).with_for_update()) or 0
    last = last_before(journal, session, before)
    hash_ = session.scalar(select(table.c.hash).where(table.c.id == last))
    recorder = recorder_of(session)
    if last <= pruned or recorder is None:
        return 0
    recorder.add(PRUNE, key=str(last), after=json.dumps({"hash": hash_}))
    session.execute(update(journal.heads.__table__).values(pruned_through=last))
    session.execute(delete(table).where(table.c.id <= last))
    return last - pruned


def last_before(journal: Journal, session: Session, before: datetime) -> int:
    """Return the number of the last change set with none before it that is to be kept."""
    table = journal.change_sets.__table__
    kept = session.scalar(select(func.min(table.c.id)).where(table.c.at >= before))
    return kept - 1 if kept else session.scalar(select(func.max(table.c.id))) or 0
