"""The filters as a list shows them: what they offer, what is on, and how to clear it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from admin.kit.filters import builder
from admin.kit.filters.asked import FACETS, WHERE, asked, clear_path, pairs, path_with
from admin.kit.filters.kinds import name_with
from admin.kit.filters.pickers import picker_path
from admin.kit.filters.wording import (
    names_of,
    names_of_choices,
    related_keys,
    said,
    said_together,
    value_label,
)
from admin.kit.languages import gettext
from admin.kit.lists.facets import Facets, are_asked, facets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.filters.asked import Asked, Term
    from admin.kit.filters.kinds import Choice, Filter
    from admin.kit.filters.wording import Names
    from admin.kit.model_admin import ModelAdmin

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Chip:
    """One thing that leaves rows out, in words, and the list without it."""

    label: str
    path: str


@dataclass(frozen=True)
class ShownFilter:
    """A filter with what it is set to; `bounds` are the texts of its inputs, by operator."""

    filter: Filter
    choices: Sequence[Choice]
    chosen: Sequence[str]
    bounds: dict[str, str]
    names: dict[str, str]
    picker: str

    @property
    def is_on(self) -> bool:
        return bool(self.chosen or any(self.bounds.values()))

    @property
    def picked(self) -> list[str]:
        """What is chosen beside the choices, such as related objects."""
        known = {choice.value for choice in self.choices}
        return [value for value in self.chosen if value not in known]


@dataclass(frozen=True)
class Panel:
    """`kept` are the parameters that the form of search and filters carries along."""

    filters: list[ShownFilter]
    chips: list[Chip]
    groups: list[Chip]
    facets: Facets
    facets_path: str
    has_facets: bool
    clear_path: str
    builder_path: str
    builder: builder.Builder | None
    kept: Pairs

    @property
    def on(self) -> int:
        """How many filters are set."""
        return sum(shown.is_on for shown in self.filters)

    @property
    def is_on(self) -> bool:
        return bool(self.chips or self.groups)


def load_panel(
    view: ModelAdmin, request: Request, session: Session, known: Iterable[Any] = ()
) -> Panel:
    """Return the panel; it takes a statement for names, if there are any, and one for counts.

    `known` are objects that the page has read, whose names take no statement.
    """
    found, opened = asked(view, request), builder.read(view, request)
    wanted = related_keys(found)
    for model, keys in (opened.related_keys() if opened else {}).items():
        wanted.setdefault(model, set()).update(keys)
    names = names_of(view, request, session, wanted, known)
    if found.terms or found.groups:
        names |= names_of_choices(view.filters, request)
    if opened is not None:
        opened.call_by_names(names)
    filters = [filter_ for filter_ in view.filters if filter_.is_shown(request)]
    return Panel(
        filters=[shown(view, request, found, filter_, names) for filter_ in filters],
        chips=[*search_chips(view, request), *term_chips(view, request, found, names)],
        groups=group_chips(view, request, found, names),
        facets=facets(view, request, session),
        facets_path=facets_path(view, request),
        has_facets=are_asked(view, request),
        clear_path=clear_path(view, request),
        builder_path=builder.open_path(view, request) if view.askable else "",
        builder=opened,
        kept=kept(request, filters),
    )


def shown(
    view: ModelAdmin, request: Request, found: Asked, filter_: Filter, names: Names
) -> ShownFilter:
    chosen = found.values(filter_)
    bounds = {name: next(iter(found.values(filter_, name)), "") for name in filter_.inputs}
    labels = {value: value_label(filter_, value, names) for value in chosen}
    choices, picker = filter_.offered(request), picker_path(view, request, filter_)
    return ShownFilter(filter_, choices, chosen, bounds, labels, picker)


def kept(request: Request, filters: Sequence[Filter]) -> Pairs:
    """Return what the form must send along: all but its own inputs, and the place in the list."""
    own = {"search", *builder.DRAFT}
    for filter_ in filters:
        own.update(name_with(filter_.parameter_name, name) for name in ("", *filter_.inputs))
    return [(name, value) for name, value in pairs(request) if name not in own and value]


def facets_path(view: ModelAdmin, request: Request) -> str:
    """Return this list with counts, or without them; "" where the view leaves no choice."""
    if view.show_facets != "allow" or not any(filter_.choices for filter_ in view.filters):
        return ""
    others = [pair for pair in pairs(request) if pair[0] != FACETS]
    on = [] if are_asked(view, request) else [(FACETS, "1")]
    return path_with(view, request, [*others, *on])


# Chips


def search_chips(view: ModelAdmin, request: Request) -> list[Chip]:
    term = request.query_params.get("search", "").strip()
    if not term or not view.search_names:
        return []
    others = [pair for pair in pairs(request) if pair[0] != "search"]
    label = gettext("Search: %(term)s", term=term)
    return [Chip(label, path_with(view, request, others))]


def term_chips(view: ModelAdmin, request: Request, found: Asked, names: Names) -> list[Chip]:
    """Return a chip for each value of each filter."""
    return [
        Chip(said(t.filter, t.operator, [value], names), path_without(view, request, t, value))
        for t in found.terms
        for value in t.values
    ]


def path_without(view: ModelAdmin, request: Request, term: Term, value: str) -> str:
    """Return the list without a value; a filter with a default has to be told so."""
    others = [pair for pair in pairs(request) if pair != (term.parameter, value)]
    is_last = not any(name == term.parameter for name, _ in others)
    if term.filter.default and is_last:
        others.append((term.parameter, ""))
    return path_with(view, request, others)


def group_chips(view: ModelAdmin, request: Request, found: Asked, names: Names) -> list[Chip]:
    """Return a chip for each group of conditions."""
    return [
        Chip(
            said_together(group, names),
            path_with(view, request, [p for p in pairs(request) if p != (WHERE, group.text)]),
        )
        for group in found.groups
    ]
