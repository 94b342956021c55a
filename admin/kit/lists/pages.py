"""One page of a list: its rows, where it stands among the others, and how many rows there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from sqlalchemy import exc

from admin.kit.display import plain_text
from admin.kit.errors import BadAddress
from admin.kit.languages import gettext
from admin.kit.lists.chosen import chosen_columns, chosen_size
from admin.kit.lists.counting import MOST_COUNTED, Count, count, count_exactly, size_of, sorts
from admin.kit.lists.keyset import cursor
from admin.kit.lists.loading import Objects, Values, loading_of, related
from admin.kit.lists.nearest import is_ranged, nearest
from admin.kit.lists.panel import Panel, load_panel
from admin.kit.lists.places import Place, asked_number, asked_place, jump_type, token, unreadable
from admin.kit.lists.query import PLACE, asked_order, narrowing, order, results
from admin.kit.lists.statements import MOST, Leg, parameters, select_whole
from admin.kit.scopes import Reach
from admin.kit.watched import listens_to_statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from sqlalchemy import ColumnElement, Dialect, Result, Select
    from sqlalchemy import Row as Found
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.lists.columns import Column
    from admin.kit.lists.dates import DateBar
    from admin.kit.lists.keyset import Term
    from admin.kit.lists.query import Query
    from admin.kit.model_admin import ModelAdmin


# What the rows of a list lead to.
ROW_ACTIONS = (Action.EDIT, Action.DETAILS)


@dataclass(slots=True)
class Row:
    """One line of the list, ready to print; the links are set for those who may follow them.

    `obj` is the object, or what the list shows of it where nothing asks for more. `is_nameless`
    says that the first cell is empty. `may_edit` is set where cells can be edited. `denied` are
    actions that roles allow for other rows of the list, but not for this one.
    """

    obj: Any
    key: str
    cells: Sequence[Markup]
    is_nameless: bool = False
    url: str = ""
    may_edit: bool = False
    denied: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """What the row is called in a line of text: as its first cell says."""
        return self.key if self.is_nameless else plain_text(self.cells[0])


@dataclass(frozen=True)
class Page:
    """`number` counts from one, and is None where nobody knows how many rows lie before.

    `start` and `end` are tokens of the first and the last row. `sorted` is `asc` or `desc` by
    column, in order of priority; `is_sorted` is true if somebody asked for it. `jump` is the type
    of the value that the list can go to. `is_narrowed` is true if a search or filter is on;
    `panel` shows the filters, and what they are set to; `dates` lead to days.
    """

    rows: list[Row]
    number: int | None
    size: int
    count: Count
    columns: Sequence[Column]
    has_previous: bool
    has_next: bool
    start: str
    end: str
    sorted: dict[str, str]
    is_sorted: bool
    jump: str
    is_narrowed: bool
    panel: Panel
    dates: DateBar | None = None

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def first(self) -> int | None:
        return (self.number - 1) * self.size + 1 if self.number and self.rows else None

    @property
    def last(self) -> int | None:
        return self.first + len(self.rows) - 1 if self.first else None

    @property
    def pages(self) -> int | None:
        """How many pages there are, where that is known."""
        return max(1, -(-self.count.number // self.size)) if self.count.is_exact else None


@dataclass
class Part:
    """Some rows in their order, and whether there are others on either side of them."""

    rows: Sequence[Found[Any]]
    number: int | None
    has_previous: bool
    has_next: bool


@dataclass
class Walk:
    """Reads pages of one list, in one order."""

    session: Session
    query: Query
    terms: tuple[Term, ...]
    loading: Objects | Values
    size: int
    is_counted: bool = False
    known_size: int | None = None
    reach: Reach = field(default_factory=lambda: Reach({}))

    @cached_property
    def dialect(self) -> Dialect:
        return self.session.get_bind().dialect

    @property
    def is_postgresql(self) -> bool:
        return self.dialect.name == "postgresql"

    @cached_property
    def count(self) -> Count:
        """How many rows there are in all, asked for only where it isn't known already."""
        if self.is_counted:
            return count_exactly(self.session, self.query)
        return count(self.session, self.query, self.known_size)

    def read(
        self,
        values: Sequence[Any],
        limit: int,
        *,
        skipped: int = 0,
        backwards: bool = False,
        inclusive: bool = False,
    ) -> Sequence[Found[Any]]:
        """Return the rows next to the one with this cursor, or from one end of the list."""
        leg = Leg(
            tuple(term.reversed for term in self.terms) if backwards else self.terms,
            tuple(value is not None for value in values),
            bool(skipped),
            inclusive,
            self.is_postgresql,
        )
        asked = parameters(values, limit, skipped)
        stmt = self.select(leg)
        instead = None if skipped else self.instead(leg, stmt, asked)
        rows = self.execute(stmt if instead is None else instead, asked).all()
        if rows and self.size_columns:
            self.known_size = rows[0][-1]  # A column may have any name.
        return rows[::-1] if backwards else rows

    def select(self, leg: Leg) -> Select[Any]:
        is_whole = self.query.is_whole and not self.query.joins and not self.reach.columns
        if is_whole and isinstance(self.loading, Values) and self.loading.is_kept:
            return select_whole(self.loading, leg, *self.extra)
        return leg.select(self.query, self.loading, self.extra)

    def instead(self, leg: Leg, first: Select[Any], asked: dict[str, Any]) -> Select[Any] | None:
        """Return what to ask instead, where all that a filter leaves were walked to, or sorted."""
        if self.is_postgresql and not is_ranged(self.query, leg.terms):
            return None
        found = nearest(self.query, leg.terms, leg.conditions, MOST)
        if found is None or not (self.is_postgresql or sorts(self.session, first, asked)):
            return None
        return self.loading.select(found).add_columns(*cursor(leg.terms), *self.extra)

    def execute(self, stmt: Select[Any], values: dict[str, Any]) -> Result[Any]:
        """Run a select; where it makes no objects, the connection alone answers sooner."""
        if self.loading.makes_objects or listens_to_statements(self.session):
            return self.session.execute(stmt, values)
        return self.session.connection().execute(stmt, values)

    @property
    def extra(self) -> list[ColumnElement[Any]]:
        """What is asked about each row beside what is loaded of it."""
        return [*self.reach.columns.values(), *self.size_columns]

    @cached_property
    def size_columns(self) -> list[ColumnElement[Any]]:
        """The size of the whole table, where that is its count: it comes along with the rows."""
        is_asked = self.is_postgresql and self.query.is_whole and not self.is_counted
        return [size_of(self.query.table, self.dialect)] if is_asked else []

    def seen(self, part: Part) -> int:
        """Return how many rows there are up to the end of the part, as far as that is known."""
        return ((part.number or 1) - 1) * self.size + len(part.rows)

    def deny(self, lines: Sequence[Row], part: Part) -> None:
        """Note what roles allow for other rows of the list, but not for these."""
        first = self.loading.width + len(self.terms)
        for line, row in zip(lines, part.rows, strict=True) if self.reach.columns else ():
            line.denied = self.reach.denied(row[first : first + len(self.reach.columns)])

    def token(self, row: Found[Any]) -> str:
        """Return where a row stands, for an address."""
        start = self.loading.width
        return token(row[start : start + len(self.terms)])

    def at(self, place: Place) -> Part:
        """Return the page at a place; where rows went meanwhile, the nearest one that has some."""
        if place.kind == "last":
            return self.last()
        if place.kind == "before":
            return self.before(place)
        if place.kind == "page" and (place.number or 1) * self.size > MOST_COUNTED:
            return self.beyond_counted()
        skipped = place.number - 1 if place.kind == "page" and place.number else place.skipped
        inclusive = place.kind == "at"
        rows = self.read(
            place.values, self.size + 1, skipped=skipped * self.size, inclusive=inclusive
        )
        if not rows and place.kind != "first":
            return self.last()
        shown = rows[: self.size]
        return Part(shown, place.number, place.kind != "first", len(rows) > self.size)

    def before(self, place: Place) -> Part:
        limit, skipped = self.size + 1, place.skipped * self.size
        rows = self.read(place.values, limit, skipped=skipped, backwards=True)
        if len(rows) < self.size:
            return self.at(Place())
        return Part(rows[-self.size :], place.number, len(rows) > self.size, has_next=True)

    def last(self) -> Part:
        """Return the last rows, as many as are on the last page where that is known."""
        rows = self.read((), self.size + 1, backwards=True)
        if len(rows) <= self.size:
            return Part(rows, 1, has_previous=False, has_next=False)
        number, limit = None, self.size
        if self.count.is_exact and self.count.number:
            number, rest = divmod(self.count.number - 1, self.size)
            number, limit = number + 1, rest + 1
        return Part(rows[-limit:], number, has_previous=True, has_next=False)

    def beyond_counted(self) -> Part:
        """Return the last page of a list that is known to be shorter; refuse to count further."""
        if self.count.is_exact and self.count.number <= MOST_COUNTED:
            return self.last()
        sentence = gettext("Pages so far down have no number: go to a value, or to the last page.")
        raise BadAddress(sentence, PLACE)


