"""Screens of the toy's books that several files of tests open."""

from typing import Any

from sqlalchemy import Select
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import BooleanFilter, EmptyFilter, ModelAdmin, PeriodFilter, RelatedFilter
from models.database import Database
from tests.kit.app import Book, make_app
from tests.kit.pages import Allow
from tests.personas import visit


class ShelfAdmin(ModelAdmin, model=Book):
    """Two of each to a page."""

    column_list = [Book.title, "publisher.name", Book.pages]
    column_labels = {"publisher.name": "House"}
    column_searchable_list = [Book.title, "publisher.name"]
    column_sortable_list = [Book.title, Book.pages, "publisher.name"]
    column_filters = [RelatedFilter(Book.publisher)]
    form_columns = [Book.title]
    page_size = 2
    page_size_options = [2, 5]


class FilteredAdmin(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_filters = [
        BooleanFilter(Book.lendable),
        EmptyFilter(Book.subtitle, "Has a subtitle"),
        EmptyFilter(Book.pages),
        EmptyFilter(Book.binding),
        PeriodFilter(Book.acquired_at, "Acquired"),
        PeriodFilter(Book.printed_on),
        RelatedFilter(Book.publisher),
        RelatedFilter(Book.tags, parameter_name="tag"),
        RelatedFilter(Book.cover),
    ]
    form_columns = [Book.title]


class ExportedAdmin(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_searchable_list = [Book.title, "publisher.name"]
    column_sortable_list = [Book.title, Book.pages, "publisher.name", Book.lendable]
    column_filters = [RelatedFilter(Book.publisher)]
    column_export_list = [Book.title, Book.pages, "publisher.name"]
    form_columns = [Book.title]

    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Book.title != "Hidden")


def allowed(library: Database, *rights: str) -> TestClient:
    """Open all screens with these rights alone, such as `book:list`."""
    return visit(make_app(library, authorization_backend=Allow(*rights)))
