"""What the pages of the history show, hide and allow, on a site with every kind of relation."""

import json
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from httpx2 import Response
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import Select, select, text, update
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import ModelAdmin, action, messages
from models import ChangeSet
from models.database import Database
from tests.databases import statements
from tests.kit.app import (
    Binding,
    Book,
    BookAdmin,
    Chapter,
    Cover,
    Publisher,
    PublisherAdmin,
    Tag,
    TagAdmin,
    make_app,
)
from tests.kit.browser import form_on
from tests.kit.pages import Allow, sentence, store, texts
from tests.kit.recorded import begin_history, make_recorded
from tests.personas import visit

HISTORY = "/admin/history"


class OpenBooks(BookAdmin, model=Book):
    """Hides books by their title."""

    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Book.title.not_like("Hidden%"))


@pytest.fixture
def recorded(library: Database) -> Database:
    return begin_history(library)


@pytest.fixture
def client(recorded: Database) -> TestClient:
    return visit(make_recorded(recorded))


@pytest.fixture
def scoped(recorded: Database) -> TestClient:
    return visit(make_recorded(recorded, OpenBooks, PublisherAdmin, TagAdmin))


def whats(client: TestClient, query: str = "") -> list[str]:
    answer = client.get(HISTORY + query)
    assert answer.status_code == 200, sentence(answer)
    return [" ".join(text.split()) for text in texts(r'<th scope="row">(.*?)</th>', answer.text)]


def moments(answer: Response) -> list[str]:
    assert answer.status_code == 200, sentence(answer)
    found = texts(r'<li class="card">(.*?)</li>', answer.text)
    return [" ".join(text.split()) for text in found]


def change(library: Database, model: type, key: Any, **values: Any) -> None:
    def work(session: Session) -> None:
        obj = session.get(model, key)
        for name, value in values.items():
            setattr(obj, name, value)

    library.write(work)


def delete(library: Database, model: type, *keys: Any) -> None:
    def work(session: Session) -> None:
        for key in keys:
            session.delete(session.get(model, key))

    library.write(work)


def titles(library: Database) -> list[str]:
    return library.read(lambda session: sorted(session.scalars(select(Book.title))))


def newest(library: Database) -> int:
    """Return the last change set that changed a row."""
    stmt = select(ChangeSet.id).where(ChangeSet.summary.not_like('[["",%'))
    stmt = stmt.order_by(ChangeSet.id.desc()).limit(1)
    return library.read(lambda session: session.scalar(stmt) or 0)


def undo(client: TestClient, library: Database, **sent: str) -> Response:
    """Undo what was done last."""
    return client.post(f"{HISTORY}/{newest(library)}/undo", data=sent)


# Without a journal


def test_a_site_without_a_journal_has_nothing_of_it(library: Database) -> None:
    store(library, Publisher(name="Orion"))
    client = visit(make_app(library))
    for path in ("history", "history/1", "publisher/history/1", "publisher/trash"):
        assert client.get(f"/admin/{path}").status_code == 404
    for path in ("", "publisher/list", "publisher/edit/1", "publisher/details/1"):
        text = client.get(f"/admin/{path}").text
        assert "History" not in text
        assert "Trash" not in text


# Scopes


def test_rows_that_a_scope_hides_are_in_no_list(recorded: Database, scoped: TestClient) -> None:
    store(recorded, Book(title="Hidden"))
    store(recorded, Book(title="Open"), Book(title="Hidden too"))
    change(recorded, Book, 1, pages=5)
    assert whats(scoped) == ["Added “Open”"]
    for query in ("?search=hidden", "?model=book&action=update", "?search=too"):
        assert whats(scoped, query) == []


def test_a_change_of_hidden_rows_alone_is_a_404(recorded: Database, scoped: TestClient) -> None:
    store(recorded, Book(title="Hidden"))
    number = newest(recorded)
    assert scoped.get(f"{HISTORY}/{number}").status_code == 404
    assert scoped.get("/admin/book/history/1").status_code == 404
    assert scoped.post(f"{HISTORY}/{number}/undo").status_code == 404
    assert titles(recorded) == ["Hidden"]


