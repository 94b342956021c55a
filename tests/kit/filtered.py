"""Screens of the toy's books whose filters come from the types of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, func

from admin.kit import Choice, Filter, ModelAdmin
from tests.kit.app import Book

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request


class PlainAdmin(ModelAdmin, model=Book):
    """Declares columns, a relation and paths, and no class of a filter."""

    column_list = [Book.title, Book.subtitle, Book.price]
    column_searchable_list = [Book.title]
    column_sortable_list = [Book.title]
    column_filters = [
        Book.lendable,
        "binding",
        Book.acquired_at,
        Book.printed_on,
        "price",
        Book.pages,
        Book.publisher,
        Book.tags,
        Book.subtitle,
        "publisher.name",
        "cover.artist",
    ]
    column_labels = {"publisher.name": "House"}
    form_columns = [Book.title, Book.publisher]
    form_ajax_refs = {"publisher": {"fields": ("name",), "order_by": "name"}}


class LengthFilter(Filter):
    """Has no column of its own, and a default."""

    title = "Length"
    parameter_name = "length"
    default = "short"

    def offered(self, request: Request) -> Sequence[Choice]:
        return (
            ()
            if "hide" in request.query_params
            else (Choice("short", "Short"), Choice("long", "Long"))
        )

    def condition(self, value: str) -> ColumnElement[bool]:
        length: Any = func.length(Book.title)
        found: ColumnElement[bool] = length <= 4 if value == "short" else length > 4
        return found


class OwnFilterAdmin(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_filters = [LengthFilter()]
    form_columns = [Book.title]
