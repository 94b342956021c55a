"""Attempts to sign in are counted, so that nobody guesses for long.

Each attempt counts as a failure of its own before it is judged; a right password takes that back.
The rows are locked meanwhile, so guesses that are sent all at once, to however many workers, are
counted one after the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from starlette.exceptions import HTTPException

from admin.auth.granting import note_touch
from admin.auth.operators import find_operator
from admin.auth.visitors import network_of
from admin.kit.formats import write_number
from admin.kit.history import note
from admin.kit.languages import gettext, ngettext
from models import SignInCounter
from models.base import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from admin.auth.visitors import Visitor

# Counters begin anew after so long without a failure.
FORGOTTEN_AFTER = timedelta(days=1)
PRUNED_AT_ONCE = 1000  # rows
MINUTE, QUARTER, HOUR = timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1)


@dataclass(frozen=True)
class Tiers:
    """At every so many failures there is a wait, a longer one each time."""

    every: int
    waits: Sequence[timedelta]

    def wait_after(self, failures: int) -> timedelta | None:
        times, rest = divmod(failures, self.every)
        return None if rest else self.waits[min(times, len(self.waits)) - 1]


# Five failures, a minute; ten, a quarter of an hour; twenty, and every five from there, an hour.
ACCOUNT_HERE = Tiers(5, (MINUTE, QUARTER, QUARTER, HOUR))
ADDRESS = Tiers(20, (MINUTE, QUARTER, HOUR))
# From all addresses. It is high, and knows no devices, so that nobody locks operators out.
ACCOUNT = Tiers(100, (MINUTE, QUARTER, HOUR))
SESSION = Tiers(5, (HOUR,))


@dataclass(frozen=True)
class Guard:
    """One of the counters that an attempt has to pass."""

    key: str
    tiers: Tiers
    operator_id: int | None = None
    network: str = ""


class TooManyAttempts(HTTPException):
    def __init__(self, wait: timedelta) -> None:
        seconds = math.ceil(wait.total_seconds())
        sentence = gettext("Too many attempts. Try again in %(time)s.", time=wait_words(seconds))
        super().__init__(429, sentence, {"Retry-After": str(seconds)})


def wait_words(seconds: int) -> str:
    """Return a time in words, rounded up: who waits for so long needn't wait again."""
    if seconds <= 60:  # noqa: PLR2004 - a minute
        return ngettext("%(count)s second", "%(count)s seconds", seconds, count=seconds)
    minutes = math.ceil(seconds / 60)
    return ngettext("%(count)s minute", "%(count)s minutes", minutes, count=write_number(minutes))


def guards_of(operator_id: int | None, hashed_name: str, visitor: Visitor) -> list[Guard]:
    """Return the counters for attempts at an account; unknown names have all that known ones have.

    A browser in which the operator signed in lately has a counter of its own, and no other: who
    guesses elsewhere doesn't keep the operator out.
    """
    network = visitor.network
    if operator_id is not None and visitor.device_of == operator_id:
        return [Guard(f"device {visitor.device}", ACCOUNT_HERE, operator_id, network)]
    account = f"name {hashed_name}" if operator_id is None else f"operator {operator_id}"
    return [
        Guard(f"address {network}", ADDRESS, None, network),
        Guard(f"{account} at {network}", ACCOUNT_HERE, operator_id, network),
        Guard(account, ACCOUNT, operator_id),
    ]


def session_guard(operator_id: int, token_hash: str) -> Guard:
    """Return the counter for those who sit at a session and don't know its password."""
    return Guard(f"session {token_hash}", SESSION, operator_id)


def factor_guard(operator_id: int) -> Guard:
    """Return the counter for second factors, from wherever: those who count know the password."""
    return Guard(f"factor {operator_id}", ACCOUNT_HERE, operator_id)


def count_attempt(session: Session, guards: Sequence[Guard]) -> Mapping[str, timedelta]:
    """Count a failure before it is one; raise `TooManyAttempts` while there is a wait.

    Returns for which guards' keys there is a wait from now on, if it is one.
    """
    now = utc_now()
    rows = locked_rows(session, guards, now)
    until = max((row.locked_until for row in rows.values() if row.locked_until), default=now)
    if until > now:
        raise TooManyAttempts(until - now)
    waits: dict[str, timedelta] = {}
    for guard in guards:
        row = rows[guard.key]
        is_old = row.counted_at <= now - FORGOTTEN_AFTER
        row.failures = 1 if is_old else row.failures + 1
        row.counted_at, wait = now, guard.tiers.wait_after(row.failures)
        row.locked_until = now + wait if wait else None
        if wait:
            waits[guard.key] = wait
    prune(session, now)
    return waits


def locked_rows(
    session: Session, guards: Sequence[Guard], now: datetime
) -> dict[str, SignInCounter]:
    """Return the rows of all counters, made where there is none, and locked in one order."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if is_sqlite else postgresql.insert
    values: list[dict[str, Any]] = [
        {"key": g.key, "operator_id": g.operator_id, "network": g.network, "counted_at": now}
        for g in sorted(guards, key=lambda guard: guard.key)
    ]
    session.execute(insert(SignInCounter).values(values).on_conflict_do_nothing())
    keys = [value["key"] for value in values]
    stmt = select(SignInCounter).where(SignInCounter.key.in_(keys)).order_by(SignInCounter.key)
    found = session.scalars(stmt.with_for_update().execution_options(populate_existing=True)).all()
    # One that was there may be pruned, or unlocked, before it is locked.
    is_all = len(found) == len(keys)
    return {row.key: row for row in found} if is_all else locked_rows(session, guards, now)


def prune(session: Session, now: datetime) -> None:
    """Remove some of what is forgotten; what another attempt is counting stays."""
    old = select(SignInCounter.key).where(
        SignInCounter.counted_at <= now - FORGOTTEN_AFTER,
        or_(SignInCounter.locked_until.is_(None), SignInCounter.locked_until <= now),
    )
    some = old.limit(PRUNED_AT_ONCE).with_for_update(skip_locked=True)
    session.flush()
    session.execute(delete(SignInCounter).where(SignInCounter.key.in_(some)))


def forgive(session: Session, guards: Sequence[Guard]) -> None:
    """Take back the failure that a success was counted as, and those of this account here.

    Others at the same address, and other addresses of the account, may be guessing.
    """
    rows = locked_rows(session, guards, utc_now())
    for guard in guards:
        row = rows[guard.key]
        if guard.tiers in (ADDRESS, ACCOUNT):
            row.failures, row.locked_until = max(row.failures - 1, 0), None
        else:
            session.delete(row)


def locked_until(session: Session, operator_id: int) -> datetime | None:
    """Return until when an operator has to wait somewhere, if they have to."""
    stmt = select(func.max(SignInCounter.locked_until)).where(
        SignInCounter.operator_id == operator_id, SignInCounter.locked_until > utc_now()
    )
    return session.scalar(stmt)


def unlock(session: Session, username: str) -> str:
    """Forget an operator's failures everywhere, return the name; raise `OperatorError`."""
    operator = find_operator(session, username)
    session.execute(delete(SignInCounter).where(SignInCounter.operator_id == operator.id))
    note_touch(session, "unlock", operator.id, operator.username)
    return operator.username


def unlock_address(session: Session, address: str) -> str:
    """Forget the failures from an address, whoever's they are; return what counts as one."""
    network = network_of(address.removesuffix("/64"))
    session.execute(delete(SignInCounter).where(SignInCounter.network == network))
    note(session, "unlock", network)
    return network


def unlock_all(session: Session) -> None:
    session.execute(delete(SignInCounter))
    note(session, "unlock")
