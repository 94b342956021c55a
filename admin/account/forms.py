"""Forms in which a password is chosen, and the field of its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wtforms import PasswordField

from admin.auth.passwords import problems, rules
from admin.kit.fields import EmailField
from admin.kit.forms import TranslatedForm
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.validators import Filled

if TYPE_CHECKING:
    from collections.abc import Sequence

OLD = {"autocomplete": "current-password", "maxlength": "1024"}
NEW = {"autocomplete": "new-password", "maxlength": "1024"}


class NewPasswordForm(TranslatedForm):
    """A new password, typed twice, or none; `names` are what it must not be like."""

    new_password = PasswordField(lazy_gettext("New password"), render_kw=NEW)
    new_password_again = PasswordField(lazy_gettext("New password again"), render_kw=NEW)

    def __init__(self, *args: Any, names: Sequence[str | None] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.names = names
        self.new_password.description = " ".join(rules())

    def validate(self, extra_validators: Any = None) -> bool:
        """Say whether it can be stored; each field gets all that is wrong with it."""
        is_valid = super().validate(extra_validators)
        typed, again = self.new_password.data or "", self.new_password_again.data or ""
        found = problems(typed, *self.names) if typed else []
        self.new_password.errors = [*self.new_password.errors, *found]
        if typed != again and not self.new_password_again.errors:
            self.new_password_again.errors = [gettext("The two passwords are not the same.")]
        return is_valid and not found and typed == again


class ChosenPasswordForm(NewPasswordForm):
    """A new password, which has to be typed."""

    new_password = PasswordField(lazy_gettext("New password"), [Filled()], render_kw=NEW)
    new_password_again = PasswordField(
        lazy_gettext("New password again"), [Filled()], render_kw=NEW
    )


class OwnPasswordForm(ChosenPasswordForm):
    """The old password and a new one."""

    old_password = PasswordField(lazy_gettext("Old password"), [Filled()], render_kw=OLD)

    def __iter__(self) -> Any:
        """Yield the old password first."""
        return iter([self.old_password, self.new_password, self.new_password_again])

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = super().validate(extra_validators)
        if self.new_password.data and self.new_password.data == self.old_password.data:
            said = gettext("Choose another one than the old password.")
            self.new_password.errors = [*self.new_password.errors, said]
            return False
        return is_valid


class ForgotForm(TranslatedForm):
    """Where a link is to be sent."""

    email = EmailField(
        lazy_gettext("E-mail"),
        [Filled()],
        render_kw={"autocomplete": "email", "maxlength": "100", "autocapitalize": "none"},
    )
