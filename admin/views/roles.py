"""The roles' screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from admin.auth.access import Access
from admin.auth.agreeing import SEEN_FIELD, refuse_to_store, show_effects
from admin.auth.effects import agreed, effects_of, with_role, without_roles
from admin.auth.granting import refuse_escalation
from admin.kit import ModelAdmin
from admin.kit.forms import posted
from admin.kit.languages import gettext
from admin.kit.languages import lazy_gettext as _
from admin.kit.permissions import Permissions, RoleRights, read_rights
from admin.kit.roles import MatrixField, screens_of
from admin.kit.roles.changes import said_of
from models import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from admin.auth.effects import Effects


class RoleAdmin(ModelAdmin, model=Role):
    name = _("Role")
    name_plural = _("Roles")
    category = _("Access")
    column_list = [Role.name, Role.description, Role.requires_second_factor]
    column_details_list = [Role.name, Role.description, Role.rights, Role.requires_second_factor]
    column_export_list = [Role.id, Role.name, Role.description, Role.rights]
    column_labels = {
        Role.id: _("Id"),
        Role.name: _("Name"),
        Role.description: _("Description"),
        Role.rights: _("Rights"),
        Role.requires_second_factor: _("Requires a second factor"),
        Role.operators: _("Operators"),
        Role.version: _("Version"),
    }
    column_sortable_list = [Role.name]
    column_default_sort = [(Role.name, False)]
    form_columns = [Role.name, Role.description, Role.requires_second_factor, Role.rights]
    form_overrides = {"rights": MatrixField}
    disabled_actions = ["change"]
    must_confirm = True
    delete_template = "roles/delete.html"

    def __init__(self) -> None:
        self.column_formatters_detail = {Role.rights: self.say_rights}  # type: ignore[misc]
        self.form_args = {"rights": {"screens": self.screens}}  # type: ignore[misc]
        super().__init__()

    def screens(self) -> list[Any]:
        return screens_of(self.site)

    def say_rights(self, role: Any, _name: str) -> Markup:
        """Return what a role allows, a line for each screen."""
        allowed = Permissions([RoleRights("", read_rights(role.rights))])
        lines = said_of(allowed, self.screens())
        return Markup("<br>").join(lines or [gettext("Nothing")])

    async def delete_context(self, request: Request, keys: Sequence[str]) -> dict[str, Any]:
        """Show who loses what by a deletion."""
        before = await self.site.read(Access.read)
        after = without_roles(before, {int(key) for key in keys})
        return {"effects": effects_of(before, after, self.screens())}

    async def ask_first(self, request: Request, obj: Any, data: dict[str, Any]) -> Response | None:
        """Show who gains and loses what, until the operator agrees to just that."""
        refuse_to_store(sent := await posted(request))
        if obj is not None:
            effects = await self.effects(request, obj, data)
            if effects.affected and sent.get(SEEN_FIELD) != effects.mark:
                return await show_effects(self, request, obj, effects)
            agreed.set(effects.mark)
        return None

    async def effects(self, request: Request, role: Any, data: dict[str, Any]) -> Effects:
        """Return whom it would affect; raise `Refused` if the operator may not do it."""
        before = await self.site.read(Access.read)
        after = with_role(before, role.id, data)
        refuse_escalation(request.state.operator_id, before, after)
        return effects_of(before, after, self.screens())
