"""Codes on paper, for the day on which the other factors are lost; each works once."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b32encode
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from admin.auth.factors.totp import in_groups
from models import BackupCode

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

HOW_MANY = 10
# So few are left that it is time for new ones.
FEW = 3
RANDOM_BYTES = 15
CODE = re.compile("[a-z2-7]{24}")


def replace_codes(session: Session, operator_id: int) -> list[str]:
    """Make new codes, the only ones that work from now on, and return them: nobody can again."""
    codes = [b32encode(secrets.token_bytes(RANDOM_BYTES)).decode().lower() for _ in range(HOW_MANY)]
    delete_codes(session, operator_id)
    session.add_all(BackupCode(operator_id=operator_id, code_hash=digest(code)) for code in codes)
    return [in_groups(code) for code in codes]


def delete_codes(session: Session, operator_id: int) -> None:
    session.execute(delete(BackupCode).where(BackupCode.operator_id == operator_id))


def use_code(session: Session, operator_id: int, code: str) -> bool:
    """Say whether it is one of the operator's codes, and let it be one no more."""
    key = (BackupCode.operator_id == operator_id, BackupCode.code_hash == digest(code))
    used = session.scalars(delete(BackupCode).where(*key).returning(BackupCode.code_hash))
    return used.one_or_none() is not None


def count_codes(session: Session, operator_id: int) -> int:
    stmt = select(func.count()).where(BackupCode.operator_id == operator_id)
    return session.scalar(stmt) or 0


def is_code(text: str) -> bool:
    return CODE.fullmatch(text) is not None


def digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
