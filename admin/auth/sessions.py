"""The sessions of operators: rows, so that they end when we say so."""

from __future__ import annotations

import hashlib
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, event, exists, func, inspect, or_, select, update
from sqlalchemy.orm import Session, aliased

from admin.auth.granting import note_touch
from admin.auth.visitors import Visitor
from admin.kit.history import note
from admin.kit.permissions import Permissions, RoleRights, read_rights
from models import Operator, OperatorRole, OperatorSession, Passkey, Role
from models.base import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, CursorResult
    from sqlalchemy.orm import UOWTransaction
    from starlette.requests import Request

SESSION_LIFETIME = timedelta(hours=12)
# How long who knows the password may take to show a second factor.
SECOND_STEP_LIFETIME = timedelta(minutes=10)
SESSION_IDLE = timedelta(hours=1)
# How exactly the last use of a session is known.
USE_NOTED_EVERY = timedelta(minutes=1)
NOBODY_ELSE = Visitor()
KEPT = "keeps sessions"
_acting: ContextVar[str | None] = ContextVar("acting", default=None)


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, in which session, and what they may do.

    While they look at the admin as somebody else, `permissions` are that operator's, and
    `viewing_as` is their name.
    """

    id: int
    username: str
    permissions: Permissions
    token_hash: str
    must_change_password: bool
    has_totp: bool
    has_passkey: bool
    requires_second_factor: bool
    confirmed_at: datetime | None
    used_at: datetime | None
    viewing_as: str = ""

    @property
    def has_factor(self) -> bool:
        """Say whether they have a second factor of their own, whoever they look as."""
        return self.has_totp or self.has_passkey


_subject = aliased(Operator)
_own_roles, _own_role = aliased(OperatorRole), aliased(Role)

# Every request asks it, so it is put together once. Each role is a row.
SIGNED_IN = (
    select(
        Operator.id,
        Operator.username,
        Operator.must_change_password,
        Operator.totp_secret.is_not(None).label("has_totp"),
        exists().where(Passkey.operator_id == Operator.id).label("has_passkey"),
        exists()
        .where(_own_roles.operator_id == Operator.id, _own_roles.role_id == _own_role.id)
        .where(_own_role.requires_second_factor)
        .label("requires_second_factor"),
        OperatorSession.token_hash,
        OperatorSession.confirmed_at,
        OperatorSession.used_at,
        OperatorSession.viewing_as_id,
        _subject.username.label("subject"),
        _subject.is_superuser,
        Role.name.label("role"),
        Role.rights,
    )
    .join(OperatorSession, OperatorSession.operator_id == Operator.id)
    .join(_subject, _subject.id == func.coalesce(OperatorSession.viewing_as_id, Operator.id))
    .outerjoin(OperatorRole, OperatorRole.operator_id == _subject.id)
    .outerjoin(Role, Role.id == OperatorRole.role_id)
    .where(
        OperatorSession.token_hash == bindparam("token_hash"),
        OperatorSession.expires_at > bindparam("now"),
        func.coalesce(OperatorSession.used_at, OperatorSession.created_at)
        > bindparam("idle_since"),
        OperatorSession.awaits_factor.is_(False),
        Operator.is_active,
        _subject.is_active,
    )
    .order_by(Role.name)
)


def find_signed_in(session: Session, token: str, idle: timedelta = SESSION_IDLE) -> SignedIn | None:
    """Return the active operator whose session this is, unless it is over or lay idle too long."""
    now = utc_now()
    asked = {"token_hash": hash_token(token), "now": now, "idle_since": now - idle}
    # These are no objects: the connection alone answers in two thirds of the time.
    rows = session.connection().execute(SIGNED_IN, asked).all()
    return signed_in(rows) if rows else None


def signed_in(rows: Sequence[Any]) -> SignedIn:
    first = rows[0]
    roles = [RoleRights(row.role, read_rights(row.rights)) for row in rows if row.role]
    return SignedIn(
        id=first.id,
        username=first.username,
        permissions=Permissions(roles, first.is_superuser),
        token_hash=first.token_hash,
        must_change_password=first.must_change_password,
        has_totp=first.has_totp,
        has_passkey=first.has_passkey,
        requires_second_factor=first.requires_second_factor,
        confirmed_at=first.confirmed_at,
        used_at=first.used_at,
        viewing_as=first.subject if first.viewing_as_id else "",
    )


def is_open(idle: timedelta) -> ColumnElement[bool]:
    """Return the condition for sessions that are neither over nor idle for too long."""
    now, used = utc_now(), func.coalesce(OperatorSession.used_at, OperatorSession.created_at)
    return (OperatorSession.expires_at > now) & (used > now - idle)


def open_session(
    session: Session,
    operator: Operator,
    visitor: Visitor = NOBODY_ELSE,
    lifetime: timedelta = SESSION_LIFETIME,
    *,
    awaits_factor: bool = False,
) -> str:
    """Store a new session and return its token; one that awaits a factor lets nobody in."""
    token, now = secrets.token_urlsafe(32), utc_now()
    session.add(
        OperatorSession(
            token_hash=hash_token(token),
            operator_id=operator.id,
            created_at=now,
            expires_at=now + (SECOND_STEP_LIFETIME if awaits_factor else lifetime),
            used_at=now,
            confirmed_at=None if awaits_factor else now,
            awaits_factor=awaits_factor,
            address=visitor.address,
            user_agent=visitor.user_agent,
        )
    )
    return token


def renew_session(session: Session, token_hash: str) -> str | None:
    """Note that the operator just proved who they are, under a new token; None if it has ended.

    Whoever has a copy of the cookie doesn't rise along.
    """
    session.flush()  # What ends sessions on the way knows this one by its old token.
    token = secrets.token_urlsafe(32)
    stmt = update(OperatorSession).where(OperatorSession.token_hash == token_hash)
    stmt = stmt.values(token_hash=hash_token(token), confirmed_at=utc_now())
    found: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        stmt, execution_options={"synchronize_session": False}
    )
    return token if found.rowcount else None


def go_on_with(request: Request, token: str) -> None:
    """Let the browser, and the rest of this request, go on under a token that was just renewed."""
    request.session["token"] = token
    proved = {"token_hash": hash_token(token), "confirmed_at": utc_now()}
    request.state.operator = replace(request.state.operator, **proved)
    act_in(request.state.operator.token_hash)


def note_use(session: Session, token_hash: str) -> None:
    """Write down that a session is used, unless another request just did."""
    now = utc_now()
    is_due = or_(
        OperatorSession.used_at.is_(None), OperatorSession.used_at <= now - USE_NOTED_EVERY
    )
    stmt = update(OperatorSession).where(OperatorSession.token_hash == token_hash, is_due)
    session.execute(stmt.values(used_at=now), execution_options={"synchronize_session": False})


def end_session(session: Session, token: str | None) -> None:
    """Delete the session of this token, and all that have expired."""
    session.execute(delete(OperatorSession).where(OperatorSession.expires_at <= utc_now()))
    if token:
        key = OperatorSession.token_hash == hash_token(token)
        session.execute(delete(OperatorSession).where(key))


def end_sessions(
    session: Session, operator_id: int, except_token_hash: str | None = None, label: str = ""
) -> int:
    """Sign an operator out everywhere, but for one session; return how many sessions ended."""
    is_theirs = OperatorSession.operator_id == operator_id
    is_other = OperatorSession.token_hash != (except_token_hash or "")
    ended = delete_where(session, is_theirs & is_other)
    if ended:
        note_touch(session, "end session", operator_id, label)
    return ended


def end_where(session: Session, condition: ColumnElement[bool], label: object = "") -> int:
    ended = delete_where(session, condition)
    if ended:
        note(session, "end session", str(label))
    return ended


def delete_where(session: Session, condition: ColumnElement[bool]) -> int:
    stmt = delete(OperatorSession).where(condition)
    ended: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        stmt, execution_options={"synchronize_session": False}
    )
    return ended.rowcount


# Changes that end sessions by themselves, whoever makes them


def act_in(token_hash: str) -> None:
    """Say in which session this request works: one's own new password doesn't end that one."""
    _acting.set(token_hash)


def keep_sessions(session: Session) -> None:
    """Let what this unit of work changes end no session: the password is the same as before."""
    session.info[KEPT] = True


@event.listens_for(Session, "before_flush")
def end_what_was_lost(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """End the sessions of operators who get another password or second factor, or lose rights."""
    if session.info.get(KEPT):
        return
    for operator in [found for found in session.dirty if isinstance(found, Operator)]:
        if has_new_secret(operator):
            end_sessions(session, operator.id, _acting.get(), str(operator))
    for operator_id, label in sorted(losers(session).items()):
        end_sessions(session, operator_id, label=label)
    for role in [*session.dirty, *session.deleted]:
        if isinstance(role, Role) and (role in session.deleted or is_less(role)):
            holders = select(OperatorRole.operator_id).where(OperatorRole.role_id == role.id)
            end_where(session, OperatorSession.operator_id.in_(holders), role)


def losers(session: Session) -> dict[int, str]:
    """Return the keys and names of operators who lose a right by what is about to be stored."""
    found = {}
    for changed in session.dirty:
        if isinstance(changed, Operator) and is_locked_out(changed):
            found[changed.id] = str(changed)
        if isinstance(changed, Role):
            left = inspect(changed).attrs.operators.history.deleted
            found |= {operator.id: str(operator) for operator in left or ()}
    links = [link for link in session.deleted if isinstance(link, OperatorRole)]
    return found | {link.operator_id: "" for link in links}


def is_locked_out(operator: Operator) -> bool:
    """Say whether an operator is deactivated, or has a role less than before."""
    attributes = inspect(operator).attrs
    flags = [attributes[name].history for name in ("is_active", "is_superuser")]
    return any(False in (flag.added or ()) for flag in flags) or bool(
        attributes.roles.history.deleted
    )


def has_new_secret(operator: Operator) -> bool:
    """Say whether the password changes, or a second factor is taken away or replaced."""
    attributes = inspect(operator).attrs
    password, totp = attributes.password_hash.history, attributes.totp_secret.history
    return password.has_changes() or (totp.has_changes() and list(totp.deleted or ()) != [None])


def is_less(role: Role) -> bool:
    """Say whether a role's rights change other than by more being allowed."""
    change = inspect(role).attrs.rights.history
    if not change.deleted:  # What the rights were is not known, if they change.
        return change.has_changes()
    before, after = read_rights(change.deleted[0]), read_rights(role.rights)
    return any(
        name not in after
        or not right.may <= after[name].may
        or (right.scope, right.hidden, right.readonly)
        != (after[name].scope, after[name].hidden, after[name].readonly)
        for name, right in before.items()
    )


def hash_token(token: str) -> str:
    """Return what the table holds; a token of 256 random bits needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
