"""What users write."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, UTCDateTime, Versioned
from models.trigrams import trigram_index

if TYPE_CHECKING:
    from models.user import User


class Post(Versioned, Base):
    """A post without `published_at` is a draft."""

    __tablename__ = "posts"
    __table_args__ = (
        # Each sort of the list, with the key for ties; an author's posts come by key as well.
        Index(None, "title", "id"),
        Index(None, "published_at", "id"),
        Index(None, "user_id", "id"),
        trigram_index("title"),
        # On SQLite as well, no new row gets the key, and with it the history, of a deleted one.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    author: Mapped[User] = relationship(back_populates="posts")

    def __str__(self) -> str:
        return self.title
