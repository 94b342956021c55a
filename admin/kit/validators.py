"""What no field accepts, because the database could not hold it."""

import re
from decimal import Decimal

from wtforms import Field, Form
from wtforms.validators import StopValidation, ValidationError


class Filled:
    """Refuses an empty field, also one that holds nothing but blanks."""

    field_flags = {"required": True}

    def __call__(self, form: Form, field: Field) -> None:
        if field.process_errors:
            raise StopValidation
        if field.data is None or (isinstance(field.data, str) and not field.data.strip()):
            raise StopValidation("This field is required.")


class MayBeEmpty:
    """Ends the checks of a field that is empty, or that could not be read."""

    def __call__(self, form: Form, field: Field) -> None:
        if field.process_errors or field.data is None or field.data == "":
            raise StopValidation


class NoControlCharacters:
    """Refuses NUL, which PostgreSQL can't store, and other control characters no one can see."""

    forbidden = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

    def __call__(self, form: Form, field: Field) -> None:
        if isinstance(field.data, str) and self.forbidden.search(field.data):
            raise StopValidation("This contains a character that can't be stored.")


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
            raise ValidationError(f"Enter at most {self.scale} decimal places.")
        if field.data.adjusted() >= self.most_before:
            raise ValidationError(f"Enter at most {self.most_before} digits before the point.")


def decimal_places(number: Decimal) -> int:
    """Count the digits after the point, without zeros at the end; no exponent is too large."""
    _, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits))
    return len(text.rstrip("0")) - len(text) - int(exponent)
