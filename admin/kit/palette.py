"""One search over every list the operator may open: the search page, and the command palette."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqladmin.authorization import Action
from sqlalchemy import Select, select
from starlette.responses import JSONResponse, Response

from admin.kit.keys import BadKeyError, key_columns, key_of, matches_keys
from admin.kit.languages import gettext
from admin.kit.lists.pages import ROW_ACTIONS
from admin.kit.lists.query import with_relations
from admin.kit.scopes import Reach
from admin.kit.search import EVERY_ROW, Alternative, any_of, first_keys, words
from admin.kit.templating import key_path, path_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

MOST_HITS = 5  # of each model
MOST_SECONDS = 1.0  # after these no further model is asked
SHORTEST_WORD = 2  # a single character would find nearly everything; it may be a key, though


@dataclass
class Hit:
    """A row that was found; `url` is where the operator may open it, or ""."""

    obj: Any
    label: str
    detail: str
    url: str = ""
    denied: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, str]:
        return {"label": self.label, "detail": self.detail, "url": self.url}


@dataclass(frozen=True)
class Group:
    """The first hits of one model; `url` is the list of all of them."""

    view: ModelAdmin
    label: str
    url: str
    hits: Sequence[Hit]
    has_more: bool

    def as_json(self) -> dict[str, Any]:
        hits = [hit.as_json() for hit in self.hits]
        return {"label": str(self.label), "url": self.url, "hits": hits, "has_more": self.has_more}


@dataclass(frozen=True)
class Results:
    """What was found, in menu order; not complete if time ran out before every model was asked."""

    groups: Sequence[Group] = ()
    is_complete: bool = True

    def as_json(self) -> dict[str, Any]:
        groups = [group.as_json() for group in self.groups]
        return {"groups": groups, "is_complete": self.is_complete}


async def answer(site: AdminSite, request: Request) -> Response:
    """Answer a search with a page, or with JSON for the palette."""
    term = request.query_params.get("q", "").strip()
    results = await find(site, request, term)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(results.as_json())
    return await site.page(
        request, "sqladmin/search.html", title=gettext("Search"), term=term, results=results
    )


async def find(site: AdminSite, request: Request, term: str) -> Results:
    """Search each permitted model in one thread; raise a 400 for a term that can't be searched."""
    if not words(term):
        return Results()
    views = await searched_views(site, request)
    async with site.search_limiter:
        # Whoever typed on while this search waited for its turn asks for something else by now.
        if await request.is_disconnected():
            return Results(is_complete=False)
        results = await site.read(partial(ask, views, request, term))
    for group in results.groups:
        for hit in group.hits:
            hit.url = await path_to(group.view, request, hit)
    return results


async def searched_views(site: AdminSite, request: Request) -> list[ModelAdmin]:
    """Return the views whose lists this operator may search, in menu order."""
    views = [view for view in site.model_views(request) if view.search_names]
    categories = list(dict.fromkeys(view.category for view in views))
    views.sort(key=lambda view: categories.index(view.category))
    return [v for v in views if v.is_accessible(request) and await v.check_can_list(request)]


def ask(views: Sequence[ModelAdmin], request: Request, term: str, session: Session) -> Results:
    """Ask model after model until the time is up."""
    deadline = time.monotonic() + MOST_SECONDS
    groups: list[Group] = []
    for view in views:
        if time.monotonic() > deadline:
            return Results(groups, is_complete=False)
        group = hits_of(view, request, term, session)
        if group.hits:
            groups.append(group)
    return Results(groups)


def hits_of(view: ModelAdmin, request: Request, term: str, session: Session) -> Group:
    """Return the first hits of one model, in one statement; the row with this key comes first."""
    stmt, rows = statement(view, request, term), []
    reach = Reach.of(view, request, Action.LIST, dict(zip(ROW_ACTIONS, ROW_ACTIONS, strict=True)))
    if stmt is not None:
        stmt = with_relations(view, stmt, view.summary_names).add_columns(*reach.columns.values())
        rows = sorted(session.execute(stmt), key=lambda row: key_of(row[0]) != term)
    hits = [
        Hit(row[0], *view.summary(row[0], request), denied=reach.denied(row[1:]))
        for row in rows[:MOST_HITS]
    ]
    path = path_for(request, "list", identity=view.identity)
    url = f"{path}?{urlencode({'search': term})}"
    return Group(view, view.name_plural, url, hits, len(rows) > MOST_HITS)


def statement(view: ModelAdmin, request: Request, term: str) -> Select[Any] | None:
    """Return the rows whose columns or whose key match, newest key first, or None for none.

    Several selects of keys rather than one condition with OR, so that each may use its own index.
    """
    model, rows = view.model, view.list_query(request)
    newest_first = [column.desc() for column in key_columns(model)]
    found = []
    if max(map(len, words(term))) >= SHORTEST_WORD:
        ways = view.search_alternatives(term)
        matching = rows if ways else view.search_query(rows, term)
        found += first_keys(matching, ways or [EVERY_ROW], newest_first, MOST_HITS + 1)
    with suppress(BadKeyError):
        found += first_keys(rows, [Alternative(matches_keys(model, [term]))], newest_first, 1)
    return any_of(select(model), found).order_by(*newest_first) if found else None


async def path_to(view: ModelAdmin, request: Request, hit: Hit) -> str:
    """Return where an object is opened: its form, else its details, else nowhere."""
    pages = {"edit": view.check_can_edit, "details": view.check_can_view_details}
    for page, check in pages.items():
        if page not in hit.denied and await check(request, hit.obj):
            return key_path(request, page, view.identity, key_of(hit.obj))
    return ""
