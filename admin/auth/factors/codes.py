"""Checking the codes that operators type: an app's, or a backup code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from admin.auth.factors import backup_codes, totp
from admin.auth.factors.sealing import Sealer
from admin.auth.guessing import count_attempt, factor_guard, forgive
from admin.kit.history import note
from models import Operator
from models.base import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class Codes:
    """Knows the codes of all operators by the site's secrets."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self.sealer = Sealer(secret_keys)

    def verify(self, session: Session, operator_id: int, code: str) -> bool:
        """Say whether the operator may show this code now, which then works no more.

        Attempts are counted before a code is looked at, one operator's after the other, and raise
        a 429 when there were too many; so an answer must be committed, whatever it is.
        """
        by_key = select(Operator).where(Operator.id == operator_id, Operator.is_active)
        operator = session.scalar(by_key.with_for_update())
        if operator is None:
            return False
        # Apart from attempts to sign in: a right password must not forget wrong codes.
        guards = [factor_guard(operator_id)]
        count_attempt(session, guards)
        if not self.use(session, operator, totp.typed_code(code)):
            note(session, "refuse second factor", operator.username)
            return False
        forgive(session, guards)
        return True

    def use(self, session: Session, operator: Operator, code: str) -> bool:
        if totp.is_code(code):
            return self.use_app(session, operator, code)
        if not backup_codes.use_code(session, operator.id, code):
            return False
        note(session, "use backup code", operator.username)
        return True

    def use_app(self, session: Session, operator: Operator, code: str) -> bool:
        """Take a code of the app, unless it, or a later one, was taken before."""
        sealed = operator.totp_secret or ""
        secret = self.sealer.open(operator.id, sealed)
        step = secret and totp.matching_step(secret, code, utc_now())
        if not step:
            return False
        # One statement asks and answers, so that the same code sent twice at once is taken once.
        is_later = or_(Operator.totp_step.is_(None), Operator.totp_step < step)
        stmt = update(Operator).where(Operator.id == operator.id, Operator.totp_secret == sealed)
        stmt = stmt.where(is_later).returning(Operator.id)
        stmt = stmt.values(totp_step=step, totp_secret=self.sealer.renew(operator.id, sealed))
        # It is the same secret; that it was used is in the history as a sign-in.
        return session.scalar(stmt, execution_options=UNSEEN) is not None


def looks_like_code(text: str) -> bool:
    """Say whether this may be a code, and not a password; some passwords may be as well."""
    code = totp.typed_code(text)
    return totp.is_code(code) or backup_codes.is_code(code)


UNSEEN = {"unrecorded": True, "synchronize_session": False}