def test_of_a_change_only_the_rows_in_the_scope_are_shown(
    recorded: Database, scoped: TestClient
) -> None:
    store(recorded, Book(title="Open"), Book(title="Hidden"), Publisher(name="Orion"))
    page = scoped.get(f"{HISTORY}/{newest(recorded)}").text
    assert "Hidden" not in page
    assert "Open" in page
    assert "Orion" in page


def test_a_row_that_is_gone_is_shown_to_nobody_whose_rows_are_scoped(
    recorded: Database, scoped: TestClient
) -> None:
    """Nobody can tell any more who was to see it."""
    store(recorded, Book(title="Open"))
    delete(recorded, Book, 1)
    assert whats(scoped) == []
    assert scoped.get("/admin/book/history/1").status_code == 404
    assert scoped.get("/admin/book/trash").status_code == 404
    assert "Trash" not in scoped.get("/admin/book/list").text
    assert scoped.post("/admin/book/trash", data={"pks": "1"}).status_code == 404


def test_who_had_the_key_before_is_not_shown_with_who_has_it_now(
    recorded: Database, scoped: TestClient
) -> None:
    store(recorded, Book(id=7, title="Hidden", summary="Secret plans"))
    delete(recorded, Book, 7)
    store(recorded, Book(id=7, title="Open"))
    assert "Secret plans" not in scoped.get("/admin/book/history/7").text
    assert whats(scoped) == ["Added “Open”"]
    assert scoped.get("/admin/book/history/7?at=1").status_code == 404


def test_an_undo_may_not_touch_what_the_scope_hides(recorded: Database, scoped: TestClient) -> None:
    store(recorded, Book(title="Open"), Book(title="Open too"))
    change(recorded, Book, 1, title="Hidden")
    assert undo(scoped, recorded).status_code == 404
    assert titles(recorded) == ["Hidden", "Open too"]


def test_an_undo_may_not_put_a_row_where_the_scope_hides_it(
    recorded: Database, scoped: TestClient
) -> None:
    store(recorded, Book(title="Hidden"))
    change(recorded, Book, 1, title="Open")
    assert undo(scoped, recorded).status_code == 404
    assert titles(recorded) == ["Open"]
    delete(recorded, Book, 1)
    assert undo(scoped, recorded).status_code == 302
    assert titles(recorded) == ["Open"]


def test_an_undo_may_not_bring_back_a_row_that_the_scope_hides(
    recorded: Database, scoped: TestClient
) -> None:
    store(recorded, Book(title="Hidden"))
    delete(recorded, Book, 1)
    assert undo(scoped, recorded).status_code == 404
    assert titles(recorded) == []


# Rights


@pytest.mark.parametrize(
    ("work", "right"),
    [("create", "delete"), ("update", "edit"), ("delete", "create")],
)
def test_to_undo_takes_the_right_to_do_the_opposite(
    recorded: Database, work: str, right: str
) -> None:
    store(recorded, Publisher(name="Orion"))
    if work == "update":
        change(recorded, Publisher, 1, name="Murray")
    if work == "delete":
        delete(recorded, Publisher, 1)
    looks = ["publisher:list", "publisher:details"]
    others = {"create", "edit", "delete"} - {right}
    rights = Allow(*looks, *(f"publisher:{other}" for other in others))
    refused = visit(make_recorded(recorded, authorization_backend=rights))
    assert undo(refused, recorded).status_code == 403
    assert ">Undo<" not in refused.get(f"{HISTORY}/{newest(recorded)}").text
    allowed = Allow(*looks, f"publisher:{right}")
    client = visit(make_recorded(recorded, authorization_backend=allowed))
    assert ">Undo<" in client.get(f"{HISTORY}/{newest(recorded)}").text
    assert undo(client, recorded).status_code == 302


def test_a_flag_of_the_view_takes_the_right_away(recorded: Database) -> None:
    class Kept(PublisherAdmin, model=Publisher):
        can_delete = False

    store(recorded, Publisher(name="Orion"))
    client = visit(make_recorded(recorded, Kept))
    assert undo(client, recorded).status_code == 403


