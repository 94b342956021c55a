"""Times are stored in UTC, and read and typed in the operator's zone."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import FormData
from starlette.testclient import TestClient

from admin.kit import Board, PeriodFilter, Series, per_day
from admin.kit.display import display
from admin.kit.fields import InstantField
from admin.kit.filters import periods
from admin.kit.forms import TranslatedForm, fill, shown
from admin.kit.zones import UNIVERSAL, find_zone, instants, known_zones, set_zone
from models.database import Database
from tests.kit.app import Book, BookAdmin, make_app
from tests.kit.pages import cells, rows, sentence, store, titles
from tests.pages import Page, get
from tests.personas import visit

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
# In 2026 Berlin's clocks go from 02:00 to 03:00 and, in autumn, from 03:00 back to 02:00.
SPRING, AUTUMN = "2026-03-29T02:30:00", "2026-10-25T02:30:00"
FIRST, SECOND = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class TimedBookAdmin(BookAdmin, model=Book):
    column_list = [Book.title, Book.acquired_at]
    column_details_list = [Book.title, Book.acquired_at]
    column_filters = [
        PeriodFilter(Book.acquired_at),
        PeriodFilter(Book.printed_on),
    ]
    form_columns = [Book.title, Book.acquired_at]


@pytest.fixture(autouse=True)
def _universal_afterwards() -> Iterator[None]:
    yield
    set_zone(UNIVERSAL)


@pytest.fixture
def client(library: Database) -> TestClient:
    """Open a library to an operator in Berlin."""
    client = visit(make_app(library, TimedBookAdmin))
    choose(client, "Europe/Berlin")
    return client


def choose(client: TestClient, zone: str) -> None:
    answer = client.post("/admin/preferences", data={"timezone": zone})
    assert answer.status_code == 204, sentence(answer)


def acquired(library: Database, key: int = 1) -> datetime | None:
    return library.read(lambda session: session.get_one(Book, key).acquired_at)


def zone_on(client: TestClient) -> str:
    """Return the zone that the list names."""
    (note,) = get(client, "/admin/book/list").root.find("p", **{"class": "zone-note"})
    return note.text.removeprefix("Times in ") if note else ""


# Which one


def test_the_zone_is_the_chosen_one_else_the_browsers_else_utc(library: Database) -> None:
    store(library, Book(title="Emma"))
    client = visit(make_app(library, TimedBookAdmin))
    assert zone_on(client) == "UTC"
    client.post("/admin/preferences", data={"browser_timezone": "America/New_York"})
    assert zone_on(client) == "America/New York"
    choose(client, "Europe/Berlin")
    assert zone_on(client) == "Europe/Berlin"
    choose(client, "")
    assert zone_on(client) == "America/New York"


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "localtime", "\x00", "x" * 5000])
def test_a_zone_that_does_not_exist_is_refused(client: TestClient, zone: str) -> None:
    answer = client.post("/admin/preferences", data={"timezone": zone})
    assert answer.status_code == 400
    assert "There is no such time zone." in answer.text


def test_a_browsers_zone_that_is_not_known_here_is_ignored(client: TestClient) -> None:
    answer = client.post("/admin/preferences", data={"browser_timezone": "Mars/Base"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)


@pytest.mark.parametrize("value", ["Mars/Base", '"', "../UTC", "é"])
def test_a_cookie_that_makes_no_sense_is_utc(library: Database, value: str) -> None:
    store(library, Book(title="Emma", acquired_at=NOON))
    client = visit(make_app(library, TimedBookAdmin))
    headers = {"Cookie": f"admin_timezone={value}".encode()}
    page = client.get("/admin/book/list", headers=headers)  # type: ignore[arg-type]
    assert cells(page) == [["Emma", "2026-07-01 12:00 UTC"]]


# Shown


def test_times_are_shown_in_the_zone_with_the_instant_behind(
    library: Database, client: TestClient
) -> None:
    store(library, Book(title="Emma", acquired_at=NOON))
    page = client.get("/admin/book/list")
    assert cells(page) == [["Emma", "2026-07-01 14:00"]]
    assert 'datetime="2026-07-01T12:00:00Z" title="2026-07-01 12:00:00 UTC"' in page.text


@pytest.mark.parametrize("page", ["list", "details/1", "list?acquired_at=today"])
def test_a_page_with_times_names_the_zone_once(
    library: Database, client: TestClient, page: str
) -> None:
    store(library, Book(title="Emma", acquired_at=NOON))
    answer = client.get(f"/admin/book/{page}")
    assert answer.text.count("Times in Europe/Berlin") == 1


def test_a_page_without_times_names_none(library: Database) -> None:
    client = visit(make_app(library))
    assert "Times in" not in client.get("/admin/publisher/list").text


def test_a_files_times_stay_utc(library: Database, client: TestClient) -> None:
    store(library, Book(title="Emma", acquired_at=NOON))
    for kind in ("json", "csv"):
        assert rows(client, kind=kind)[0]["acquired_at"] == "2026-07-01T12:00:00+00:00"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Manila"])
def test_the_ends_of_the_calendar_can_be_shown(zone: str) -> None:
    set_zone(ZoneInfo(zone))
    for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert "<time" in display(moment)


# Typed


def test_a_form_reads_and_shows_the_clocks_of_the_zone(
    library: Database, client: TestClient
) -> None:
    page = get(client, "/admin/book/create")
    (hint,) = page.root.find("div", id="acquired_at-help")
    assert hint.text == "Europe/Berlin"
    client.post("/admin/book/create", data={"title": "Emma", "acquired_at": "2026-07-01T14:00"})
    assert acquired(library) == NOON
    shown = get(client, "/admin/book/edit/1").fields()
    assert (shown["acquired_at"], shown["_timezone"]) == ("2026-07-01T14:00:00", "Europe/Berlin")


def test_a_form_is_read_in_the_zone_it_was_shown_in(library: Database, client: TestClient) -> None:
    """Another tab may have chosen another zone meanwhile."""
    store(library, Book(title="Emma", acquired_at=NOON))
    sent = {**get(client, "/admin/book/edit/1").fields(), "acquired_at": "2026-07-01T15:00"}
    choose(client, "America/New_York")
    assert client.post("/admin/book/edit/1", data=sent).status_code == 302
    assert acquired(library) == NOON + timedelta(hours=1)


def test_an_untouched_form_changes_nothing_after_a_change_of_zone(
    library: Database, client: TestClient
) -> None:
    exact = NOON + timedelta(microseconds=7)
    store(library, Book(title="Emma", acquired_at=exact))
    sent = get(client, "/admin/book/edit/1").fields()
    choose(client, "America/New_York")
    client.post("/admin/book/edit/1", data=sent)
    assert acquired(library) == exact


def test_a_form_that_is_shown_again_stays_in_its_zone(
    library: Database, client: TestClient
) -> None:
    sent = {"title": "", "acquired_at": "2026-07-01T14:00", "_timezone": "America/New_York"}
    page = Page(client.post("/admin/book/create", data=sent))
    assert page.fields()["_timezone"] == "America/New_York"
    assert page.fields()["acquired_at"] == "2026-07-01T14:00"


def test_a_form_of_an_unknown_zone_is_refused(library: Database, client: TestClient) -> None:
    sent = {"title": "Emma", "acquired_at": "2026-07-01T14:00", "_timezone": "Mars/Base"}
    assert client.post("/admin/book/create", data=sent).status_code == 400
    assert titles(client) == []


def test_a_time_that_no_clock_shows_is_refused_at_its_field(
    library: Database, client: TestClient
) -> None:
    answer = client.post("/admin/book/create", data={"title": "Emma", "acquired_at": SPRING})
    assert Page(answer).error("acquired_at") == (
        "There is no such time in Europe/Berlin: the clocks were put forward over it."
    )


def test_a_time_that_clocks_show_twice_means_the_first(
    library: Database, client: TestClient
) -> None:
    client.post("/admin/book/create", data={"title": "Emma", "acquired_at": AUTUMN})
    assert acquired(library) == FIRST


def test_who_touches_another_field_keeps_the_second(library: Database, client: TestClient) -> None:
    store(library, Book(title="Emma", acquired_at=SECOND))
    sent = get(client, "/admin/book/edit/1").fields()
    # Browsers leave out seconds that are none.
    assert sent["acquired_at"] == AUTUMN
    client.post("/admin/book/edit/1", data={**sent, "title": "Emma!", "acquired_at": AUTUMN[:-3]})
    assert acquired(library) == SECOND


@pytest.mark.parametrize(
    ("wall", "expected"),
    [(SPRING, []), (AUTUMN, [FIRST, SECOND]), ("2026-07-01T14:00:00", [NOON])],
)
def test_clocks_show_a_time_never_twice_or_once(wall: str, expected: list[datetime]) -> None:
    assert instants(datetime.fromisoformat(wall), BERLIN) == expected


class Form(TranslatedForm):
    moment = InstantField()


zones = st.sampled_from(sorted(known_zones()))
moments = st.datetimes(
    datetime.fromisoformat("0001-01-03"),
    datetime.fromisoformat("9999-12-29"),
    timezones=st.just(UTC),
)


@given(zones, moments)
@example("Europe/Berlin", SECOND)
@example("Africa/Monrovia", datetime(1972, 1, 7, 0, 44, 29, 999999, tzinfo=UTC))
@example("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC))
def test_what_a_field_shows_and_gets_back_is_the_same_instant(name: str, moment: datetime) -> None:
    zone = find_zone(name)
    assert zone
    set_zone(zone)
    page = fill(Form, {"moment": moment})
    sent = FormData([("moment", text) for text in shown(page["moment"])])
    form = fill(Form, {"moment": moment}, sent)
    assert form.validate()
    assert form["moment"].data == moment


@given(zones, moments)
def test_what_a_field_shows_is_an_instant_that_its_clocks_show(name: str, moment: datetime) -> None:
    """Typed into an empty form, it is the same second, or the first of two."""
    zone = find_zone(name)
    assert zone
    set_zone(zone)
    page = fill(Form, {"moment": moment})
    form = fill(Form, {}, FormData([("moment", text) for text in shown(page["moment"])]))
    assert form.validate()
    apart = moment.replace(microsecond=0) - form["moment"].data
    assert apart == timedelta(0) or form["moment"].data in instants(
        moment.astimezone(zone).replace(tzinfo=None, microsecond=0), zone
    )


# Periods


@pytest.fixture
def at_one_in_berlin(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Stop the clock at one in the morning of the second of July; in UTC it is the first."""
    now = datetime(2026, 7, 1, 23, tzinfo=UTC)
    monkeypatch.setattr(periods, "utc_now", lambda: now)
    return now


