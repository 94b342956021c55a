"""A form shows what a row holds; sent back untouched, it changes nothing at all."""

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from wtforms import PasswordField

from models.database import Database
from tests.databases import statements
from tests.kit.app import Binding, Book, BookAdmin, Publisher, make_app
from tests.kit.browser import form_on
from tests.kit.specimen import Color, Specimen, SpecimenAdmin
from tests.personas import visit

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
# The first and the last day that are one in every time zone.
FIRST, LAST = map(datetime.fromisoformat, ("0001-01-02", "9999-12-30"))
DAYS = timedelta(days=365 * 800)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def whole(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


SPECIMENS = st.fixed_dictionaries(
    {
        "line": TEXT,
        "line_or_none": maybe(TEXT),
        "text": TEXT,
        "text_or_none": maybe(TEXT | st.sampled_from(["\r\n", "\n a", "a\rb", " ", "</textarea>"])),
        "small": maybe(whole(16)),
        "whole": maybe(whole(32)),
        "big": maybe(whole(64)),
        "price": maybe(st.decimals(-999999, 999999, places=2)),
        "weight": maybe(st.floats(allow_nan=False, allow_infinity=False)),
        "color": maybe(st.sampled_from(Color)),
        "must_color": st.sampled_from(Color),
        "rare": maybe(st.booleans()),
        "alive": st.booleans(),
        "found_on": maybe(st.dates()),
        "fed_at": maybe(st.times()),
        "seen_at": maybe(st.datetimes()),
        "stored_at": maybe(st.datetimes(FIRST, LAST, timezones=st.just(UTC))),
        "age": maybe(st.timedeltas(-DAYS, DAYS)),
        "code": maybe(st.uuids()),
        "code_text": maybe(st.uuids().map(str)),
        "notes": maybe(st.recursive(st.booleans() | TEXT | whole(32), st.lists, max_leaves=5)),
        "names": maybe(st.lists(maybe(TEXT), max_size=3)),
        "data": maybe(TEXT),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[*HealthCheck])
@given(values=SPECIMENS)
def test_an_untouched_form_changes_nothing(zoo: Database, values: dict[str, Any]) -> None:
    """No value is too odd: it is shown, sent as browsers do, and not even written."""
    key = zoo.write(lambda session: add(session, Specimen(**values)))
    client = visit(make_app(zoo, SpecimenAdmin))
    page = client.get(f"/admin/specimen/edit/{key}")
    with statements(zoo) as seen:
        answer = client.post(f"/admin/specimen/edit/{key}", data=form_on(page.text))
    assert (answer.status_code, [sql for sql in seen if "UPDATE" in sql]) == (302, [])


def add(session: Any, obj: Any) -> int:
    session.add(obj)
    session.flush()
    return int(obj.id)


def edit(client: TestClient, key: int, **changes: str | list[str]) -> Any:
    """Open a book's form, change these inputs and send it."""
    sent = form_on(client.get(f"/admin/book/edit/{key}").text)
    return client.post(f"/admin/book/edit/{key}", data={**sent, **changes})


def stored(database: Database, key: int) -> Book:
    return database.read(lambda session: session.get_one(Book, key))


def add_book(database: Database, **values: Any) -> int:
    return database.write(lambda session: add(session, Book(**{"title": "Emma", **values})))


def test_untouched_fields_keep_what_a_page_can_not_show(
    library: Database, client: TestClient
) -> None:
    """Fractions of a second, line ends and blanks survive a change of another field."""
    moment = datetime(2024, 5, 1, 12, 0, 0, 654321, tzinfo=UTC)
    key = add_book(library, summary="\r\na\rb ", subtitle=" x ", acquired_at=moment)
    assert edit(client, key, title="Persuasion").status_code == 302
    book = stored(library, key)
    assert (book.title, book.summary, book.subtitle) == ("Persuasion", "\r\na\rb ", " x ")
    assert book.acquired_at == moment


def test_an_empty_text_and_no_text_stay_what_they_are(
    library: Database, client: TestClient
) -> None:
    empty, none = add_book(library, subtitle=""), add_book(library, subtitle=None)
    edit(client, empty, title="a")
    edit(client, none, title="b")
    assert stored(library, empty).subtitle == ""
    assert stored(library, none).subtitle is None


def test_a_field_the_request_omits_keeps_its_value(library: Database, client: TestClient) -> None:
    publisher = Publisher(name="Murray")
    key = add_book(library, publisher=publisher, lendable=True, binding=Binding.PAPERBACK, pages=3)
    assert client.post(f"/admin/book/edit/{key}", data={"title": "Emma II"}).status_code == 302
    book = stored(library, key)
    assert (book.title, book.pages, book.lendable) == ("Emma II", 3, True)
    assert (book.binding, book.publisher_id) == (Binding.PAPERBACK, 1)


def test_a_new_row_gets_the_defaults_of_what_is_omitted(zoo: Database) -> None:
    client = visit(make_app(zoo, SpecimenAdmin))
    client.post("/admin/specimen/create", data={"line": "omitted", "rank": ""})
    row = zoo.read(lambda s: s.query(Specimen).filter_by(line="omitted").one())
    assert (row.alive, row.must_color, row.text, row.rank) == (True, Color.GREEN, "", 7)


def test_columns_outside_the_form_can_not_be_written(library: Database, client: TestClient) -> None:
    """A forged request has no say about keys, versions and names that are no field."""
    key = add_book(library)
    forged = {"id": "99", "version": "7", "publisher_id": "1", "nothing": "x", "__class__": "x"}
    assert edit(client, key, **forged).status_code == 302
    book = stored(library, key)
    assert (book.id, book.version, book.publisher_id) == (key, 1, None)


def test_a_readonly_column_is_text_that_no_request_changes(library: Database) -> None:
    class ReadonlyTitle(BookAdmin, model=Book):
        form_readonly_columns = [Book.title]

    client, key = visit(make_app(library, ReadonlyTitle)), add_book(library)
    page = client.get(f"/admin/book/edit/{key}").text
    assert "<dd>Emma</dd>" in page
    assert "title" not in form_on(page)
    assert edit(client, key, title="Forged").status_code == 302
    assert stored(library, key).title == "Emma"


def test_a_form_with_mistakes_keeps_what_was_typed(library: Database, client: TestClient) -> None:
    """Wrong input stands where it was typed, and the heading of the window says so."""
    answer = edit(client, add_book(library), title="", pages="99999999999", summary="typed")
    assert answer.status_code == 400
    typed = form_on(answer.text)
    assert (typed["pages"], typed["summary"]) == (["99999999999"], ["typed"])
    assert "<title>Error: " in answer.text
    assert re.search(r'aria-describedby="pages-error"', answer.text)


def test_an_empty_password_field_keeps_the_password(library: Database) -> None:
    """Its page shows nothing of it, so nothing comes back."""

    class WithPassword(BookAdmin, model=Book):
        form_overrides = {"subtitle": PasswordField}

    client, key = visit(make_app(library, WithPassword)), add_book(library, subtitle="a secret")
    assert "a secret" not in client.get(f"/admin/book/edit/{key}").text
    assert edit(client, key, title="Persuasion").status_code == 302
    assert stored(library, key).subtitle == "a secret"


def test_a_stored_text_that_breaks_a_rule_does_not_block_other_fields(
    library: Database, client: TestClient
) -> None:
    key = add_book(library, subtitle="a\x01b")
    assert edit(client, key, title="Persuasion").status_code == 302


def test_all_kinds_of_columns_are_stored_as_typed(zoo: Database) -> None:
    client = visit(make_app(zoo, SpecimenAdmin))
    code = "123e4567-e89b-12d3-a456-426614174000"
    typed = {
        "line": "typed", "price": "12.50", "weight": "0.1", "color": "DARK_RED", "rare": "no",
        "alive": ["false"], "found_on": "2024-02-29", "fed_at": "16:30", "age": "1 day 2:00:00",
        "seen_at": "2024-02-29T16:30", "stored_at": "2024-02-29T16:30:05", "code": code,
        "code_text": code, "notes": '{"a": [1, null]}', "names": '["x", null]',
    }  # fmt: skip
    assert client.post("/admin/specimen/create", data=typed).status_code == 302
    row = zoo.read(lambda s: s.query(Specimen).filter_by(line="typed").one())
    assert (row.price, row.weight, row.color) == (Decimal("12.50"), 0.1, Color.DARK_RED)
    assert (row.rare, row.alive) == (False, False)
    assert (row.found_on, row.fed_at) == (date(2024, 2, 29), time(16, 30))
    assert (row.age, row.code) == (timedelta(days=1, hours=2), uuid.UUID(code))
    assert row.seen_at == datetime.fromisoformat("2024-02-29T16:30")
    assert row.stored_at == datetime(2024, 2, 29, 16, 30, 5, tzinfo=UTC)
    assert (row.code_text, row.notes, row.names) == (code, {"a": [1, None]}, ["x", None])