def test_each_row_is_asked_for_at_an_undo(recorded: Database) -> None:
    class Guarded(PublisherAdmin, model=Publisher):
        async def check_can_edit(self, request: Request, model: Any) -> bool:
            return bool(model.name != "Locked")

    store(recorded, Publisher(name="Orion"))
    change(recorded, Publisher, 1, name="Locked")
    client = visit(make_recorded(recorded, Guarded))
    assert undo(client, recorded).status_code == 403
    change(recorded, Publisher, 1, name="Open")


def test_a_row_whose_key_was_changed_is_asked_for_as_well(recorded: Database) -> None:
    class Guarded(TagAdmin, model=Tag):
        async def check_can_edit(self, request: Request, model: Any) -> bool:
            return bool(model.id != "locked")

    store(recorded, Tag(id="open"))
    change(recorded, Tag, "open", id="locked")
    client = visit(make_recorded(recorded, Guarded))
    assert undo(client, recorded).status_code == 403
    assert recorded.read(lambda session: session.get(Tag, "locked")) is not None


def test_a_large_change_is_asked_for_and_undone_batch_by_batch(
    recorded: Database, client: TestClient
) -> None:
    store(recorded, *(Tag(id=f"{number:04}") for number in range(2100)))
    assert undo(client, recorded).status_code == 302
    assert recorded.read(lambda session: session.scalars(select(Tag)).all()) == []


def test_every_table_of_a_change_must_be_allowed(recorded: Database) -> None:
    store(recorded, Book(title="Emma", chapters=[Chapter(slug="one", heading="One")]))
    delete(recorded, Book, 1)
    rights = Allow("book:list", "book:details", "book:create", "book:edit", "book:delete")
    client = visit(make_recorded(recorded, authorization_backend=rights))
    assert whats(client)[0] == "Deleted 1 book"
    assert "One" not in client.get(f"{HISTORY}/{newest(recorded)}").text
    assert undo(client, recorded).status_code == 403
    assert titles(recorded) == []


def test_the_name_of_a_change_is_hidden_with_any_of_its_tables(recorded: Database) -> None:
    store(recorded, Publisher(name="Secret"), Tag(id="open"))
    client = visit(make_recorded(recorded, TagAdmin))
    assert whats(client) == ["Added 1 tag"]
    assert whats(client, "?search=secret") == []


def test_who_may_list_nothing_has_no_history(recorded: Database) -> None:
    client = visit(make_recorded(recorded, authorization_backend=Allow("book:create")))
    assert client.get(HISTORY).status_code == 403
    assert client.get(f"{HISTORY}/1").status_code == 403
    assert 'href="/admin/history"' not in client.get("/admin/").text


def test_the_values_of_an_object_take_the_right_to_its_details(recorded: Database) -> None:
    store(recorded, Publisher(name="Orion"))
    client = visit(make_recorded(recorded, authorization_backend=Allow("publisher:list")))
    assert whats(client) == ["Added “Orion”"]
    assert client.get("/admin/publisher/history/1").status_code == 403
    assert client.get("/admin/publisher/history/1?at=1").status_code == 403


def test_an_object_that_is_gone_is_judged_by_how_it_was(recorded: Database) -> None:
    class Guarded(PublisherAdmin, model=Publisher):
        async def check_can_view_details(self, request: Request, model: Any) -> bool:
            return bool(model.name != "Secret")

    store(recorded, Publisher(name="Secret"), Publisher(name="Open"))
    delete(recorded, Publisher, 1, 2)
    client = visit(make_recorded(recorded, Guarded))
    assert client.get("/admin/publisher/history/1").status_code == 403
    assert client.get("/admin/publisher/history/2").status_code == 200


def test_columns_that_no_page_shows_are_not_valued(recorded: Database) -> None:
    class Terse(ModelAdmin, model=Book):
        column_details_list = [Book.title]
        column_list = [Book.title]
        form_columns = [Book.title]

    store(recorded, Book(title="Emma", summary="Secret plans"))
    change(recorded, Book, 1, summary="Other plans")
    client = visit(make_recorded(recorded, Terse))
    page = client.get("/admin/book/history/1")
    assert "plans" not in page.text
    assert "Other fields" in page.text
    assert "plans" not in client.get("/admin/book/history/1?at=1").text


