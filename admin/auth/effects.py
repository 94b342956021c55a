"""Whom a change of a role affects: who gains what, and who loses what."""

from __future__ import annotations

import copy
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from admin.auth.access import COLUMNS
from admin.kit.roles.changes import gains
from admin.kit.seen import digest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from admin.auth.access import Access
    from admin.kit.permissions import Permissions
    from admin.kit.roles import Screen

# What the operator has agreed to, for the guard to compare; None if nobody was asked.
agreed: ContextVar[str | None] = ContextVar("agreed", default=None)


@dataclass(frozen=True)
class Effect:
    """What one operator gains and loses, in words."""

    name: str
    is_active: bool
    gained: list[str]
    lost: list[str]


@dataclass(frozen=True)
class Effects:
    """Who is affected, how many have the role and are not, and a mark of it all."""

    affected: list[Effect]
    unaffected: int
    mark: str


def with_role(access: Access, key: int, data: dict[str, Any]) -> Access:
    """Return how things will be once a role holds these values."""
    changed = copy.deepcopy(access)
    known = {name: data[name] for name in COLUMNS["roles"] if name in data}
    changed.roles.get(key, {}).update(known)
    return changed


def without_roles(access: Access, keys: Collection[int]) -> Access:
    """Return how things will be once these roles are gone."""
    changed = copy.deepcopy(access)
    for key in keys:
        changed.roles.pop(key, None)
    changed.links = {link for link in changed.links if link[1] not in keys}
    return changed


def effects_of(before: Access, after: Access, screens: Sequence[Screen]) -> Effects:
    """Return whom a change of roles affects, over what their other roles allow."""
    changed = {key for key in before.roles if before.roles[key] != after.roles.get(key)}
    holders = sorted({operator for operator, role in before.links if role in changed})
    affected = []
    for key in holders:
        was, now = before.permissions(key), after.permissions(key)
        gained, lost = gains(was, now, screens), gains(now, was, screens)
        row = before.operators[key]
        if gained or lost:
            affected.append(Effect(row["username"], row["is_active"], gained, lost))
    affected.sort(key=lambda effect: effect.name)
    return Effects(affected, len(holders) - len(affected), mark_of(before, after))


def mark_of(before: Access, after: Access) -> str:
    """Tell who may do what before and after, of those for whom that differs."""
    keys = sorted(before.operators.keys() & after.operators.keys())
    told = [
        (key, told_of(before.permissions(key)), told_of(after.permissions(key))) for key in keys
    ]
    return digest(repr([entry for entry in told if entry[1] != entry[2]]))


def told_of(permissions: Permissions) -> Any:
    """Return what is allowed, whatever the roles are called."""
    rights = [
        (key, sorted(right.may), right.scope, sorted(right.hidden), sorted(right.readonly))
        for role in permissions.roles
        for key, right in role.rights.items()
    ]
    return permissions.is_superuser, sorted(rights)
