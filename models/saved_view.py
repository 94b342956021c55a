"""The views of lists that operators saved under a name."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_now


class SavedView(Base):
    """`query` is the address of the list without its path.

    A private view has its owner in `private_to` as well, and goes with them; a shared one has
    nobody there, and stays when its owner goes.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("owner_id", "list_name", "name"),
        Index(None, "list_name", "private_to"),
        # No new view gets the address of a deleted one.
        {"info": {"recorded": False}, "sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    list_name: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))
    private_to: Mapped[int | None] = mapped_column(
        ForeignKey("operators.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[created_now]
