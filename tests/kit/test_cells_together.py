"""Two operators, and many, at one list: what anybody typed is stored or asked about."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from models.database import Database
from tests.databases import Backend
from tests.kit.app import Base, Book
from tests.kit.browser import form_on
from tests.kit.recorded import begin_history
from tests.kit.sheets import Sent, books, keep, open_sheets, opened, prefix_of, save, typed

NAMES = ["title", "subtitle"]
ROWS = st.integers(0, 1)
CELL = st.tuples(ROWS, st.sampled_from(NAMES), st.sampled_from(["a", "b", "c"]))
# What one of the two does next: open the list anew, type, or save and settle what collides.
STEP = st.tuples(
    st.integers(0, 1),
    st.one_of(
        st.tuples(st.just("open")),
        st.tuples(st.just("type"), CELL),
        st.tuples(st.just("save"), st.sampled_from(["mine", "theirs"])),
    ),
)
Values = dict[tuple[int, str], str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def zoo(request: pytest.FixtureRequest) -> Iterator[Database]:
    backend: Backend = request.getfixturevalue(request.param)
    database = backend.open(backend.empty())
    Base.metadata.create_all(database.writer)
    yield begin_history(database)
    database.dispose()
    backend.drop(database.writer.engine.url)


class Desk:
    """An operator with the list open, and what they know of it."""

    def __init__(self, client: TestClient, rows: list[Book]) -> None:
        self.client = client
        self.rows = rows
        self.open()

    def open(self) -> None:
        self.sent: Sent = opened(self.client)
        self.was = self.shown()

    def shown(self) -> Values:
        return {
            (row, name): self.sent[f"{prefix_of(self.sent, str(book.id))}-{name}"][0]
            for row, book in enumerate(self.rows)
            for name in NAMES
        }

    def type(self, cell: tuple[int, str, str]) -> None:
        row, name, value = cell
        self.sent = typed(self.sent, self.rows[row], **{name: value})

    def save(self, stored: Values, choice: str) -> Values:
        """Save, check what that did, and return what is to be stored now."""
        mine = {at: text for at, text in self.shown().items() if text != self.was[at]}
        both = {at for at in mine if stored[at] not in (self.was[at], mine[at])}
        answer = save(self.client, self.sent)
        assert answer.status_code == (409 if both else 302)
        if both:
            again = form_on(answer.text)
            for name in NAMES:
                again = keep(again, name, choice)
            assert save(self.client, again).status_code == 302
        self.open()
        dropped = both if choice == "theirs" else set()
        return {**stored, **{at: text for at, text in mine.items() if at not in dropped}}


def values(database: Database, rows: list[Book]) -> Values:
    found = books(database)
    return {
        (row, name): getattr(found[book.id], name)
        for row, book in enumerate(rows)
        for name in NAMES
    }


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEP, min_size=2, max_size=8))
def test_no_update_is_lost_and_none_is_invented(zoo: Database, steps: list[Any]) -> None:
    rows = [Book(title="t", subtitle="s"), Book(title="t", subtitle="s")]

    def begin(session: Any) -> None:
        for book in books(zoo).values():
            session.delete(session.merge(book))
        session.add_all(rows)

    zoo.write(begin)
    desks = [Desk(client, rows) for client in open_sheets(zoo)]
    expected = values(zoo, rows)
    for who, (what, *how) in steps:
        if what == "save":
            expected = desks[who].save(expected, *how)
            assert values(zoo, rows) == expected
        else:
            getattr(desks[who], what)(*how)


def test_of_many_at_once_nobody_loses_anything(library: Database) -> None:
    """Each saves a cell of their own in the same two rows, which others save meanwhile."""
    recorded = begin_history(library)
    rows = [Book(title="t", subtitle="s"), Book(title="t", subtitle="s")]
    recorded.write(lambda session: session.add_all(rows))
    cells = [(book, name) for book in rows for name in ("title", "subtitle", "pages", "price")]
    jobs = [(*open_sheets(recorded)[:1], book, name) for book, name in cells]
    forms = [opened(client) for client, _, _ in jobs]

    def work(number: int) -> int:
        client, book, name = jobs[number]
        value = {"pages": "7", "price": "9.50"}.get(name, name)
        return save(client, typed(forms[number], book, **{name: value})).status_code

    with ThreadPoolExecutor(len(jobs)) as pool:
        assert set(pool.map(work, range(len(jobs)))) == {302}
    for book in books(recorded).values():
        assert (book.title, book.subtitle, book.pages) == ("title", "subtitle", 7)


def test_of_two_who_save_the_same_cell_at_once_one_is_asked(library: Database) -> None:
    recorded = begin_history(library)
    book = Book(title="t")
    recorded.write(lambda session: session.add(book))
    seats = open_sheets(recorded)
    forms = [typed(opened(client), book, title=f"mine {n}") for n, client in enumerate(seats)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(save, seats, forms))
    assert sorted(answer.status_code for answer in answers) == [302, 409]
