"""The cells of a column, drawn at once: a page has hundreds, and each call counts.

They are what `show` makes of the values one by one.
"""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import TYPE_CHECKING, Any

from admin.kit.display import (
    LONGEST_CELL,
    display_boolean,
    display_instants,
    display_object,
    display_short,
    escaped_all,
    html,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    Show = Callable[[Any], Markup]
    Draw = Callable[[Sequence[Any]], "list[Markup] | None"]


def is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def draw_around(
    values: Sequence[Any], nothing: Markup, draw: Callable[[Sequence[Any]], list[Markup]]
) -> list[Markup]:
    """Return the cells of values, of which those that say something are drawn."""
    if are_there(values):
        return draw(values)
    drawn = iter(draw([value for value in values if not is_nothing(value)]))
    return [nothing if is_nothing(value) else next(drawn) for value in values]


def are_there(values: Sequence[Any]) -> bool:
    """Say whether each of the values says something."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return all(map(str.strip, values))
    return not any(issubclass(kind, str | NoneType) for kind in kinds) or not any(
        map(is_nothing, values)
    )


def draw(show: Show, values: Sequence[Any]) -> list[Markup]:
    """Return the cells of values that say something."""
    kinds = set(map(type, values))
    at_once = AT_ONCE.get((show, *kinds)) if show is not display_object else objects
    drawn = at_once(values) if at_once and values else None
    return [show(value) for value in values] if drawn is None else drawn


def texts(values: Sequence[str]) -> list[Markup]:
    if max(map(len, values)) > LONGEST_CELL:
        values = [v if len(v) <= LONGEST_CELL else f"{v[:LONGEST_CELL]}…" for v in values]
    return list(map(html, escaped_all(values)))


def objects(values: Sequence[Any]) -> list[Markup] | None:
    """Return what objects call themselves, unless one of them says so in HTML."""
    names = list(map(str, values))
    return texts(names) if set(map(type, names)) == {str} else None


def booleans(values: Sequence[bool]) -> list[Markup]:
    shown = {value: display_boolean(value) for value in set(values)}
    return [shown[value] for value in values]


# By what shows them one by one, and the only type they have.
AT_ONCE: dict[tuple[Any, ...], Draw] = {
    (display_short, str): texts,
    (display_short, datetime): display_instants,
    (display_boolean, bool): booleans,
}
