"""What an operator may do: the union of what their roles allow, screen by screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import WILDCARD, Action, AuthorizationBackend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.requests import Request

LOOK = frozenset({Action.LIST, Action.DETAILS})
# Who may do this sees what they do it to.
IMPLIED: Mapping[str, frozenset[str]] = {
    Action.DETAILS: frozenset({Action.LIST}),
    Action.EDIT: LOOK,
    Action.DELETE: LOOK,
    Action.EXPORT: frozenset({Action.LIST}),
    "reveal": LOOK,
}
RUN = "action:"
MANAGE_VIEWS = "manage views"


@dataclass(frozen=True)
class Right:
    """What a role allows on a screen.

    `may` holds SQLAdmin's actions, `action:<name>` and names of the kit's own; with `scope` they
    hold for the rows of that `RowScope` alone. `hidden` columns are on no page, `readonly` ones in
    no form.
    """

    may: frozenset[str]
    scope: str = ""
    hidden: frozenset[str] = frozenset()
    readonly: frozenset[str] = frozenset()

    def allows(self, action: str) -> bool:
        return action in self.may or WILDCARD in self.may


NOTHING = Right(frozenset())


@dataclass(frozen=True)
class Lack:
    """What somebody may not do that a right allows: at all, on these rows, or with this column."""

    identity: str
    action: str
    scope: str | None = None
    column: str = ""


@dataclass(frozen=True)
class RoleRights:
    """A role's rights by the identity of the screen, or `*` for all screens."""

    name: str
    rights: Mapping[str, Right]

    def on(self, identity: str) -> Iterator[Right]:
        """Yield the rights that hold on a screen."""
        yield from (self.rights[key] for key in (identity, WILDCARD) if key in self.rights)


@dataclass(frozen=True)
class Permissions:
    """All that someone may do; a superuser may do everything, whatever their roles."""

    roles: Sequence[RoleRights] = ()
    is_superuser: bool = False
    _granting: dict[tuple[str, str], list[Right]] = field(default_factory=dict, repr=False)

    def allows(self, identity: str, action: str) -> bool:
        return self.is_superuser or bool(self.granting(identity, action))

    def granting(self, identity: str, action: str) -> list[Right]:
        """Return the rights, of all roles, that allow this; looked up once a request."""
        key = (identity, action)
        if key not in self._granting:
            found = [right for role in self.roles for right in role.on(identity)]
            self._granting[key] = [right for right in found if right.allows(action)]
        return self._granting[key]

    def scopes(self, identity: str, action: str) -> frozenset[str] | None:
        """Return the scopes of the rows this is allowed for, any of them; None for all rows."""
        scopes = frozenset(right.scope for right in self.granting(identity, action))
        return None if self.is_superuser or "" in scopes else scopes

    def hidden(self, identity: str, scope: str | None = None) -> frozenset[str]:
        """Return the columns that all roles hide that show a row: this holds for some row at least.

        Pages have the same columns for all rows. So what a role shows of a few rows, it doesn't
        show of those that another role shows without it. With a scope, only its rows are asked for.
        """
        rights = self.granting(identity, Action.LIST)
        return self._withheld([(right.scope, right.hidden) for right in rights], scope)

    def readonly(
        self, identity: str, action: str = Action.EDIT, scope: str | None = None
    ) -> frozenset[str]:
        """Return the columns that of some row no role lets one set."""
        rights = self.granting(identity, action)
        return self._withheld([(right.scope, right.readonly) for right in rights], scope)

    @property
    def is_owner(self) -> bool:
        """Whether this is all there is to be had: every action on every row of every screen."""
        is_all = self.scopes(WILDCARD, WILDCARD) is None
        withheld = [self.readonly(WILDCARD, action) for action in (Action.CREATE, Action.EDIT)]
        return is_all and not any([self.hidden(WILDCARD), *withheld])

    def lacks(self, other: Permissions) -> list[Lack]:
        """Return what the other may do beyond this; none if they may do no more."""
        if self.is_superuser:
            return []
        # An owner may do as much on every screen, but not say who is a superuser.
        if other.is_superuser:
            return [Lack(WILDCARD, WILDCARD)]
        found = [
            lack
            for role in other.roles
            for identity, right in role.rights.items()
            for hidden in [Permissions([role]).hidden(identity, right.scope)]
            for lack in self._lacks_right(identity, right, hidden)
        ]
        return list(dict.fromkeys(found))

    def _lacks_right(self, identity: str, right: Right, hidden: frozenset[str]) -> Iterator[Lack]:
        """Yield what a right allows beyond this; its whole role hides these columns in its rows."""
        for action in sorted(right.may):
            scopes = self.scopes(identity, action)
            if not self.allows(identity, action):
                yield Lack(identity, action)
            elif scopes is not None and right.scope not in scopes:
                yield Lack(identity, action, scope=right.scope)
        if right.may:
            for column in sorted(self.hidden(identity, right.scope) - hidden):
                yield Lack(identity, str(Action.LIST), column=column)
        for action in (Action.CREATE, Action.EDIT):
            if right.allows(action):
                mine = self.readonly(identity, action, right.scope)
                for column in sorted(mine - right.readonly):
                    yield Lack(identity, str(action), column=column)

    def _withheld(
        self, rights: Sequence[tuple[str, frozenset[str]]], scope: str | None
    ) -> frozenset[str]:
        """Return what is withheld: from rows of a scope, by all rights to these."""
        if self.is_superuser or not rights:
            return frozenset()
        scopes = {known for known, _ in rights} if scope is None else {scope}
        # In the rows that are in no scope, rights to all rows are alone.
        asked = {""} if "" in scopes else scopes
        by_rows = [[c for s, c in rights if s in ("", rows)] for rows in asked]
        return frozenset().union(*(frozenset.intersection(*some) for some in by_rows if some))


def read_rights(document: Any) -> dict[str, Right]:
    """Read `{"user": {"may": ["edit"], "scope": "active", "hidden": [...], "readonly": [...]}}`.

    What is allowed allows what it implies: who may edit may look. What can't be read allows
    nothing.
    """
    said = document if isinstance(document, dict) else {}
    return {str(identity): read_right(right) for identity, right in said.items()}


def read_right(said: Any) -> Right:
    """Return what a document says of one screen; what can't be read allows nothing."""
    if not isinstance(said, dict) or not isinstance(said.get("scope", ""), str):
        return NOTHING
    lists = [said.get(name, ()) for name in ("may", "hidden", "readonly")]
    if not all(map(is_names, lists)):
        return NOTHING
    may, hidden, readonly = lists
    return Right(with_implied(may), said.get("scope", ""), frozenset(hidden), frozenset(readonly))


def is_names(said: Any) -> bool:
    return isinstance(said, list | tuple) and all(isinstance(name, str) for name in said)


def with_implied(actions: Sequence[str]) -> frozenset[str]:
    """Return the actions and all that they imply."""
    implied = [IMPLIED.get(action, ()) for action in actions]
    run = {Action.LIST} if any(action.startswith(RUN) for action in actions) else set()
    return frozenset(map(str, {*actions, *run, *(name for names in implied for name in names)}))


class RoleAuthorization(AuthorizationBackend):
    """Decides by the `Permissions` that authentication left on `request.state.permissions`."""

    # Rows are a matter of scopes, so an action on many rows need not load them to ask.
    looks_at_objects = False

    def has_permission(
        self, request: Request, identity: str, action: str, obj: object | None = None
    ) -> bool:
        permissions: Permissions = request.state.permissions
        return permissions.allows(identity, action)
