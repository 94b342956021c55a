"""How many rows each choice of the filters would leave, with the other filters as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from admin.kit.filters.asked import FACETS
from admin.kit.filters.kinds import MOST_CHOICES
from admin.kit.formats import write_capped
from admin.kit.lists.counting import bounded_query
from admin.kit.lists.query import results

if TYPE_CHECKING:
    from sqlalchemy import ScalarSelect
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.filters.kinds import Filter
    from admin.kit.model_admin import ModelAdmin

# No choice is counted further, so that a page costs the same whatever the size of the table.
MOST_COUNTED = 1000

# By parameter and value, as the page prints it.
Facets = dict[tuple[str, str], str]


def are_asked(view: ModelAdmin, request: Request) -> bool:
    if view.show_facets == "allow":
        return bool(request.query_params.get(FACETS))
    return view.show_facets == "always"


def facets(view: ModelAdmin, request: Request, session: Session) -> Facets:
    """Return the count of each choice, all in one statement, and nothing unless it is asked for."""
    if not are_asked(view, request):
        return {}
    counts = {
        (filter_.parameter_name, choice.value): counted(view, request, filter_, choice.value)
        for filter_ in view.filters
        for choice in filter_.offered(request)
    }
    if not counts:
        return {}
    names = list(counts)[:MOST_CHOICES]
    found = session.execute(select(*(counts[name] for name in names))).one()
    return {
        name: write_capped(count, MOST_COUNTED) for name, count in zip(names, found, strict=True)
    }


def counted(view: ModelAdmin, request: Request, filter_: Filter, value: str) -> ScalarSelect[int]:
    """Count the rows with this choice in place of the filter's own."""
    condition = filter_.condition(value)
    query = results(view, request, without=filter_).only(lambda stmt: stmt.where(condition))
    return bounded_query(query, MOST_COUNTED)
