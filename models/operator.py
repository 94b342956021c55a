"""The people who sign in to the admin; they are not the users it manages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, false, true
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime, Versioned, created_now


class Operator(Versioned, Base):
    """`username` is kept as `normalize_username` returns it, so that it is unique in any case."""

    __tablename__ = "operators"
    # On SQLite as well, no new row gets the key, and with it the history, of a deleted one.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(150), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255), info={"secret": True})
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    is_superuser: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[created_now]
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info={"recorded": False})

    def __str__(self) -> str:
        return self.username
