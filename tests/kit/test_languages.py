"""Which language a request gets, and that all its texts come in it."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from gettext import NullTranslations
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import anyio.to_thread
import pytest
from httpx2 import Response
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import true
from starlette.applications import Starlette
from starlette.testclient import TestClient
from wtforms.validators import Length

from admin.kit import (
    Board,
    BooleanFilter,
    EmptyFilter,
    Part,
    PeriodFilter,
    RelatedFilter,
    Share,
    action,
    formats,
    messages,
    parts,
)
from admin.kit.display import display
from admin.kit.errors import http_error
from admin.kit.history import AlreadyDoneError, note, origin
from admin.kit.languages import (
    Language,
    Languages,
    get_language,
    gettext,
    in_sentence,
    lazy_gettext,
    ngettext,
    set_language,
    untranslated,
)
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import (
    Binding,
    Book,
    BookAdmin,
    Chapter,
    Publisher,
    PublisherAdmin,
    Tag,
    TagAdmin,
    make_app,
)
from tests.kit.pages import store
from tests.kit.recorded import begin_history, make_recorded
from tests.pages import Page, get
from tests.personas import visit

LANGUAGES = Languages(("en", "de", "ar"))


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


def speak(code: str) -> None:
    set_language(LANGUAGES.by_code[code])


@pytest.fixture(autouse=True)
def _english_afterwards() -> Any:
    yield
    speak("en")


# Which one


@pytest.mark.parametrize(
    ("chosen", "header", "expected"),
    [
        ("", "", "en"),
        ("de", "ar", "de"),
        ("xx", "ar", "ar"),
        ("", "de", "de"),
        ("", "de-AT", "de"),
        ("", "DE-at, ar", "de"),
        ("", "fr, ar;q=0.5, de;q=0.8", "de"),
        ("", "ar;q=0.2, en-GB;q=0.9", "en"),
        ("", "de;q=0, ar;q=0.1", "ar"),
        ("", "*", "en"),
        ("", ";;;,q=1,de;q=junk, \x00", "en"),
    ],
)
def test_a_choice_wins_then_what_the_browser_likes_best_then_english(
    chosen: str, header: str, expected: str
) -> None:
    assert LANGUAGES.choose(chosen, header).code == expected


def test_a_page_says_its_language_and_its_direction(client: TestClient) -> None:
    for code, direction in (("en", "ltr"), ("de", "ltr"), ("ar", "rtl")):
        page = client.get("/admin/", headers={"Accept-Language": code}).text
        assert f'<html lang="{code}" dir="{direction}">' in page


def test_a_stranger_may_choose_and_come_back_to_where_they_were(client: TestClient) -> None:
    page = get(client, "/admin/login?next=/admin/book/list")
    (form,) = page.root.find("form", **{"class": "choice"})
    back = form.find("input", name="next")[0].attributes["value"]
    answer = client.post("/admin/preferences", data={"language": "ar", "next": back})
    assert answer.headers["location"] == "/admin/login?next=/admin/book/list"
    assert get(client, "/admin/login").heading == "تسجيل الدخول إلى Admin"


def test_one_request_does_not_choose_for_another(client: TestClient) -> None:
    assert 'lang="de"' in client.get("/admin/", headers={"Accept-Language": "de"}).text
    assert 'lang="en"' in client.get("/admin/").text


def test_error_pages_speak_it_too(client: TestClient) -> None:
    headers = {"Accept-Language": "de", "Sec-Fetch-Site": "cross-site"}
    answer = client.post("/admin/publisher/create", headers=headers)
    assert "Diese Anfrage kam von einer anderen Website" in answer.text


def test_work_that_was_done_before_is_told_in_it() -> None:
    speak("de")
    answer = http_error(AlreadyDoneError(uuid4()), "reference")
    assert (answer.status_code, answer.detail[:5]) == (409, "Dies ")


def test_worker_threads_know_the_language() -> None:
    """The kit leans on it: pages are made of what such threads have read."""

    async def ask() -> str:
        speak("ar")
        return await anyio.to_thread.run_sync(lambda: get_language().code)

    assert anyio.run(ask) == "ar"


def test_an_unknown_language_stops_the_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="no catalogue of the language 'fr'"):
        Languages(("en", "fr"))


def test_a_single_language_is_no_choice(library: Database) -> None:
    client = visit(make_app(library, languages=("de",)))
    page = get(client, "/admin/")
    assert page.root.find("html")[0].attributes["lang"] == "de"
    assert not page.root.find("button", name="language")


# Texts


def test_texts_and_plurals_are_translated() -> None:
    speak("ar")
    assert gettext("Save") == "احفظ"
    said = [ngettext("%(count)s result", "%(count)s results", n, count=n) for n in (0, 1, 2, 3, 11)]
    assert said == ["لا توجد نتائج", "نتيجة واحدة", "نتيجتان", "3 نتائج", "11 نتيجة"]


def test_a_lazy_text_follows_the_language_and_may_be_a_key() -> None:
    text = lazy_gettext("Save")
    speak("de")
    assert f"{text}" == "Sichern"
    assert {text: 1}["Sichern"] == 1


def test_what_is_stored_for_all_is_said_in_no_language() -> None:
    text = lazy_gettext("Save")
    speak("de")
    assert (untranslated(text), f"{text}") == ("Save", "Sichern")


@pytest.mark.parametrize(("code", "expected"), [("en", "user"), ("de", "User"), ("ar", "user")])
def test_german_nouns_keep_their_capital(code: str, expected: str) -> None:
    speak(code)
    assert in_sentence("User") == expected


def write_catalogue(folder: Path, code: str, **texts: str) -> None:
    path = folder / code / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    lines = [f'msgid "{text}"\nmsgstr "{said}"\n' for text, said in texts.items()]
    head = f'msgid ""\nmsgstr "Language: {code}\\nContent-Type: text/plain; charset=utf-8\\n"\n'
    path.write_text("\n".join([head, *lines]), "utf-8")


def test_an_application_adds_texts_and_languages(tmp_path: Path) -> None:
    write_catalogue(tmp_path, "de", Save="Behalten", Book="Buch")
    write_catalogue(tmp_path, "fr", Save="Enregistrer")
    languages = Languages(("en", "de", "fr"), [tmp_path])
    set_language(languages.by_code["de"])
    assert [gettext(text) for text in ("Save", "Book", "Cancel")] == [
        "Behalten",
        "Buch",
        "Abbrechen",
    ]
    set_language(languages.by_code["fr"])
    assert [gettext(text) for text in ("Save", "Cancel")] == ["Enregistrer", "Cancel"]


def test_scripts_get_their_texts_with_the_plurals_browsers_know() -> None:
    texts = json.loads(LANGUAGES.by_code["ar"].script_texts)
    assert texts["Nothing found"] == "لا توجد نتائج"
    assert texts["%(count)s result"].keys() == {"zero", "one", "two", "few", "many", "other"}
    assert texts["%(count)s result"]["many"] == "%(count)s نتيجة"
    assert "Password" not in texts


def test_english_pages_bring_no_texts(client: TestClient) -> None:
    assert '<template id="texts">' not in client.get("/admin/").text
    page = client.get("/admin/", headers={"Accept-Language": "de"}).text
    assert '<template id="texts">' in page


# Numbers and dates


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("en", ["1,234,567", "0.50", "-12", "+12.3%", "45.6%", "2026-11-03", "2026-11"]),
        ("de", ["1.234.567", "0,50", "-12", "+12,3\xa0%", "45,6\xa0%", "03.11.2026", "Nov. 2026"]),
    ],
)
def test_numbers_and_dates_are_written_as_the_language_does(code: str, expected: list[str]) -> None:
    speak(code)
    assert [
        formats.write_number(1234567),
        formats.write_number(0.5, 2),
        formats.write_number(-12),
        formats.write_percent(12.34, is_change=True),
        formats.write_percent(45.6),
        formats.write_date(date(2026, 11, 3)),
        formats.write_month(date(2026, 11, 3)),
    ] == expected


def test_a_sign_stays_before_its_number_from_right_to_left() -> None:
    speak("ar")
    assert formats.write_number(-1234) == "\u200e-1,234"
    assert formats.write_percent(5, is_change=True) == "\u200e+5.0%"


def test_a_time_keeps_its_exact_instant_in_every_language() -> None:
    moment = datetime(2026, 11, 3, 16, 5, 59, tzinfo=UTC)
    speak("de")
    assert "03.11.2026, 16:05" in display(moment)
    assert 'datetime="2026-11-03T16:05:59Z"' in display(moment)


def test_decimal_places_are_read_and_written_with_the_languages_point(library: Database) -> None:
    store(library, Book(title="Emma", price=Decimal("12.50")))
    client = visit(make_app(library), headers={"Accept-Language": "de"})
    assert get(client, "/admin/book/edit/1").fields()["price"] == "12,50"
    for typed, expected in (("9,75", Decimal("9.75")), ("8.25", Decimal("8.25"))):
        assert client.post("/admin/book/edit/1", data={"price": typed}).status_code == 302
        assert library.read(lambda s: s.get_one(Book, 1).price) == expected


def test_a_number_that_could_be_two_is_refused(library: Database) -> None:
    store(library, Book(title="Emma"))
    client = visit(make_app(library), headers={"Accept-Language": "de"})
    answer = client.post("/admin/book/edit/1", data={"price": "1.234,50"})
    assert Page(answer).error("price") == "Bitte eine Zahl eingeben, z. B. 12,5."


# WTForms' own sentences


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("en", "Field must be at least 3 characters long."),
        ("de", "Feld muss mindestens 3 Zeichen beinhalten."),
        # The catalogue of WTForms has an empty text here.
        ("ar", "Field must be at least 3 characters long."),
    ],
)
def test_validators_that_a_view_declares_speak_as_wtforms_does(
    library: Database, code: str, expected: str
) -> None:
    class Strict(PublisherAdmin, model=Publisher):
        form_args = {"name": {"validators": [Length(min=3)]}}

    client = visit(make_app(library, Strict), headers={"Accept-Language": code})
    answer = client.post("/admin/publisher/create", data={"name": "x"})
    assert Page(answer).error("name") == expected


# Nothing is left in English


class Marked(NullTranslations):
    """A catalogue that marks every text it is asked for."""

    def gettext(self, message: str) -> str:
        return f"‹{message}›"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"‹{msgid1 if n == 1 else msgid2}›"


class MarkedBookAdmin(BookAdmin, model=Book):
    name, name_plural = lazy_gettext("Book"), lazy_gettext("Books")
    category = lazy_gettext("Things to lend")
    column_list = [Book.title, Book.publisher, Book.lendable, Book.binding, Book.acquired_at]
    column_labels = {
        name: lazy_gettext(name)
        for name in [*Book.__mapper__.attrs.keys(), *Book.__mapper__.relationships.keys()]
    }
    column_labels["publisher.name"] = lazy_gettext("Publisher's name")
    column_filters = [
        RelatedFilter(Book.publisher, lazy_gettext("Publisher")),
        BooleanFilter(Book.lendable, lazy_gettext("May be lent")),
        EmptyFilter(Book.subtitle, lazy_gettext("Subtitle")),
        PeriodFilter(Book.acquired_at, lazy_gettext("Acquired")),
    ]

    @action("lend", lazy_gettext("Lend"), confirmation_message=lazy_gettext("Lend them all?"))
    async def lend(self, request: Any) -> None:
        messages.success(request, gettext("Lent."))


@pytest.fixture
def marked(library: Database, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Open a library whose texts are all marked."""
    store(library, Publisher(name="1"), Book(title="2", lendable=True, binding=Binding.PAPERBACK))
    store(library, Book(title="3", publisher_id=1, acquired_at=datetime(2026, 1, 2, tzinfo=UTC)))
    card = Share("half", lazy_gettext("Half"), "book", parts(Part(lazy_gettext("Some"), true())))
    return mark(make_app(library, MarkedBookAdmin, board=Board([card]), title=""))


