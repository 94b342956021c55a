"""Forms made from models: which field a column gets, and what every field refuses."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

from python_multipart.multipart import parse_options_header
from sqladmin.exceptions import ImproperlyConfigured, NoConverterFound
from sqladmin.forms import WTFORMS_ATTRS, ModelConverter
from sqladmin.forms import converts as sqladmin_converts
from sqlalchemy import Enum, Float, Integer, Numeric, String, TypeDecorator
from sqlalchemy.orm import ColumnProperty
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from wtforms import BooleanField, Form
from wtforms.fields.choices import SelectFieldBase
from wtforms.fields.core import UnboundField
from wtforms.validators import InputRequired, Optional

from admin.kit import choice_fields, fields
from admin.kit.keys import integer_range
from admin.kit.languages import gettext, ngettext
from admin.kit.validators import (
    Filled,
    FitsNumeric,
    InRange,
    MayBeEmpty,
    NoControlCharacters,
    ShortEnough,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.sql.elements import NamedColumn
    from sqlalchemy.types import TypeEngine
    from starlette.requests import Request
    from wtforms import Field

Kwargs = dict[str, Any]
Conversion = TypeVar("Conversion", bound="Callable[..., UnboundField[Any]]")

# The name of the input that carries the version an edit page was opened at.
VERSION_FIELD = "_version"
# And the time zone it was shown in.
ZONE_FIELD = "_timezone"
# And of the one that tells what it showed then.
SHOWN_FIELD = "_shown"

FORM_TYPES = {b"application/x-www-form-urlencoded", b"multipart/form-data"}
# In bytes; `BodyLimit` bounds the sum.
LARGEST_FIELD = 2 * 1024 * 1024
# A page of a list with all of its cells open; a selection is less.
MOST_FIELDS = 10_000
LONGEST_NAME = 1_000  # characters


class TranslatedForm(Form):
    """A form whose fields and validators speak the language of the request.

    WTForms' own catalogues know the texts of the validators that a view declares.
    """

    class Meta:
        """WTForms' place for such settings."""

        def get_translations(self, form: Form) -> Any:
            """Return what has `gettext` and `ngettext`."""
            return TRANSLATIONS


class Translations:
    """What WTForms asks for translations; it puts the values in by itself."""

    def gettext(self, text: str) -> str:
        return gettext(text)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        # WTForms' catalogues have gaps, which must not become empty sentences.
        return ngettext(singular, plural, count) or (singular if count == 1 else plural)


TRANSLATIONS = Translations()
KINDS = "_converter_for"  # what SQLAdmin's decorator writes on a conversion


def field_for(*column_types: str) -> Callable[[Conversion], Conversion]:
    """Mark a method as the conversion of these column types: SQLAdmin's decorator, typed."""
    return sqladmin_converts(*column_types)  # type: ignore[no-any-return]


# Each form and many checks of a start make a converter, and looking through its class took longest.
@functools.cache
def conversions_of(converter: type[ModelConverter]) -> Mapping[str, str]:
    """Return which method makes the field of a type of column."""
    methods = [(name, getattr(converter, name)) for name in dir(converter)]
    return {kind: name for name, method in methods for kind in getattr(method, KINDS, ())}


