"""“Select all that match” means the rows that the list shows for its address, and no other."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from admin.kit import EmptyFilter, ModelAdmin, RelatedFilter, SetValues, action
from models.database import Database
from tests.kit.app import Book, Chapter, Publisher, make_app
from tests.kit.browser import form_on
from tests.kit.pages import cells, keys, sentence, store, titles
from tests.kit.recorded import begin_history, make_recorded
from tests.personas import visit

LEND = "/admin/book/action/lend"
DELETE = "/admin/book/delete"


class LendingAdmin(ModelAdmin, model=Book):
    column_list = [Book.title, Book.publisher, Book.pages]
    column_searchable_list = [Book.title, "publisher.name"]
    column_sortable_list = [Book.title, Book.pages]
    form_columns = [Book.title]
    page_size = 2
    page_size_options = [2, 250]
    column_filters = [RelatedFilter(Book.publisher), EmptyFilter(Book.subtitle)]
    actions = [SetValues("lend", "Lend", {"lendable": True})]

    def scope(self, stmt: Any, request: Any) -> Any:
        return stmt.where(Book.title != "Hidden")

    @action(name="shout", label="Shout")
    async def shout(self, request: Any) -> None:
        def change(session: Session, books: list[Book]) -> None:
            for book in books:
                book.title = book.title.upper()

        await self.selected_objects(request, change)


@pytest.fixture
def client(library: Database) -> TestClient:
    """Open a recorded library of six books, of which one is out of the scope."""
    begin_history(library)
    names = ("Emma", "Persuasion", "Emma II", "Emma III", "Hidden", "Sanditon")
    store(library, *[Book(title=name) for name in names])
    return visit(make_recorded(begin_history(library), LendingAdmin))


def ask(client: TestClient, query: str, path: str = LEND) -> dict[str, list[str]]:
    """Return what the page sends that asks about all rows of this list."""
    page = client.post(path, data={"_all": "1", "_back": query})
    assert page.status_code == 200, sentence(page)
    return form_on(page.text)


def lent(library: Database) -> list[str]:
    stmt = select(Book.title).where(Book.lendable.is_(True)).order_by(Book.id)
    return library.read(lambda session: list(session.scalars(stmt)))


def test_it_means_all_pages_of_the_list(client: TestClient, library: Database) -> None:
    """What is ticked on the page makes no difference then, nor does the place in the list."""
    query = "search=emma&page=2&sortBy=title"
    sent = ask(client, query)
    assert "pks" not in sent
    answer = client.post(LEND, data={**sent, "pks": ["2"]})
    assert answer.headers["location"] == f"/admin/book/list?{query}"
    assert lent(library) == ["Emma", "Emma II", "Emma III"]


def test_the_page_that_asks_says_how_many(client: TestClient) -> None:
    page = client.post(LEND, data={"_all": "1", "_back": ""})
    assert "5 books" in sentence(page)
    assert "Hidden" not in sentence(page)


def test_the_list_offers_it_where_it_has_more_pages(client: TestClient) -> None:
    assert "Select all 3 books that match" in client.get("/admin/book/list?search=emma").text
    assert 'name="_all"' not in client.get("/admin/book/list?search=sanditon").text


def test_what_no_list_has_is_refused(client: TestClient, library: Database) -> None:
    answer = client.post(LEND, data={"_all": "1", "_back": "lendable__nonsense=1&publisher=abc"})
    assert answer.status_code in (200, 400, 404)
    assert lent(library) == []


@pytest.mark.parametrize("more", ["Emma IV", None])
def test_other_rows_than_were_shown_are_asked_about_again(
    client: TestClient, library: Database, more: str | None
) -> None:
    sent = ask(client, "search=emma")
    if more:
        store(library, Book(title=more))
    else:
        library.write(lambda session: setattr(session.get_one(Book, 1), "pages", 3))
    answer = client.post(LEND, data=sent)
    assert answer.status_code == 409
    said = "There were 3 books; now there are 4." if more else "Some of these books were changed."
    assert said in sentence(answer)
    assert lent(library) == []
    assert client.post(LEND, data=form_on(answer.text)).status_code == 302
    assert len(lent(library)) == 3 + bool(more)


def test_methods_get_all_objects(client: TestClient, library: Database) -> None:
    """A method that asks nothing for ticked rows asks before it takes all."""
    path = "/admin/book/action/shout"
    assert client.post(path, data=ask(client, "search=emma", path)).status_code == 302
    assert titles(client, pageSize="250") == [
        "EMMA",
        "EMMA II",
        "EMMA III",
        "Persuasion",
        "Sanditon",
    ]


def test_a_deletion_may_take_all(client: TestClient, library: Database) -> None:
    """With what belongs to them; one change set holds it, and takes it back."""
    store(library, Chapter(book_id=1, slug="one", heading="One"))
    page = client.get(f"{DELETE}?_all=1&_back=search%3Demma&pks=2")
    assert "3 books" in sentence(page)
    assert "1 chapter" in sentence(page)
    answer = client.post(DELETE, data=form_on(page.text))
    assert answer.headers["location"] == "/admin/book/list?search=emma"
    list_page = client.get("/admin/book/list")
    assert cells(list_page)[0][0] == "Persuasion"
    assert "3 books were deleted." in sentence(list_page)
    undo = list_page.text.partition('class="undo" method="post" action="')[2].partition('"')[0]
    client.post(undo)
    assert "Emma" in titles(client, pageSize="250")
    assert library.read(lambda session: session.get(Chapter, (1, "one"))) is not None


def test_a_deletion_asks_again_when_more_goes(client: TestClient, library: Database) -> None:
    sent = form_on(client.get(f"{DELETE}?_all=1&_back=search%3Demma").text)
    store(library, Chapter(book_id=1, slug="one", heading="One"))
    answer = client.post(DELETE, data=sent)
    assert (answer.status_code, len(titles(client, pageSize="250"))) == (409, 5)
    assert "Before, what goes with it was: nothing." in sentence(answer)


@pytest.mark.parametrize("hook", ["check_can_edit", "on_model_change"])
def test_one_refused_row_stops_all(library: Database, hook: str) -> None:
    """As it does for rows that are ticked, whether statements could do it or not."""

    class Careful(LendingAdmin, model=Book):
        pass

    async def check_can_edit(self: Any, request: Any, model: Any) -> bool:
        return model is None or model.title != "Persuasion"

    async def on_model_change(self: Any, data: Any, model: Any, *_: Any) -> None:
        assert data == {"lendable": True}
        data["subtitle"] = "by a hook"

    setattr(Careful, hook, locals()[hook])
    store(library, Book(title="Emma"), Book(title="Persuasion"))
    careful = visit(make_app(library, Careful))
    answer = careful.post(LEND, data=ask(careful, ""))
    assert answer.status_code == (403 if hook == "check_can_edit" else 302)
    assert lent(library) == ([] if hook == "check_can_edit" else ["Emma", "Persuasion"])


def test_one_refused_row_stops_the_deletion_of_all(library: Database) -> None:
    class Careful(LendingAdmin, model=Book):
        async def check_can_delete(self, request: Any, model: Any) -> bool:
            return model is None or model.title != "Persuasion"

    store(library, Book(title="Emma"), Book(title="Persuasion"))
    careful = visit(make_app(library, Careful))
    sent = form_on(careful.get(f"{DELETE}?_all=1").text)
    assert careful.post(DELETE, data=sent).status_code == 403
    assert len(titles(careful)) == 2


def test_hooks_of_deletions_see_each_row(library: Database) -> None:
    seen: list[str] = []

    class Watching(LendingAdmin, model=Book):
        async def on_model_delete(self, model: Any, request: Any) -> None:
            seen.append(f"going {model.title}")

        async def after_model_delete(self, model: Any, request: Any) -> None:
            seen.append(f"gone {model.title}")

    store(library, Book(title="Emma"), Book(title="Persuasion"))
    watching = visit(make_app(library, Watching))
    assert watching.post(DELETE, data={"_all": "1"}).status_code == 302
    assert seen == ["going Emma", "going Persuasion", "gone Emma", "gone Persuasion"]


def test_a_change_does_not_decide_what_else_is_meant(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows are found before the first of them is changed."""
    monkeypatch.setattr("admin.kit.selection.BATCH_SIZE", 2)

    class Chained(LendingAdmin, model=Book):
        actions = [SetValues("end", "End", {"subtitle": None})]

        def scope(self, stmt: Any, request: Any) -> Any:
            other = select(Book.subtitle).where(Book.subtitle == "open").correlate(None)
            return stmt.where(other.exists())

    store(library, *[Book(title=f"{n}", subtitle="open") for n in range(5)])
    chained = visit(make_app(library, Chained))
    path = "/admin/book/action/end"
    assert chained.post(path, data=ask(chained, "", path)).status_code == 302
    assert not library.read(lambda s: s.scalars(select(Book).where(Book.subtitle == "open")).all())


