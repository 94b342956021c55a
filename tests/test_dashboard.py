"""The front page's cards: right numbers, few statements, counted once however many look."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.card_snapshots import CardSnapshots
from admin.dashboard import CARDS
from admin.kit import Board, Card, Figures, Number
from admin.kit.cards import Row
from admin.settings import Settings
from admin.views import VIEWS
from main import create_app
from models import CardSnapshot
from models.base import utc_now
from models.database import Database
from tests.databases import statements
from tests.pages import Element, get
from tests.personas import visit
from tests.records import add_post, add_user

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
MONTH = timedelta(days=31)
INSTANT = timedelta(microseconds=1)
BY_NAME = {card.name: card for card in CARDS}
TITLES = [card.title for card in CARDS]
START_WAIT = 20.0  # seconds


def count(database: Database, name: str) -> Figures:
    card = BY_NAME[name]
    return card.translated(database.read(lambda session: card.count(session, NOW)))


def snapshots(database: Database) -> dict[str, CardSnapshot]:
    found = database.read(lambda session: session.scalars(select(CardSnapshot)).all())
    return {row.name: row for row in found}


def age(database: Database) -> None:
    """Make all numbers a day old."""
    stmt = update(CardSnapshot).values(computed_at=utc_now() - timedelta(days=1), claimed_at=None)
    database.write(lambda session: session.execute(stmt))


def card(client: TestClient, name: str) -> Element:
    (found,) = get(client, "/admin/").root.find("section", **{"aria-labelledby": f"card-{name}"})
    return found


def links(element: Element) -> dict[str, str]:
    return {link.text: link.attributes["href"] for link in element.find("a")}


# What they count


def test_users_are_counted_by_month_up_to_now(database: Database) -> None:
    april = datetime(2025, 4, 1, tzinfo=UTC)
    for number, moment in enumerate([april - INSTANT, april, NOW - INSTANT, NOW + INSTANT]):
        add_user(database, f"User{number}", created_at=moment)
    found = count(database, "users-joined")
    assert (len(found.rows), found.total) == (12, 2)
    assert (found.rows[0], found.rows[-1]) == (Row("2025-04", 1), Row("2026-03", 1))
    # The year before is cut as this one is, on the fourth of March.
    assert found.previous == 0


def test_users_are_compared_with_the_twelve_months_before(database: Database) -> None:
    begin, end = datetime(2024, 4, 1, tzinfo=UTC), NOW.replace(year=2025)
    for number, moment in enumerate([begin - INSTANT, begin, end - INSTANT, end]):
        add_user(database, f"User{number}", created_at=moment)
    assert count(database, "users-joined").previous == 2


def test_posts_are_counted_by_day_without_drafts_or_what_is_yet_to_come(
    database: Database,
) -> None:
    alice, first = add_user(database, "Alice"), datetime(2026, 2, 3, tzinfo=UTC)
    for moment in (None, first - INSTANT, first, NOW - INSTANT, NOW + INSTANT):
        add_post(database, alice, published_at=moment)
    found = count(database, "posts-published")
    assert [row for row in found.rows if row.value] == [Row("2026-02-03", 1), Row("2026-03-04", 1)]
    assert len(found.rows) == 30


def test_a_share_of_the_users_is_active(database: Database) -> None:
    for number in range(4):
        add_user(database, f"User{number}", is_active=number > 0)
    assert count(database, "active-users").rows == [
        Row("Active", 3, "true"),
        Row("Not active", 1, "false"),
    ]


def test_the_ten_busiest_authors_are_ranked(database: Database) -> None:
    authors = [add_user(database, f"User{number}") for number in range(12)]
    for number, author in enumerate(authors[1:]):
        for _ in range(number // 2 + 1):
            add_post(database, author)
    found = count(database, "busiest-authors")
    assert [row.value for row in found.rows] == [6, 5, 5, 4, 4, 3, 3, 2, 2, 1]
    assert found.rows[0] == Row("User11", 6, str(authors[11].id))
    assert [row.label for row in found.rows[1:3]] == ["User9", "User10"]


def test_an_empty_database_is_counted(olga: TestClient) -> None:
    get(olga, "/admin/")
    assert "None since" in card(olga, "users-joined").text
    assert "None since" in card(olga, "posts-published").text
    assert "Nothing to count yet." in card(olga, "active-users").text
    assert "Nothing to count yet." in card(olga, "busiest-authors").text


def test_each_card_tells_about_a_view_that_is_there() -> None:
    assert {card.view for card in CARDS} <= {view.identity for view in VIEWS}


# The page


def test_whoever_may_look_sees_the_cards(olga: TestClient, vera: TestClient) -> None:
    for client in (olga, vera):
        page = get(client, "/admin/")
        headings = [heading.text for heading in page.root.find("main")[0].find("h2")]
        assert headings[: len(TITLES)] == [str(title) for title in TITLES]


def test_numbers_lead_to_the_rows_they_count(olga: TestClient, database: Database) -> None:
    alice = add_user(database, "Alice")
    add_post(database, alice)
    get(olga, "/admin/")
    author = {"Alice": f"/admin/post/list?author={alice.id}"}
    assert links(card(olga, "busiest-authors")) == author
    assert get(olga, author["Alice"]).names == ["Hello"]
    active = links(card(olga, "active-users"))
    assert get(olga, active["Active"]).names == ["Alice"]
    assert get(olga, active["Not active"]).names == []


def test_the_front_page_takes_three_statements(olga: TestClient, database: Database) -> None:
    """One for the session, one for all cards, one for what the operator did last."""
    get(olga, "/admin/")
    with statements(database) as seen:
        get(olga, "/admin/")
    assert len(seen) == 3


@pytest.fixture
def resting() -> Iterator[list[str]]:
    """Keep the cards from being counted; tell how often somebody asked for it."""
    asked: list[str] = []

    async def note(_board: Board, _database: Database) -> None:
        asked.append("refresh")

    with patch.object(Board, "refresh", note):
        yield asked


def test_the_answer_itself_only_reads(
    olga: TestClient, database: Database, resting: list[str]
) -> None:
    with statements(database) as seen:
        page = get(olga, "/admin/")
    assert resting == ["refresh"]
    assert all(sql.startswith("SELECT") for sql in seen)
    assert "Being counted" in page.root.text


def test_numbers_are_shown_before_new_ones_are_counted(
    olga: TestClient, database: Database
) -> None:
    get(olga, "/admin/")
    age(database)
    add_user(database, "Alice")
    assert "Nothing to count yet." in card(olga, "active-users").text
    assert "100.0%" in card(olga, "active-users").text


# Many at once


def at_once(number: int, work: Callable[[], Any]) -> None:
    """Do the work in so many threads at the same moment."""
    barrier = Barrier(number)

    def one() -> None:
        barrier.wait()
        work()

    with ThreadPoolExecutor(number) as pool:
        for done in [pool.submit(one) for _ in range(number)]:
            done.result()


class Counting:
    """A card that notes each time it is counted."""

    def __init__(self) -> None:
        self.counted: list[datetime] = []
        self.card = Number("counting", "Counting", "user", self.count)

    def count(self, _session: object, now: datetime) -> Figures:
        self.counted.append(now)
        return Figures([Row("", len(self.counted))])

    def refresh(self, database: Database) -> None:
        """Refresh as a process of its own does."""
        anyio.run(Board([self.card], CardSnapshots()).refresh, database)


@pytest.mark.parametrize("state", ["new", "stale"])
def test_of_many_workers_one_counts(real_database: Database, state: str) -> None:
    counting = Counting()
    if state == "stale":
        counting.refresh(real_database)
        age(real_database)
        counting.counted.clear()
    at_once(6, lambda: counting.refresh(real_database))
    assert len(counting.counted) == 1
    kept = snapshots(real_database)["counting"]
    assert kept.claimed_at is None
    assert kept.computed_at is not None
    assert utc_now() - kept.computed_at < timedelta(minutes=1)


def test_a_claim_expires(database: Database) -> None:
    """Whoever took it may have died."""
    store = CardSnapshots()

    def claim(now: datetime) -> bool:
        bounds = {"counted": now - timedelta(minutes=5), "claimed": now - timedelta(minutes=2)}
        return database.write(lambda session: store.claim(session, "x", now=now, **bounds))

    times = [NOW + timedelta(minutes=minutes) for minutes in (0, 1, 2, 3)]
    assert [claim(time) for time in times] == [True, False, True, False]


def test_numbers_counted_under_a_lost_claim_are_dropped(database: Database) -> None:
    row = CardSnapshot(name="x", data="new", computed_at=NOW, claimed_at=NOW)
    database.write(lambda session: session.add(row))
    lost = {"now": NOW, "claimed_at": NOW - MONTH}
    database.write(lambda session: CardSnapshots().keep(session, "x", "late", **lost))
    assert snapshots(database)["x"].data == "new"


def test_fresh_numbers_are_not_claimed(database: Database) -> None:
    row = CardSnapshot(name="x", data={}, computed_at=NOW)
    database.write(lambda session: session.add(row))
    bounds = {"now": NOW, "counted": NOW - INSTANT, "claimed": NOW}
    assert not database.write(lambda session: CardSnapshots().claim(session, "x", **bounds))


# Failures


def test_a_card_that_fails_shows_its_old_numbers(
    olga: TestClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    add_user(database, "Alice")
    get(olga, "/admin/")
    age(database)
    with patch.object(Card, "count", side_effect=LookupError("broken")):
        get(olga, "/admin/")
    assert "100.0%" in card(olga, "active-users").text
    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(failures) == len(CARDS)
    assert all(record.getMessage().startswith("Reference ") for record in failures)


# The start


def test_a_fresh_start_counts_without_being_asked(
    real_settings: Settings, real_database: Database
) -> None:
    with visit(create_app(real_settings)):
        assert wait_for(lambda: len(counted(real_database)) == len(CARDS))


def test_a_database_that_is_lent_is_left_alone(app: Starlette, database: Database) -> None:
    with visit(app):
        pass
    assert snapshots(database) == {}


def counted(database: Database) -> list[str]:
    return [name for name, row in snapshots(database).items() if row.computed_at]


def wait_for(claim: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + START_WAIT
    while not claim() and time.monotonic() < deadline:
        time.sleep(0.02)
    return claim()