def mark(app: Starlette) -> TestClient:
    """Open an application whose texts are all marked."""
    site = app.state.site
    site.languages.by_code["de"] = site.languages.by_tag["de"] = Language("de", Marked())
    return visit(app, headers={"Accept-Language": "de"})


def english(answer: Response) -> list[str]:
    """Return what a page says outside of the marks, and that isn't data or a name."""
    page = re.sub(r"<(script|template).*?</\1>", "", answer.text, flags=re.DOTALL)
    said = re.findall(r'(?:aria-label|placeholder|alt|title|data-command)="([^"]*)"', page)
    said += re.findall(r">([^<>]+)<", page)
    # A text around something else ends, or begins, in another element.
    rest = [re.sub("‹.*›|‹.*|.*›", "", unescape(text), flags=re.DOTALL) for text in said]
    rest = [re.sub("olga|English|Deutsch|UTC|CSV|JSON", "", text) for text in rest]
    return [text.strip() for text in rest if re.search(r"[A-Za-z]{2}", text)]


PAGES = [
    "/admin/",
    "/admin/login",
    "/admin/search?q=2",
    "/admin/search",
    "/admin/book/list",
    "/admin/book/list?search=nothing",
    "/admin/book/list?pageSize=1&lendable=true",
    "/admin/book/list?sortBy=nonsense",
    "/admin/book/details/1",
    "/admin/book/edit/1",
    "/admin/book/create",
    "/admin/book/delete?pks=1,2",
    "/admin/nothing",
    "/admin/book/list?page=0",
    "/admin/book/list?lendable=perhaps",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_nothing_that_is_not_in_a_catalogue(marked: TestClient, path: str) -> None:
    answer = marked.get(path)
    assert "‹" in answer.text
    assert english(answer) == []


WRONG = {
    "title": "",
    "subtitle": "x" * 101,
    "pages": "x",
    "shelf": "99999",
    "price": "1.234",
    "binding": "leather",
    "printed_on": "x",
    "acquired_at": "x",
    "publisher": "77",
    "summary": "\x01",
}
SENT: list[tuple[str, dict[str, Any]]] = [
    ("create", {}),
    ("create", WRONG),
    ("edit/1", WRONG),
    ("create", {"title": "4", "publisher": "77"}),
    ("create", {"title": "4", "pages": "-1"}),
    ("action/lend", {"pks": "1"}),
]


@pytest.mark.parametrize(("path", "sent"), SENT)
def test_what_is_refused_is_refused_in_the_language(
    marked: TestClient, path: str, sent: dict[str, Any]
) -> None:
    answer = marked.post(f"/admin/book/{path}", data=sent)
    assert answer.status_code in (200, 400)
    assert "‹" in answer.text
    assert english(answer) == []


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("create", {"title": "4"}),
        ("edit/1", {"title": "4"}),
        ("delete", {"pks": ["1"]}),
        ("delete", {"pks": ["1", "2"]}),
        ("delete", {}),
        ("action/lend", {}),
        ("action/lend", {"pks": "1", "confirmed": "yes"}),
    ],
)
def test_messages_are_in_the_language(marked: TestClient, path: str, sent: dict[str, Any]) -> None:
    """They are translated when they are made: the next page is the same operator's."""
    marked.post(f"/admin/book/{path}", data=sent)
    page = marked.get("/admin/book/list")
    (alert,) = re.findall(r'<div class="alert.*?</div>\s*</div>', page.text, re.DOTALL)
    assert "‹" in alert
    assert english(page) == []