def test_today_is_the_zones_day(
    library: Database, client: TestClient, at_one_in_berlin: datetime
) -> None:
    midnight = datetime(2026, 7, 1, 22, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    store(library, Book(title="Before", acquired_at=midnight - instant))
    store(library, Book(title="First", acquired_at=midnight))
    store(library, Book(title="Last", acquired_at=midnight + timedelta(days=1) - instant))
    store(library, Book(title="After", acquired_at=midnight + timedelta(days=1)))
    assert titles(client, acquired_at="today") == ["First", "Last"]
    choose(client, "UTC")
    assert titles(client, acquired_at="today") == ["Before", "First"]


def test_a_column_of_days_is_compared_with_the_zones_today(
    library: Database, client: TestClient, at_one_in_berlin: datetime
) -> None:
    store(library, *(Book(title=f"{n}", printed_on=date(2026, 7, n)) for n in (1, 2, 3)))
    assert titles(client, printed_on="today") == ["2"]


@pytest.mark.parametrize("now", [FIRST, SECOND])
def test_a_day_of_25_hours_is_one_day(
    library: Database, client: TestClient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periods, "utc_now", lambda: now)
    hours = [datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(hours=n) for n in range(-1, 26)]
    store(library, *(Book(title=f"{n:02}", acquired_at=at) for n, at in enumerate(hours, -1)))
    assert titles(client, acquired_at="today") == [f"{n:02}" for n in range(25)]


# The front page


def test_cards_count_days_of_utc_for_everyone_and_say_so(library: Database) -> None:
    card = Series("books", "Books", "book", per_day(Book.acquired_at, 3))
    client = visit(make_app(library, TimedBookAdmin, board=Board([card])))
    note = "Days begin at midnight UTC, for everyone."
    client.get("/admin/")
    assert note not in client.get("/admin/").text
    choose(client, "Europe/Berlin")
    page = client.get("/admin/").text
    assert note in page
    assert "Times in Europe/Berlin" in page
    (shown,) = re.findall(r'As of <time datetime="(.*?)">(\d\d):\d\d</time>', page)
    assert datetime.fromisoformat(shown[0]).astimezone(BERLIN).hour == int(shown[1])
