"""What an operator chose for a list, and how far they have seen it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class ListChoice(Base):
    """`seen` has, by view, the largest key that was there when the view was last looked at."""

    __tablename__ = "list_choices"
    __table_args__ = {"info": {"recorded": False}}

    operator_id: Mapped[int] = mapped_column(
        ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True
    )
    list_name: Mapped[str] = mapped_column(String(100), primary_key=True)
    columns: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    page_size: Mapped[int | None]
    default_view: Mapped[str] = mapped_column(String(100), default="")
    seen: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
