"""Filters of a list: by the types of columns or declared, from the address to conditions."""

from admin.kit.filters.columns import is_nullable, stored_type
from admin.kit.filters.kinds import (
    BooleanFilter,
    Choice,
    ChoiceFilter,
    EmptyFilter,
    ExactFilter,
    Filter,
    NumberFilter,
    PeriodFilter,
    RelatedFilter,
    RelatedOnlyFilter,
    TextFilter,
    ValuesFilter,
)
from admin.kit.filters.periods import bound, period, utc_now

__all__ = [
    "BooleanFilter",
    "Choice",
    "ChoiceFilter",
    "EmptyFilter",
    "ExactFilter",
    "Filter",
    "NumberFilter",
    "PeriodFilter",
    "RelatedFilter",
    "RelatedOnlyFilter",
    "TextFilter",
    "ValuesFilter",
    "bound",
    "is_nullable",
    "period",
    "stored_type",
    "utc_now",
]
