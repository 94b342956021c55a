"""A list is read along with the session: in one hop, and shown to nobody who may not see it."""

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import Authentication, ModelAdmin
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import Book, EveryoneIsOlga, PublisherAdmin, make_app
from tests.kit.pages import Allow, keys, store
from tests.personas import visit

LIST = "/admin/book/list"


class Recognised(EveryoneIsOlga):
    """Knows who is asking by a session of the database, as applications do."""

    identify = Authentication.identify
    is_known = True

    def recognise(self, request: Request, session: Session) -> bool:
        request.state.operator_name = "olga"
        return self.is_known

    def had_session(self, request: Request) -> bool:
        return True


class Stranger(Recognised):
    is_known = False


class Books(ModelAdmin, model=Book):
    column_list = [Book.title]
    form_columns = [Book.title]


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def hops(library: Database, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note each time that a session is opened."""
    seen: list[Any] = []
    read = library.read

    def note(work: Any) -> Any:
        seen.append(work)
        return read(work)

    monkeypatch.setattr(library, "read", note)
    return seen


def browser(
    library: Database, view: type[ModelAdmin] = Books, known: Any = Recognised, **options: Any
) -> TestClient:
    app = make_app(library, view, PublisherAdmin, authentication_backend=known(), **options)
    return visit(app)


def test_a_list_takes_one_hop(library: Database, hops: list[Any]) -> None:
    store(library, Book(title="Emma"))
    assert keys(browser(library).get(LIST)) == ["1"]
    assert len(hops) == 1


def test_a_list_with_a_scope_is_read_when_it_is_known_who_asks(
    library: Database, hops: list[Any]
) -> None:
    class Scoped(Books, model=Book):
        def scope(self, stmt: Any, request: Request) -> Any:
            return stmt

    assert browser(library, Scoped).get(LIST).status_code == 200
    assert len(hops) == 2


def test_nothing_is_read_for_a_stranger(library: Database, hops: list[Any]) -> None:
    assert browser(library, known=Stranger).get(LIST).status_code == 302
    assert len(hops) == 1


def test_what_was_read_is_not_shown_to_who_may_not_see_it(library: Database) -> None:
    store(library, Book(title="Emma"))
    client = browser(library, authorization_backend=Allow("publisher:list"))
    answer = client.get(LIST)
    assert answer.status_code == 403
    assert "Emma" not in answer.text


def test_what_roles_forbid_is_not_read_at_all(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    monkeypatch.setattr("admin.kit.read_pages.load_list", lambda *work: read.append(work))
    client = browser(library, authorization_backend=Allow("publisher:list"))
    assert client.get(LIST).status_code == 403
    assert read == []


def test_a_view_that_knows_better_than_roles_is_read_when_it_says_so(library: Database) -> None:
    class Open(Books, model=Book):
        async def check_can_list(self, request: Request) -> bool:
            return True

    store(library, Book(title="Emma"))
    client = browser(library, Open, authorization_backend=Allow("book:create"))
    assert "Emma" in client.get(LIST).text


def test_who_may_not_see_a_list_is_not_told_what_is_wrong_with_its_address(
    library: Database,
) -> None:
    client = browser(library, authorization_backend=Allow("publisher:list"))
    assert client.get(f"{LIST}?sortBy=summary").status_code == 403
    assert browser(library).get(f"{LIST}?sortBy=summary").status_code == 400


def test_a_database_that_is_away_is_no_error_of_the_page(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("admin.kit.read_pages.load_page", fail)
    assert browser(library).get(LIST).status_code == 503
