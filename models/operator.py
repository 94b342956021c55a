"""The people who sign in to the admin; they are not the users it manages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, String, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, UTCDateTime, Versioned, created_now

if TYPE_CHECKING:
    from models.passkey import Passkey
    from models.role import Role


UNUSABLE = "!"


class Operator(Versioned, Base):
    """`username` and `email` are kept in one spelling, so that they are unique in any case.

    `password_hash` is `UNUSABLE` for those who have yet to choose a password, or need none.
    `totp_secret` is encrypted, and `totp_step` the last step of time whose code was used.
    """

    __tablename__ = "operators"
    # On SQLite as well, no new row gets the key, and with it the history, of a deleted one.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(150), unique=True)
    email: Mapped[str | None] = mapped_column(String(100), unique=True, index=True)
    password_hash: Mapped[str] = mapped_column(String(255), info={"secret": True})
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=false())
    password_changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    totp_secret: Mapped[str | None] = mapped_column(String(255), info={"secret": True})
    totp_step: Mapped[int | None] = mapped_column(BigInteger, info={"recorded": False})
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    is_superuser: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[created_now]
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info={"recorded": False})

    roles: Mapped[list[Role]] = relationship(
        secondary="operator_roles",
        back_populates="operators",
        passive_deletes=True,
        order_by="Role.name",
        # For many operators one statement, wherever it is asked what they may do.
        lazy="selectin",
    )

    passkeys: Mapped[list[Passkey]] = relationship(viewonly=True, lazy="selectin")

    def __str__(self) -> str:
        return self.username
