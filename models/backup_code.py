"""Codes for the day on which an operator's second factor is lost; a used one is deleted."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class BackupCode(Base):
    """Holds the SHA-256 of a code of 120 random bits, which needs no slow hash."""

    __tablename__ = "backup_codes"
    __table_args__ = {"info": {"recorded": False}}

    operator_id: Mapped[int] = mapped_column(
        ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True
    )
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
