"""Cards: what they print, to whom, and that they are counted in the background, once."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import anyio
import pytest
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import (
    Board,
    Card,
    Figures,
    Number,
    Part,
    Ranking,
    Series,
    Share,
    parts,
    per_day,
)
from admin.kit.cards import Row, change, figures
from admin.kit.snapshots import InMemory
from models.database import Database
from tests.databases import statements
from tests.kit.app import Book, BookAdmin, make_app
from tests.kit.pages import Allow, links, store, texts
from tests.pages import Page
from tests.personas import visit

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
BOOKS = select(literal("Books"), func.count()).select_from(Book)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def number(source: Any = BOOKS, **options: Any) -> Card:
    return Number("books", "Number of books", "book", source, **options)


def board(clock: Clock, *cards: Card) -> Board:
    return Board(cards, clock=clock)


def open_index(library: Database, shown: Board, *rights: str) -> TestClient:
    allow = {"authorization_backend": Allow(*rights)} if rights else {}
    return visit(make_app(library, board=shown, **allow))


def headline(client: TestClient) -> str:
    """Return the number on the only card, or what it says instead."""
    page = client.get("/admin/").text
    return " ".join(texts(r'<p class="(?:headline|note)">(.*?)</p>', page))


def refresh(shown: Board, library: Database) -> None:
    anyio.run(shown.refresh, library)


# What they print


def rows(*values: float) -> Figures:
    return Figures([Row(f"d{n}", value) for n, value in enumerate(values)])


def test_a_number_of_several_rows_is_the_last_one_with_a_line() -> None:
    shown = number().show(rows(1, 2, 3.5))
    assert (shown.headline, shown.ends) == ("3.50", ("d0", "d2"))
    assert "<polyline" in shown.chart
    assert [line.value for line in shown.lines] == ["1", "2", "3.50"]


def test_a_single_number_has_no_line() -> None:
    shown = number().show(rows(1234))
    assert (shown.headline, shown.chart, shown.lines) == ("1,234", "", ())


@pytest.mark.parametrize(
    ("value", "previous", "said"),
    [
        (5, None, ""),
        (5, 0, "None in the period before."),
        (5, 4, "+25.0% against the period before (4)."),
        (3, 4, "-25.0% against the period before (4)."),
        (4, 4, "+0.0% against the period before (4)."),
        (1, -2, "+150.0% against the period before (-2)."),
        (10**300, 10**297, f"+99,900.0% against the period before ({10**297:,})."),
    ],
)
def test_a_comparison_is_said_in_words(value: int, previous: int | None, said: str) -> None:
    assert change(value, previous) == said


def test_a_series_adds_up() -> None:
    shown = Series("x", "X", "book", BOOKS).show(rows(1, 0, 2))
    assert (shown.headline, len(shown.lines), shown.is_folded) == ("3", 3, True)


def test_an_empty_series_says_when_the_last_one_was() -> None:
    empty = Figures([Row("2026-03-01", 0), Row("2026-03-02", 0)], 0, "2025-06-30")
    shown = Series("x", "X", "book", BOOKS).show(empty)
    assert shown.note == "None since 2026-03-01. The latest was on 2025-06-30."
    assert (shown.headline, shown.chart, shown.lines) == ("0", "", ())


def test_a_share_is_told_in_percent() -> None:
    shown = Share("x", "X", "book", BOOKS).show(rows(1, 2))
    assert shown.headline == "33.3%"
    assert [line.value for line in shown.lines] == ["1 (33.3%)", "2 (66.7%)"]
    assert [line.css for line in shown.lines] == ["part-1", "part-2"]


@pytest.mark.parametrize("kind", [Number, Share, Ranking])
def test_nothing_to_count_is_said(kind: type[Card]) -> None:
    assert kind("x", "X", "book", BOOKS).show(Figures([])).note == "Nothing to count yet."


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_finite_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        figures([("x", value)])


def test_numbers_of_every_kind_survive_json() -> None:
    found = figures([("a", Decimal("2.50")), ("b", Decimal(3)), ("c", None), ("d" * 999, 1e300, 7)])
    assert [row.value for row in found.rows] == [2.5, 3, 0, int(1e300)]
    assert (found.rows[3].key, len(found.rows[3].label)) == ("7", 100)
    assert Figures.from_json(found.as_json()) == found


def test_parts_are_counted_in_one_statement(library: Database) -> None:
    store(library, *(Book(title="Emma", lendable=lendable) for lendable in (True, True, False)))
    source = parts(
        Part("Lent", Book.lendable.is_(True), "true"), Part("Kept", Book.lendable.is_(False))
    )
    assert callable(source)
    with statements(library) as seen:
        counted = library.read(lambda session: source(session, NOW))
    told = Card("x", "X", "book", source).translated(counted)
    assert told.rows == [Row("Lent", 2, "true"), Row("Kept", 1)]
    assert len(seen) == 1


# On the page


def authors() -> Select[Any]:
    hostile = select(literal("<b>Jane</b> & co").label("name"), literal(3), literal("a&b=c"))
    return select(union_all(hostile, select(literal("Mary"), literal(1), literal("2"))).subquery())


def test_a_ranking_is_a_table_that_leads_to_filtered_lists(library: Database, clock: Clock) -> None:
    shown = board(clock, Ranking("x", "Authors", "book", authors(), parameter="publisher"))
    refresh(shown, library)
    page = open_index(library, shown).get("/admin/")
    assert links(page, "<b>Jane</b> & co") == ["/admin/book/list?publisher=a%26b%3Dc"]
    assert "<b>Jane" not in page.text
    (table,) = Page(page).root.find("table")
    assert [cell.text for cell in table.find("td")] == ["3", "", "1", ""]


def test_a_chart_has_its_numbers_as_a_table_beside_it(library: Database, clock: Clock) -> None:
    store(library, Book(title="Emma", acquired_at=NOW - timedelta(hours=1)))
    shown = board(clock, Series("x", "Bought", "book", per_day(Book.acquired_at, 2)))
    refresh(shown, library)
    root = Page(open_index(library, shown).get("/admin/")).root
    (details,) = root.find("main")[0].find("details")
    assert [e.text for e in details.find("th")] == ["2026-03-03", "2026-03-04"]
    assert [e.text for e in details.find("td")] == ["0", "1"]
    (chart,) = root.find("main")[0].find("svg", **{"class": "plot"})
    for id_ in chart.attributes["aria-labelledby"].split():
        assert chart.find("title", id=id_) or chart.find("desc", id=id_)


def test_a_card_says_how_old_its_numbers_are(library: Database, clock: Clock) -> None:
    shown = board(clock, number())
    refresh(shown, library)
    (time,) = Page(open_index(library, shown).get("/admin/")).root.find("time")
    assert time.text == "12:30 UTC"
    clock.wait(days=1)
    shown.is_refreshing = True
    (time,) = Page(open_index(library, shown).get("/admin/")).root.find("time")
    assert time.text == "2026-03-04 12:30 UTC"
    assert time.attributes["datetime"] == NOW.isoformat()


def test_a_card_is_shown_to_whoever_may_list_its_view(library: Database, clock: Clock) -> None:
    shown = board(clock, number())
    refresh(shown, library)
    for rights, is_shown in (("book:list", True), ("book:details", False), ("tag:list", False)):
        page = open_index(library, shown, rights).get("/admin/").text
        assert ("Number of books" in page) is is_shown


def test_who_sees_no_card_costs_no_statement(library: Database, clock: Clock) -> None:
    counting = board(clock, number())
    with statements(library) as seen:
        open_index(library, counting, "tag:list").get("/admin/")
    assert seen == []


def test_a_card_of_a_view_that_is_not_there_is_not_shown(library: Database, clock: Clock) -> None:
    shown = board(clock, Number("x", "Number of ghosts", "ghost", BOOKS))
    assert "Number of ghosts" not in open_index(library, shown).get("/admin/").text


def test_two_cards_of_one_name_stop_the_start(clock: Clock) -> None:
    with pytest.raises(ImproperlyConfigured, match="same name"):
        board(clock, number(), number())


@pytest.mark.parametrize("name", ["", "Books", "two words", "7", "x" * 101, 'x"'])
def test_a_name_that_no_page_can_hold_stops_the_start(clock: Clock, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="no name of a card"):
        board(clock, Number(name, "Books", "book", BOOKS))


class OwnBooks(BookAdmin, model=Book):
    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Book.pages > 100)


def test_a_card_that_tells_of_rows_out_of_scope_stops_the_start(
    library: Database, clock: Clock
) -> None:
    with pytest.raises(ImproperlyConfigured, match="ignores_scope"):
        make_app(library, OwnBooks, board=board(clock, number()))
    make_app(library, OwnBooks, board=board(clock, number(ignores_scope=True)))


# Counting


def test_a_card_is_counted_after_the_first_look(library: Database, clock: Clock) -> None:
    store(library, Book(title="Emma"))
    client = open_index(library, board(clock, number()))
    assert headline(client) == "Being counted. Reload the page in a moment."
    assert headline(client) == "1"


def test_numbers_that_are_fresh_are_not_counted_again(library: Database, clock: Clock) -> None:
    client = open_index(library, board(clock, number(max_age=timedelta(minutes=5))))
    headline(client)
    store(library, Book(title="Emma"))
    clock.wait(minutes=4.9)
    assert [headline(client), headline(client)] == ["0", "0"]
    clock.wait(minutes=0.1)
    assert [headline(client), headline(client)] == ["0", "1"]


def broken(_session: Session, _now: datetime) -> Figures:
    raise LookupError("The source is broken")


def infinite(_session: Session, _now: datetime) -> Figures:
    return Figures([Row("x", float("inf"))])


@pytest.mark.parametrize("failure", [broken, infinite])
def test_a_card_that_fails_keeps_its_numbers_and_is_logged(
    library: Database,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    failure: Callable[[Session, datetime], Figures],
) -> None:
    def count(session: Session, now: datetime) -> Figures:
        return rows(7) if now == NOW else failure(session, now)

    client = open_index(library, board(clock, number(count)))
    headline(client)
    clock.wait(minutes=5)
    assert [headline(client), headline(client)] == ["7", "7"]
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.getMessage()[:10] == "Reference "
    assert record.exc_info


def test_a_card_that_fails_rests_before_the_next_try(library: Database, clock: Clock) -> None:
    tries = []

    def fail(_session: Session, now: datetime) -> Figures:
        tries.append(now)
        raise LookupError

    client = open_index(library, board(clock, number(fail)))
    for minutes in (0, 1, 1):
        clock.wait(minutes=minutes)
        headline(client)
    assert tries == [NOW, NOW + timedelta(minutes=2)]


def test_a_card_that_fails_does_not_stop_the_others(library: Database, clock: Clock) -> None:
    other = Number("other", "Other", "book", BOOKS)
    client = open_index(library, board(clock, number(broken), other))
    headline(client)
    assert headline(client) == "Being counted. Reload the page in a moment. 0"


@pytest.mark.parametrize("data", [[], {}, {"rows": [[1]]}, {"rows": [["a", "b", ""]]}, "text"])
def test_numbers_of_another_release_are_no_error(
    library: Database, clock: Clock, data: object
) -> None:
    shown = board(clock, number())
    shown.snapshots.claim(Session(), "books", now=NOW, counted=NOW, claimed=NOW)
    shown.snapshots.keep(Session(), "books", data, now=NOW, claimed_at=NOW)
    assert headline(open_index(library, shown)).startswith("Being counted")


def test_a_database_that_is_away_is_only_logged(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Away:
        def read(self, _work: object) -> None:
            raise ConnectionError

    anyio.run(board(clock, number()).refresh, cast("Database", Away()))
    assert caplog.messages == ["The cards can't be counted: ConnectionError"]


def test_a_second_click_does_not_wait_for_the_first(library: Database, clock: Clock) -> None:
    counted = []

    def count(_session: Session, _now: datetime) -> Figures:
        counted.append(1)
        return rows(1)

    async def click_twice() -> None:
        async with anyio.create_task_group() as clicks:
            clicks.start_soon(shown.refresh, library)
            clicks.start_soon(shown.refresh, library)

    shown = board(clock, number(count))
    anyio.run(click_twice)
    assert (counted, shown.is_refreshing) == ([1], False)


# In memory


def claim(kept: InMemory, now: datetime) -> bool:
    bounds = {"counted": now - timedelta(minutes=5), "claimed": now - timedelta(minutes=2)}
    return kept.claim(Session(), "books", now=now, **bounds)


def test_of_two_claims_one_holds_until_it_expires() -> None:
    kept = InMemory()
    times = [NOW + timedelta(minutes=minutes) for minutes in (0, 1, 2)]
    assert [claim(kept, time) for time in times] == [True, False, True]


def test_numbers_counted_under_a_lost_claim_are_dropped() -> None:
    kept, later = InMemory(), NOW + timedelta(minutes=3)
    claim(kept, NOW)
    claim(kept, later)
    kept.keep(Session(), "books", "late", now=later, claimed_at=NOW)
    assert kept.load(Session())["books"].data is None
    kept.keep(Session(), "books", "new", now=later, claimed_at=later)
    assert kept.load(Session())["books"].data == "new"
