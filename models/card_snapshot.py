"""What the cards of the front page show, counted now and then, because counting takes seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime


class CardSnapshot(Base):
    """The numbers of one card; `claimed_at` is set while somebody counts them anew."""

    __tablename__ = "card_snapshots"
    __table_args__ = {"info": {"recorded": False}}

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    data: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    computed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
