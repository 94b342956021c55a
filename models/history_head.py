"""The end of the history's chain of hashes."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class HistoryHead(Base):
    """One row: the newest change set, and up to which one they may be removed."""

    __tablename__ = "history_heads"
    __table_args__ = {"info": {"recorded": False}}

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    pruned_through: Mapped[int] = mapped_column(BigInteger)
