"""Signing in by name and password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from admin.auth.factors import has_factor
from admin.auth.guessing import count_attempt, forgive, guards_of
from admin.auth.passwords import hash_password, needs_rehash, verify_password
from admin.auth.sessions import end_session, keep_sessions, open_session
from admin.kit.history import note, origin
from models import Operator
from models.base import utc_now
from models.operator import UNUSABLE

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy.orm import Session

    from admin.auth.visitors import Visitor
    from models.database import Database


@dataclass(frozen=True)
class Knock:
    """What is known of an attempt; `hashed_name` stands for a name that is no operator's."""

    username: str
    password: str
    hashed_name: str
    visitor: Visitor
    old_token: str | None = None


@dataclass(frozen=True)
class Opened:
    """Whose session it is, and its token; it may let nobody in before a second factor is shown."""

    operator_id: int
    token: str
    awaits_factor: bool = False


def sign_in(database: Database, knock: Knock, lifetime: timedelta) -> Opened | None:
    """Open a session, or return None if the name or the password is wrong.

    Raises `TooManyAttempts`. Names that are no operator's are stored nowhere.
    """
    operator = database.read(lambda session: find_by_name(session, knock.username))
    guards = guards_of(operator.id if operator else None, knock.hashed_name, knock.visitor)
    with origin(operator_name=operator.username if operator else ""):
        waits = database.write(lambda session: count_attempt(session, guards))
        if not verify_password(usable_hash(operator), knock.password) or operator is None:
            database.write(lambda session: note_refusal(session, knock.visitor, bool(waits)))
            return None
        new_hash = hash_password(knock.password) if needs_rehash(operator.password_hash) else None

        def work(session: Session) -> Opened | None:
            stored = lock_unchanged(session, operator)
            if stored is None:
                return None
            if new_hash:
                keep_sessions(session)
                stored.password_hash = new_hash
            forgive(session, guards)
            if has_factor(session, stored):
                end_session(session, knock.old_token)
                token = open_session(session, stored, knock.visitor, awaits_factor=True)
                return Opened(stored.id, token, awaits_factor=True)
            token = enter(session, stored, knock.old_token, knock.visitor, lifetime)
            return Opened(stored.id, token)

        return database.write(work)


def enter(
    session: Session,
    operator: Operator,
    old_token: str | None,
    visitor: Visitor,
    lifetime: timedelta,
) -> str:
    """Return the token of a new session for an operator who has shown all that it takes."""
    operator.last_sign_in_at = utc_now()
    end_session(session, old_token)
    note(session, "sign in", visitor.words)
    return open_session(session, operator, visitor, lifetime)


def note_refusal(session: Session, visitor: Visitor, is_locked: bool) -> None:
    note(session, "refuse sign-in", visitor.words)
    if is_locked:
        note(session, "lock out", visitor.words)


def find_by_name(session: Session, username: str) -> Operator | None:
    return session.scalar(select(Operator).where(Operator.username == username))


def usable_hash(operator: Operator | None) -> str | None:
    """Return the hash to check, or None: to check none takes as long."""
    if operator is None or not operator.is_active or operator.password_hash == UNUSABLE:
        return None
    return operator.password_hash


def lock_unchanged(session: Session, operator: Operator) -> Operator | None:
    """Return the operator, unless disabled or given another password since it was read.

    The lock lets sign-ins of one operator from two places follow each other.
    """
    same = (Operator.id == operator.id, Operator.password_hash == operator.password_hash)
    return session.scalar(select(Operator).where(*same, Operator.is_active).with_for_update())
