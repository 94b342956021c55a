"""Form fields for what is typed: texts, and values that are written as text."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqladmin.helpers import parse_interval
from wtforms import Field, StringField, TextAreaField
from wtforms.validators import ValidationError
from wtforms.widgets import (
    DateInput,
    DateTimeLocalInput,
    EmailInput,
    NumberInput,
    TextArea,
    TextInput,
    TimeInput,
)

if TYPE_CHECKING:
    from wtforms.form import BaseForm

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


# Text


class LineField(StringField):
    """One line of text, without blanks around it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = re.sub(r"[\r\n]", "", valuelist[0]).strip()


class TextField(TextAreaField):
    """Many lines of text, which end in a line feed whatever the browser sends."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = valuelist[0].replace("\r\n", "\n").replace("\r", "\n")


class EmailField(LineField):
    """An address with one @ and a domain; whether it exists only a message can tell."""

    widget = EmailInput()

    def post_validate(self, form: BaseForm, validation_stopped: bool) -> None:
        if self.data and not validation_stopped and not EMAIL.fullmatch(self.data):
            raise ValidationError("Enter an e-mail address, such as ann@example.org.")


# Values that are written as text


class ValueField(Field):
    """A value written as text; a subclass says how to `read` and `write` it.

    `read` raises `ValueError` or `ArithmeticError`; then `sentence` is the answer.
    """

    widget: Any = TextInput()
    sentence = "This is not a valid value."
    attributes: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["render_kw"] = {**self.attributes, **(kwargs.get("render_kw") or {})}
        super().__init__(*args, **kwargs)

    def read(self, text: str) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> str:
        return str(value)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.write(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist:
            return
        text, self.data = valuelist[0].strip(), None
        try:
            self.data = self.read(text) if text else None
        except (ValueError, ArithmeticError, RecursionError):
            raise ValueError(self.sentence) from None


class NumberField(ValueField):
    widget = NumberInput()
    sentence = "Enter a whole number."

    def read(self, text: str) -> int:
        return int(text)


class NumericField(ValueField):
    """A decimal number; a text input, because a number input loses what it can't show."""

    attributes = {"inputmode": "decimal"}
    sentence = "Enter a number, such as 12.5."

    def read(self, text: str) -> Decimal:
        number = Decimal(text)
        if not number.is_finite():
            raise ValueError
        return number


class FloatField(NumericField):
    def read(self, text: str) -> Any:
        number = float(text)
        if not math.isfinite(number):
            raise ValueError
        return number


class DateField(ValueField):
    widget = DateInput()
    sentence = "Enter a date, such as 2024-12-31."

    def read(self, text: str) -> date:
        return date.fromisoformat(text)


class TimeField(ValueField):
    """A time of day, shown to the second."""

    widget = TimeInput()
    attributes = {"step": "1"}
    sentence = "Enter a time, such as 16:30."

    def read(self, text: str) -> time:
        return time.fromisoformat(text).replace(tzinfo=None)

    def write(self, value: time) -> str:
        return value.isoformat(timespec="seconds")


class DateTimeField(ValueField):
    """A date and time of no zone, shown to the second."""

    widget = DateTimeLocalInput()
    attributes = {"step": "1"}
    sentence = "Enter a date and time, such as 2024-12-31 16:30."

    def read(self, text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=None)

    def write(self, value: datetime) -> str:
        return value.replace(tzinfo=None).isoformat(timespec="seconds")


class InstantField(DateTimeField):
    """A date and time in UTC, shown to the second.

    The first and the last day are refused: PostgreSQL hands times out in the zone of its session,
    where they may lie in years that Python doesn't know, and every page with the row would fail.
    """

    first = datetime(1, 1, 2, tzinfo=UTC)
    end = datetime(9999, 12, 31, tzinfo=UTC)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["description"] = kwargs.get("description") or "UTC"
        super().__init__(*args, **kwargs)

    def read(self, text: str) -> datetime:
        value = datetime.fromisoformat(text)
        value = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        if not self.first <= value < self.end:
            raise ValueError
        return value

    def write(self, value: datetime) -> str:
        return super().write(value.astimezone(UTC) if value.tzinfo else value)


class IntervalField(ValueField):
    sentence = "Enter a duration, such as 1 day 2:30:00."

    def read(self, text: str) -> timedelta:
        interval = parse_interval(text)
        if interval is None:
            raise ValueError
        return interval


class UuidField(ValueField):
    sentence = "Enter a UUID, such as 123e4567-e89b-12d3-a456-426614174000."

    def __init__(self, *args: Any, as_uuid: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.as_uuid = as_uuid

    def read(self, text: str) -> UUID | str:
        value = UUID(text)
        return value if self.as_uuid else str(value)


class JSONField(ValueField):
    widget = TextArea()
    sentence = "Enter valid JSON."

    def read(self, text: str) -> Any:
        value = json.loads(text)
        # Refuses NaN, Infinity, halves of characters, and NUL, which PostgreSQL can't store.
        if "\\u0000" in json.dumps(value, allow_nan=False, ensure_ascii=False):
            raise ValueError
        json.dumps(value, ensure_ascii=False).encode()
        return value

    def write(self, value: Any) -> str:
        return json.dumps(value, default=str)


class ListField(JSONField):
    """An array, written as JSON."""

    sentence = 'Enter a list, such as ["one", "two"].'

    def __init__(self, *args: Any, item_type: type = str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item_types = (int, float) if item_type is float else (item_type,)

    def read(self, text: str) -> list[Any]:
        value = super().read(text)
        if not isinstance(value, list) or not all(map(self.is_item, value)):
            raise ValueError
        return value

    def is_item(self, item: Any) -> bool:
        # To Python, true and false are whole numbers too.
        return item is None or (
            isinstance(item, self.item_types)
            and isinstance(item, bool) == (bool in self.item_types)
        )
