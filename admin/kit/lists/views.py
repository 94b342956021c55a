"""A list's views: addresses under a name, declared in code or saved by operators.

`?_view=ID` stands for all that the view asks for; other parameters refine it. The page is made for
a request that says all of it, with `_tab=ID` to tell which view it came from. So whatever reads the
address, and every link of the page, needs to know nothing of views.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from admin.kit.errors import BadAddress
from admin.kit.filters.builder import DRAFT, PART
from admin.kit.languages import gettext, untranslated
from admin.kit.lists.chosen import COLUMNS, KEPT, choosable, chosen_columns, chosen_size
from admin.kit.lists.kept import Kept, SavedView
from admin.kit.lists.news import NEW, newest_key
from admin.kit.lists.query import PLACE, RESERVED, VIEW, narrowing
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from admin.kit.lists.chosen import Choosable
    from admin.kit.model_admin import ModelAdmin

Pairs = list[tuple[str, str]]

TAB, COUNTS = "_tab", "_counts"
# The dropdowns of a list, whose contents come when they are opened: by scripts as `_part` alone, or
# by a link to the page with one of them open.
OPEN, PANELS = "_open", ("save", "display")
# What an address may say of one answer only: no link of the page says it again.
ONCE = {OPEN, PART}
# What an address may say that no view keeps.
PASSING = {VIEW, TAB, COUNTS, NEW, "_facets", "_count", "_edit", *DRAFT, *ONCE, *PLACE}
TOGETHER = {"sort", "sortBy"}
MOST_PARAMETERS = 200
PLAIN = ""  # what the list is called without any view
# What an address calls it where a view opens by itself: links and forms drop what is empty.
BARE = "-"


@dataclass(frozen=True)
class ListView:
    """A view that a screen declares: `ListView("Drafts", "published_at=empty")`.

    `name` stands in the address; by default it is made of the label.
    """

    label: str
    query: str
    name: str = ""

    @property
    def id(self) -> str:
        return self.name or re.sub(r"[^a-z0-9]+", "-", untranslated(self.label).lower()).strip("-")


@dataclass(frozen=True)
class Tab:
    """The list as one view shows it; `saved` is the view if an operator made it."""

    id: str
    label: str
    query: str = ""
    saved: SavedView | None = None


def declared_views(declared: Mapping[str, str] | Sequence[ListView]) -> list[ListView]:
    """Return what `list_views` declares, which may be a dictionary of labels and queries."""
    if isinstance(declared, Mapping):
        return [ListView(label, query) for label, query in declared.items()]
    return list(declared)


def view_problems(view: ModelAdmin) -> Iterator[str]:
    """Yield what is wrong with the declared views."""
    names = [declared.id for declared in view.declared_views]
    for declared in view.declared_views:
        if not re.fullmatch(r"(?=.*[a-z])[a-z0-9-]{1,100}", declared.id):
            yield f"{declared.label!r} needs a name of a-z, 0-9 and hyphens."
        if names.count(declared.id) > 1:
            yield f"two views are called {declared.id!r}."
        for name in unknown(view, parse(declared.query)):
            yield f"{declared.label!r} asks for {name!r}, and no filter has this parameter."


# Addresses


def parse(query: str) -> Pairs:
    """Read a query as an address is read; raise a 400 for one with too many parameters."""
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise HTTPException(400, gettext("This address has too many parameters.")) from None


def without_once(pairs: Pairs) -> Pairs:
    """Return what an address asks for but for how this one answer is to look."""
    return [pair for pair in pairs if pair[0] not in ONCE]


def said_again(query: str) -> str:
    """Return a query as a link repeats it."""
    asked = parse(query)
    kept = without_once(asked)
    return query if kept == asked else urlencode(kept)


def state(pairs: Iterable[tuple[str, str]]) -> str:
    """Return what a view keeps of an address, in one order, so that two can be compared."""
    kept = [(name, value) for name, value in pairs if value and name not in PASSING]
    return urlencode(sorted(kept, key=lambda pair: pair[0]))


def refined(query: str, asked: Pairs) -> Pairs:
    """Return what a view asks for, with what the address says instead or besides."""
    said = {name for name, _ in asked}
    said |= TOGETHER if said & TOGETHER else set()
    ours = [pair for pair in parse(query) if pair[0] not in said | PASSING]
    return [*ours, *(pair for pair in asked if pair[0] != VIEW)]


def with_query(request: Request, pairs: Pairs, **extra: Any) -> Request:
    """Return the request as if it had asked for this."""
    is_same = pairs == parse(request.url.query)
    query_string = request.scope["query_string"] if is_same else urlencode(pairs).encode()
    return Request({**request.scope, "query_string": query_string, **extra}, request.receive)


def unknown(view: ModelAdmin, pairs: Pairs) -> list[str]:
    """Return the parameters that mean nothing to the list, such as those of a filter that went."""
    known = {name.partition("__")[0] for name in narrowing(view)} | RESERVED
    return [
        name
        for name, value in pairs
        if value and not name.startswith("_") and name.partition("__")[0] not in known
    ]


# A list as one operator opens it


@dataclass(frozen=True)
class Listing:
    """A list that was opened: `request` says in full what is asked for, whatever the address said.

    `active` is the view it came from, the plain list by default; `problem` says why the view could
    not be shown; `opened` is the dropdown that is open, or "".
    """

    view: ModelAdmin
    request: Request
    kept: Kept
    tabs: Sequence[Tab]
    active: Tab
    problem: str = ""
    opened: str = ""

    @property
    def can_keep(self) -> bool:
        """Say whether this operator's views and choices are kept anywhere."""
        return operator_of(self.view, self.request) is not None

    @cached_property
    def state(self) -> str:
        return state(self.request.query_params.multi_items())

    @property
    def is_changed(self) -> bool:
        """Say whether the page shows something else than the view it came from."""
        is_view = self.active.id != PLAIN and not self.problem
        return is_view and self.state != state(parse(self.active.query))

    @property
    def choosable(self) -> list[Choosable]:
        """The columns that may be chosen."""
        return choosable(self.view, self.request)

    @property
    def shows_new(self) -> bool:
        return bool(self.request.query_params.get(NEW))

    @property
    def may_change(self) -> bool:
        """Say whether the view is the operator's own, or theirs to look after."""
        saved = self.active.saved
        return saved is not None and may_change(self.view, self.request, saved)

    @property
    def plain(self) -> str:
        """The path of the list without any view."""
        return self.path(self.tabs[0])

    def path(self, tab: Tab) -> str:
        """Return where a view is; the plain list needs no name, unless a view opens instead."""
        path = path_for(self.request, "list", identity=self.view.identity)
        is_bare = tab.id == PLAIN and not self.opens_by_itself
        return path if is_bare else f"{path}?{urlencode({VIEW: tab.id})}"

    @property
    def opens_by_itself(self) -> str:
        """The view that opens where the address asks for none, or ""."""
        ids = {tab.id for tab in self.tabs}
        return self.kept.default if self.kept.default in ids else PLAIN


