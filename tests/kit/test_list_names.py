"""Lists of what is called as the kit calls its own, and of scopes that let each row come once."""

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from models.database import Database
from tests.kit.app import Book, Chapter, make_app
from tests.kit.pages import cells, store, texts
from tests.personas import visit


class OwnBase(DeclarativeBase):
    pass


class Reading(OwnBase):
    __tablename__ = "readings"

    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int]
    table_size: Mapped[str] = mapped_column(default="large")


class ReadingAdmin(ModelAdmin, model=Reading):
    column_list = [Reading.id, Reading.table_size]
    column_sortable_list = [Reading.value]
    column_filters = [Reading.value]
    form_columns = [Reading.value]
    page_size_options = [2]
    page_size = 2


class ReadBooks(ModelAdmin, model=Book):
    """A book that has any chapters, however many."""

    column_list = [Book.title]
    column_sortable_list = [Book.subtitle]
    form_columns = [Book.title]
    page_size_options = [2]
    page_size = 2

    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.join(Book.chapters).distinct()


@pytest.fixture
def readings(library: Database) -> Iterator[TestClient]:
    OwnBase.metadata.create_all(library.writer)
    store(library, *[Reading(value=1) for _ in range(5)])
    yield visit(make_app(library, ReadingAdmin))
    OwnBase.metadata.drop_all(library.writer)


def walked(client: TestClient, path: str) -> list[str]:
    """Return the first column of each page in turn."""
    page = client.get(path)
    names = [row[0] for row in cells(page)]
    ahead = texts(r'rel="next" href="([^"]*)"', page.text)
    return names + (walked(client, unescape(ahead[0])) if ahead else [])


@pytest.mark.parametrize("asked", ["sortBy=value", "sortBy=value&value=1", "value__gte=1"])
def test_columns_may_be_called_as_the_kit_s_own_parameters(
    readings: TestClient, asked: str
) -> None:
    assert walked(readings, f"/admin/reading/list?{asked}") == list("12345")


def test_a_scope_may_say_that_each_row_comes_once(library: Database) -> None:
    for name in "abcde":
        chapters = [Chapter(slug=f"{name}{n}", heading="One") for n in range(2)]
        store(library, Book(title=name, subtitle=name, chapters=chapters))
    client = visit(make_app(library, ReadBooks))
    assert walked(client, "/admin/book/list?sortBy=subtitle") == list("abcde")
