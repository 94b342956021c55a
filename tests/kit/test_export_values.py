"""Exports: how values stand in the files."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from admin.kit import ModelAdmin, exporting
from admin.kit.exporting import csv_cell, plain_value
from models.database import Database
from tests.kit.app import Binding, Book, Chapter, Cover, Publisher, make_app
from tests.kit.pages import rows, store
from tests.kit.screens import ExportedAdmin
from tests.personas import visit


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 3)


@pytest.fixture
def client(library: Database) -> TestClient:
    return visit(make_app(library, ExportedAdmin))


@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_both_kinds_are_whole_at_the_borders_of_a_chunk(
    client: TestClient, library: Database, count: int
) -> None:
    store(library, *(Book(title='A,\n"b"\'é\u2028</script>') for _ in range(count)))
    expected = {"title": 'A,\n"b"\'é\u2028</script>', "pages": None, "publisher.name": None}
    assert rows(client) == [expected] * count
    assert rows(client, kind="csv") == [{k: v or "" for k, v in expected.items()}] * count


def test_values_keep_their_meaning(library: Database) -> None:
    class Everything(ModelAdmin, model=Book):
        column_export_list = [
            *(Book.pages, Book.price, Book.binding, Book.lendable, Book.printed_on),
            *(Book.acquired_at, Book.publisher, Book.subtitle),
        ]
        form_columns = [Book.title]

    moment = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    values = {"price": Decimal("-9.50"), "binding": Binding.HARD_COVER, "lendable": False}
    times = {"printed_on": date(999, 1, 2), "acquired_at": moment}
    publisher = Publisher(name="Orion")
    store(library, Book(title="T", pages=7, publisher=publisher, **values, **times))
    client = visit(make_app(library, Everything))
    text = {"price": "-9.50", "binding": "HARD_COVER", "printed_on": "0999-01-02"}
    text |= {"acquired_at": "2024-01-02T03:04:05.000006+00:00", "publisher": "Orion"}
    assert rows(client) == [{**text, "pages": 7, "lendable": False, "subtitle": None}]
    in_csv = {"pages": "7", "lendable": "false", "subtitle": ""}
    assert rows(client, kind="csv") == [{**text, **in_csv}]


def test_other_values_are_text_that_json_knows() -> None:
    assert plain_value(b"\x00\xff") == "AP8="
    assert plain_value(float("nan")) == "nan"
    assert exporting.as_json({"days": [date(2024, 1, 2)]}) == '{"days": ["2024-01-02"]}'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("blank", ["", " ", "\n ", "\u00a0"])
def test_no_cell_is_taken_for_a_formula(start: str, blank: str) -> None:
    text = f"{blank}{start}HYPERLINK(1)"
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "-5.25", "+1e9", "a=b", "1-2", "", "a\tb", "-5e-3"])
def test_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    assert csv_cell(text) == text


def test_related_objects_are_named_while_their_session_is_open(library: Database) -> None:
    """`str(cover)` loads its book."""

    class Covers(ModelAdmin, model=Chapter):
        column_export_list = [Chapter.heading, "book.cover"]
        form_columns = [Chapter.heading]

    book = Book(title="Emma", cover=Cover(artist="Ann"))
    store(library, *(Chapter(slug=str(n), heading="H", book=book) for n in range(7)))
    answer = visit(make_app(library, Covers)).get("/admin/chapter/export/json")
    assert [row["book.cover"] for row in answer.json()] == ["Emma by Ann"] * 7
