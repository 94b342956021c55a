"""What operators may do, by the name of their task."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Versioned
from models.operator import Operator


class Role(Versioned, Base):
    """`rights` is what `admin.kit.permissions.read_rights` reads: by screen, what is allowed."""

    __tablename__ = "roles"
    # On SQLite as well, no new row gets the key, and with it the history, of a deleted one.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    description: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    rights: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    requires_second_factor: Mapped[bool] = mapped_column(default=False, server_default=false())

    operators: Mapped[list[Operator]] = relationship(
        secondary="operator_roles", back_populates="roles", passive_deletes=True
    )

    def __str__(self) -> str:
        return self.name


class OperatorRole(Base):
    """An operator has a role."""

    __tablename__ = "operator_roles"

    operator_id: Mapped[int] = mapped_column(
        ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True
    )
    role_id: Mapped[int] = mapped_column(
        ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True
    )
