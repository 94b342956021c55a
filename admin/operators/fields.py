"""The fields of an operator's form that no column makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wtforms.validators import ValidationError

from admin.auth.operators import (
    OperatorError,
    checked_username,
    normalize_email,
    normalize_username,
)
from admin.kit import EmailField
from admin.kit.choice_fields import ChecksField, RadioField
from admin.kit.fields import LineField
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wtforms import Form
    from wtforms.form import BaseForm

    from models import Role

PASSWORD, LINK, MAIL = "password", "link", "mail"


class UsernameField(LineField):
    """A name in the one spelling it is kept in."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata([normalize_username(value) for value in valuelist])

    def post_validate(self, form: BaseForm, validation_stopped: bool) -> None:
        if validation_stopped:
            return
        try:
            checked_username(self.data or "")
        except OperatorError as error:
            raise ValidationError(str(error)) from None


class AddressField(EmailField):
    """An address in the one spelling it is kept in."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata([normalize_email(value) for value in valuelist])


def roles_field(roles: Sequence[Role]) -> Any:
    """Return the field that chooses among all roles; a role is told by its key."""
    told = {str(role.id): said(role) for role in roles}
    return ChecksField(gettext("Roles"), choices=told)


def said(role: Role) -> str:
    return f"{role.name} – {role.description}" if role.description else role.name


def access_field(*, may_mail: bool) -> Any:
    """Return the field that chooses how a new operator gets in for the first time."""
    ways = {
        PASSWORD: gettext("A password for the first sign-in, shown to you once"),
        LINK: gettext("A link to choose a password, shown to you once"),
    }
    if may_mail:
        ways[MAIL] = gettext("A link to choose a password, sent by e-mail")
    return RadioField(gettext("First sign-in"), choices=ways, default=PASSWORD)


def with_fields(form: type[Form], **fields: Any) -> type[Form]:
    """Return the form with more fields, below its own."""
    return type(form.__name__, (form,), fields)
