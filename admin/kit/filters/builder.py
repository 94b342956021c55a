"""The builder of conditions: rows of field, operator and value in groups, one of which has to hold.

Its state is in the address, so that buttons which add and remove rows work without scripts; to
apply it turns the rows into one `_where` for each group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from admin.kit.filters.asked import (
    MOST_CONDITIONS,
    MOST_GROUPS,
    WHERE,
    asked,
    pairs,
    path_with,
)
from admin.kit.filters.kinds import Choice, PeriodFilter, RelatedFilter, name_with
from admin.kit.filters.operands import BadValueError
from admin.kit.filters.periods import DAY
from admin.kit.filters.pickers import picker_path
from admin.kit.filters.refusals import BadFilter, is_no_filter
from admin.kit.filters.wording import Names, is_key, operator_label, related_model
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from admin.kit.filters.asked import Group
    from admin.kit.filters.kinds import Filter
    from admin.kit.model_admin import ModelAdmin

BUILD, PART = "_build", "_part"
GROUP, FIELD, OPERATOR, VALUE = "_g", "_f", "_o", "_v"
DRAFT = {BUILD, PART, GROUP, FIELD, OPERATOR, VALUE}
# These two need no value; the address spells them `__empty=yes` and `__empty=no`.
ANSWERS = {"empty": "yes", "filled": "no"}


@dataclass
class Row:
    """One condition as far as it is entered."""

    filter: Filter | None = None
    path: str = ""
    operator: str = ""
    value: str = ""
    error: str = ""
    name: str = ""
    picker: str = ""

    @property
    def operators(self) -> list[tuple[str, str]]:
        """Return the operators that the field knows, with their labels."""
        if self.filter is None or self.filter.operand is None:
            return []
        operand, names = self.filter.operand, list[str]()
        for operator in operand.known_operators:
            if operator != "empty":
                names.append(operator)
            elif operand.is_nullable:
                names += ["empty", "filled"]
        return [(name, operator_label(self.filter, name)) for name in names]

    @property
    def choices(self) -> Sequence[Choice]:
        """Return what is offered, and what is chosen all the same; nothing for typed values."""
        if self.filter is None or isinstance(self.filter, RelatedFilter):
            return ()
        offered = self.filter.choices if self.operator in ("", "not") else ()
        known = {choice.value for choice in offered}
        is_other = bool(offered and self.value and self.value not in known)
        return [*offered, Choice(self.value, self.value)] if is_other else offered

    @property
    def input_type(self) -> str:
        """Return the type of the input that a value is typed in."""
        if isinstance(self.filter, PeriodFilter) and (not self.value or DAY.fullmatch(self.value)):
            return "date"
        is_number = self.filter is not None and self.filter.operand is not None
        is_number = is_number and self.filter.operand.kind == "number"  # type: ignore[union-attr]
        return "number" if is_number and self.operator != "in" else "text"

    @property
    def pair(self) -> tuple[str, str]:
        """Return the condition as the address spells it."""
        if self.operator in ANSWERS:
            return name_with(self.path, "empty"), ANSWERS[self.operator]
        return name_with(self.path, self.operator), self.value

    def check(self) -> None:
        """Note what is wrong with the value, for the operator to mend."""
        if self.filter is None or self.filter.operand is None:
            return
        name, value = self.pair
        if not value:
            self.error = gettext("Choose or type a value.")
            return
        try:
            self.filter.operand.condition(name[len(self.path) :].removeprefix("__"), [value])
        except BadValueError:
            self.error = gettext("This field can't have this value.")


@dataclass
class Builder:
    """The form of the builder; `fields` are what conditions may name."""

    fields: list[tuple[str, str]]
    groups: list[list[Row]] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    close_path: str = ""

    @property
    def may_grow(self) -> bool:
        return len(self.groups) < MOST_GROUPS

    @property
    def texts(self) -> list[str]:
        """Return each group as the address spells it."""
        spelled = (urlencode([r.pair for r in rows if r.filter]) for rows in self.groups)
        return [text for text in spelled if text]

    def check(self) -> bool:
        """Say whether all rows make sense, and note at the others what is wrong."""
        rows = [row for group in self.groups for row in group]
        for row in rows:
            row.check()
        return not any(row.error for row in rows)

    def related_keys(self) -> dict[type, set[str]]:
        """Return the keys of related objects in the rows, by model."""
        found: dict[type, set[str]] = {}
        for row in (row for group in self.groups for row in group):
            is_related = isinstance(row.filter, RelatedFilter) and row.operator in ("", "not")
            if is_related and is_key(row.filter, row.value):  # type: ignore[arg-type]
                found.setdefault(related_model(row.filter), set()).add(row.value)  # type: ignore[arg-type]
        return found

    def call_by_names(self, names: Names) -> None:
        """Let pickers show the names of what is chosen."""
        for row in (row for group in self.groups for row in group):
            if isinstance(row.filter, RelatedFilter):
                row.name = names.get((related_model(row.filter), row.value), row.value)


def read(view: ModelAdmin, request: Request) -> Builder | None:
    """Return the builder as the address has it, or None where it isn't open."""
    step = request.query_params.get(BUILD)
    if step is None or not view.askable:
        return None
    is_begun = GROUP in request.query_params
    groups = drafted(view, request) if is_begun else applied(view, request)
    found = Builder([(path, str(one.title)) for path, one in view.askable.items()], groups)
    take_step(found, step)
    if step == "apply":
        found.check()
    if not found.groups:
        found.groups.append([])
    for group in found.groups:
        if not group:
            group.append(Row())
    for row in (row for group in found.groups for row in group):
        is_picked = row.filter is not None and row.operator in ("", "not")
        row.picker = picker_path(view, request, row.filter) if is_picked and row.filter else ""
    found.kept = [(k, v) for k, v in pairs(request) if k not in DRAFT]
    found.close_path = path_with(view, request, found.kept)
    return found