def open_list(view: ModelAdmin, request: Request, session: Session) -> Listing:
    """Return the list that the address asks for, in one statement at most."""
    kept = load_kept(view, request, session)
    tabs = [Tab(PLAIN, gettext("All")), *tabs_of(view, kept)]
    asked = parse(request.url.query)
    listing = Listing(view, request, kept, tabs, tabs[0], opened=dict(asked).get(OPEN, ""))
    asked = without_once(asked)
    active, pairs = resolve(listing, asked)
    if active.id or listing.opens_by_itself:
        pairs = [(TAB, active.id or BARE), *(pair for pair in pairs if pair[0] != TAB)]
    listing = replace(listing, request=with_query(request, pairs, **{KEPT: kept}), active=active)
    lost = unknown(view, parse(active.query))
    if lost and TAB not in dict(asked):
        return without_view(listing, lost_filter(lost[0]))
    return listing


async def spelled_out(view: ModelAdmin, request: Request) -> Request:
    """Return the request with all that the view it names asks for, if it names one."""
    if VIEW not in request.query_params:
        return request
    listing = await view.site.read(partial(open_list, view, request))
    return listing.request


def resolve(listing: Listing, asked: Pairs) -> tuple[Tab, Pairs]:
    """Return the view that is asked for, and all that this means."""
    tabs, said = {tab.id: tab for tab in listing.tabs}, dict(asked)
    if TAB in said:
        pairs = [pair for pair in asked if pair[0] not in (TAB, VIEW)]
        return tabs.get(said[TAB], listing.tabs[0]), pairs
    name = said.get(VIEW, PLAIN if asked else listing.opens_by_itself)
    if name not in tabs:
        raise no_such_view()
    return tabs[name], refined(tabs[name].query, asked)


def no_such_view() -> BadAddress:
    sentence = gettext("There is no such view, or it is not shared with you.")
    return BadAddress(sentence, [VIEW], status=404)


def without_view(listing: Listing, problem: str) -> Listing:
    """Return the list with all its rows in place of a view that can't be shown."""
    pairs = [(TAB, listing.active.id)]
    request = with_query(listing.request, pairs)
    return replace(listing, request=request, problem=problem)


def lost_filter(name: str) -> str:
    return gettext("This list has no filter “%(name)s” any more.", name=name)


def asks_for_view_alone(listing: Listing, request: Request) -> bool:
    """Say whether what is wrong with the address can only be the view's fault."""
    asked = [name for name, _ in without_once(parse(request.url.query)) if name != VIEW]
    return listing.active.id != PLAIN and not listing.problem and not asked


def tabs_of(view: ModelAdmin, kept: Kept) -> list[Tab]:
    """Return the views of a list: those in the code first, then those that operators saved."""
    declared = [Tab(known.id, known.label, known.query) for known in view.declared_views]
    return declared + [Tab(str(saved.id), saved.name, saved.query, saved) for saved in kept.views]


def load_kept(view: ModelAdmin, request: Request, session: Session) -> Kept:
    """Return what this operator keeps of the list; nothing where nothing is kept."""
    operator_id, store = operator_of(view, request), view.site.list_store
    if operator_id is None or store is None:
        return Kept()
    return store.load(session, operator_id, view.identity, newest_key(view, request))


def operator_of(view: ModelAdmin, request: Request) -> int | None:
    """Return the key of the operator, where their views are kept."""
    key: int | None = getattr(request.state, "operator_id", None)
    return key if view.site.list_store is not None else None


def may_change(view: ModelAdmin, request: Request, saved: SavedView) -> bool:
    """Say whether the operator may rename, change or delete a view they see."""
    return saved.is_own or (saved.is_shared and view.has_permission(request, "manage views"))


# What the forms show


def state_to_save(view: ModelAdmin, request: Request) -> str:
    """Return what a view saved now would keep: what is asked for, with columns and page size."""
    names, size = chosen_columns(view, request), chosen_size(view, request)
    ours = {COLUMNS: ",".join(names) if names != view.list_names else ""}
    ours["pageSize"] = str(size) if size != view.page_size else ""
    asked = request.query_params.multi_items()
    ours["pageSize"] = dict(asked).get("pageSize") or ours["pageSize"]
    return state([*(pair for pair in asked if pair[0] not in ours), *ours.items()])
