"""Signing in and out: sessions are rows, so that they end when we say so."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from sqladmin.authorization import Action, AuthorizationBackend
from sqlalchemy import bindparam, delete, func, select
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from admin.kit import Authentication
from admin.kit.forms import posted
from admin.kit.history import note, origin
from admin.operators import LONGEST_PASSWORD, LONGEST_USERNAME, normalize_username
from admin.passwords import hash_password, needs_rehash, verify_password
from models import Operator, OperatorSession, SignInFailure
from models.base import utc_now

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.settings import Settings
    from models.database import Database

SESSION_LIFETIME = timedelta(hours=12)
# The cookie outlives the session, so that a form sent too late is recognised and kept.
COOKIE_LIFETIME = timedelta(days=7)
GUESSING_WINDOW = timedelta(minutes=15)
# Failures in the window after which further attempts are refused unread.
MOST_FAILURES_HERE = 5  # of one username from one address
MOST_FAILURES_OF_ADDRESS = 20
MOST_FAILURES_OF_USERNAME = 100
LONGEST_ADDRESS = 45  # characters
# Each hash takes 19 MiB while it runs.
MOST_HASHES_AT_ONCE = 4


class OperatorAuth(Authentication):
    """Knows operators by a random token: its hash is in the table, itself in a signed cookie."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.limiter = anyio.CapacityLimiter(MOST_HASHES_AT_ONCE)
        self.middlewares = [
            Middleware(
                SessionMiddleware,
                secret_key=settings.secret_key,
                session_cookie="__Host-admin" if settings.is_production else "admin",
                max_age=int(COOKIE_LIFETIME.total_seconds()),
                https_only=settings.is_production,
            )
        ]

    async def login(self, request: Request) -> bool:
        """Open a session under a new token; raise a 429 after too many failures."""
        sent = await posted(request)
        # No database text holds a NUL, so no operator's name does.
        username = normalize_username(str(sent.get("username", "")).replace("\0", "\ufffd"))
        # One character more than any password has: cut to their length, it might become right.
        password = str(sent.get("password", ""))[: LONGEST_PASSWORD + 1]
        address = (request.client.host if request.client else "")[:LONGEST_ADDRESS]
        old_token = request.session.get("token")
        with origin(
            operator_name=username[:LONGEST_USERNAME],
            source="form",
            address=address,
            request_id=request.state.request_id,
        ):
            token = await anyio.to_thread.run_sync(
                sign_in, self.database, username, password, address, old_token, limiter=self.limiter
            )
        if token is None:
            return False
        request.session.clear()
        request.session["token"] = token
        return True

    async def logout(self, request: Request) -> bool:
        """End the session for every copy of the cookie."""
        token = request.session.get("token")
        if token:
            await self.site.write(lambda session: end_session(session, token))
        request.session.clear()
        return True

    def recognise(self, request: Request, session: Session) -> bool:
        """Look up the session; its operator is on `request.state` from here on."""
        operator = find_signed_in(session, request.session["token"])
        if operator is None:
            return False
        request.state.operator = operator
        request.state.operator_id = operator.id
        request.state.operator_name = operator.username
        return True

    def had_session(self, request: Request) -> bool:
        return "token" in request.session

    async def get_user_id(self, request: Request) -> int:
        operator: Operator = request.state.operator
        return operator.id


class OperatorPermissions(AuthorizationBackend):
    """Superusers may do everything; other operators may look, and change nothing."""

    # So an action on many rows need not load them to ask.
    looks_at_objects = False

    def has_permission(
        self, request: Request, identity: str, action: str, obj: object | None = None
    ) -> bool:
        operator: Operator = request.state.operator
        return operator.is_superuser or action in (Action.LIST, Action.DETAILS)


