"""Setting attributes of many rows: what most actions are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action as Right
from sqlalchemy import select

from admin.kit.actions.changing import change_rows, empty_as_stored
from admin.kit.actions.declared import PLACES, Action, Example, Question, is_confirmed
from admin.kit.display import display_short, masked
from admin.kit.keys import key_of
from admin.kit.languages import gettext
from admin.kit.lookups import Found, find_chosen
from admin.kit.naming import label_of
from admin.kit.reading import is_sensitive
from admin.kit.saving import lookup_queries

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from wtforms import Field, Form

    from admin.kit.actions.declared import Work
    from admin.kit.model_admin import ModelAdmin


class SetValues(Action):
    """Sets attributes of all rows in one transaction, which leaves one change set.

    `values` are set as they are. `fields` name columns of the view's form that are asked for on
    the page; `initial` is what these start with: values, or functions that return them.

    Hooks, validators and events that look at each row are honoured. Where there are none, a few
    statements do it however many rows there are.
    """

    def __init__(
        self,
        name: str,
        label: str,
        values: Mapping[str, Any] | None = None,
        *,
        fields: Sequence[str] = (),
        initial: Mapping[str, Any | Callable[[], Any]] | None = None,
        permissions: Sequence[str] = (),
        question: str = "",
        places: Collection[str] = PLACES,
    ) -> None:
        super().__init__(name, label, permissions=permissions, question=question, places=places)
        self.values = dict(values or {})
        self.fields = fields
        self.initial = dict(initial or {})

    def is_allowed(self, view: ModelAdmin, request: Request) -> bool:
        """Say so, unless it would set what this operator's roles don't let them set."""
        names = {*self.values, *self.fields}
        is_settable = not names & view.unsettable and set(self.fields) <= set(view.form_names)
        may_edit = view.can_edit and view.has_permission(request, Right.EDIT)
        return may_edit and is_settable and super().is_allowed(view, request)

    def check(self, view: ModelAdmin) -> str:
        unknown = [name for name in self.values if name not in view.mapper.attrs]
        missing = [name for name in self.fields if name not in view.form_names]
        if unknown:
            return f"{unknown[0]!r} does not exist on {view.model.__name__}."
        if missing:
            return f"{missing[0]!r} is not one of the form's columns."
        if not self.values and not self.fields:
            return "it sets nothing."
        return super().check(view)

    async def ask(self, view: ModelAdmin, request: Request, sent: FormData) -> Question:
        if not self.fields:
            return Question(data=self.values, is_answered=is_confirmed(sent))
        is_answered = is_confirmed(sent)
        initial = {name: v() if callable(v) else v for name, v in self.initial.items()}
        form = (await view.scaffold_form(view.edit_rules))(
            sent if is_answered else None, data=initial
        )
        fields = [field for field in form if field.name in self.fields]
        is_valid = not is_answered or is_filled(form, fields)
        data = {**self.values, **{field.name: field.data for field in fields}}
        return Question(form, fields, data, is_valid, is_answered)

    def examples(
        self,
        view: ModelAdmin,
        request: Request,
        session: Session,
        objects: Sequence[Any],
        question: Question,
    ) -> list[Example]:
        # While these are still asked for, nobody knows what will be set.
        data = question.data if question.is_valid else {}
        new = {name: shown_value(view, session, name, value) for name, value in data.items()}

        def changes(obj: Any) -> list[tuple[str, Any, Any]]:
            old = {name: stored_value(view, obj, name) for name in data}
            return [(str(view.label(name)), old[name], new[name]) for name in data]

        return [Example(key_of(obj), label_of(obj), changes(obj)) for obj in objects]

    async def run(self, work: Work) -> int:
        """Set the values, and return how many rows were changed."""
        queries = await lookup_queries(work.view, work.request, work.data)
        return await change_rows(work, work.data, queries)


def is_filled(form: Form, fields: Sequence[Field]) -> bool:
    """Check these fields as the form does, and that none is left empty."""
    form.validate()
    for field in fields:
        if field.data in (None, "") and not field.errors:
            field.errors = [*field.errors, gettext("This field is required.")]
    return not form.form_errors and not any(field.errors for field in fields)


def shown_value(view: ModelAdmin, session: Session, name: str, value: Any) -> Any:
    """Return a new value as the old one is shown: a related object by its name."""
    if name in view.pickers and isinstance(value, str) and value:
        model = view.pickers[name].model
        limit = view.limits.get(model)
        stmt: Select[Any] = select(model)
        stmt = stmt if limit is None else stmt.where(limit)
        return display_short(label_of(find_chosen(session, stmt, name, value)))
    value = empty_as_stored(view, name, value)
    return (
        masked() if value is not None and is_sensitive(view.mapper, name) else display_short(value)
    )


def stored_value(view: ModelAdmin, obj: Any, name: str) -> Any:
    """Return what a row holds, as far as it may be seen."""
    value = view.form_value(obj, name)
    if isinstance(value, Found):
        return display_short(value.text)
    return (
        masked() if value is not None and is_sensitive(view.mapper, name) else display_short(value)
    )
