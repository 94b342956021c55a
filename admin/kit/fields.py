"""Form fields for what is typed: texts, and values that are written as text."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from markupsafe import Markup
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

from admin.kit.formats import decimal_point, write_plain
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.zones import get_zone, in_zone, instants, zone_name

if TYPE_CHECKING:
    from wtforms.form import BaseForm

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


# Text


class LineField(StringField):
    """One line of text, without blanks around it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = re.sub(r"[\r\n]", "", valuelist[0]).strip()


class SensitiveInput(TextInput):
    """An input that never holds what is stored, with a box that takes it away."""

    hide_value = True

    def __call__(self, field: Field, **kwargs: Any) -> Markup:
        typed = super().__call__(field, **kwargs)
        if not field.object_data:
            return typed
        hint = gettext("A value is stored, and not shown. What you type replaces it.")
        shown = Markup('{}<div class="form-hint">{}</div>').format(typed, hint)
        if field.flags.required:
            return shown
        box = Markup(
            '<div class="form-check"><input class="form-check-input" type="checkbox" id="{0}-clear"'
            ' name="{1}" value="clear"{2}><label class="form-check-label" for="{0}-clear">{3}'
            "</label></div>"
        )
        is_ticked = Markup(" checked") if getattr(field, "is_cleared", False) else ""
        return shown + box.format(field.id, field.name, is_ticked, gettext("Clear what is stored"))


class SensitiveField(LineField):
    """A line whose value no page shows: left empty it stays, the box beside it takes it away."""

    widget = SensitiveInput()
    is_cleared = False

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        typed = re.sub(r"[\r\n]", "", valuelist[0]).strip() if valuelist else ""
        self.is_cleared = len(valuelist) > 1 and not typed
        self.data = typed or (None if self.is_cleared else self.object_data)


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
            raise ValidationError(gettext("Enter an e-mail address, such as ann@example.org."))


# Values that are written as text


class UnreadableError(ValueError):
    """A text that can't be read, for a reason of its own."""


class ValueField(Field):
    """A value written as text; a subclass says how to `read` and `write` it.

    `read` raises `ValueError` or `ArithmeticError`; then `sentence` is the answer.
    """

    widget: Any = TextInput()
    sentence = lazy_gettext("This is not a valid value.")
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
        except UnreadableError:
            raise
        except (ValueError, ArithmeticError, RecursionError):
            raise ValueError(str(self.sentence)) from None


class NumberField(ValueField):
    widget = NumberInput()
    sentence = lazy_gettext("Enter a whole number.")

    def read(self, text: str) -> int:
        return int(text)


class NumericField(ValueField):
    """A decimal number, with the language's decimal point or a plain one.

    It is a text input, because a number input loses what it can't show.
    """

    attributes = {"inputmode": "decimal"}
    sentence = lazy_gettext("Enter a number, such as 12.5.")

    def read(self, text: str) -> Decimal:
        number = Decimal(with_point(text))
        if not number.is_finite():
            raise ValueError
        return number

    def write(self, value: float | Decimal) -> str:
        return write_plain(value)


class FloatField(NumericField):
    def read(self, text: str) -> Any:
        number = float(with_point(text))
        if not math.isfinite(number):
            raise ValueError
        return number


def with_point(text: str) -> str:
    """Return a number as Python reads it."""
    return text if "." in text else text.replace(decimal_point(), ".")


class DateField(ValueField):
    widget = DateInput()
    sentence = lazy_gettext("Enter a date, such as 2024-12-31.")

    def read(self, text: str) -> date:
        return date.fromisoformat(text)


class TimeField(ValueField):
    """A time of day, shown to the second."""

    widget = TimeInput()
    attributes = {"step": "1"}
    sentence = lazy_gettext("Enter a time, such as 16:30.")

    def read(self, text: str) -> time:
        return time.fromisoformat(text).replace(tzinfo=None)

    def write(self, value: time) -> str:
        return value.isoformat(timespec="seconds")


class DateTimeField(ValueField):
    """A date and time of no zone, shown to the second."""

    widget = DateTimeLocalInput()
    attributes = {"step": "1"}
    sentence = lazy_gettext("Enter a date and time, such as 2024-12-31 16:30.")

    def read(self, text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=None)

    def write(self, value: datetime) -> str:
        return value.replace(tzinfo=None).isoformat(timespec="seconds")


class InstantField(DateTimeField):
    """An instant, read and shown on the clocks of the operator's zone, to the second.

    Of two instants at which clocks put back show the same, the first is meant; who doesn't touch
    the field keeps the second.

    The first and the last day are refused: PostgreSQL hands times out in the zone of its session,
    where they may lie in years that Python doesn't know, and every page with the row would fail.
    """

    first = datetime(1, 1, 2, tzinfo=UTC)
    end = datetime(9999, 12, 31, tzinfo=UTC)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = zone_name(get_zone())
        self.description = f"{self.description} ({zone})" if self.description else zone

    def read(self, text: str) -> datetime:
        value = datetime.fromisoformat(text)
        value = value.astimezone(UTC) if value.tzinfo else first_instant(value)
        if not self.first <= value < self.end:
            raise ValueError
        return value

    def write(self, value: datetime) -> str:
        return super().write(in_zone(value) if value.tzinfo else value)


def first_instant(wall: datetime) -> datetime:
    """Return the instant at which the zone's clocks show this for the first time."""
    zone = get_zone()
    found = instants(wall, zone)
    if not found:
        sentence = gettext(
            "There is no such time in %(zone)s: the clocks were put forward over it.",
            zone=zone_name(zone),
        )
        raise UnreadableError(sentence)
    return found[0]


class IntervalField(ValueField):
    sentence = lazy_gettext("Enter a duration, such as 1 day 2:30:00.")

    def read(self, text: str) -> timedelta:
        interval = parse_interval(text)
        if interval is None:
            raise ValueError
        return interval


class UuidField(ValueField):
    sentence = lazy_gettext("Enter a UUID, such as 123e4567-e89b-12d3-a456-426614174000.")

    def __init__(self, *args: Any, as_uuid: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.as_uuid = as_uuid

    def read(self, text: str) -> UUID | str:
        value = UUID(text)
        return value if self.as_uuid else str(value)


class JSONField(ValueField):
    widget = TextArea()
    sentence = lazy_gettext("Enter valid JSON.")

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

    sentence = lazy_gettext('Enter a list, such as ["one", "two"].')

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
