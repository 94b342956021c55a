"""What a condition can be about: a column, by its type, and the operators it knows.

An operator is what stands behind the two underscores of a parameter: `price__gte=5`; none means
equality. Nothing here reads an address, so that filters and groups of conditions mean the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property, reduce
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Enum,
    Float,
    Integer,
    Numeric,
    Uuid,
    and_,
    false,
    literal,
    not_,
    or_,
    true,
)

from admin.kit.filters.columns import (
    is_moment,
    is_nullable,
    is_relation,
    is_text,
    is_text_type,
    stored_type,
)
from admin.kit.filters.periods import span
from admin.kit.keys import BadKeyError, integer_range, parse_key
from admin.kit.search import LIKE_WILDCARDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from admin.kit.filters.columns import Column
    from admin.kit.search import Limits

LONGEST_VALUE = 200  # characters
WHOLE = re.compile(r"-?[0-9]{1,20}")
DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
# Several values of these are alternatives; of all others, each has to hold.
ALTERNATIVES = ("", "in")

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}


class BadValueError(ValueError):
    """The column can't have this value, or doesn't know this operator."""


@dataclass(frozen=True)
class Operand:
    """A column that is reached by a dotted path; where a relation on it is empty, so is the column.

    A subclass says how a text becomes a value, and what the operators mean for it.
    """

    path: str
    title: str
    column: Column
    through: tuple[Column, ...] = ()
    limits: Limits = field(default_factory=dict, compare=False, kw_only=True)
    is_exact: bool = field(default=False, kw_only=True)

    kind: ClassVar[str] = "text"
    operators: ClassVar[tuple[str, ...]] = ("", "not", "in", "empty")

    @property
    def known_operators(self) -> tuple[str, ...]:
        """The operators that may be asked: of a sensitive column, whether it is this or empty."""
        return tuple(o for o in self.operators if not self.is_exact or o in ("", "empty"))

    @cached_property
    def is_nullable(self) -> bool:
        return bool(self.through) or is_nullable(self.column)

    def condition(self, operator: str, texts: Sequence[str]) -> ColumnElement[bool]:
        """Return what these values ask for; raise `BadValueError` for one that means nothing."""
        if operator not in self.known_operators or not all(map(can_be_asked, texts)):
            raise BadValueError
        if operator in ALTERNATIVES:
            values = texts if operator == "" else [part for text in texts for part in split(text)]
            return or_(false(), *self.alternatives(values))
        return and_(*(self.one(operator, text) for text in texts))

    def alternatives(self, texts: Sequence[str]) -> list[ColumnElement[bool]]:
        """Return the condition for any of the values, which may include none at all."""
        values = [self.parse(text) for text in texts if not self.is_empty_word(text)]
        found = [self.reached(self.equals(values))] if values else []
        if any(text == "empty" for text in texts if self.is_empty_word(text)):
            found.append(self.empty())
        if any(text == "any" for text in texts if self.is_empty_word(text)):
            found.append(self.filled())
        return found

    def one(self, operator: str, text: str) -> ColumnElement[bool]:
        if operator == "empty":
            if text not in ("yes", "no"):
                raise BadValueError
            return self.empty() if text == "yes" else self.filled()
        if operator == "not":
            if self.is_empty_word(text):
                return self.filled() if text == "empty" else self.empty()
            return self.unless(self.equals([self.parse(text)]))
        return self.reached(self.compare(operator, text))

    # What a subclass may know better

    def parse(self, text: str) -> Any:
        return text

    def equals(self, values: Sequence[Any]) -> ColumnElement[bool]:
        return self.column.in_(values) if len(values) > 1 else self.column == values[0]

    def compare(self, operator: str, text: str) -> ColumnElement[bool]:
        return COMPARISONS[operator](self.column, self.parse(text))  # type: ignore[no-any-return]

    def has_value(self) -> ColumnElement[bool]:
        return self.column.is_not(None)

    def is_empty_word(self, text: str) -> bool:
        """Say whether this stands for having no value, `empty`, or any, `any`."""
        return text in ("empty", "any") and self.is_nullable

    # What is common

    def filled(self) -> ColumnElement[bool]:
        return self.reached(self.has_value())

    def empty(self) -> ColumnElement[bool]:
        if not self.through and not is_relation(self.column) and not is_text(self.column):
            return self.column.is_(None)  # An index may serve this.
        return not_(self.filled())

    def reached(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """Ask the related row, in a subquery, so that no row is lost or repeated."""
        return reduce(self.asked_of, reversed(self.through), condition)

    def asked_of(self, condition: ColumnElement[bool], relation: Column) -> ColumnElement[bool]:
        """Say that a related row meets the condition, one of those that may be seen."""
        limit = self.limits.get(relation.property.mapper.class_)
        return asked_of(condition if limit is None else and_(limit, condition), relation)

    def unless(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return the opposite, which holds for a row without a value."""
        if self.through or not self.is_nullable:
            return not_(self.reached(condition))
        return or_(not_(condition), self.empty())


