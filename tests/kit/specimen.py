"""A table with a column of every type that forms know."""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Float, Numeric, SmallInteger, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from admin.kit import ModelAdmin
from models.base import UTCDateTime, Versioned
from tests.kit.app import Base


class Color(enum.Enum):
    DARK_RED = "dark red"
    GREEN = "green"


class Specimen(Versioned, Base):
    __tablename__ = "specimens"

    id: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(String(40))
    line_or_none: Mapped[str | None] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text, default="")
    text_or_none: Mapped[str | None] = mapped_column(Text)
    small: Mapped[int | None] = mapped_column(SmallInteger)
    whole: Mapped[int | None]
    big: Mapped[int | None] = mapped_column(BigInteger)
    price: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    weight: Mapped[float | None] = mapped_column(Float)
    color: Mapped[Color | None]
    must_color: Mapped[Color] = mapped_column(default=Color.GREEN)
    rare: Mapped[bool | None]
    alive: Mapped[bool] = mapped_column(default=True)
    found_on: Mapped[date | None]
    fed_at: Mapped[time | None]
    seen_at: Mapped[datetime | None]
    stored_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    age: Mapped[timedelta | None]
    code: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    code_text: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    notes: Mapped[Any] = mapped_column(JSON, nullable=True)
    names: Mapped[list[str] | None] = mapped_column(ARRAY(String).with_variant(JSON(), "sqlite"))
    # Names that WTForms uses itself.
    data: Mapped[str | None] = mapped_column(String(40))
    rank: Mapped[int] = mapped_column(server_default="7")

    def __str__(self) -> str:
        return f"Specimen {self.id}"


class SpecimenAdmin(ModelAdmin, model=Specimen):
    pass
