"""Why somebody may do something to an object, or what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import WILDCARD, Action
from starlette.exceptions import HTTPException
from starlette.requests import Request

from admin.kit.actions.set_values import SetValues
from admin.kit.formats import join_words
from admin.kit.languages import gettext
from admin.kit.permissions import RUN
from admin.kit.revealed import REVEAL, may_reveal
from admin.kit.roles.naming import name_right, name_screen
from admin.kit.roles.screens import FLAGS, screen_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.permissions import Permissions, Right

# What a page asks the view about an object, or about the screen.
CHECKS = {
    Action.LIST: "check_can_list",
    Action.DETAILS: "check_can_view_details",
    Action.EDIT: "check_can_edit",
    Action.DELETE: "check_can_delete",
    Action.EXPORT: "check_can_export",
}
OF_SCREENS = {Action.LIST, Action.EXPORT}


@dataclass(frozen=True)
class Reason:
    """A sentence, and whether it speaks for it."""

    is_for: bool
    text: str


@dataclass(frozen=True)
class Explanation:
    """The answer, which is that of the real request, and why."""

    is_allowed: bool
    reasons: list[Reason]


def as_somebody(request: Request, permissions: Permissions, **state: Any) -> Request:
    """Return a request like this one by somebody who may do other things."""
    told = {**request.scope.get("state", {}), **state, "permissions": permissions}
    kept = {n: v for n, v in request.scope.items() if not n.startswith("admin_")}
    return Request({**kept, "state": told, "method": "GET"})


def askable(view: ModelAdmin) -> dict[str, str]:
    """Return the rights to ask about: those that an object of the view can be asked for."""
    offered = screen_of(view).offered
    plain = {name: label for name, label in offered.items() if name in CHECKS or name == REVEAL}
    runs = {f"{RUN}{slug}": str(item.label) for slug, item in view.find_actions().items()}
    return {**plain, **{name: label.removesuffix("…") for name, label in runs.items()}}


async def explain(
    view: ModelAdmin, request: Request, key: str, right: str, name: str
) -> Explanation:
    """Say why the operator called `name`, whose request this is, may do this to an object."""
    permissions: Permissions = request.state.permissions
    is_open = bool(view.is_accessible(request))
    work = partial(find, view, request, key, right)
    obj = await view.site.read(work) if is_open else None
    is_allowed = obj is not None and await allows(view, request, right, obj)
    reasons = list(reasons_of(view, permissions, right, name))
    if not is_open:
        reasons.append(Reason(False, gettext("The screen is not open to %(name)s.", name=name)))
    elif obj is None and all(reason.is_for for reason in reasons):
        reasons.append(Reason(False, out_of_rows(view, permissions, right, name)))
    if all(reason.is_for for reason in reasons) and not is_allowed:
        rule = CHECKS.get(right, "is_allowed")  # type: ignore[call-overload]
        sentence = gettext(
            "The screen's own rule for this object refuses it (%(rule)s).", rule=rule
        )
        reasons.append(Reason(False, sentence))
    return Explanation(is_allowed, reasons)


def find(view: ModelAdmin, request: Request, key: str, right: str, session: Session) -> Any:
    """Return the object if it is among the rows for which all that is needed is allowed."""
    try:
        found = [
            session.scalar(view.object_query(request, key, some)) for some in needed(view, right)
        ]
    except HTTPException:
        return None
    return found[0] if all(obj is not None for obj in found) else None


async def allows(view: ModelAdmin, request: Request, right: str, obj: Any) -> bool:
    """Ask what the page asks."""
    if right in CHECKS:
        check = getattr(view, CHECKS[right])  # type: ignore[index]
        return bool(await (check(request) if right in OF_SCREENS else check(request, obj)))
    if right == REVEAL:
        return may_reveal(view, request, view.details_names)
    action = view.find_actions().get(right.removeprefix(RUN))
    if action is None or not action.is_allowed(view, request):
        return False
    return not isinstance(action, SetValues) or await view.check_can_edit(request, obj)


def needed(view: ModelAdmin, right: str) -> list[list[str]]:
    """Return what has to be allowed: of each of these lists, one."""
    action = view.find_actions().get(right.removeprefix(RUN)) if right not in CHECKS else None
    if action is None:
        return [[str(right)]]
    also = [[str(Action.EDIT)]] if isinstance(action, SetValues) else []
    return [*also, [*map(str, action.permissions)] or [str(right)]]


def reasons_of(
    view: ModelAdmin, permissions: Permissions, right: str, name: str
) -> Iterator[Reason]:
    """Yield what roles and the view's flags say."""
    if permissions.is_superuser:
        yield Reason(True, gettext("%(name)s is a superuser, who may do everything.", name=name))
    elif not permissions.roles:
        yield Reason(False, gettext("%(name)s has no role.", name=name))
    else:
        for some in needed(view, right):
            yield from reasons_of_roles(view, permissions, some)
    for some in needed(view, right):
        flag = FLAGS.get(some[0])  # type: ignore[call-overload]
        if flag and not getattr(view, flag):
            yield Reason(False, gettext("The screen lets nobody do this (%(flag)s).", flag=flag))
    hidden = permissions.hidden(view.identity)
    if hidden:
        columns = join_words(map(view.label, sorted(hidden)))
        yield Reason(
            True, gettext("Hidden from %(name)s: %(columns)s.", name=name, columns=columns)
        )
    fixed = permissions.readonly(view.identity)
    if fixed and right == Action.EDIT:
        columns = join_words(map(view.label, sorted(fixed)))
        yield Reason(True, gettext("Only to read: %(columns)s.", columns=columns))


def reasons_of_roles(
    view: ModelAdmin, permissions: Permissions, some: list[str]
) -> Iterator[Reason]:
    """Yield which roles allow one of these rights, else which ones do not."""
    label = screen_of(view).offered.get(some[0]) or name_right(some[0])
    found = [
        (role.name, identity, role.rights[identity])
        for role in permissions.roles
        for identity in (view.identity, WILDCARD)
        if identity in role.rights and any(map(role.rights[identity].allows, some))
    ]
    for role_name, identity, given in found:
        sentence = gettext(
            "The role “%(role)s” allows “%(right)s” on “%(screen)s” for %(rows)s.",
            role=role_name,
            right=label,
            screen=name_screen(identity, {view.identity: str(view.name_plural)}),
            rows=rows_of(view, given),
        )
        yield Reason(True, sentence)
    for role in permissions.roles if not found else ():
        sentence = gettext(
            "The role “%(role)s” does not allow “%(right)s” on “%(screen)s”.",
            role=role.name,
            right=label,
            screen=view.name_plural,
        )
        yield Reason(False, sentence)


def rows_of(view: ModelAdmin, given: Right) -> str:
    if not given.scope:
        return gettext("all rows")
    known = screen_of(view).scopes.get(given.scope, given.scope)
    return gettext("these rows: %(rows)s", rows=known)


def out_of_rows(view: ModelAdmin, permissions: Permissions, right: str, name: str) -> str:
    """Say which rows they are among which the object is not."""
    scopes = permissions.scopes(view.identity, right)
    if not scopes:
        return gettext("The screen does not show this object to %(name)s.", name=name)
    known = screen_of(view).scopes
    rows = join_words(known.get(scope, scope) for scope in sorted(scopes))
    return gettext("It is not among these rows: %(rows)s.", rows=rows)
