"""The signed-in sessions of operators; deleting a row ends the session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, UTCDateTime, created_now
from models.operator import Operator


class OperatorSession(Base):
    """Holds the SHA-256 of the token; the token itself is only in the operator's cookie.

    A session that awaits a second factor lets nobody in. `confirmed_at` is when the operator last
    proved who they are; `viewing_as_id` is whose rights they look with, changing nothing.
    """

    __tablename__ = "operator_sessions"
    __table_args__ = {"info": {"recorded": False}}

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    operator_id: Mapped[int] = mapped_column(
        ForeignKey("operators.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[created_now]
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    awaits_factor: Mapped[bool] = mapped_column(default=False, server_default=false())
    address: Mapped[str] = mapped_column(String(45), default="", server_default=text("''"))
    user_agent: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    viewing_as_id: Mapped[int | None]

    operator: Mapped[Operator] = relationship()
