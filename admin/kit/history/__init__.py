"""A history that can be trusted: every change with who made it, in the same transaction."""

from admin.kit.history.bulk import recorded_delete, recorded_update
from admin.kit.history.journal import (
    AlreadyDoneError,
    Journal,
    UnrecordedWriteError,
    Written,
    note,
)
from admin.kit.history.origin import (
    Origin,
    Recorded,
    address_of,
    current_origin,
    forget_recorded,
    has_recorded,
    origin,
    set_origin,
    watch_recorded,
)
from admin.kit.history.undo import Collision, CollisionsError, Undone, undo
from admin.kit.history.verifying import BrokenHistoryError, Verified, prune, verify

__all__ = [
    "AlreadyDoneError",
    "BrokenHistoryError",
    "Collision",
    "CollisionsError",
    "Journal",
    "Origin",
    "Recorded",
    "Undone",
    "UnrecordedWriteError",
    "Verified",
    "Written",
    "address_of",
    "current_origin",
    "forget_recorded",
    "has_recorded",
    "note",
    "origin",
    "prune",
    "recorded_delete",
    "recorded_update",
    "set_origin",
    "undo",
    "verify",
    "watch_recorded",
]
