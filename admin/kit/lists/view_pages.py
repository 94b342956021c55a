"""Saving, changing and choosing views, and what else an operator chooses for a list.

Nothing here is a change of records, so the history keeps none of it. Every request may be sent
twice: the second one finds what the first one stored, and says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from admin.kit import messages
from admin.kit.errors import Refused, require
from admin.kit.forms import posted
from admin.kit.languages import gettext
from admin.kit.lists.chosen import COLUMNS, moved, permitted
from admin.kit.lists.counts import count_tabs
from admin.kit.lists.news import read_mark
from admin.kit.lists.query import PLACE, VIEW
from admin.kit.lists.views import (
    PLAIN,
    TAB,
    Listing,
    may_change,
    no_such_view,
    open_list,
    operator_of,
    parse,
    state_to_save,
    with_query,
)
from admin.kit.routing import route

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.routing import Route

    from admin.kit.lists.kept import Kept, ListStore, SavedView
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite


Result = TypeVar("Result")

LONGEST_NAME = 100
LONGEST_QUERY = 2000
MOST_VIEWS = 50  # of one operator, of one list


def routes(site: AdminSite) -> list[Route]:
    """Return the routes; what can be kept nowhere has none."""
    counts = [route("/{identity}/views/counts", site, show_counts, "view_counts")]
    if site.list_store is None:
        return counts
    return [
        *counts,
        route("/{identity}/views", site, save_view, "save_view", "POST"),
        route("/{identity}/views/{key}", site, change_view, "change_view", "POST"),
        route("/{identity}/choices", site, choose, "choices", "POST"),
    ]


async def show_counts(site: AdminSite, request: Request) -> Response:
    """Answer the script of a list with the numbers of its tabs."""
    view = site.view(request)
    require(await view.check_can_list(request))
    plain = with_query(request, [(VIEW, PLAIN)])

    def work(session: Session) -> list[Any]:
        return count_tabs(open_list(view, plain, session), session)

    # Slow counts leave threads to the pages.
    async with site.search_limiter:
        tallies = [] if await request.is_disconnected() else await site.read(work)
    return JSONResponse({"views": [tally.as_json() for tally in tallies]})


# Views


async def save_view(site: AdminSite, request: Request) -> Response:
    """Keep what the list shows under a name."""
    view, sent = site.view(request), await posted(request)
    name, is_shared = read_name(sent), bool(sent.get("shared"))

    def work(session: Session, listing: Listing, kept: Kept) -> str:
        query = query_to_save(view, listing)
        own = [saved for saved in kept.views if saved.is_own]
        same = next((saved for saved in own if saved.name == name), None)
        if same is None and len(own) >= MOST_VIEWS:
            raise Refused(
                gettext(
                    "You have %(count)s views of this list. Delete one first.", count=MOST_VIEWS
                )
            )
        if same and same.query != query:
            raise Refused(name_taken(name))
        values = {"name": name, "query": query, "is_shared": is_shared}
        key = str(same.id if same else add(store_of(site), session, request, view, values))
        if sent.get("default"):
            keep(site, request, session, view, default=key)
        return key

    key = await write(site, request, view, sent, work)
    messages.success(request, gettext("The view {} was saved."), label=name)
    return site.back_to_list(request, view, urlencode({VIEW: key}))


def add(
    store: ListStore, session: Session, request: Request, view: ModelAdmin, values: dict[str, Any]
) -> int:
    return store.add(session, request.state.operator_id, view.identity, **values)


async def change_view(site: AdminSite, request: Request) -> Response:
    """Rename a view, share it, let it keep what is shown now, or delete it."""
    view, sent = site.view(request), await posted(request)
    do, key = str(sent.get("do", "")), request.path_params["key"]
    if do not in CHANGES:
        raise HTTPException(400, gettext("There is nothing of this kind to do."))

    def work(session: Session, listing: Listing, kept: Kept) -> SavedView:
        saved = next((saved for saved in kept.views if str(saved.id) == key), None)
        if saved is None:
            raise no_such_view()
        require(may_change(view, request, saved))
        if not CHANGES[do](store_of(site), session, sent, listing, saved):
            raise HTTPException(404)
        return saved

    saved = await write(site, request, view, sent, work)
    is_gone = do == "delete"
    said = gettext("The view {} was deleted.") if is_gone else gettext("The view {} was saved.")
    name = read_name(sent) if do == "rename" else saved.name
    messages.success(request, said, label=name)
    return site.back_to_list(request, view, urlencode({VIEW: PLAIN if is_gone else key}))


def rename(
    store: ListStore, session: Session, sent: FormData, _listing: Listing, saved: SavedView
) -> bool:
    """Change the name; only the owner says who else sees the view."""
    values: dict[str, Any] = {"name": read_name(sent)}
    if saved.is_own:
        values["is_shared"] = bool(sent.get("shared"))
    return store.change(session, saved.id, **values)


def overwrite(
    store: ListStore, session: Session, _sent: FormData, listing: Listing, saved: SavedView
) -> bool:
    return store.change(session, saved.id, query=query_to_save(listing.view, listing))


def delete(
    store: ListStore, session: Session, _sent: FormData, _listing: Listing, saved: SavedView
) -> bool:
    return store.delete(session, saved.id)


CHANGES: dict[str, Callable[..., bool]] = {
    "rename": rename,
    "overwrite": overwrite,
    "delete": delete,
}


def query_to_save(view: ModelAdmin, listing: Listing) -> str:
    """Return what a view saved now keeps; raise `Refused` for more than it can."""
    query = state_to_save(view, listing.request)
    if len(query) > LONGEST_QUERY:
        raise Refused(gettext("This asks for too much to be kept as a view."))
    return query


def read_name(sent: FormData) -> str:
    """Return the name that was typed; raise `Refused` for none, or one too long."""
    name = " ".join(str(sent.get("name", "")).replace("\0", "\ufffd").split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused(
            gettext("A view needs a name of at most %(max)s characters.", max=LONGEST_NAME)
        )
    return name


def name_taken(name: str) -> str:
    return gettext("There is a view “%(name)s” already.", name=name)


# Choices


async def choose(site: AdminSite, request: Request) -> Response:
    """Keep an operator's columns, page size, default view, or how far they have looked."""
    view, sent = site.view(request), await posted(request)
    choice = str(sent.get("choose", ""))
    if choice not in CHOICES:
        raise HTTPException(400, gettext("There is nothing of this kind to do."))

    def work(session: Session, listing: Listing, kept: Kept) -> str:
        values, query = CHOICES[choice](view, listing, kept, sent)
        if values:
            keep(site, request, session, view, **values)
        return query

    query = await write(site, request, view, sent, work)
    if "application/json" in request.headers.get("accept", ""):
        return Response(status_code=204)
    return site.back_to_list(request, view, query)


