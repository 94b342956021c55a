"""The history: what was done in one unit of work, by whom, written once and never changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime


class ChangeSet(Base):
    """One unit of work; `id` is its place in the chain of hashes, without gaps.

    `operation` is what a form bears to be done once at most. `summary` is JSON: of each table and
    action, how many rows. The operator has no foreign key, because the history outlives them.
    """

    __tablename__ = "change_sets"
    __table_args__ = {"info": {"recorded": False}}

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    operation: Mapped[UUID] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    operator_id: Mapped[int | None]
    operator_name: Mapped[str] = mapped_column(String(150))
    source: Mapped[str] = mapped_column(String(20))
    request_id: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(45))
    reason: Mapped[str] = mapped_column(String(500))
    undoes: Mapped[int | None] = mapped_column(BigInteger, index=True)
    summary: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(String(200))
    content_hash: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
