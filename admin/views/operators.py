"""The operators' screens."""

from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from wtforms import Form

from admin.kit import ModelAdmin, display
from admin.kit.formats import join_words, write_date
from admin.kit.languages import gettext
from admin.kit.languages import lazy_gettext as _
from admin.kit.zones import in_zone
from admin.operators import saving
from admin.operators.actions import MakeLink, ResetFactors, SetActive, SetPassword, SignOut, Unlock
from admin.operators.fields import AddressField, UsernameField
from models import Operator, Role
from models.operator import UNUSABLE


class OperatorAdmin(ModelAdmin, model=Operator):
    name = _("Operator")
    name_plural = _("Operators")
    category = _("Access")
    column_list = [
        Operator.username,
        Operator.email,
        "role_names",
        Operator.is_active,
        Operator.is_superuser,
        Operator.last_sign_in_at,
        "second_factor",
    ]
    column_details_list = [*column_list, Operator.created_at, "password"]
    column_choices = [Operator.created_at]
    column_export_list = [
        Operator.id,
        Operator.username,
        Operator.email,
        "role_names",
        Operator.is_active,
        Operator.is_superuser,
        Operator.created_at,
        Operator.last_sign_in_at,
    ]
    column_labels = {
        Operator.id: _("Id"),
        Operator.username: _("Username"),
        Operator.email: _("E-mail"),
        Operator.roles: _("Roles"),
        Operator.is_active: _("Active"),
        Operator.is_superuser: _("Superuser"),
        Operator.created_at: _("Created"),
        Operator.last_sign_in_at: _("Last sign-in"),
        Operator.version: _("Version"),
    }
    column_searchable_list = [Operator.username, Operator.email]
    column_sortable_list = [Operator.username, Operator.email, Operator.last_sign_in_at]
    column_default_sort = [(Operator.username, False)]
    column_filters = [Operator.is_active, Operator.is_superuser, Operator.last_sign_in_at]
    list_views = {_("Not active"): "is_active=false"}
    form_columns = [
        Operator.username,
        Operator.email,
        Operator.is_active,
        Operator.is_superuser,
    ]
    form_create_rules = ["username", "email", "is_superuser"]
    form_edit_rules = ["username", "email", "is_active", "is_superuser"]
    form_overrides = {"username": UsernameField, "email": AddressField}
    form_args = {
        "is_active": {"description": _("Who is not active can't sign in. Prefer it to deleting.")},
        "is_superuser": {"description": _("May do everything, whatever the roles.")},
    }
    actions = [
        SetPassword("set-password", _("Set password…")),
        MakeLink("link", _("Reset link…")),
        SignOut("sign-out", _("Sign out everywhere")),
        Unlock("unlock", _("Unlock")),
        ResetFactors("reset-factors", _("Reset second factors")),
        SetActive("activate", _("Activate"), is_active=True),
        SetActive("deactivate", _("Deactivate"), is_active=False),
    ]
    # Roles, passwords and what ends with them are no matter of setting one column of many rows.
    disabled_actions = ["change"]
    must_confirm = True
    # Nothing keeps a password, so nobody could be put back as they were; and sessions and links
    # that ended with a change would be good again.
    can_undo = False
    stays_small = True

    @display(description=_("Roles"))
    def role_names(self, operator: Operator) -> str:
        return join_words([role.name for role in operator.roles])

    @display(description=_("Second factor"), boolean=True)
    def second_factor(self, operator: Operator) -> bool:
        return operator.totp_secret is not None or bool(operator.passkeys)

    @display(description=_("Password"), empty_value=_("None yet"))
    def password(self, operator: Operator) -> str:
        """Say how the password is kept and since when; never what is kept."""
        if operator.password_hash == UNUSABLE:
            return ""
        kind = operator.password_hash.split("$")[1]
        since = operator.password_changed_at
        if since is None:
            return kind
        return gettext("%(kind)s, set on %(day)s", kind=kind, day=write_date(in_zone(since).date()))

    async def scaffold_form(self, rules: list[str] | None = None) -> type[Form]:
        form = await super().scaffold_form(rules)
        return await saving.whole_form(self, form, is_new=rules == self.create_rules)

    def form_values(self, obj: Any) -> dict[str, Any]:
        return {**super().form_values(obj), "roles": [role.id for role in obj.roles]}

    def set_value(self, session: Session, obj: Any, name: str, value: Any) -> None:
        if name == "roles":
            saving.set_roles(session, obj, value)
        else:
            super().set_value(session, obj, name, value)

    async def insert_model(self, request: Request, data: dict[str, Any]) -> Any:
        return await super().insert_model(request, await saving.with_access(self, request, data))

    async def after_model_change(
        self, data: dict[str, Any], model: Any, is_created: bool, request: Request
    ) -> Any:
        return await saving.show_access(self, request, model) if is_created else None

    async def check_can_edit(self, request: Request, model: Any) -> bool:
        return await super().check_can_edit(request, model) and saving.may_touch(request, model)

    async def check_can_delete(self, request: Request, model: Any) -> bool:
        return await super().check_can_delete(request, model) and saving.may_touch(request, model)

    async def related_query(self, request: Request, model: type) -> Any:
        """Return None for roles: they have a column, and need no count."""
        return None if model is Role else await super().related_query(request, model)
