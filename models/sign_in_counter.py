"""Attempts to sign in that failed of late, counted to slow down guessing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime


class SignInCounter(Base):
    """`key` says what is counted: an address, an account, or one at the other.

    Names that are no operator's are in it by a keyed hash, because they may be passwords. No
    foreign key keeps an operator from being deleted while somebody signs in.
    """

    __tablename__ = "sign_in_counters"
    __table_args__ = {"info": {"recorded": False}}

    key: Mapped[str] = mapped_column(String(150), primary_key=True)
    operator_id: Mapped[int | None] = mapped_column(index=True)
    network: Mapped[str] = mapped_column(
        String(45), default="", server_default=text("''"), index=True
    )
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    counted_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    locked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
