"""The people whose records operators manage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Versioned, created_now

if TYPE_CHECKING:
    from models.post import Post


class User(Versioned, Base):
    __tablename__ = "users"
    # On SQLite as well, no new row gets the key, and with it the history, of a deleted one.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), index=True)
    email: Mapped[str] = mapped_column(String(100), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[created_now] = mapped_column(index=True)

    posts: Mapped[list[Post]] = relationship(
        back_populates="author", cascade="all, delete-orphan", passive_deletes=True
    )

    def __str__(self) -> str:
        return self.name