def test_a_formatter_masks_the_past_as_well(recorded: Database) -> None:
    class Masked(PublisherAdmin, model=Publisher):
        column_formatters_detail = {Publisher.name: lambda obj, _name: f"{obj.name[0]}***"}

    store(recorded, Publisher(name="Orion"))
    change(recorded, Publisher, 1, name="Murray")
    client = visit(make_recorded(recorded, Masked))
    for query in ("", "?at=1"):
        page = client.get(f"/admin/publisher/history/1{query}").text.partition("<main")[2]
        assert "O***" in page
        assert "Orion" not in page


# Links and keys


def test_links_are_told_on_the_object(recorded: Database, client: TestClient) -> None:
    def link(session: Session) -> None:
        book = session.get_one(Book, 1)
        book.tags.append(Tag(id="a;b/ü"))

    def unlink(session: Session) -> None:
        book = session.get_one(Book, 1)
        book.tags.clear()

    store(recorded, Book(title="Emma"), Book(id=11, title="Other"))
    recorded.write(link)
    recorded.write(unlink)
    said = moments(client.get("/admin/book/history/1"))
    assert [re.sub(" \\d{4}.*", "", text) for text in said[:2]] == [
        "Unlinked tags: a\\;b/ü",
        "Linked tags: a\\;b/ü",
    ]
    assert len(moments(client.get("/admin/book/history/11"))) == 1
    tag = moments(client.get("/admin/tag/history/a;b%2F%C3%BC"))
    assert sum("inked books: 1" in text for text in tag) == 2


def test_links_to_what_one_may_not_see_are_not_told(recorded: Database) -> None:
    store(recorded, Book(title="Emma", tags=[Tag(id="secret")]))
    rights = Allow("book:list", "book:details", "tag:create")
    client = visit(make_recorded(recorded, authorization_backend=rights))
    assert "secret" not in client.get("/admin/book/history/1").text
    assert "secret" not in client.get(f"{HISTORY}/1").text


def test_links_are_undone_and_restored(recorded: Database, client: TestClient) -> None:
    store(recorded, Book(title="Emma", tags=[Tag(id="x"), Tag(id="y")]))
    delete(recorded, Book, 1)
    answer = client.post("/admin/book/trash", data={"pks": "1"})
    assert answer.status_code == 302
    stmt = select(Tag.id).where(Tag.books.any(Book.id == 1)).order_by(Tag.id)
    assert recorded.read(lambda session: list(session.scalars(stmt))) == ["x", "y"]


@pytest.mark.parametrize("key", ["a/b", ".", "100%", "a\nb", "ü;", "~"])
def test_any_key_has_a_history_and_a_way_out_of_the_trash(
    recorded: Database, client: TestClient, key: str
) -> None:
    store(recorded, Tag(id=key))
    delete(recorded, Tag, key)
    page = client.get("/admin/tag/trash").text
    (value,) = re.findall(r'name="pks" value="([^"]*)"', page)
    (link,) = re.findall(r'href="(/admin/tag/history/[^"]+)"', page)
    assert "This was deleted." in client.get(unescape(link)).text
    assert client.post("/admin/tag/trash", data={"pks": unescape(value)}).status_code == 302
    assert recorded.read(lambda session: session.get(Tag, key)) is not None


def test_a_tree_is_restored_without_its_neighbours(recorded: Database, client: TestClient) -> None:
    for title in ("Emma", "Persuasion"):
        chapters = [Chapter(slug="one", heading=f"{title} 1")]
        store(recorded, Book(title=title, chapters=chapters, cover=Cover(artist=f"of {title}")))
    delete(recorded, Book, 1, 2)
    client.post("/admin/book/trash", data={"pks": "2"})
    assert titles(recorded) == ["Persuasion"]
    assert recorded.read(lambda s: list(s.scalars(select(Chapter.heading)))) == ["Persuasion 1"]
    assert recorded.read(lambda s: list(s.scalars(select(Cover.artist)))) == ["of Persuasion"]