class FormConverter(ModelConverter):
    """Chooses fields as SQLAdmin does, but each refuses what the database couldn't hold."""

    def _register_converters(self) -> None:
        kinds = conversions_of(type(self)).items()  # type: ignore[arg-type]
        self._converters = {kind: getattr(self, method) for kind, method in kinds}

    async def convert(self, *args: Any, **kwargs: Any) -> UnboundField[Any]:
        """Return the field of a column or relation; a relation always gets the async picker."""
        if kwargs["prop"].key in (kwargs["form_ajax_refs"] or {}):
            kwargs["override"] = choice_fields.RelatedField
        if is_sensitive(kwargs["prop"]):
            kwargs["override"] = fields.SensitiveField
        return await super().convert(*args, **kwargs)

    def can_convert(self, prop: Any) -> bool:
        """Say whether there is a field for a property; for bytes, say, there is none."""
        try:
            return isinstance(prop, ColumnProperty) and bool(self.get_converter(prop))
        except NoConverterFound:
            return False

    async def _prepare_kwargs(self, *args: Any, **kwargs: Any) -> Kwargs | None:
        # SQLAdmin appends to the view's own lists of validators, which would grow for ever.
        declared = kwargs["field_args"]
        lists = {name: list(declared.get(name) or ()) for name in ("validators", "filters")}
        kwargs["field_args"] = {**declared, **lists}
        prepared = await super()._prepare_kwargs(*args, **kwargs)
        prop = kwargs["prop"]
        if prepared is not None and isinstance(prop, ColumnProperty):
            prepared["validators"] = validators(prop.columns[0], prepared["validators"])
        return prepared

    def _prepare_column(
        self, prop: ColumnProperty[Any], form_include_pk: bool, kwargs: Kwargs
    ) -> Kwargs | None:
        prepared = super()._prepare_column(
            prop=prop, form_include_pk=form_include_pk, kwargs=kwargs
        )
        default = prop.columns[0].default
        if prepared is not None and default is not None and default.is_callable:
            # Called for each form, not once when the form's class is made.
            prepared["default"] = lambda: default.arg(None)
        return prepared

    async def _prepare_select_options(self, prop: Any, session_maker: Any) -> list[tuple[str, Any]]:
        raise ImproperlyConfigured(
            f"{prop} would load every row into a select: name it in form_ajax_refs."
        )

    @field_for("String", "CHAR")
    def conv_string(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        return UnboundField(fields.LineField, **kwargs)

    @field_for("Text")
    def conv_text(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        return UnboundField(fields.TextField, **kwargs)

    @field_for("Boolean")
    def conv_boolean(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        if prop.columns[0].nullable:
            values = {"yes": True, "no": False}
            return UnboundField(
                choice_fields.ChoiceField, values=values, allow_blank=True, **kwargs
            )
        return UnboundField(choice_fields.CheckField, **kwargs)

    @field_for("Enum")
    def conv_enum(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        type_ = prop.columns[0].type
        members = type_.enum_class.__members__ if type_.enum_class else {}
        values = {name: members.get(name, name) for name in type_.enums}
        allow_blank = prop.columns[0].nullable
        return UnboundField(
            choice_fields.ChoiceField, values=values, allow_blank=allow_blank, **kwargs
        )

    @field_for("Date")
    def conv_date(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        return UnboundField(fields.DateField, **kwargs)

    @field_for("Time")
    def conv_time(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        return UnboundField(fields.TimeField, **kwargs)

    @field_for("DateTime")
    def conv_datetime(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        is_instant = prop.columns[0].type.timezone
        return UnboundField(fields.InstantField if is_instant else fields.DateTimeField, **kwargs)

    @field_for("Interval")
    def conv_interval(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        return UnboundField(fields.IntervalField, **kwargs)

    @field_for("Integer")
    def conv_integer(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        return UnboundField(fields.NumberField, **kwargs)

    @field_for("Numeric", "Float")
    def conv_decimal(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        is_decimal = prop.columns[0].type.asdecimal
        return UnboundField(fields.NumericField if is_decimal else fields.FloatField, **kwargs)

    @field_for("JSON", "JSONB")
    def conv_json(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        return UnboundField(fields.JSONField, **kwargs)

    @field_for("sqlalchemy.sql.sqltypes.UUID", "sqlalchemy.sql.sqltypes.Uuid")
    def conv_uuid(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        return UnboundField(fields.UuidField, as_uuid=prop.columns[0].type.as_uuid, **kwargs)

    @field_for("sqlalchemy.sql.sqltypes.ARRAY")
    def conv_array(self, model: type, prop: Any, kwargs: Kwargs) -> UnboundField[Any]:
        item_type = prop.columns[0].type.item_type.python_type
        return UnboundField(fields.ListField, item_type=item_type, **kwargs)


def is_sensitive(prop: Any) -> bool:
    return isinstance(prop, ColumnProperty) and bool(prop.columns[0].info.get("sensitive"))


def validators(column: NamedColumn[Any], given: list[Any]) -> list[Any]:
    """Return the validators of a column's field: the given ones, then what the column can hold."""
    is_required = any(isinstance(validator, InputRequired) for validator in given)
    declared = [v for v in given if not isinstance(v, InputRequired | Optional)]
    return [*declared, Filled() if is_required else MayBeEmpty(), *limits(column.type)]


def limits(column_type: TypeEngine[Any]) -> list[Any]:
    """Return validators for what a column of this type can hold on every database."""
    if isinstance(column_type, TypeDecorator):
        return limits(column_type.impl_instance)
    if isinstance(column_type, String) and not isinstance(column_type, Enum):
        length = [ShortEnough(max=column_type.length)] if column_type.length else []
        return [NoControlCharacters(), *length]
    if isinstance(column_type, Integer):
        return [InRange(*integer_range(column_type))]
    if isinstance(column_type, Numeric) and not isinstance(column_type, Float):
        return [FitsNumeric(column_type.precision, column_type.scale)]
    return []


async def posted(request: Request) -> FormData:
    """Return the fields that were sent; raise a 4xx for files and all else that is no form.

    Browsers send UTF-8. Among Python's other codecs are some that read halves of surrogate pairs,
    fail in their own way, or take minutes for a megabyte.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    is_form = kind in FORM_TYPES and options.get(b"charset", b"utf-8").lower() == b"utf-8"
    if not is_form and await request.body():
        raise HTTPException(415)
    sent = await request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD)
    if any(len(name) > LONGEST_NAME for name in sent):
        raise HTTPException(400, gettext("A field has a name that no form here has."))
    return sent


def fill(form_class: type[Form], values: dict[str, Any], sent: FormData | None = None) -> Form:
    """Return the form with an object's values, and over them what was sent.

    A field keeps its value exactly, and is not checked, when the request doesn't mention it or
    sends back what the page showed: pages show times without fractions and texts with other line
    ends, and a text that no longer fits its rules must not keep people from changing the others.
    """
    # WTForms reserves names such as `data`; SQLAdmin's fields for them end in an underscore.
    data = {WTFORMS_ATTRS.get(name, name): value for name, value in values.items()}
    form = form_class(sent, data=data)
    if sent is not None:
        page = form_class(data=data)
        untouched = form_class(FormData([(f.name, v) for f in page for v in shown(f)]), data=data)
        for field, same in zip(form, untouched, strict=True):
            if is_untouched(field, same):
                field.process(None, field.object_data)
                if values:
                    field.validate = lambda *_: True  # type: ignore[method-assign]
    return form


def shown(field: Field) -> list[str]:
    """Return what a browser sends for a field that nobody touched."""
    if isinstance(field, BooleanField):
        return ["y"] if field.data else ["false"]
    if isinstance(field, SelectFieldBase):
        return [str(value) for value, _, is_chosen, *_ in field.iter_choices() if is_chosen]
    if getattr(field.widget, "hide_value", False):
        return [""]
    value = str(field._value())  # type: ignore[attr-defined]  # noqa: SLF001 - WTForms' own name
    # A page can't hold a NUL: browsers read this character in its place.
    return [value.replace("\0", "\N{REPLACEMENT CHARACTER}")]


def fingerprint(form: Form) -> str:
    """Tell what a page with this form shows, as short as it can be told."""
    told = json.dumps([(field.name, shown(field)) for field in form])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def is_untouched(field: Field, same: Field) -> bool:
    """Compare a field that was sent with the same one as an untouched page sends it."""
    if not field.raw_data or field.raw_data == same.raw_data:
        return True
    return not field.process_errors and bool(field.data == same.data)


def sent_data(form: Form, sent: FormData) -> dict[str, Any]:
    """Return the values of the fields that were sent, by the names of the model's attributes."""
    return {field.name: field.data for field in form if field.name in sent}


def add_error(
    form: Form, field_name: str | None, sentence: str, label: Callable[[str], str]
) -> None:
    """Put a sentence at its field, or on top of the form, naming a field that the form lacks."""
    field = next((field for field in form if field.name == field_name), None)
    if field is None:
        prefix = f"{label(field_name)}: " if field_name else ""
        form.form_errors.append(f"{prefix}{sentence}")
    else:
        field.errors = [*field.errors, sentence]
