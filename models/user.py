"""The people whose records operators manage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Index, String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Versioned, created_now
from models.trigrams import trigram_index

if TYPE_CHECKING:
    from models.post import Post


class User(Versioned, Base):
    __tablename__ = "users"
    __table_args__ = (
        # Each sort of the list, with the key for ties; the last one serves the filter.
        Index(None, "name", "id"),
        Index(None, "created_at", "id"),
        Index(None, "is_active", "created_at", "id"),
        trigram_index("name", "email"),
        # On SQLite as well, no new row gets the key, and with it the history, of a deleted one.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(100), unique=True)
    phone: Mapped[str | None] = mapped_column(String(30), info={"sensitive": True})
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[created_now]

    posts: Mapped[list[Post]] = relationship(
        back_populates="author", cascade="all, delete-orphan", passive_deletes=True
    )

    def __str__(self) -> str:
        return self.name