def test_a_restore_takes_the_right_to_create_what_comes_along(recorded: Database) -> None:
    store(recorded, Book(title="Emma", chapters=[Chapter(slug="one", heading="One")]))
    delete(recorded, Book, 1)
    rights = Allow("book:list", "book:create")
    client = visit(make_recorded(recorded, authorization_backend=rights))
    assert client.post("/admin/book/trash", data={"pks": "1"}).status_code == 403
    assert titles(recorded) == []


# Days


@pytest.mark.parametrize(
    ("zone", "query", "count"),
    [
        ("UTC", "from=2026-03-02", 0),
        ("UTC", "to=2026-03-01", 1),
        ("Asia/Tokyo", "from=2026-03-02", 1),
        ("Asia/Tokyo", "to=2026-03-01", 0),
        ("America/Lima", "to=2026-02-28", 0),
    ],
)
def test_days_begin_at_midnight_in_the_operator_s_zone(
    recorded: Database, client: TestClient, zone: str, query: str, count: int
) -> None:
    store(recorded, Publisher(name="Orion"))
    moment = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
    with recorded.writer.engine.begin() as connection:
        connection.execute(update(ChangeSet).values(at=moment))
    client.cookies.set("admin_timezone", zone)
    assert len(whats(client, f"?{query}")) == count


# Messages


def test_an_action_is_undone_from_its_message(recorded: Database) -> None:
    class Shouting(PublisherAdmin, model=Publisher):
        @action("shout", "Shout")
        async def shout(self, request: Request) -> None:
            def work(_session: Session, found: list[Publisher]) -> None:
                for publisher in found:
                    publisher.name = publisher.name.upper()

            count = await self.selected_objects(request, work)
            messages.success(request, f"{count} shouted.")

    store(recorded, Publisher(name="Orion"), Publisher(name="Murray"))
    client = visit(make_recorded(recorded, Shouting))
    client.post("/admin/publisher/action/shout", data={"pks": ["1", "2"]})
    page = client.get("/admin/publisher/list").text
    (path,) = re.findall(r'action="(/admin/history/[0-9a-f]{32}/undo)"', page)
    assert client.post(path).status_code == 302
    names = select(Publisher.name).order_by(Publisher.name)
    assert recorded.read(lambda session: list(session.scalars(names))) == ["Murray", "Orion"]
    assert whats(client)[1].startswith("Changed 2 publishers")


def test_who_may_not_undo_gets_no_button(recorded: Database) -> None:
    rights = Allow("tag:list", "tag:create")
    client = visit(make_recorded(recorded, authorization_backend=rights))
    client.post("/admin/tag/create", data={"id": "x"})
    page = client.get("/admin/tag/list").text
    assert "was added." in page
    assert ">Undo<" not in page


def test_a_refused_write_offers_no_undo(recorded: Database, client: TestClient) -> None:
    store(recorded, Publisher(name="Orion"))
    assert client.post("/admin/publisher/create", data={"name": "Orion"}).status_code == 400
    assert ">Undo<" not in client.get("/admin/publisher/list").text


# Size


def test_a_large_change_is_shown_in_pages(recorded: Database, client: TestClient) -> None:
    store(recorded, *(Tag(id=f"{number:03}") for number in range(150)))
    first = client.get(f"{HISTORY}/1")
    assert len(texts(r'<th scope="row">(.*?)</th>', first.text)) == 100
    (more,) = re.findall(r'href="(\?after=\d+)"', first.text)
    second = client.get(f"{HISTORY}/1{more}")
    assert len(texts(r'<th scope="row">(.*?)</th>', second.text)) == 50


def test_a_long_history_is_shown_in_pages(recorded: Database, client: TestClient) -> None:
    store(recorded, Publisher(name="Orion"))
    for number in range(105):
        change(recorded, Publisher, 1, name=f"Name {number}")
    first = client.get("/admin/publisher/history/1")
    (older,) = re.findall(r'href="(\?before=[\d.]+)"', first.text)
    second = client.get(f"/admin/publisher/history/1{older}")
    assert (len(moments(first)), len(moments(second))) == (100, 6)


