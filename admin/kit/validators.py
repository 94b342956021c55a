"""What no field accepts, because the database could not hold it."""

import re
from decimal import Decimal

from wtforms import Field, Form
from wtforms.form import BaseForm
from wtforms.validators import Length, NumberRange, StopValidation, ValidationError

from admin.kit.languages import gettext, ngettext


class Filled:
    """Refuses an empty field, also one that holds nothing but blanks."""

    field_flags = {"required": True}

    def __call__(self, form: Form, field: Field) -> None:
        if field.process_errors:
            raise StopValidation
        if field.data is None or (isinstance(field.data, str) and not field.data.strip()):
            raise StopValidation(gettext("This field is required."))


class MayBeEmpty:
    """Ends the checks of a field that is empty, or that could not be read."""

    def __call__(self, form: Form, field: Field) -> None:
        if field.process_errors or field.data is None or field.data == "":
            raise StopValidation


class ShortEnough(Length):
    """Refuses a text longer than the column; WTForms' own sentence lacks plurals of languages."""

    def __call__(self, form: BaseForm, field: Field) -> None:
        if len(field.data or "") > self.max:
            sentence = ngettext(
                "Field cannot be longer than %(max)s character.",
                "Field cannot be longer than %(max)s characters.",
                self.max,
                max=self.max,
            )
            raise ValidationError(sentence)


class InRange(NumberRange):
    """Refuses a number that the column couldn't hold."""

    def __call__(self, form: BaseForm, field: Field) -> None:
        low, high = int(self.min or 0), int(self.max or 0)
        if field.data is None or not low <= field.data <= high:
            sentence = gettext("Number must be between %(min)s and %(max)s.", min=low, max=high)
            raise ValidationError(sentence)


class NoControlCharacters:
    """Refuses NUL, which PostgreSQL can't store, and other control characters no one can see."""

    forbidden = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

    def __call__(self, form: Form, field: Field) -> None:
        if isinstance(field.data, str) and self.forbidden.search(field.data):
            raise StopValidation(gettext("This contains a character that can't be stored."))


class FitsNumeric:
    """Refuses numbers that the database would round, or could not hold.

    Where the column names no precision, SQLite holds what a float does.
    """

    def __init__(self, precision: int | None, scale: int | None) -> None:
        self.scale = scale
        self.most_before = 300 if precision is None else precision - (scale or 0)

    def __call__(self, form: Form, field: Field) -> None:
        if not isinstance(field.data, Decimal) or not field.data:
            return
        if self.scale is not None and decimal_places(field.data) > self.scale:
            raise ValidationError(self.too_many_places(self.scale))
        if field.data.adjusted() >= self.most_before:
            raise ValidationError(self.too_many_digits(self.most_before))

    def too_many_places(self, most: int) -> str:
        return ngettext(
            "Enter at most %(count)s decimal place.",
            "Enter at most %(count)s decimal places.",
            most,
            count=most,
        )

    def too_many_digits(self, most: int) -> str:
        return ngettext(
            "Enter at most %(count)s digit before the point.",
            "Enter at most %(count)s digits before the point.",
            most,
            count=most,
        )


def decimal_places(number: Decimal) -> int:
    """Count the digits after the point, without zeros at the end; no exponent is too large."""
    _, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits))
    return len(text.rstrip("0")) - len(text) - int(exponent)
