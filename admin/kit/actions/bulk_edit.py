"""Changing the same fields of many rows: which ones is chosen on the page."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import UniqueConstraint

from admin.kit.actions.declared import Question, is_confirmed
from admin.kit.actions.set_values import SetValues
from admin.kit.forms import shown
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.reading import is_sensitive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Mapper
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from wtforms import Field, Form

    from admin.kit.model_admin import ModelAdmin

# The names of inputs: which fields are to be changed, and the values that were shown.
CHANGE_FIELD, PLAN_FIELD = "_change", "_plan"
# What the page sends besides the fields.
TAKEN = {"pks", "confirmed"}


class BulkEdit(SetValues):
    """Offers the fields of the edit form, each with a box that says to change it.

    Columns whose values no two rows may share are not among them. What will be changed is shown
    before it is: other values than these are shown first again.
    """

    def __init__(self, name: str = "change", label: str = lazy_gettext("Change fields…")) -> None:
        super().__init__(name, label, places=("list",))
        self.button = lazy_gettext("Change the fields")

    def is_allowed(self, view: ModelAdmin, request: Request) -> bool:
        return super().is_allowed(view, request) and bool(offered(view))

    async def ask(self, view: ModelAdmin, request: Request, sent: FormData) -> Question:
        is_sent = is_confirmed(sent)
        form = (await view.scaffold_form(view.edit_rules))(sent if is_sent else None)
        names = offered(view)
        fields = [field for field in form if field.name in names]
        if not is_sent:
            return Question(form, fields, is_valid=False, chosen=())
        chosen = [name for name in map(str, sent.getlist(CHANGE_FIELD)) if name in names]
        changed = [field for field in fields if field.name in chosen]
        error = check(form, changed)
        for field in fields:
            field.errors = field.errors if field in changed else []
        data, plan = {field.name: field.data for field in changed}, plan_of(changed)
        is_answered = sent.get(PLAN_FIELD) == plan
        return Question(form, fields, data, not error, is_answered, error, chosen, plan)


def check(form: Form, changed: list[Field]) -> str:
    """Check the fields to change as the form does, and return what is wrong."""
    if not changed:
        return gettext("Tick the fields that you want to change.")
    form.validate()
    wrong = [*form.form_errors, *(error for field in changed for error in field.errors)]
    return gettext("Please correct the errors below.") if wrong else ""


def plan_of(changed: Iterable[Field]) -> str:
    """Tell which fields get which values, as short as it can be told."""
    told = repr([(field.name, shown(field)) for field in changed])
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:16]


def offered(view: ModelAdmin) -> list[str]:
    """Return the form's columns that may be the same in many rows."""
    return [name for name in view.form_names if may_be_shared(view.mapper, name)]


@lru_cache(maxsize=1000)
def may_be_shared(mapper: Mapper[Any], name: str) -> bool:
    """Say whether many rows may have the same in a column; asked for each list that is shown."""
    if name in TAKEN or is_sensitive(mapper, name):
        return False
    column: Any = mapper.columns.get(name)
    if column is None:
        relation = mapper.relationships.get(name)
        return relation is not None and not relation.uselist
    table = column.table
    alone = [set(constraint.columns) == {column} for constraint in uniques(table)]
    return not (column.unique or column.primary_key or any(alone))


def uniques(table: Any) -> list[Any]:
    constraints = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    return [*constraints, *(index for index in table.indexes if index.unique)]