def test_a_scoped_list_takes_the_same_statements_whatever_it_shows(
    recorded: Database, scoped: TestClient
) -> None:
    store(recorded, Book(title="Open"))
    whats(scoped)
    with statements(recorded) as few:
        whats(scoped)
    for number in range(30):
        store(recorded, Book(title=f"Open {number}"), Book(title=f"Hidden {number}"))
    with statements(recorded) as many:
        assert len(whats(scoped)) == 31
    assert len(few) == len(many) <= 5


def test_a_version_is_put_together_from_what_came_after(
    recorded: Database, client: TestClient
) -> None:
    store(recorded, Book(title="Emma", pages=1))
    change(recorded, Book, 1, pages=2)
    change(recorded, Book, 1, title="Emma, again")
    change(recorded, Book, 1, pages=None)
    page = client.get("/admin/book/history/1?at=2")
    found = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page.text))
    assert (found["Title"], found["Pages"]) == ("Emma", "2")
    assert client.post("/admin/book/history/1?at=2").status_code == 302
    book = recorded.read(lambda session: session.get_one(Book, 1))
    assert (book.title, book.pages) == ("Emma", 2)


def test_what_a_form_can_not_set_is_not_restored(recorded: Database) -> None:
    class Fixed(BookAdmin, model=Book):
        form_readonly_columns = [Book.pages]

    store(recorded, Book(title="Emma", pages=1))
    change(recorded, Book, 1, title="Other", pages=2)
    client = visit(make_recorded(recorded, Fixed))
    assert client.post("/admin/book/history/1?at=1").status_code == 302
    book = recorded.read(lambda session: session.get_one(Book, 1))
    assert (book.title, book.pages) == ("Emma", 2)


def test_a_view_that_takes_the_address_of_the_history_stops_the_start(library: Database) -> None:
    class Clashing(PublisherAdmin, model=Publisher):
        pass

    Clashing.identity = "history"

    with pytest.raises(ImproperlyConfigured):
        make_recorded(library, Clashing)


def test_summaries_are_spelled_as_the_filters_expect(recorded: Database) -> None:
    store(recorded, Publisher(name="Orion"))
    stored = recorded.read(lambda session: session.scalar(select(ChangeSet.summary)))
    assert stored == json.dumps([["publishers", "create", 1]], separators=(",", ":"))


# What the database or the view says at the last moment


def test_what_the_database_refuses_at_an_undo_is_a_sentence(
    recorded: Database, client: TestClient
) -> None:
    """Even a rule that no model declares."""
    store(recorded, Book(title="Emma"))
    delete(recorded, Book, 1)
    store(recorded, Book(id=9, title="Emma"))
    number = newest(recorded) - 1
    with recorded.writer.engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_title ON books (title)"))
    try:
        answer = client.post(f"{HISTORY}/{number}/undo")
        page = client.post("/admin/book/trash", data={"pks": "1"})
    finally:
        with recorded.writer.engine.begin() as connection:
            connection.execute(text("DROP INDEX one_title"))
    assert answer.status_code == 400
    assert "already exists" in sentence(answer)
    assert page.status_code == 302
    assert "already exists" in sentence(client.get("/admin/book/trash"))
    assert titles(recorded) == ["Emma"]


def test_a_view_may_refuse_to_have_rows_added_back(recorded: Database) -> None:
    class Full(PublisherAdmin, model=Publisher):
        async def check_can_create(self, request: Request) -> bool:
            return False

    store(recorded, Publisher(name="Orion"))
    delete(recorded, Publisher, 1)
    client = visit(make_recorded(recorded, Full))
    assert undo(client, recorded).status_code == 403
    assert client.post("/admin/publisher/trash", data={"pks": "1"}).status_code == 403


