"""How many rows each view of a list has, and how many came since its operator looked: bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqlalchemy import literal, select
from starlette.exceptions import HTTPException

from admin.kit.formats import write_capped
from admin.kit.languages import ngettext
from admin.kit.lists.counting import bounded_query
from admin.kit.lists.news import NEW, only_new
from admin.kit.lists.query import VIEW, results
from admin.kit.lists.views import COUNTS, parse, unknown, with_query
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.lists.query import Query
    from admin.kit.lists.views import Listing, Tab

MOST = 1000  # rows that are counted; of more the page says "1,000+"
MOST_TABS = 30  # views that are counted
# So many new keys may wait until a look at a view is remembered, though none is in the view.
PATIENCE = 1000


@dataclass(frozen=True)
class Tally:
    """The numbers of one view; `is_behind` if this look at it is worth remembering."""

    id: str
    count: str
    new: str = ""
    new_url: str = ""
    is_behind: bool = False

    def as_json(self) -> dict[str, Any]:
        return vars(self)


def count_tabs(listing: Listing, session: Session) -> list[Tally]:
    """Count the views in one statement; what can't be shown isn't counted."""
    counted, columns = [], []
    for tab in listing.tabs[:MOST_TABS]:
        rows = rows_of(listing, tab)
        if rows is not None:
            counted.append(tab)
            columns += [bounded_query(rows, MOST), new_rows(listing, tab, rows)]
    numbers = list(session.execute(select(*columns)).one()) if columns else []
    return [
        tally(listing, tab, *numbers[2 * place : 2 * place + 2])
        for place, tab in enumerate(counted)
    ]


def rows_of(listing: Listing, tab: Tab) -> Query | None:
    """Return the rows of a view, as if its address had been opened."""
    pairs = parse(tab.query)
    if unknown(listing.view, pairs):
        return None
    try:
        return results(listing.view, with_query(listing.request, pairs))
    except HTTPException:
        return None


def new_rows(listing: Listing, tab: Tab, rows: Query) -> Any:
    """Return what counts the rows that came since the operator looked at the view."""
    mark = listing.kept.seen.get(tab.id)
    if mark is None or (listing.kept.newest or 0) <= mark:
        return literal(0)
    return bounded_query(rows.only(lambda stmt: only_new(listing.view, stmt, mark)), MOST)


def tally(listing: Listing, tab: Tab, count: int, new: int) -> Tally:
    mark, newest = listing.kept.seen.get(tab.id), listing.kept.newest or 0
    if mark is None:
        return Tally(tab.id, write_capped(count, MOST), is_behind=newest > 0)
    is_behind = new > 0 or newest - mark > PATIENCE
    return Tally(
        tab.id, write_capped(count, MOST), new_text(new), new_path(listing, tab, mark), is_behind
    )


def new_text(count: int) -> str:
    """Say how many are new, if any are."""
    if not count:
        return ""
    return ngettext("%(count)s new", "%(count)s new", count, count=write_capped(count, MOST))


def new_path(listing: Listing, tab: Tab, mark: int) -> str:
    """Return where a view shows just what is new."""
    path = path_for(listing.request, "list", identity=listing.view.identity)
    return f"{path}?{urlencode({VIEW: tab.id, NEW: mark})}"


def asked_tallies(listing: Listing, request: Request, session: Session) -> dict[str, Tally]:
    """Return the numbers by view, if the address asks for them, as a page without scripts does."""
    if not request.query_params.get(COUNTS):
        return {}
    return {tally.id: tally for tally in count_tabs(listing, session)}
