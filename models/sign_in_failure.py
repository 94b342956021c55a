"""Failed sign-ins of late, counted to slow down guessing."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_now


class SignInFailure(Base):
    __tablename__ = "sign_in_failures"
    __table_args__ = (
        Index(None, "username", "created_at"),
        Index(None, "address", "created_at"),
        {"info": {"recorded": False}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(150))
    address: Mapped[str] = mapped_column(String(45))
    created_at: Mapped[created_now] = mapped_column(index=True)