# The history


class MarkedTagAdmin(TagAdmin, model=Tag):
    name, name_plural = lazy_gettext("Tag"), lazy_gettext("Tags")
    category = lazy_gettext("Things to lend")
    column_labels = {name: lazy_gettext(name) for name in ("id", "books")}


@pytest.fixture
def past(library: Database) -> TestClient:
    """Open a marked library in which all kinds of things have happened."""
    recorded = begin_history(library)
    client = mark(make_recorded(recorded, MarkedBookAdmin, MarkedTagAdmin, title=""))
    chapters = [Chapter(slug="6", heading="6")]
    store(recorded, Book(title="2", summary="1 " * 40, chapters=chapters, tags=[Tag(id="5")]))
    store(recorded, Book(title="3"), Book(title="4"))
    client.post("/admin/book/edit/1", data={"title": "7", "summary": "1 " * 41})
    client.post("/admin/book/history/1?at=1")
    client.post("/admin/book/action/lend", data={"pks": "2", "confirmed": "yes"})
    client.post("/admin/history/2/undo")
    client.post("/admin/book/delete", data={"pks": "1"})
    client.get("/admin/book/export/csv")
    for event in ("sign in", "refuse sign-in", "refuse", "prune"):
        with origin(operator_name="olga"):
            recorded.write(partial(note, action=event, label="9"))
    return client


