"""Which rows a request may reach: those of the scopes that its operator's roles name, by action."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, false, or_
from starlette.exceptions import HTTPException

from admin.kit.errors import Refused
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.orm import QueryableAttribute, Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.permissions import Permissions

    Condition = ColumnElement[bool] | QueryableAttribute[bool]
    # What is asked for: an action, or several of which one is enough.
    Asked = str | Sequence[str]


@dataclass(frozen=True)
class RowScope:
    """Some rows of a view, for roles to name: `RowScope(_("Active users"), User.is_active)`.

    The condition is an expression about the view's model, or a function of the request that
    returns one. What it asks of other tables, it asks by `has()` and `any()`.
    """

    label: Any
    condition: Condition | Callable[[Request], Condition]

    def holds(self, request: Request) -> ColumnElement[bool]:
        """Return the condition for this request."""
        condition: Any = self.condition
        found: ColumnElement[bool] = condition(request) if callable(condition) else condition
        return found


def permissions_of(request: Request) -> Permissions | None:
    """Return what the roles allow who asks, or None where a site has no roles: all of it."""
    return getattr(request.state, "permissions", None)


def scope_names(view: ModelAdmin, request: Request, action: Asked) -> frozenset[str] | None:
    """Return the scopes for whose rows one of these actions is allowed; None for all rows."""
    permissions = permissions_of(request)
    if permissions is None or permissions.is_superuser:
        return None
    actions = [action] if isinstance(action, str) else action
    each = [permissions.scopes(view.identity, one) for one in actions]
    return None if None in each else frozenset(name for some in each for name in some or ())


def condition_of(view: ModelAdmin, request: Request, action: Asked) -> ColumnElement[bool] | None:
    """Return what holds for the rows an action is allowed for, or None where it is for all.

    A scope that the view doesn't declare, or doesn't any more, has no rows.
    """
    names = scope_names(view, request, action)
    if names is None:
        return None
    known = [view.row_scopes[name] for name in sorted(names) if name in view.row_scopes]
    return or_(false(), *(scope.holds(request) for scope in known))


def opens_all_listed(view: ModelAdmin, request: Request) -> bool:
    """Say whether each row that may be listed may be opened: else it would have to be asked."""
    opened = scope_names(view, request, "details")
    return opened is None or opened == scope_names(view, request, "list")


def scope_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the scopes that a view declares."""
    for name, scope in view.row_scopes.items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,49}", name):
            yield "row_scopes", f"{name!r} must be a word of a-z, 0-9 and hyphens."
        elif not isinstance(scope, RowScope):
            yield "row_scopes", f"{name!r} is no RowScope."


# Rows that one may do some of it to


@dataclass(frozen=True)
class Reach:
    """What isn't allowed for every row of a select: a column of it says so for each action.

    So a page knows of each row what may be done to it, without a statement of its own.
    """

    columns: dict[str, ColumnElement[bool]]

    @classmethod
    def of(
        cls, view: ModelAdmin, request: Request, within: str, actions: dict[str, Asked]
    ) -> Reach:
        """Return it for rows selected for the action `within`."""
        given = scope_names(view, request, within)
        found: dict[str, ColumnElement[bool]] = {}
        for name, action in actions.items():
            names = scope_names(view, request, action)
            condition = condition_of(view, request, action)
            if condition is not None and (given is None or names is None or not given <= names):
                found[name] = condition.label(f"may_{len(found)}")
        return cls(found)

    def denied(self, answers: Sequence[Any]) -> frozenset[str]:
        """Return which of the actions are not allowed for a row with these columns."""
        return frozenset(n for n, may in zip(self.columns, answers, strict=True) if not may)


def raise_missing(view: ModelAdmin, request: Request, session: Session, key: str) -> None:
    """Raise a 403 for a row that one may see, but not do this to; a 404 for any other."""
    for action in ("list", "details"):
        names = scope_names(view, request, action)
        if names is None or names:
            stmt = view.object_query(request, key, action)
            if session.scalar(stmt.with_only_columns(*view.pk_columns)) is not None:
                raise HTTPException(403)
    raise HTTPException(404)


def require_mine(
    view: ModelAdmin, request: Request, session: Session, keys: Sequence[str], action: Asked
) -> None:
    """Refuse to do this to rows of which it isn't allowed for every one."""
    if scope_names(view, request, action) is not None and not are_within(
        view, request, session, keys, action
    ):
        raise HTTPException(403)


def are_within(
    view: ModelAdmin, request: Request, session: Session, keys: Sequence[str], action: Asked
) -> bool:
    """Say whether this may be done to all rows with these keys."""
    stmt = view.objects_query(request, keys, action).with_only_columns(*view.pk_columns)
    return len(set(map(tuple, session.execute(stmt)))) == len(set(keys))


def require_within(
    view: ModelAdmin, request: Request, session: Session, keys: Sequence[str], *actions: Asked
) -> None:
    """Refuse a change after which rows are not among those one's roles allow to see and do this to.

    Nobody stores what they can't see then, nor moves a row out of their own sight. The scope of a
    view itself is another matter: there, a row that is done with may go.
    """
    for action in dict.fromkeys((*actions, "list")):
        if not keys or scope_names(view, request, action) is None:
            continue
        if not are_within(view, request, session, keys, action):
            raise Refused(
                gettext("After this, it would be outside of what you may see and change."),
                status=403,
            )