WORDS = ("emma", "persuasion", "sand")
BOOKS = st.lists(
    st.tuples(
        st.sampled_from(["Emma", "Persuasion", "Sanditon", "Hidden", "Emma's sand"]),
        st.sampled_from([None, "", "Second"]),
        st.sampled_from([None, 1, 2]),
    ),
    max_size=12,
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "search": st.sampled_from(WORDS),
        "publisher": st.sampled_from(["1", "2"]),
        "subtitle": st.sampled_from(["yes", "no"]),
        "sortBy": st.sampled_from(["title", "pages"]),
        "page": st.sampled_from(["1", "2"]),
    },
)


@pytest.fixture(scope="module")
def shelves(zoo: Database) -> tuple[Database, TestClient]:
    store(zoo, Publisher(name="Orion"), Publisher(name="Sand & Sons"))
    return zoo, visit(make_app(zoo, LendingAdmin))


@settings(max_examples=25, deadline=None)
@given(books=BOOKS, query=QUERIES)
def test_it_acts_on_exactly_the_rows_that_the_list_shows(
    shelves: tuple[Database, TestClient], books: list[tuple[Any, ...]], query: dict[str, str]
) -> None:
    library, client = shelves
    library.write(lambda session: session.execute(delete(Book)))
    store(library, *[Book(title=t, subtitle=s, publisher_id=p) for t, s, p in books])
    whole = client.get("/admin/book/list", params={**query, "page": "1", "pageSize": "250"})
    shown = sorted(keys(whole), key=int)
    address = str(client.get("/admin/book/list", params=query).url.query.decode())
    assert client.post(LEND, data=ask(client, address)).status_code == 302
    stmt = select(Book.id).where(Book.lendable.is_(True)).order_by(Book.id)
    assert library.read(lambda s: [str(key) for key in s.scalars(stmt)]) == shown
