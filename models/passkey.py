"""The passkeys of operators."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime, created_now


class Passkey(Base):
    """A public key in base64url, as `credential_id` is, and how often its device signed."""

    __tablename__ = "passkeys"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(
        ForeignKey("operators.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100))
    # WebAuthn allows 1,023 bytes.
    credential_id: Mapped[str] = mapped_column(String(1364), unique=True)
    public_key: Mapped[str] = mapped_column(Text)
    transports: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    sign_count: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default="0", info={"recorded": False}
    )
    created_at: Mapped[created_now]
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info={"recorded": False})

    def __str__(self) -> str:
        return self.name
