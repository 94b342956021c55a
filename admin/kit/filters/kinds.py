"""Filters of a list: the choices that a parameter offers, and what they mean."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sqlalchemy import ColumnElement, or_

from admin.kit.display import display_enum
from admin.kit.filters.columns import is_nullable, is_relation
from admin.kit.filters.operands import BadValueError, ChoiceOperand, Operand, operand_of
from admin.kit.filters.periods import bound
from admin.kit.filters.refusals import BadFilter, cannot_be_set
from admin.kit.languages import lazy_gettext

if TYPE_CHECKING:
    import enum
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from starlette.requests import Request

    from admin.kit.filters.columns import Column
    from admin.kit.search import Limits

MOST_CHOICES = 100


@dataclass(frozen=True)
class Choice:
    value: str
    label: str


# Made once: a list asks for them several times, and their labels are translated when printed.
YES_OR_NO = (Choice("true", lazy_gettext("Yes")), Choice("false", lazy_gettext("No")))
UNKNOWN = Choice("empty", lazy_gettext("Unknown"))
VALUE_OR_NONE = (Choice("no", lazy_gettext("Has a value")), Choice("yes", lazy_gettext("Empty")))
PERIODS = (
    Choice("today", lazy_gettext("Today")),
    Choice("week", lazy_gettext("Past 7 days")),
    Choice("month", lazy_gettext("This month")),
    Choice("year", lazy_gettext("This year")),
)
DATE_OR_NONE = (Choice("empty", lazy_gettext("No date")), Choice("any", lazy_gettext("Has date")))


class Filter:
    """Base of all filters; a subclass says its `choices` and the `condition` of a value.

    One of your own needs no column: it sets `title`, `parameter_name` and `choices`, or answers
    `offered` with choices for a request; with none of them it is not shown. `default` is the value
    where the address names none. A filter of a column in another table is reached `through`
    to-one relations.
    """

    template: ClassVar[str] = "sqladmin/filters/choices.html"
    operators: ClassVar[tuple[str, ...]] = ()
    """What may follow the parameter's name, besides nothing: see `operands`."""
    inputs: ClassVar[tuple[str, ...]] = ()
    """The operators that the panel has inputs for."""
    is_multiple: ClassVar[bool] = False

    title: str = ""
    parameter_name: str = ""
    default: str = ""

    def __init__(
        self,
        column: Any = None,
        title: str = "",
        parameter_name: str = "",
        *,
        through: Sequence[Any] = (),
    ) -> None:
        self.column: Column | None = column
        self.through = tuple(through)
        key = ".".join(one.key for one in (*through, column) if one is not None)
        self.parameter_name = parameter_name or self.parameter_name or key
        words = (key or self.parameter_name).replace("_", " ").replace(".", " ").capitalize()
        self.title = title or self.title or words

    @property
    def choices(self) -> Sequence[Choice]:
        """What is offered; empty where any value may be asked for."""
        return ()

    def offered(self, request: Request) -> Sequence[Choice]:
        """Return the choices for this request."""
        return self.choices

    def is_shown(self, request: Request) -> bool:
        """Say whether there is anything to choose."""
        return bool(self.offered(request))

    def condition(self, value: str) -> ColumnElement[bool]:
        """Return what the value asks for; raise `refuse()` for a value that means nothing."""
        raise NotImplementedError

    def where(self, operator: str, values: Sequence[str]) -> ColumnElement[bool]:
        """Return what the values ask for together: one of them, or each of a comparison."""
        if operator:
            raise self.refuse()
        return or_(*map(self.condition, values))

    @cached_property
    def operand(self) -> Operand | None:
        """The column as conditions see it."""
        if self.column is None:
            return None
        return operand_of(self.parameter_name, self.title, self.column, self.through)

    def within(self, limits: Limits) -> Self:
        """Return the filter for somebody who may not see all rows of these related models."""
        operand = self.operand
        if operand is None or not (self.through or is_relation(operand.column)):
            return self
        made = copy.copy(self)
        made.__dict__["operand"] = replace(operand, limits=limits)
        return made

    def can_filter(self) -> bool:
        """Say whether this kind of filter makes sense of the column."""
        return self.column is None or not is_relation(self.column)

    def refuse(self) -> BadFilter:
        return cannot_be_set(self.title, self.parameters)

    @property
    def may_be_empty(self) -> bool:
        return self.column is not None and (bool(self.through) or is_nullable(self.column))

    @cached_property
    def parameters(self) -> list[str]:
        """Every parameter of the address that this filter reads."""
        return [name_with(self.parameter_name, operator) for operator in ("", *self.operators)]

    def label_of(self, value: str) -> str:
        """Return a choice in words."""
        return next((str(c.label) for c in self.choices if c.value == value), value)


def name_with(name: str, operator: str) -> str:
    return f"{name}__{operator}" if operator else name


class ColumnFilter(Filter):
    """Base of filters that mean what the column's type says."""

    def where(self, operator: str, values: Sequence[str]) -> ColumnElement[bool]:
        operand = self.operand
        if operand is None or operator not in ("", *self.operators):
            raise self.refuse()
        try:
            return operand.condition(operator, values)
        except BadValueError:
            raise self.refuse() from None

    def condition(self, value: str) -> ColumnElement[bool]:
        return self.where("", [value])

    def can_filter(self) -> bool:
        return self.operand is not None and not is_relation(self.operand.column)