def test_a_check_that_needs_more_than_is_left_of_a_row_refuses(recorded: Database) -> None:
    class Curious(BookAdmin, model=Book):
        async def check_can_view_details(self, request: Request, model: Any) -> bool:
            return bool(model.publisher.name)

    store(recorded, Book(title="Emma", publisher=Publisher(name="Orion")))
    delete(recorded, Book, 1)
    client = visit(make_recorded(recorded, Curious))
    assert client.get("/admin/book/history/1").status_code == 403


def test_rows_without_a_view_come_back_with_those_they_depend_on(recorded: Database) -> None:
    """Who may delete a book deletes its chapters along, though nothing shows these."""
    store(recorded, Book(title="Emma", chapters=[Chapter(slug="one", heading="One")]))
    delete(recorded, Book, 1)
    client = visit(make_recorded(recorded, BookAdmin))
    assert undo(client, recorded).status_code == 302
    assert recorded.read(lambda s: list(s.scalars(select(Chapter.heading)))) == ["One"]


def test_rows_without_a_view_are_undone_by_nobody_on_their_own(recorded: Database) -> None:
    store(recorded, Book(title="Emma"))
    store(recorded, Chapter(slug="one", heading="One", book_id=1))
    client = visit(make_recorded(recorded, BookAdmin))
    assert undo(client, recorded).status_code == 403
    store(recorded, Publisher(name="Orion"), Book(title="Persuasion"))
    assert undo(client, recorded).status_code == 403


def test_what_is_undone_offers_no_undo(recorded: Database, client: TestClient) -> None:
    store(recorded, Publisher(name="Orion"))
    path = f"{HISTORY}/{newest(recorded)}"
    assert ">Undo<" in client.get(path).text
    client.post(f"{path}/undo")
    client.get("/admin/")
    assert ">Undo<" not in client.get(path).text
    undo(client, recorded)
    client.get("/admin/")
    assert ">Undo<" in client.get(path).text


def test_what_a_hook_writes_afterwards_is_not_what_the_message_undoes(recorded: Database) -> None:
    class Counting(PublisherAdmin, model=Publisher):
        async def after_model_change(
            self, data: Any, model: Any, is_created: bool, request: Request
        ) -> None:
            await self.site.write(lambda session: session.add(Tag(id=f"for {model.name}")))

    client = visit(make_recorded(recorded, Counting, TagAdmin))
    client.post("/admin/publisher/create", data={"name": "Orion"})
    (path,) = re.findall(r'action="(/admin/history/\w+/undo)"', client.get("/admin/").text)
    client.post(path)
    assert recorded.read(lambda session: session.get(Publisher, 1)) is None
    assert recorded.read(lambda session: session.get(Tag, "for Orion")) is not None


# Histories that are older than the models


def rewrite(recorded: Database, old: str, new: str) -> None:
    """Let the images be as an earlier model wrote them."""

    def work(session: Session) -> None:
        for column in ("before", "after"):
            stmt = f"UPDATE changes SET {column} = replace({column}, :old, :new)"
            session.execute(text(stmt), {"old": old, "new": new})

    recorded.write(work)


def test_a_member_that_an_enumeration_has_lost_is_not_put_back(
    recorded: Database, client: TestClient
) -> None:
    first, second = list(Binding)[:2]
    store(recorded, Book(id=1, title="Emma", binding=first))
    stale = form_on(client.get("/admin/book/edit/1").text)
    changed = {**form_on(client.get("/admin/book/edit/1").text), "binding": second.name}
    client.post("/admin/book/edit/1", data=changed)
    rewrite(recorded, f'"{first.name}"', '"LOST"')
    assert client.post("/admin/book/edit/1", data={**stale, "title": "Mine"}).status_code == 409
    answer = client.post("/admin/history/2/undo")
    assert answer.status_code == 409
    assert "(binding) can&#39;t be chosen any more." in answer.text


def test_a_row_from_before_versions_were_counted_comes_back(
    recorded: Database, client: TestClient
) -> None:
    store(recorded, Book(id=1, title="Emma"))
    client.post("/admin/book/delete", data={"pks": "1"})
    rewrite(recorded, '"version"', '"edition"')
    client.post("/admin/book/trash", data={"pks": "1"})
    assert recorded.read(lambda s: s.get_one(Book, 1).version) == 1