def drafted(view: ModelAdmin, request: Request) -> list[list[Row]]:
    """Return the rows that the form sent."""
    groups: list[list[Row]] = []
    for name, value in request.query_params.multi_items():
        if name == GROUP:
            groups.append([])
        elif name == FIELD and groups:
            groups[-1].append(row_of(view, value))
        elif name == OPERATOR and groups and groups[-1]:
            row = groups[-1][-1]
            row.operator = value if value in dict(row.operators) else row.operator
        elif name == VALUE and groups and groups[-1]:
            groups[-1][-1].value = value
    if len(groups) > MOST_GROUPS or any(len(group) > MOST_CONDITIONS for group in groups):
        sentence = gettext("These are more groups of conditions than a list can answer.")
        raise BadFilter(sentence, DRAFT)
    return groups


def row_of(view: ModelAdmin, path: str) -> Row:
    """Return a row of this field, with its first operator."""
    if path and path not in view.askable:
        raise is_no_filter(DRAFT)
    row = Row(view.askable.get(path), path)
    row.operator = row.operators[0][0] if row.operators else ""
    return row


def applied(view: ModelAdmin, request: Request) -> list[list[Row]]:
    """Return the rows of the groups that the list obeys now."""
    return [rows_of(view, group) for group in asked(view, request).groups]


def rows_of(view: ModelAdmin, group: Group) -> list[Row]:
    """Return a row for each value; what has the same field and operator is read together again."""
    rows = []
    for one in group.conditions:
        path = next(path for path, filter_ in view.askable.items() if filter_ is one.filter)
        for value in one.values:
            operator = one.operator
            if operator == "empty":
                operator = "empty" if value == "yes" else "filled"
            rows.append(Row(one.filter, path, operator, "" if operator in ANSWERS else value))
    return rows


def take_step(builder: Builder, step: str) -> None:
    """Do what the button says: add a condition or a group, or take a condition away."""
    word, *numbers = step.split("-")
    if not all(number.isdecimal() and number.isascii() and len(number) < 3 for number in numbers):  # noqa: PLR2004
        return
    places = [int(number) for number in numbers]
    if word == "or" and builder.may_grow:
        builder.groups.append([])
    elif word == "and" and len(places) == 1 and places[0] < len(builder.groups):
        group = builder.groups[places[0]]
        group.extend([Row()] * (len(group) < MOST_CONDITIONS))
    elif word == "drop" and len(places) == 2:  # noqa: PLR2004
        drop(builder, *places)


def drop(builder: Builder, number: int, position: int) -> None:
    """Take away a row, and its group with the last one."""
    if number < len(builder.groups) and position < len(builder.groups[number]):
        del builder.groups[number][position]
    builder.groups = [group for group in builder.groups if group]


def applied_path(view: ModelAdmin, request: Request) -> str:
    """Return the list that a builder to be applied leads to, or "" if rows are to be mended."""
    if request.query_params.get(BUILD) != "apply":
        return ""
    found = read(view, request)
    if found is None or any(row.error for group in found.groups for row in group):
        return ""
    kept = [(name, value) for name, value in found.kept if name != WHERE]
    return path_with(view, request, [*kept, *((WHERE, text) for text in found.texts)])


def open_path(view: ModelAdmin, request: Request) -> str:
    """Return this page with the builder open."""
    kept = [(name, value) for name, value in request.query_params.multi_items()]
    kept = [(name, value) for name, value in kept if name not in DRAFT]
    return path_with(view, request, [*kept, (BUILD, "open")])
