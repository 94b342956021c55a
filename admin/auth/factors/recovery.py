"""Helping somebody who lost their factors, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from admin.auth.factors.backup_codes import delete_codes
from admin.auth.granting import note_touch
from admin.auth.operators import find_operator, lock_operator
from admin.auth.sessions import end_sessions
from models import Operator, OperatorSession, Passkey

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from models.database import Database


def reset_factors(session: Session, operator_id: int) -> None:
    """Take all factors away, sign the operator out everywhere, and record it."""
    operator = lock_operator(session, operator_id)
    forget_app(operator)
    forget_passkeys(session, operator.id)
    delete_codes(session, operator.id)
    end_sessions(session, operator.id)
    note_touch(session, "reset second factors", operator.id, operator.username)


def reset_factors_of(database: Database, username: str) -> str:
    """Take all factors of the operator of that name away; raise `OperatorError` for nobody."""

    def work(session: Session) -> str:
        operator = find_operator(session, username)
        reset_factors(session, operator.id)
        return operator.username

    return database.write(work)


def forget_app(operator: Operator) -> None:
    operator.totp_secret = operator.totp_step = None


def forget_passkeys(session: Session, operator_id: int) -> None:
    # One by one, so that the history has each of them.
    for passkey in session.scalars(select(Passkey).where(Passkey.operator_id == operator_id)):
        session.delete(passkey)


def end_other_sessions(session: Session, operator_id: int, token_hash: str) -> None:
    """Sign an operator out everywhere but here: those sessions show other factors than now."""
    others = (OperatorSession.operator_id == operator_id, OperatorSession.token_hash != token_hash)
    session.execute(delete(OperatorSession).where(*others))