def sign_in(
    database: Database, username: str, password: str, address: str, old_token: str | None
) -> str | None:
    """Return the token of a new session, or None if the name or the password is wrong.

    The attempt is counted as a failure before the password is checked, so that guesses sent all at
    once are counted too.
    """
    counted = username[:LONGEST_USERNAME]
    database.write(lambda session: count_attempt(session, counted, address))
    operator = database.read(lambda session: find_active(session, username))
    password_hash = operator.password_hash if operator else None
    if not verify_password(password_hash, password) or operator is None:
        database.write(lambda session: note(session, "refuse sign-in", counted))
        return None
    new_hash = hash_password(password) if needs_rehash(operator.password_hash) else None
    token = secrets.token_urlsafe(32)

    def work(session: Session) -> bool:
        stored = lock_unchanged(session, operator)
        if stored is None:
            return False
        stored.last_sign_in_at = utc_now()
        stored.password_hash = new_hash or stored.password_hash
        end_session(session, old_token)
        forget_failures(session, counted, address)
        open_session(session, stored, token)
        note(session, "sign in", stored.username)
        return True

    return token if database.write(work) else None


def find_active(session: Session, username: str) -> Operator | None:
    return session.scalar(select(Operator).where(Operator.username == username, Operator.is_active))


def lock_unchanged(session: Session, operator: Operator) -> Operator | None:
    """Return the operator, unless disabled or given another password since it was read.

    The lock lets sign-ins of one operator from two places follow each other.
    """
    same = (Operator.id == operator.id, Operator.password_hash == operator.password_hash)
    return session.scalar(select(Operator).where(*same, Operator.is_active).with_for_update())


def open_session(session: Session, operator: Operator, token: str) -> None:
    expires_at = utc_now() + SESSION_LIFETIME
    session.add(
        OperatorSession(
            token_hash=hash_token(token), operator_id=operator.id, expires_at=expires_at
        )
    )


# Every request asks it, so it is put together once.
SIGNED_IN = (
    select(Operator)
    .join(OperatorSession)
    .where(
        OperatorSession.token_hash == bindparam("token_hash"),
        OperatorSession.expires_at > bindparam("now"),
        Operator.is_active,
    )
)


def find_signed_in(session: Session, token: str) -> Operator | None:
    """Return the active operator whose session this is, unless it has expired."""
    asked = {"token_hash": hash_token(token), "now": utc_now()}
    return session.scalar(SIGNED_IN, asked)


def end_session(session: Session, token: str | None) -> None:
    """Delete the session of this token, and all that have expired."""
    session.execute(delete(OperatorSession).where(OperatorSession.expires_at <= utc_now()))
    if token:
        key = OperatorSession.token_hash == hash_token(token)
        session.execute(delete(OperatorSession).where(key))


def count_attempt(session: Session, username: str, address: str) -> None:
    """Note an attempt; raise a 429 if there were too many of late."""
    since = utc_now() - GUESSING_WINDOW
    by_username = SignInFailure.username == username
    by_address = SignInFailure.address == address
    for condition, most in (
        (by_username & by_address, MOST_FAILURES_HERE),
        (by_address, MOST_FAILURES_OF_ADDRESS),
        (by_username, MOST_FAILURES_OF_USERNAME),
    ):
        if count_failures(session, condition, since) >= most:
            wait = str(int(GUESSING_WINDOW.total_seconds()))
            raise HTTPException(429, headers={"Retry-After": wait})
    session.execute(delete(SignInFailure).where(SignInFailure.created_at < since))
    session.add(SignInFailure(username=username, address=address))


def count_failures(session: Session, condition: ColumnElement[bool], since: datetime) -> int:
    stmt = select(func.count()).where(condition, SignInFailure.created_at >= since)
    return session.scalar(stmt) or 0


def forget_failures(session: Session, username: str, address: str) -> None:
    session.execute(
        delete(SignInFailure).where(
            SignInFailure.username == username, SignInFailure.address == address
        )
    )


def hash_token(token: str) -> str:
    """Return what the table holds; a token of 256 random bits needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
