"""The history, row by row."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Change(Base):
    """What happened to one row. The images are JSON text, hashed to the letter."""

    __tablename__ = "changes"
    __table_args__ = (
        Index("ix_changes_table_name_key", "table_name", "key"),
        {"info": {"recorded": False}},
    )

    operation: Mapped[UUID] = mapped_column(
        # Of a large change set, the changes are stored before it is.
        ForeignKey(
            "change_sets.operation", ondelete="CASCADE", deferrable=True, initially="DEFERRED"
        ),
        primary_key=True,
    )
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(String(20))
    table_name: Mapped[str] = mapped_column(String(63))
    key: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(String(200))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
