"""Links by which somebody chooses a password: the table knows the hash of each alone."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, event, func, inspect, select
from sqlalchemy.orm import Session

from admin.auth.granting import note_touch
from admin.auth.sessions import hash_token
from models import OneTimeLink, Operator
from models.base import utc_now

if TYPE_CHECKING:
    from sqlalchemy.orm import UOWTransaction

# Where a link leads, below the address of the server.
LINK_PATH = "/admin/login/link/"
LONGEST_TOKEN = 100  # characters, far more than any has
LINK_LIFETIME = timedelta(hours=72)
# By e-mail, a short while is enough, and a mailbox is easier to come by.
MAILED_LINK_LIFETIME = timedelta(hours=2)
# Nobody's mailbox is filled by who keeps asking.
BETWEEN_MAILS = timedelta(minutes=5)
# Whoever has one of these changed has no link left from before.
ENDING = ("password_hash", "email", "is_active")


def make_link(
    session: Session,
    operator: Operator,
    lifetime: timedelta = LINK_LIFETIME,
    *,
    said: str = "make link",
) -> str:
    """Store a new link instead of all that this operator had, record it, and return its token."""
    forget_links(session, operator.id)
    token = secrets.token_urlsafe(32)
    expires_at = utc_now() + lifetime
    link = OneTimeLink(token_hash=hash_token(token), operator_id=operator.id, expires_at=expires_at)
    session.add(link)
    note_touch(session, said, operator.id, operator.username)
    return token


def find_link(session: Session, token: str) -> Operator | None:
    """Return whose link it is, unless it has expired, or is older than their password or sign-in.

    So whoever gets hold of an old link gets nowhere, whatever became of it.
    """
    made = OneTimeLink.created_at
    stmt = select(Operator).join(OneTimeLink, OneTimeLink.operator_id == Operator.id)
    return session.scalar(
        stmt.where(
            OneTimeLink.token_hash == hash_token(token),
            OneTimeLink.expires_at > utc_now(),
            Operator.is_active,
            func.coalesce(Operator.password_changed_at, made) <= made,
            func.coalesce(Operator.last_sign_in_at, made) <= made,
        )
    )


def use_link(session: Session, token: str) -> Operator | None:
    """Return whose link it is, locked, and end it, so that no two requests use it."""
    operator = find_link(session, token)
    if operator is None:
        return None
    stmt = select(Operator).where(Operator.id == operator.id).with_for_update()
    session.scalars(stmt).one()
    key = OneTimeLink.token_hash == hash_token(token)
    used = session.execute(delete(OneTimeLink).where(key).returning(OneTimeLink.operator_id))
    return operator if used.scalar() == operator.id else None


def forget_links(session: Session, operator_id: int) -> None:
    """End all links of an operator, and those of others that have expired."""
    is_old = OneTimeLink.expires_at <= utc_now()
    session.execute(delete(OneTimeLink).where(is_old | (OneTimeLink.operator_id == operator_id)))


@event.listens_for(Session, "before_flush")
def end_outdated(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """End the links of operators who get another password or address, or are kept out."""
    for operator in [found for found in session.dirty if isinstance(found, Operator)]:
        attributes = inspect(operator).attrs
        if any(attributes[name].history.has_changes() for name in ENDING):
            forget_links(session, operator.id)


def was_just_made(session: Session, operator: Operator) -> bool:
    """Say whether there is a link that is too new for another one to be sent."""
    since = utc_now() - BETWEEN_MAILS
    stmt = select(OneTimeLink.operator_id).where(
        OneTimeLink.operator_id == operator.id, OneTimeLink.created_at > since
    )
    return session.scalar(stmt) is not None
