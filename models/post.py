"""What users write."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, UTCDateTime, Versioned

if TYPE_CHECKING:
    from models.user import User


class Post(Versioned, Base):
    """A post without `published_at` is a draft."""

    __tablename__ = "posts"
    # On SQLite as well, no new row gets the key, and with it the history, of a deleted one.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200), index=True)
    content: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)

    author: Mapped[User] = relationship(back_populates="posts")

    def __str__(self) -> str:
        return self.title
