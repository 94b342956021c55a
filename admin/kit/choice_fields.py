"""Form fields for what is chosen: yes or no, one of a few values, a related object."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from wtforms import BooleanField, Field
from wtforms.fields.choices import SelectFieldBase
from wtforms.validators import StopValidation
from wtforms.widgets import CheckboxInput, Select, html_params

from admin.kit.display import display_enum
from admin.kit.languages import gettext
from admin.kit.validators import Filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqladmin.ajax import QueryAjaxModelLoader
    from wtforms.form import BaseForm

    from admin.kit.lookups import Found


class CheckboxWithMark(CheckboxInput):
    """A checkbox followed by a hidden input, so that an empty box differs from one not sent."""

    def __call__(self, field: Field, **kwargs: Any) -> Markup:
        box = super().__call__(field, **kwargs)
        return box + Markup('<input type="hidden" name="{}" value="false">').format(field.name)


class CheckField(BooleanField):
    widget = CheckboxWithMark()

    def _value(self) -> str:
        # WTForms' is what was sent: an empty box shown again would never be ticked.
        return "y"


class ChoiceField(SelectFieldBase):
    """One of a few values; `values` maps what the browser sends to them."""

    widget = Select()

    def __init__(
        self, *args: Any, values: dict[str, Any], allow_blank: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.values = values
        self.allow_blank = allow_blank

    def iter_choices(self) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        # Without an empty choice, browsers would choose the first one unasked.
        if self.allow_blank or self.data is None:
            yield "", "", self.data is None, {}
        for key, value in self.values.items():
            yield key, self.text(key, value), self.data == value and self.data is not None, {}

    def text(self, key: str, value: Any) -> str:
        if isinstance(value, bool):
            return gettext("Yes") if value else gettext("No")
        if isinstance(value, enum.Enum):
            return display_enum(value)
        return key.replace("_", " ").capitalize()

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist:
            return
        self.data = self.values.get(valuelist[0])
        if valuelist[0] and self.data is None:
            raise ValueError(gettext("Choose one of the list."))


class RadioField(SelectFieldBase):
    """One of a few values, each with a label, all of them in view."""

    def __init__(self, *args: Any, choices: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices

    def iter_choices(self) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        for key, label in self.choices.items():
            yield key, label, key == self.data, {}

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = valuelist[0]

    def pre_validate(self, form: BaseForm) -> None:
        if self.data not in self.choices:
            raise StopValidation(gettext("Choose one of the list."))


class ChecksField(RadioField):
    """Any of a few values, as check boxes; its data are the chosen keys.

    The page sends an empty value along, so that no box at all differs from a field not sent.
    """

    def process_data(self, value: Any) -> None:
        self.data = [str(key) for key in value or ()]

    def iter_choices(self) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        for key, label in self.choices.items():
            yield key, label, key in self.data, {}

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            order = list(self.choices)
            sent = {str(value) for value in valuelist} - {""}
            known = sorted(sent & set(order), key=order.index)
            self.data = [*known, *sorted(sent - set(order))]

    def pre_validate(self, form: BaseForm) -> None:
        if not set(self.data) <= set(self.choices):
            raise StopValidation(gettext("Choose one of the list."))


class RelatedField(Field):
    """Holds the key of a related object; a script turns the input into a search box."""

    def __init__(
        self,
        loader: QueryAjaxModelLoader,
        label: str | None = None,
        validators: Any = None,
        *,
        allow_blank: bool = False,
        **kwargs: Any,
    ) -> None:
        required = [] if allow_blank else [Filled()]
        super().__init__(label, [*(validators or ()), *required], **kwargs)
        self.loader = loader

    def process_data(self, value: Found | None) -> None:
        self.chosen = value.text if value else ""
        self.data = self.object_key = value.id if value else None

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist:
            return
        self.data = valuelist[0].strip() or None
        if self.data != self.object_key:
            self.chosen = ""

    def _value(self) -> str:
        return self.data or ""

    def widget(self, field: Field, **kwargs: Any) -> Markup:  # type: ignore[override]
        """Return a text input for the key, which serves as it is where scripts don't run."""
        attributes = {**kwargs, "id": self.id, "name": self.name, "value": self._value()}
        return Markup("<input {}>").format(
            Markup(html_params(type="text", autocomplete="off", **attributes))  # noqa: S704
        )