Chosen = tuple[dict[str, Any], str]


def choose_columns(view: ModelAdmin, listing: Listing, _kept: Kept, sent: FormData) -> Chosen:
    """Keep the columns and the page size, or put the columns into an address that names some."""
    if sent.get("reset"):
        return {"columns": None, "page_size": None}, shown(listing)
    names = permitted(view, listing.request, [str(name) for name in sent.getlist("column")])
    if not names:
        raise Refused(gettext("Choose at least one column."))
    for step, button in ((-1, "up"), (1, "down")):
        names = moved(names, str(sent.get(button, "")), step)
    values: dict[str, Any] = {"page_size": read_size(view, sent)}
    if listing.request.query_params.get(COLUMNS):
        return values, shown(listing, columns=",".join(names))
    return {**values, "columns": None if names == view.list_names else names}, shown(listing)


def choose_default(_view: ModelAdmin, listing: Listing, _kept: Kept, sent: FormData) -> Chosen:
    """Let this view open by itself from now on, or the plain list."""
    name = known_view(listing, sent)
    return {"default": name}, urlencode({VIEW: name})


def mark_seen(_view: ModelAdmin, listing: Listing, kept: Kept, sent: FormData) -> Chosen:
    """Remember how far a view was looked at; nothing that was seen becomes new again."""
    name, mark = known_view(listing, sent), read_mark(str(sent.get("through", "")))
    query = urlencode({VIEW: name})
    if kept.newest is None or kept.seen.get(name, -1) >= mark:
        return {}, query
    ids = {tab.id for tab in listing.tabs}
    seen = {view: last for view, last in kept.seen.items() if view in ids}
    return {"seen": {**seen, name: min(mark, kept.newest)}}, query


CHOICES: dict[str, Callable[[ModelAdmin, Listing, Kept, FormData], Chosen]] = {
    "columns": choose_columns,
    "default": choose_default,
    "seen": mark_seen,
}


def known_view(listing: Listing, sent: FormData) -> str:
    name = str(sent.get("view", PLAIN))
    if name not in {tab.id for tab in listing.tabs}:
        raise no_such_view()
    return name


def read_size(view: ModelAdmin, sent: FormData) -> int | None:
    """Return the page size that was chosen, or None for the list's own."""
    sizes = {str(size): size for size in view.page_size_options}
    return sizes.get(str(sent.get("page_size", "")))


def shown(listing: Listing, columns: str = "") -> str:
    """Return the address of what was shown, with other columns and without a place in it."""
    without = {*PLACE, "pageSize", COLUMNS, VIEW}
    pairs = [pair for pair in listing.request.query_params.multi_items() if pair[0] not in without]
    pairs += [(COLUMNS, columns)] if columns else []
    return urlencode(pairs)


# Writing


async def write(
    site: AdminSite,
    request: Request,
    view: ModelAdmin,
    sent: FormData,
    work: Callable[[Session, Listing, Kept], Result],
) -> Result:
    """Run the work on the list as the form showed it; two tabs of one operator take turns."""
    require(await view.check_can_list(request))
    operator_id = operator_of(view, request)
    require(operator_id is not None)
    showed = with_query(request, parse(str(sent.get("_back", ""))))

    def locked(session: Session) -> Result:
        store_of(site).lock(session, request.state.operator_id)
        listing = open_shown(view, showed, session)
        return work(session, listing, listing.kept)

    try:
        return await site.write(locked)
    except IntegrityError:
        # The name may be that of a private view of somebody else's.
        raise Refused(name_taken(str(sent.get("name", ""))[:LONGEST_NAME])) from None


def open_shown(view: ModelAdmin, request: Request, session: Session) -> Listing:
    """Return the list that a form was on; a view that went meanwhile is no reason to fail."""
    try:
        return open_list(view, request, session)
    except HTTPException:
        pairs = [pair for pair in parse(request.url.query) if pair[0] != VIEW]
        return open_list(view, with_query(request, [(TAB, PLAIN), *pairs]), session)


def store_of(site: AdminSite) -> ListStore:
    assert site.list_store is not None  # noqa: S101 - there are no routes without one
    return site.list_store


def keep(
    site: AdminSite, request: Request, session: Session, view: ModelAdmin, **values: Any
) -> None:
    store_of(site).keep(session, request.state.operator_id, view.identity, **values)
