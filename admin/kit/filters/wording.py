"""What an address asks for, in words."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from admin.kit.filters.kinds import RelatedFilter
from admin.kit.filters.operands import BadValueError, split
from admin.kit.filters.periods import DAY
from admin.kit.formats import join_words, write_date, write_plain
from admin.kit.hooks import wait_for
from admin.kit.keys import key_of, matches_keys
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.naming import label_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.filters.asked import Asked, Group
    from admin.kit.filters.kinds import Filter
    from admin.kit.model_admin import ModelAdmin

# What is called by its name: a related object by its model and key, a choice by its parameter.
Names = dict[tuple[type | str, str], str]

OPERATORS = {
    "": lazy_gettext("is"),
    "not": lazy_gettext("is not"),
    "contains": lazy_gettext("contains"),
    "startswith": lazy_gettext("begins with"),
    "in": lazy_gettext("is one of"),
    "gt": lazy_gettext("is more than"),
    "gte": lazy_gettext("is at least"),
    "lt": lazy_gettext("is less than"),
    "lte": lazy_gettext("is at most"),
    "empty": lazy_gettext("is empty"),
    "filled": lazy_gettext("is not empty"),
}
OF_MOMENTS = {
    "gt": lazy_gettext("is after"),
    "gte": lazy_gettext("is on or after"),
    "lt": lazy_gettext("is before"),
    "lte": lazy_gettext("is on or before"),
}


def operator_label(filter_: Filter, operator: str) -> str:
    is_moment = filter_.operand is not None and filter_.operand.kind == "moment"
    return str((is_moment and OF_MOMENTS.get(operator)) or OPERATORS[operator])


def said(filter_: Filter, operator: str, values: Sequence[str], names: Names) -> str:
    """Return one condition in words: a choice by its label, a related object by its name."""
    title = str(filter_.title)
    if operator == "empty":
        phrases = [operator_label(filter_, "empty" if v == "yes" else "filled") for v in values]
        return f"{title} {join_words(phrases)}"
    if operator == "in":
        values = [part for value in values for part in split(value)]
    words = join_words(value_label(filter_, value, names) for value in values)
    if not operator:
        return gettext("%(filter)s: %(choice)s", filter=title, choice=words)
    phrase = operator_label(filter_, operator)
    return gettext("%(field)s %(operator)s %(value)s", field=title, operator=phrase, value=words)


def value_label(filter_: Filter, value: str, names: Names) -> str:
    chosen = names.get((filter_.parameter_name, value)) or filter_.label_of(value)
    if chosen != value:
        return chosen
    operand = filter_.operand
    if isinstance(filter_, RelatedFilter):
        return names.get((related_model(filter_), value), value)
    if operand is not None and operand.kind == "number":
        return write_plain(value)  # type: ignore[arg-type]  # It has the digits of a number.
    if operand is not None and operand.kind == "moment" and DAY.fullmatch(value):
        return write_date(date.fromisoformat(value))
    is_text = operand is not None and operand.kind == "text"
    return gettext("“%(label)s”", label=value) if is_text else value


def said_together(group: Group, names: Names) -> str:
    """Return the conditions of a group in words."""
    return join_words(said(c.filter, c.operator, c.values, names) for c in group.conditions)


def names_of_choices(filters: Iterable[Filter], request: Request) -> Names:
    """Return the labels of what filters offer in this request."""
    return {
        (filter_.parameter_name, choice.value): str(choice.label)
        for filter_ in filters
        for choice in filter_.offered(request)
    }


def related_model(filter_: RelatedFilter) -> type:
    assert filter_.column is not None  # noqa: S101 - the kind needs a relation
    return filter_.column.property.mapper.class_  # type: ignore[no-any-return]


def names_of(
    view: ModelAdmin,
    request: Request,
    session: Session,
    wanted: dict[type, set[str]],
    known: Iterable[Any],
) -> Names:
    """Return the names of related objects by their keys, as far as they may be listed.

    It takes one statement for each model, unless all are among the `known` objects.
    """
    names: Names = {}
    read = list(known) if wanted else []
    for model, keys in wanted.items():
        rows = wait_for(view.related_query, request, model) if keys else None
        if rows is not None:
            found = objects_of(session, model, keys, rows, read)
            names |= {(model, key_of(obj)): label_of(obj) for obj in found}
    return names


def objects_of(
    session: Session, model: type, keys: set[str], rows: Select[Any], known: Iterable[Any]
) -> Iterable[Any]:
    """Return the objects with these keys; those that are known will do where none is hidden."""
    if rows.compare(select(model)):
        found = {key_of(obj): obj for obj in known if type(obj) is model}
        if keys <= found.keys():
            return [found[key] for key in keys]
    return session.scalars(rows.where(matches_keys(model, sorted(keys))))


def related_keys(asked: Asked) -> dict[type, set[str]]:
    """Return the keys that an address holds, by model."""
    terms = [*asked.terms]
    terms += [condition for group in asked.groups for condition in group.conditions]
    found: dict[type, set[str]] = {}
    for term in terms:
        if isinstance(term.filter, RelatedFilter) and term.operator != "empty":
            words = [word for value in term.values for word in parts(term.operator, value)]
            keys = found.setdefault(related_model(term.filter), set())
            keys.update(word for word in words if is_key(term.filter, word))
    return found


def parts(operator: str, value: str) -> list[str]:
    return split(value) if operator == "in" else [value]


def is_key(filter_: RelatedFilter, text: str) -> bool:
    """Say whether the text can be a key of the related model."""
    assert filter_.operand is not None  # noqa: S101 - the kind needs a relation
    if filter_.operand.is_empty_word(text):
        return False
    try:
        filter_.operand.parse(text)
    except BadValueError:
        return False
    return True