PAST_PAGES = [
    "/admin/",
    "/admin/history",
    "/admin/history?search=nothing",
    *(f"/admin/history/{number}" for number in range(1, 12)),
    "/admin/history/9?after=x",
    "/admin/history?model=nothing",
    "/admin/history?from=x",
    "/admin/history?before=x",
    "/admin/history?operator=%00",
    "/admin/book/history/1",
    "/admin/book/history/1?at=3",
    "/admin/book/history/2?at=99",
    "/admin/book/history/3?at=1",
    "/admin/tag/history/5",
    "/admin/book/trash",
    "/admin/tag/trash",
    "/admin/book/list",
]


@pytest.mark.parametrize("path", PAST_PAGES)
def test_a_page_of_the_history_says_nothing_else_either(past: TestClient, path: str) -> None:
    answer = past.get(path)
    assert "‹" in answer.text
    assert english(answer) == []


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("history/2/undo", {}),
        ("history/3/undo", {}),
        ("history/3/undo", {"skip": "1"}),
        ("history/6/undo", {}),
        ("book/trash", {"pks": "1"}),
        ("book/trash", {"pks": "2"}),
        ("book/history/2?at=2", {}),
        ("book/history/2", {}),
        ("book/history/1?at=3", {}),
    ],
)
def test_undo_speaks_the_language(past: TestClient, path: str, sent: dict[str, str]) -> None:
    answer = past.post(f"/admin/{path}", data=sent)
    page = past.get(answer.headers.get("location", "/admin/"))
    assert (english(answer), english(page)) == ([], [])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("en", ["Changed “Emma”", "Added “Emma” and 2 chapters"]),
        ("de", ["„Emma“ geändert", "„Emma“ und 2 Chapters hinzugefügt"]),
        ("ar", ["تم تغيير «Emma»", "تمت إضافة «Emma» وchapters: 2"]),
    ],
)
def test_what_was_done_is_told_in_the_language_of_who_reads_it(
    library: Database, code: str, expected: list[str]
) -> None:
    recorded = begin_history(library)
    chapters = [Chapter(slug=slug, heading=slug) for slug in "xy"]
    store(recorded, Book(title="Emma", chapters=chapters))
    client = visit(make_recorded(recorded), headers={"Accept-Language": "de"})
    client.post("/admin/book/edit/1", data={"title": "Emma", "pages": "5"})
    page = get(client, "/admin/history")
    client.headers["Accept-Language"] = code
    page = get(client, "/admin/history")
    assert [cell.text for cell in page.root.find("th", scope="row")] == expected


def test_the_reason_of_an_action_is_stored_in_no_language(library: Database) -> None:
    class Saving(TagAdmin, model=Tag):
        @action("save", lazy_gettext("Save"))
        async def save(self, request: Any) -> None:
            await self.site.write(lambda session: session.add(Tag(id="new")))

    recorded = begin_history(library)
    store(recorded, Tag(id="x"))
    client = visit(make_recorded(recorded, Saving), headers={"Accept-Language": "de"})
    client.post("/admin/tag/action/save", data={"pks": "x"})
    assert "Sichern" in get(client, "/admin/history").root.text
    client.headers["Accept-Language"] = "en"
    assert "Save" in get(client, "/admin/history").root.text
