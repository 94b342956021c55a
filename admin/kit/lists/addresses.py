"""Links of a list: its address, with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from admin.kit.lists.query import PLACE, RESERVED

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from starlette.requests import Request

    from admin.kit.lists.columns import Column
    from admin.kit.lists.pages import Page

NEAR = 2  # pages on either side that have a number to click


@dataclass(frozen=True)
class Address:
    """What a list's address asks for, but for the place in it."""

    path: str
    items: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, request: Request) -> Address:
        asked = request.query_params.multi_items()
        kept = [(name, value) for name, value in asked if name not in PLACE]
        return cls(request.url.path, [pair for pair in kept if says_something(*pair)])

    def without(self, names: Collection[str]) -> list[tuple[str, str]]:
        """Return the parameters but these: what the hidden inputs of a form keep."""
        return [(name, value) for name, value in self.items if name not in names]

    def link(self, **values: object) -> str:
        """Return the address with these parameters set, each to one value, and no place but it."""
        kept = self.without(values.keys())
        return self.to([*kept, *((name, str(value)) for name, value in values.items() if value)])

    def sorted(self, order: Sequence[tuple[str, str]]) -> str:
        """Return the address of the same rows in another order."""
        kept = self.without(("sortBy", "sort"))
        paths = [f"-{path}" if direction == "desc" else path for path, direction in order]
        return self.to([*kept, *(("sortBy", path) for path in paths)])

    def to(self, items: Sequence[tuple[str, str]]) -> str:
        """Return the list's address with these parameters."""
        return f"{self.path}?{urlencode(items)}" if items else self.path


def says_something(name: str, value: str) -> bool:
    """Say whether a parameter matters; an empty one of a filter takes its default away."""
    return bool(value) or not (name in RESERVED or name.startswith("_"))


@dataclass(frozen=True)
class Heading:
    """What the head of a column says and does; `priority` counts the sorted columns from one."""

    label: str
    css_class: str
    direction: str = ""
    priority: int = 0
    sort_link: str = ""
    remove_link: str = ""


def heading(column: Column, page: Page, address: Address) -> Heading:
    """Return the head of a column: a click makes it the first of what the list is sorted by.

    A click on what already comes first turns its direction.
    """
    path = column.sort_name
    if not path:
        return Heading(column.label, column.css_class)
    direction = page.sorted.get(path, "")
    priority = list(page.sorted).index(path) + 1 if direction else 0
    if not direction:
        clicked = "desc" if column.descends_first else "asc"
    elif priority == 1:
        clicked = "asc" if direction == "desc" else "desc"
    else:
        clicked = direction
    others = [item for item in page.sorted.items() if item[0] != path] if page.is_sorted else []
    remove_link = address.sorted(others) if direction and page.is_sorted else ""
    sort_link = address.sorted([(path, clicked), *others])
    return Heading(column.label, column.css_class, direction, priority, sort_link, remove_link)


def numbers(page: Page, address: Address) -> list[tuple[int, str]]:
    """Return the pages near by, which are known to be there, with their links; "" for this one."""
    if page.number is None:
        return []
    last = page.pages or page.number + page.has_next
    near = range(max(1, page.number - NEAR), min(last, page.number + NEAR) + 1)
    return [(number, number_link(number, page, address)) for number in near]


def number_link(number: int, page: Page, address: Address) -> str:
    """Return where a page near by is, which begins so many rows from this one."""
    assert page.number is not None  # noqa: S101 - asked for pages beside a numbered one
    if number == page.number:
        return ""
    if number == 1:
        return address.link()
    if number > page.number:
        return address.link(page=number, after=page.end, skip=number - page.number - 1)
    return address.link(page=number, before=page.start, skip=page.number - number - 1)
