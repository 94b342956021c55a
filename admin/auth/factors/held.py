"""Which factors an operator has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from admin.auth.factors.backup_codes import count_codes
from models import Operator, Passkey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Held:
    """The factors of an operator; backup codes alone are none, they stand in for one."""

    has_app: bool
    passkeys: Sequence[Passkey]
    codes_left: int

    @property
    def has_any(self) -> bool:
        return self.has_app or bool(self.passkeys)

    @property
    def count(self) -> int:
        return self.has_app + len(self.passkeys)


def held_by(session: Session, operator_id: int) -> Held:
    has_app = select(Operator.totp_secret.is_not(None)).where(Operator.id == operator_id)
    passkeys = select(Passkey).where(Passkey.operator_id == operator_id).order_by(Passkey.id)
    return Held(
        bool(session.scalar(has_app)),
        session.scalars(passkeys).all(),
        count_codes(session, operator_id),
    )


def has_factor(session: Session, operator: Operator) -> bool:
    """Say whether a password alone doesn't let this operator in."""
    passkey = select(Passkey.id).where(Passkey.operator_id == operator.id).limit(1)
    return operator.totp_secret is not None or session.scalar(passkey) is not None