def asked_of(condition: ColumnElement[bool], relation: Column) -> ColumnElement[bool]:
    asked: Any = relation.any if relation.property.uselist else relation.has
    return asked(condition)  # type: ignore[no-any-return]


def can_be_asked(text: str) -> bool:
    """Say whether a database can be asked for this at all."""
    return "\0" not in text and len(text) <= LONGEST_VALUE


def split(text: str) -> list[str]:
    """Return the parts of a list such as `a, b`."""
    return [part.strip() for part in text.split(",") if part.strip()]


class BooleanOperand(Operand):
    kind = "choice"
    operators = ("", "not")

    def parse(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise BadValueError
        return text == "true"

    def equals(self, values: Sequence[Any]) -> ColumnElement[bool]:
        return or_(*(self.column.is_(value) for value in dict.fromkeys(values)))


@dataclass(frozen=True)
class ChoiceOperand(Operand):
    """One of a few values; `values` maps what the address says to them."""

    values: tuple[tuple[str, Any], ...] = ()

    kind: ClassVar[str] = "choice"
    operators: ClassVar[tuple[str, ...]] = ("", "not", "in", "empty")

    def parse(self, text: str) -> Any:
        known = dict(self.values)
        if text not in known:
            raise BadValueError
        return known[text]

    def is_empty_word(self, text: str) -> bool:
        return super().is_empty_word(text) and text not in dict(self.values)


class TextOperand(Operand):
    operators = ("", "not", "contains", "startswith", "in", "empty")

    def compare(self, operator: str, text: str) -> ColumnElement[bool]:
        words = text.translate(LIKE_WILDCARDS)
        pattern = f"%{words}%" if operator == "contains" else f"{words}%"
        return self.column.ilike(pattern, escape="\\")

    def has_value(self) -> ColumnElement[bool]:
        return and_(self.column.is_not(None), self.column != "")

    def is_empty_word(self, text: str) -> bool:
        return False


class NumberOperand(Operand):
    kind = "number"
    operators = ("", "not", "gt", "gte", "lt", "lte", "in", "empty")

    def parse(self, text: str) -> Any:
        """Return a number that the column can be compared with, on any database."""
        stored = stored_type(self.column)
        if isinstance(stored, Integer):
            return self.whole(text, stored)
        if not DECIMAL.fullmatch(text):
            raise BadValueError
        if isinstance(stored, Float) and isfinite(float(text)):
            return float(text)
        # Without the column's own precision, to which a database would round.
        return literal(Decimal(text), Numeric())

    def whole(self, text: str, stored: Integer) -> int:
        low, high = integer_range(stored)
        if not WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise BadValueError
        return int(text)


class MomentOperand(Operand):
    """A day or an instant; a value is a day, a minute of the operator's zone, or a period."""

    kind = "moment"
    operators = ("", "not", "lt", "gt", "gte", "lte", "empty")

    def parse(self, text: str) -> Any:
        try:
            return span(self.column, text)
        except (ValueError, OverflowError):
            raise BadValueError from None

    def equals(self, values: Sequence[Any]) -> ColumnElement[bool]:
        spans = ((self.column >= start) & (self.column < end) for start, end in values)
        return or_(*spans)

    def compare(self, operator: str, text: str) -> ColumnElement[bool]:
        """Take days whole: what is after a day, or up to it, is so by the end of the day."""
        start, end = self.parse(text)
        past = end if operator in ("gt", "lte") else start
        found: ColumnElement[bool] = (
            self.column >= past if operator in ("gt", "gte") else self.column < past
        )
        return found


class UuidOperand(Operand):
    operators = ("", "not", "in", "empty")

    def parse(self, text: str) -> Any:
        try:
            value = UUID(text)
        except ValueError:
            raise BadValueError from None
        return value if getattr(stored_type(self.column), "as_uuid", True) else str(value)


class RelatedOperand(Operand):
    """A related object, by its key."""

    kind = "related"
    operators = ("", "not", "in", "empty")

    @property
    def is_told_by_row(self) -> bool:
        """Whether the row's own columns answer: not if they may hold the key of one not seen."""
        relationship = self.column.property
        is_single = relationship.direction.name == "MANYTOONE"
        return is_single and relationship.mapper.class_ not in self.limits

    def parse(self, text: str) -> Any:
        target = self.column.property.mapper
        try:
            return tuple(zip(target.primary_key, parse_key(target.class_, text), strict=True))
        except BadKeyError:
            raise BadValueError from None

    def equals(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """Compare the row's own key columns where it has them: an index serves that."""
        relationship = self.column.property
        local = {remote: own for own, remote in relationship.local_remote_pairs}
        keys = relationship.mapper.primary_key
        if self.is_told_by_row and set(keys) <= set(local):
            if len(keys) == 1 and len(values) > 1:
                return local[keys[0]].in_([value for ((_, value),) in values])  # type: ignore[no-any-return]
            return or_(*(and_(*(local[key] == value for key, value in one)) for one in values))
        same = or_(*(and_(*(key == value for key, value in one)) for one in values))
        return self.asked_of(same, self.column)

    def is_empty_word(self, text: str) -> bool:
        """Where keys are texts, `empty` may be one."""
        keys = self.column.property.mapper.primary_key
        return super().is_empty_word(text) and not any(is_text_type(key.type) for key in keys)

    def has_value(self) -> ColumnElement[bool]:
        relationship = self.column.property
        if self.is_told_by_row:
            return and_(*(column.is_not(None) for column in relationship.local_columns))
        return self.asked_of(true(), self.column)


def choices_of(column: Column) -> tuple[tuple[str, Any], ...]:
    """Return what the address calls each value of an enumeration, and the value."""
    type_ = stored_type(column)
    if not isinstance(type_, Enum):
        return ()
    members = type_.enum_class.__members__ if type_.enum_class else {}
    return tuple((name, members.get(name, name)) for name in type_.enums)


def operand_of(
    path: str, title: str, column: Column, through: tuple[Column, ...] = ()
) -> Operand | None:
    """Return the operand for the column's type, or None for a type that can't be compared."""
    if is_relation(column):
        return RelatedOperand(path, title, column, through)
    if is_sensitive_column(column):
        return exact_operand(path, title, column, through)
    return operand_by_type(path, title, column, through)


def is_sensitive_column(column: Column) -> bool:
    """Say whether the values of a column may be asked for, but not looked for."""
    prop = column.property
    return not is_relation(column) and bool(prop.columns[0].info.get("sensitive"))


def exact_operand(
    path: str, title: str, column: Column, through: tuple[Column, ...]
) -> Operand | None:
    """Return the operand of the type, which knows equality and emptiness alone."""
    operand = operand_by_type(path, title, column, through)
    return None if operand is None else replace(operand, is_exact=True)


def operand_by_type(
    path: str, title: str, column: Column, through: tuple[Column, ...]
) -> Operand | None:
    stored = stored_type(column)
    if isinstance(stored, Enum):
        return ChoiceOperand(path, title, column, through, choices_of(column))
    if is_moment(column):
        return MomentOperand(path, title, column, through)
    if is_text(column):
        return TextOperand(path, title, column, through)
    kinds = ((Boolean, BooleanOperand), (Integer | Numeric, NumberOperand), (Uuid, UuidOperand))
    found = (kind for type_, kind in kinds if isinstance(stored, type_))
    return next((kind(path, title, column, through) for kind in found), None)
