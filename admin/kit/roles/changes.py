"""What somebody gains and loses between what they might do and what they may do then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqladmin.authorization import WILDCARD, Action

from admin.kit.formats import join_words
from admin.kit.languages import gettext
from admin.kit.roles.naming import name_right, name_screen
from admin.kit.roles.screens import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from admin.kit.permissions import Permissions


@dataclass(frozen=True)
class Gain:
    """Something that one may do and the other may not, on a screen."""

    screen: Screen
    action: str
    said: str


def gains(before: Permissions, after: Permissions, screens: Sequence[Screen]) -> list[str]:
    """Return in words, screen by screen, what is allowed after and was not before.

    What is lost is what is gained the other way round.
    """
    found = [
        gain for screen in all_screens(before, after, screens) for gain in on(screen, before, after)
    ]
    everywhere = {gain.action for gain in found if gain.screen.identity == WILDCARD}
    said: dict[str, list[str]] = {}
    for gain in found:
        above = everywhere if gain.screen.identity != WILDCARD else everywhere - {gain.action}
        if gain.action not in above and WILDCARD not in above:
            said.setdefault(gain.screen.label, []).append(gain.said)
    return [
        gettext("%(screen)s: %(rights)s", screen=screen, rights=join_words(some))
        for screen, some in said.items()
    ]


def all_screens(before: Permissions, after: Permissions, screens: Sequence[Screen]) -> list[Screen]:
    """Return the screens, and those that rights name though they are not there."""
    known = {screen.identity for screen in screens}
    named = [key for p in (before, after) for role in p.roles for key in role.rights]
    gone = [key for key in dict.fromkeys(named) if key not in known]
    return [*screens, *(Screen(key, name_screen(key), {}, is_mounted=False) for key in gone)]


def on(screen: Screen, before: Permissions, after: Permissions) -> Iterator[Gain]:
    """Yield what is gained on a screen: actions, rows and columns."""
    identity = screen.identity
    named = [name for role in after.roles for right in role.on(identity) for name in right.may]
    for action in dict.fromkeys([*screen.offered, *sorted(named)]):
        had, has = before.scopes(identity, action), after.scopes(identity, action)
        if not after.allows(identity, action) or had is None:
            continue
        label = screen.offered.get(action) or name_right(action)
        if has is None:
            rows = "" if not had else gettext("all rows")
            yield Gain(screen, action, with_rows(label, rows))
        elif has - had:
            rows = join_words(screen.scopes.get(name, name) for name in sorted(has - had))
            yield Gain(screen, action, with_rows(label, rows))
    yield from columns_on(screen, before, after)


def with_rows(label: str, rows: str) -> str:
    return gettext("%(said)s (rows: %(rows)s)", said=label, rows=rows) if rows else label


def columns_on(screen: Screen, before: Permissions, after: Permissions) -> Iterator[Gain]:
    identity, both = screen.identity, (before, after)
    for name in sorted(before.hidden(identity) - after.hidden(identity)):
        if all(permissions.allows(identity, Action.LIST) for permissions in both):
            label = screen.columns.get(name, name)
            yield Gain(screen, f"see {name}", gettext("see “%(column)s”", column=label))
    for name in sorted(before.readonly(identity) - after.readonly(identity)):
        if all(permissions.allows(identity, Action.EDIT) for permissions in both):
            label = screen.columns.get(name, name)
            yield Gain(screen, f"set {name}", gettext("set “%(column)s”", column=label))


def said_of(permissions: Permissions, screens: Sequence[Screen]) -> list[str]:
    """Return in words all that is allowed."""
    return gains(type(permissions)(), permissions, screens)
