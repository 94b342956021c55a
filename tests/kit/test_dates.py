"""Drilling down by date: which periods are offered, what is in them, and what it costs."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import Select, make_url
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from admin.kit.lists import dates
from admin.kit.zones import first_instant
from models.database import Database, connect
from tests.databases import statements
from tests.kit.app import Book, Publisher, make_app
from tests.kit.pages import cells, follow, links, sentence, store, texts
from tests.personas import visit

LIST = "/admin/book/list"
NOWHERE = connect(make_url("sqlite://"))


class AcquiredAdmin(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_labels = {Book.acquired_at: "Acquired"}
    column_searchable_list = [Book.title]
    column_default_sort = [(Book.title, False)]
    date_hierarchy: ClassVar[Any] = Book.acquired_at
    form_columns = [Book.title]
    page_size = 50

    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Book.title != "Hidden")


class PrintedAdmin(AcquiredAdmin, model=Book):
    date_hierarchy = "printed_on"


def browser(
    library: Database, view: type[ModelAdmin] = AcquiredAdmin, zone: str = ""
) -> TestClient:
    client = visit(make_app(library, view))
    if zone:
        client.cookies.set("admin_timezone", zone)
    return client


def acquire(library: Database, *moments: str) -> None:
    """Store a book for each instant, called by it; "" is no date."""
    store(
        library,
        *(Book(title=m or "never", acquired_at=datetime.fromisoformat(m) if m else None)
          for m in moments),
    )  # fmt: skip


def offered(page: Any) -> list[str]:
    bar = page.text.partition('<nav class="dates"')[2].partition("</nav>")[0]
    return texts(r"<li>(.*?)</li>", bar.partition("<ul>")[2])


def way(page: Any) -> list[str]:
    bar = page.text.partition('<nav class="dates"')[2].partition("</nav>")[0]
    return texts(r"<li.*?>(.*?)</li>", bar.partition("</ol>")[0] if "</ol>" in bar else "")


def found(page: Any) -> list[str]:
    assert page.status_code == 200, sentence(page)
    return sorted(row[0] for row in cells(page))


NEW_YEAR, MAY, MAY_TOO, JULY = (
    f"{moment}+00:00"
    for moment in ("2025-01-01T00:00", "2026-05-17T10:00", "2026-05-18T00:00", "2026-07-01T00:00")
)


def test_years_lead_to_months_and_months_to_days_and_back(library: Database) -> None:
    acquire(library, NEW_YEAR, MAY, MAY_TOO, JULY, "")
    client = browser(library)
    top = client.get(LIST)
    assert (way(top), offered(top)) == ([], ["2025", "2026", "No date"])
    year = follow(client, top, "2026")
    assert (way(year), offered(year)) == (["All dates", "2026"], ["May", "July"])
    assert found(year) == [MAY, MAY_TOO, JULY]
    month = follow(client, year, "May")
    assert (way(month), offered(month)) == (["All dates", "2026", "May"], ["17", "18"])
    day = follow(client, month, "17")
    assert (way(day), offered(day)) == (["All dates", "2026", "May", "17"], [])
    assert found(day) == [MAY]
    assert found(follow(client, day, "2026")) == [MAY, MAY_TOO, JULY]
    assert len(found(client.get(links(day, "All dates")[0]))) == 5
    assert found(follow(client, top, "No date")) == ["never"]


def test_a_level_with_one_value_is_skipped(library: Database) -> None:
    acquire(library, MAY, MAY_TOO)
    page = browser(library).get(LIST)
    assert (way(page), offered(page)) == (["2026", "May"], ["17", "18"])
    acquire(library, NEW_YEAR)
    client = browser(library)
    year = follow(client, client.get(LIST), "2026")
    assert (way(year), offered(year)) == (["All dates", "2026", "May"], ["17", "18"])


@pytest.mark.parametrize("moments", [[], [""], [MAY], [MAY, MAY]])
def test_where_there_is_nothing_to_choose_there_is_no_bar(
    library: Database, moments: list[str]
) -> None:
    acquire(library, *moments)
    assert 'class="dates"' not in browser(library).get(LIST).text


def test_links_keep_the_rest_of_the_address_but_not_the_place(library: Database) -> None:
    acquire(library, NEW_YEAR, MAY, MAY_TOO)
    client = browser(library)
    page = client.get(f"{LIST}?search=0&page=1&sortBy=&pageSize=25&other=%26")
    assert links(page, "2025") == [f"{LIST}?search=0&pageSize=25&other=%26&_date=2025"]
    narrowed = follow(client, page, "2025")
    assert '<input type="hidden" name="_date" value="2025">' in narrowed.text
    assert links(narrowed, "All dates") == [f"{LIST}?search=0&pageSize=25&other=%26"]
    assert links(narrowed, "Clear all") == [f"{LIST}?pageSize=25&other=%26"]


def test_other_filters_and_the_search_do_not_change_what_is_offered_but_the_scope_does(
    library: Database,
) -> None:
    acquire(library, NEW_YEAR, MAY, MAY_TOO)
    store(library, Book(title="Hidden", acquired_at=datetime(2024, 1, 1, tzinfo=UTC)))
    page = browser(library).get(f"{LIST}?search=2025")
    assert offered(page) == ["2025", "2026"]
    assert found(page) == [NEW_YEAR]


@pytest.mark.parametrize(
    "value",
    ["2026-13", "2026-00", "0000", "2026-02-29", "2026-5", "2026-05-1", "26", "1000000000", "x",
     "2026-05-17T00", "2026\0", "-2026", "٢٠٢٦", " 2026", "2026\n", "None", "2026-05-17-01"],
)  # fmt: skip
def test_what_is_no_date_is_refused_in_a_sentence(library: Database, value: str) -> None:
    answer = browser(library).get(LIST, params={"_date": value})
    assert answer.status_code == 400
    assert "There is no such date." in sentence(answer)
    assert links(answer, "Show the list without this") == [LIST]


def test_no_date_is_no_value_of_a_column_that_has_always_one(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Book.__table__.c.acquired_at, "nullable", False)
    assert browser(library).get(f"{LIST}?_date=empty").status_code == 400


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize("value", ["0001", "0001-01-01", "9999", "9999-12", "9999-12-31"])
def test_the_ends_of_the_calendar_can_be_asked_for(
    library: Database, zone: str, value: str
) -> None:
    acquire(library, "0001-01-01T00:00+00:00", MAY, "9999-12-31T23:59+00:00")
    client = browser(library, zone=zone)
    assert len(found(client.get(f"{LIST}?_date={value}"))) <= 1
    assert offered(client.get(LIST))[0] in ("1", "0")


# A day begins when the clocks of the operator's zone say so


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Asia/Beirut", "2026-03-29", 23),  # midnight itself is left out
        ("America/Havana", "2026-11-01", 25),  # midnight itself comes twice
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Kolkata", "2026-03-29", 24),
    ],
)
def test_a_day_has_as_many_hours_as_the_clocks_say(
    library: Database, zone: str, day: str, hours: float
) -> None:
    start = first_instant(date.fromisoformat(day), ZoneInfo(zone))
    instant = timedelta(microseconds=1)
    end = start + timedelta(hours=hours)
    acquire(library, *(f"{m.isoformat()}" for m in (start - instant, start, end - instant, end)))
    page = browser(library, zone=zone).get(f"{LIST}?_date={day}")
    assert found(page) == [start.isoformat(), (end - instant).isoformat()]


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30"),  # clocks went from 23:30 to 00:30
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00"),  # a day that never was
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00"),
    ],
)
def test_a_day_without_midnight_begins_when_the_clocks_go_forward(
    zone: str, day: str, begins: str
) -> None:
    first = first_instant(date.fromisoformat(day), ZoneInfo(zone))
    assert first.isoformat(timespec="minutes") == f"{begins}+00:00"


@pytest.mark.parametrize(
    ("zone", "year"), [("Asia/Tokyo", "2026"), ("America/New_York", "2025"), ("", "2026")]
)
def test_the_turn_of_the_year_is_the_operators(library: Database, zone: str, year: str) -> None:
    moment = "2026-01-01T00:30+00:00" if zone != "Asia/Tokyo" else "2025-12-31T15:00+00:00"
    acquire(library, moment, "2020-06-01T00:00+00:00")
    page = browser(library, zone=zone).get(LIST)
    assert offered(page) == ["2020", year]


def test_days_of_a_column_of_days_know_no_zone(library: Database) -> None:
    store(library, *(Book(title=str(n), printed_on=date(2026, 5, n)) for n in (1, 2, 31)))
    client = browser(library, PrintedAdmin, zone="Pacific/Kiritimati")
    page = client.get(LIST)
    assert offered(page) == ["1", "2", "31"]
    assert found(follow(client, page, "31")) == ["31"]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/Havana", "Asia/Beirut"])
def test_every_row_is_reached_by_one_year_one_month_and_one_day(
    library: Database, zone: str
) -> None:
    chance = random.Random(zone)
    near = [first_instant(date(2011, 12, day), ZoneInfo(zone)) for day in (29, 30, 31)]
    moments = [m + timedelta(microseconds=n) for m in near for n in (-1, 0, 1)]
    start = datetime(2010, 1, 1, tzinfo=UTC)
    moments += [start + timedelta(seconds=chance.randrange(8 * 10**7)) for _ in range(25)]
    acquire(library, *(moment.isoformat() for moment in moments))
    client = browser(library, zone=zone)
    for depth, reached in enumerate(walk(client), 1):
        assert reached == Counter(moment.isoformat() for moment in moments), depth


def walk(client: TestClient) -> list[Counter[str]]:
    """Open each year, month and day that is offered; return what each level has shown."""
    levels: list[Counter[str]] = []
    pages = [client.get(f"{LIST}?pageSize=100")]
    while pages:
        urls = {link for page in pages for text in offered(page) for link in links(page, text)}
        opened = [client.get(url) for url in sorted(urls) if "_date=" in url]
        if opened:
            levels.append(sum((Counter(found(page)) for page in opened), Counter()))
        pages = [page for page in opened if offered(page)]
        if len(levels) == 2:
            break
    return levels


# What it costs


def test_it_takes_one_statement_once_its_ends_are_known(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire(library, *(f"20{year}-05-17T00:00+00:00" for year in range(10, 40)))
    monkeypatch.setattr(dates, "FRESH", 0)
    client = browser(library)
    client.get(LIST)
    for query, expected in (("", 2), ("?_date=2026", 2), ("?_date=2026-05-17", 1)):
        client.get(LIST + query)
        with statements(library) as seen:
            client.get(LIST + query)
        assert len(seen) == expected, seen


def test_without_a_hierarchy_it_takes_none(library: Database) -> None:
    acquire(library, MAY, NEW_YEAR)
    view = type("Plain", (AcquiredAdmin,), {"date_hierarchy": None}, model=Book)
    with statements(library) as seen:
        page = browser(library, view).get(f"{LIST}?_date=nonsense")
    assert 'class="dates"' not in page.text
    assert len(seen) == 1


def test_a_century_is_asked_for_at_most(library: Database) -> None:
    acquire(library, "0001-02-03T00:00+00:00", MAY, "9999-02-03T00:00+00:00")
    client = browser(library)
    with statements(library) as seen:
        page = client.get(LIST)
    assert offered(page) == ["1", "2026", "9999"]
    assert max(sql.count("EXISTS") for sql in seen) <= 104


def test_what_is_remembered_is_bounded(library: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dates, "MOST_REMEMBERED", 3)
    acquire(library, *(f"20{year}-05-17T00:00+00:00" for year in range(10, 20)))
    app = make_app(library, AcquiredAdmin)
    for year in range(10, 20):
        visit(app).get(f"{LIST}?_date=20{year}")
    assert len(app.state.site.views[0].dates.remembered) <= 3


@pytest.mark.parametrize("declared", ["title", Book.publisher, "nothing", Book.pages])
def test_only_a_column_of_dates_can_be_drilled_down(declared: Any) -> None:
    view = type("WrongAdmin", (AcquiredAdmin,), {"date_hierarchy": declared}, model=Book)
    with pytest.raises(ImproperlyConfigured, match=r"date_hierarchy: .* is not a column of dates"):
        make_app(NOWHERE, view)


def test_a_scope_that_joins_is_obeyed(library: Database) -> None:
    class JoinedAdmin(AcquiredAdmin, model=Book):
        def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
            return stmt.join(Book.publisher).where(Publisher.name == "Orion")

    acquire(library, NEW_YEAR)
    for year, name in ((2023, "Orion"), (2024, "Other"), (2026, "Orion 2")):
        at = datetime(year, 1, 1, tzinfo=UTC)
        store(library, Book(title=name, acquired_at=at, publisher=Publisher(name=name)))
    orion = Book(title="More", acquired_at=datetime(2022, 1, 1, tzinfo=UTC), publisher_id=1)
    store(library, orion)
    assert offered(browser(library, JoinedAdmin).get(LIST)) == ["2022", "2023"]
