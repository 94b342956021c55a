"""Storing operators: whose form opens, their roles, and how a new one gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, select
from sqlalchemy.orm.attributes import flag_modified

from admin.auth.access import permissions_of
from admin.auth.door import auth_of
from admin.auth.passwords import random_password
from admin.kit import Refused
from admin.kit.languages import gettext
from admin.operators import fields, links
from models import Role
from models.base import utc_now
from models.operator import UNUSABLE

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response
    from wtforms import Form

    from admin.kit import ModelAdmin
    from models import Operator


async def whole_form(view: ModelAdmin, form: type[Form], *, is_new: bool) -> type[Form]:
    """Return the form with all roles, and for a new operator with the ways in."""
    stmt = select(Role).order_by(Role.name)
    roles = await view.site.read(lambda session: session.scalars(stmt).all())
    added = {"roles": fields.roles_field(roles)}
    if is_new:
        may_mail = auth_of(view.site).mailer is not None
        added["access"] = fields.access_field(may_mail=may_mail)
    return fields.with_fields(form, **added)


def may_touch(request: Request, operator: Operator | None) -> bool:
    """Say whether one may do all that an operator may, so that one may change them."""
    return operator is None or not request.state.permissions.lacks(permissions_of(operator))


def set_roles(session: Session, operator: Operator, keys: list[str]) -> None:
    """Give an operator these roles and no others; it counts as a change of the operator."""
    chosen = set(map(int, keys))
    if chosen == {role.id for role in operator.roles}:
        return
    found = session.scalars(select(Role).where(Role.id.in_(chosen)).order_by(Role.name)).all()
    if len(found) != len(chosen):
        raise Refused(gettext("Choose one of the list."), field="roles")
    operator.roles = list(found)
    if inspect(operator).persistent:
        # Else the version stays, and who edits the same operator meanwhile overwrites it unseen.
        flag_modified(operator, "username")


async def with_access(view: ModelAdmin, request: Request, data: dict[str, Any]) -> dict[str, Any]:
    """Return what to store of a new operator; their password, if it is made, is on the request."""
    data = {**data, "password_hash": UNUSABLE}
    request.state.access = data.pop("access", "")
    if request.state.access == fields.MAIL and not data.get("email"):
        raise Refused(gettext("A message needs an e-mail address."), field="email")
    if request.state.access != fields.PASSWORD:
        return data
    request.state.first_password = random_password()
    password_hash = await auth_of(view.site).hash(request.state.first_password)
    made = {"password_hash": password_hash, "password_changed_at": utc_now()}
    return {**data, **made, "must_change_password": True}


async def show_access(view: ModelAdmin, request: Request, operator: Operator) -> Response | None:
    """Show once, or send, how a new operator gets in."""
    access = getattr(request.state, "access", "")
    if access == fields.PASSWORD:
        return await links.show_password(view, request, operator, request.state.first_password)
    if access in (fields.LINK, fields.MAIL):
        is_mailed = access == fields.MAIL
        return await links.hand_out(view, request, operator.id, is_mailed=is_mailed)
    return None