def load_page(
    view: ModelAdmin,
    request: Request,
    session: Session,
    columns: Sequence[Column] | None = None,
) -> Page:
    """Return the page asked for, in one statement, and one more to count what isn't known.

    `columns` are shown whatever the operator chose.
    """
    columns = columns or view.columns_for(chosen_columns(view, request))
    walk = walk_of(view, request, session, columns)
    part = asked_part(walk, request)
    records = walk.loading.read(part.rows)
    panel = load_panel(view, request, session, related(columns, records))
    rows = view.rows(records, columns, request)
    walk.deny(rows, part)
    return Page(
        rows,
        part.number,
        walk.size,
        walk.count.at_least(walk.seen(part)),
        columns,
        part.has_previous,
        part.has_next,
        start=walk.token(part.rows[0]) if part.rows else "",
        end=walk.token(part.rows[-1]) if part.rows else "",
        sorted={path: "desc" if down else "asc" for path, down in asked_order(view, request)},
        is_sorted=bool(request.query_params.get("sortBy")),
        jump=jump_type(walk.terms[0]),
        is_narrowed=panel.is_on or any(map(request.query_params.get, narrowing(view))),
        panel=panel,
        dates=view.dates.bar(view, request, session) if view.dates else None,
    )


def walk_of(
    view: ModelAdmin, request: Request, session: Session, columns: Sequence[Column]
) -> Walk:
    """Return what reads pages of the list that is asked for."""
    asked, largest = request.query_params, max(view.page_size_options)
    query = results(view, request)
    return Walk(
        session,
        query,
        tuple(order(view, request, query)),
        loading_of(view, columns),
        asked_number(asked, "pageSize", largest) or min(chosen_size(view, request), largest),
        is_counted=asked.get("_count") == "exact",
        reach=Reach.of(view, request, Action.LIST, {action: action for action in ROW_ACTIONS}),
    )


def asked_part(walk: Walk, request: Request) -> Part:
    """Return the rows at the place asked for; one that the database can't read is refused."""
    place = asked_place(request, walk.terms, walk.dialect)
    try:
        part = walk.at(place)
    except (exc.DataError, exc.ProgrammingError, exc.InterfaceError):
        if not place.values:
            raise
        raise unreadable() from None
    if part.number == 1 and not part.has_previous and not part.has_next:
        walk.count = Count(len(part.rows))
    return part
