"""Three versions of a row made one: as it was opened, as others left it, and as it was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Merged:
    """`mine` is what to store over the others' version, `theirs` names what only others changed.

    `collisions` names what both changed, to different values; that is for people to decide.
    """

    mine: dict[str, Any] = field(default_factory=dict)
    theirs: list[str] = field(default_factory=list)
    collisions: list[str] = field(default_factory=list)


def merge(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> Merged:
    """Merge what was sent for a row that others have changed since it was opened.

    Every value that differs from `base` is kept: it is stored already, or is among what is to be
    stored, or collides.
    """
    merged = Merged()
    for name, value in mine.items():
        is_theirs = not same(theirs[name], base[name])
        if same(value, theirs[name]):
            continue
        if same(value, base[name]):
            merged.theirs.append(name)
        elif is_theirs:
            merged.collisions.append(name)
        else:
            merged.mine[name] = value
    return merged


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same; other than in Python, 1 is not true and NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict | list | float):
        return repr(one) == repr(other)
    return bool(one == other)