class BooleanFilter(ColumnFilter):
    """Yes or no, and unknown where the column allows it."""

    @property
    def choices(self) -> Sequence[Choice]:
        return (*YES_OR_NO, UNKNOWN) if self.may_be_empty else YES_OR_NO


class ChoiceFilter(ColumnFilter):
    """One or several of a few values: those of an enumeration, or `values` with their labels."""

    operators = ("not",)
    is_multiple = True

    def __init__(
        self,
        column: Any,
        title: str = "",
        parameter_name: str = "",
        *,
        through: Sequence[Any] = (),
        values: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(column, title, parameter_name, through=through)
        self.labels = dict(values)

    @cached_property
    def operand(self) -> Operand | None:
        if not self.labels:
            return super().operand
        known = tuple((value, value) for value in self.labels)
        assert self.column is not None  # noqa: S101 - the signature asks for one
        return ChoiceOperand(self.parameter_name, self.title, self.column, self.through, known)

    @property
    def choices(self) -> Sequence[Choice]:
        operand = self.operand
        known = operand.values if isinstance(operand, ChoiceOperand) else ()
        found = [
            Choice(name, self.labels.get(name) or member_label(value)) for name, value in known
        ]
        empty = [Choice("empty", lazy_gettext("Empty"))] if self.may_be_empty else []
        return [*found, *empty]

    def can_filter(self) -> bool:
        return isinstance(self.operand, ChoiceOperand)


def member_label(value: enum.Enum | str) -> str:
    return value.replace("_", " ").capitalize() if isinstance(value, str) else display_enum(value)


class EmptyFilter(Filter):
    """Has a value, or none; an empty text counts as none."""

    @property
    def choices(self) -> Sequence[Choice]:
        return VALUE_OR_NONE

    def condition(self, value: str) -> ColumnElement[bool]:
        if value not in ("yes", "no") or self.operand is None:
            raise self.refuse()
        return self.operand.one("empty", value)

    @cached_property
    def operand(self) -> Operand | None:
        """Take columns of any type: to be empty is all that is asked of them."""
        if self.column is None or super().operand is not None:
            return super().operand
        return Operand(self.parameter_name, self.title, self.column, self.through)


class PeriodFilter(ColumnFilter):
    """Today, the past seven days, this month, this year, or from one day to another.

    Days begin at midnight in the operator's zone; where the column knows no zone, in UTC.
    """

    template = "sqladmin/filters/period.html"
    operators = ("gte", "gt", "lte", "lt")
    inputs = ("gte", "lte")

    @property
    def choices(self) -> Sequence[Choice]:
        return (*PERIODS, *DATE_OR_NONE) if self.may_be_empty else PERIODS

    def bound(self, moment: datetime) -> date:
        """Return the moment as the column knows it."""
        assert self.column is not None  # noqa: S101 - the kind needs a column
        return bound(self.column, moment)

    def can_filter(self) -> bool:
        return self.operand is not None and self.operand.kind == "moment"


class NumberFilter(ColumnFilter):
    """A number, or from one to another."""

    template = "sqladmin/filters/range.html"
    operators = ("gte", "gt", "lte", "lt", "empty")
    inputs = ("gte", "lte")

    def is_shown(self, request: Request) -> bool:
        return True

    def can_filter(self) -> bool:
        return self.operand is not None and self.operand.kind == "number"


class TextFilter(ColumnFilter):
    """A part of the text, and empty where the column allows it."""

    template = "sqladmin/filters/text.html"
    operators = ("contains", "startswith", "not", "empty")
    inputs = ("contains", "empty")

    def is_shown(self, request: Request) -> bool:
        return True

    def can_filter(self) -> bool:
        return self.operand is not None and self.operand.kind == "text"


class ExactFilter(ColumnFilter):
    """All of the value, for columns that are sensitive: nobody finds them by a part."""

    template = "sqladmin/filters/exact.html"
    operators = ("empty",)
    inputs = ("", "empty")

    def is_shown(self, request: Request) -> bool:
        return True


class ValuesFilter(ColumnFilter):
    """One or several of the values that occur; a picker offers them as one types."""

    template = "sqladmin/filters/picker.html"
    operators = ("not",)
    is_multiple = True

    def is_shown(self, request: Request) -> bool:
        return True


class RelatedFilter(ColumnFilter):
    """The rows that belong to related objects, named by their keys: `?author=5&author=7`.

    With `only_occurring`, the picker offers none that no row of the list belongs to.
    """

    template = "sqladmin/filters/picker.html"
    operators = ("not", "empty")
    is_multiple = True

    def __init__(
        self,
        column: Any,
        title: str = "",
        parameter_name: str = "",
        *,
        through: Sequence[Any] = (),
        only_occurring: bool = False,
    ) -> None:
        super().__init__(column, title, parameter_name, through=through)
        self.only_occurring = only_occurring

    @property
    def choices(self) -> Sequence[Choice]:
        is_word = self.operand is not None and self.operand.is_empty_word("empty")
        return (Choice("empty", lazy_gettext("Empty")),) if is_word else ()

    def is_shown(self, request: Request) -> bool:
        return True

    def can_filter(self) -> bool:
        return self.column is not None and is_relation(self.column)


class RelatedOnlyFilter(RelatedFilter):
    """As `RelatedFilter`, with those related objects alone that occur in the list."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, only_occurring=True, **options)
