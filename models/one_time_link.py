"""Links by which somebody may choose a password, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, UTCDateTime, created_now
from models.operator import Operator


class OneTimeLink(Base):
    """Holds the SHA-256 of the token; the link is shown, or sent, to one person alone."""

    __tablename__ = "one_time_links"
    __table_args__ = {"info": {"recorded": False}}

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    operator_id: Mapped[int] = mapped_column(
        ForeignKey("operators.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[created_now]
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    operator: Mapped[Operator] = relationship()
