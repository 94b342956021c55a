"""A history that can be trusted: every change with who made it, in the same transaction."""

from admin.kit.history.bulk import recorded_delete, recorded_update
from admin.kit.history.journal import AlreadyDoneError, Journal, UnrecordedWriteError, note
from admin.kit.history.origin import Origin, current_origin, origin, set_origin
from admin.kit.history.undo import Collision, CollisionsError, Undone, undo
from admin.kit.history.verifying import BrokenHistoryError, Verified, prune, verify

__all__ = [
    "AlreadyDoneError",
    "BrokenHistoryError",
    "Collision",
    "CollisionsError",
    "Journal",
    "Origin",
    "Undone",
    "UnrecordedWriteError",
    "Verified",
    "current_origin",
    "note",
    "origin",
    "prune",
    "recorded_delete",
    "recorded_update",
    "set_origin",
    "undo",
    "verify",
]
