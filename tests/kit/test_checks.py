"""A declaration that can't be honoured stops the start, by class and attribute."""

from typing import Any

import pytest
from sqladmin import BaseView, ModelView
from sqladmin.exceptions import ImproperlyConfigured
from sqladmin.filters import AllUniqueStringValuesFilter
from sqlalchemy import LargeBinary, String, make_url
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from admin.kit import EmptyFilter, ModelAdmin
from models.database import connect
from tests.kit.app import Book, BookAdmin, Publisher, PublisherAdmin, make_app

# Nothing is opened before the first use.
NOWHERE = connect(make_url("sqlite://"))


class Base(DeclarativeBase):
    pass


class Scan(Base):
    __tablename__ = "scans"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    image: Mapped[bytes] = mapped_column(LargeBinary)
    words: Mapped[Any] = mapped_column(TSVECTOR)


class Renamed(Base):
    __tablename__ = "renamed"

    ident: Mapped[int] = mapped_column("id", primary_key=True)


WRONG: list[tuple[type, dict[str, Any], str]] = [
    (Book, {"column_list": ["titel"]}, "column_list: 'titel' does not exist"),
    (Book, {"column_list": ["publisher.nam"]}, "column_list: 'publisher.nam' does not exist"),
    (Book, {"column_list": [Book.chapters]}, "column_list: 'chapters' leads to any"),
    (Book, {"column_export_list": ["tags.id"]}, "column_export_list: 'tags.id' leads to any"),
    (Book, {"column_details_list": [Book.tags]}, "column_details_list: 'tags' leads to any"),
    (Book, {"column_searchable_list": ["publisher"]}, "column_searchable_list: 'publisher' is not"),
    (Book, {"column_sortable_list": ["publisher"]}, "column_sortable_list: 'publisher' is not a"),
    (Book, {"column_default_sort": "publisher"}, "column_default_sort: 'publisher' is not a"),
    (Book, {"column_default_sort": "titel"}, "column_default_sort: 'titel' does not exist"),
    (Book, {"form_columns": [Book.chapters]}, "form_columns: 'chapters' leads to any"),
    (Book, {"form_columns": [Book.tags]}, "form_columns: 'tags' leads to any"),
    (Book, {"form_columns": [Book.cover]}, "form_columns: 'cover' is kept in the other table"),
    (Book, {"form_ajax_refs": {}}, "form_ajax_refs: 'publisher' is missing, and a select"),
    (Book, {"form_readonly_columns": ["titel"]}, "form_readonly_columns: 'titel' does not exist"),
    (Scan, {"form_columns": [Scan.image]}, "form_columns: 'image' is of a type"),
    (Scan, {"form_columns": [Scan.words]}, "form_columns: 'words' is of a type"),
    (Book, {"form_widget_args": {"title": {"readonly": True}}}, "form_widget_args: 'title' only"),
    (Book, {"form_widget_args": {"title": {"disabled": True}}}, "form_widget_args: 'title' only"),
    (Book, {"column_filters": [AllUniqueStringValuesFilter(Book.title)]}, "AllUnique"),
    (Book, {"column_filters": [EmptyFilter(Book.title, parameter_name="page")]}, "'page' is taken"),
    (Book, {"column_filters": [EmptyFilter(Book.title)] * 2}, "the parameter 'title'"),
    (Renamed, {}, "model: the key 'id' must have an attribute of the same name."),
    (Book, {"can_import": True}, "can_import: SQLAdmin's import skips hooks and permissions"),
    (Book, {"save_as": True}, "save_as: “Save as new” is not offered"),
    (Book, {"sort_query": lambda _view, stmt, _request: stmt}, "sort_query: it has no effect"),
    (Book, {"delete_model": lambda *_: None}, "delete_model: pages delete all of a selection"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "attributes", "sentence"), WRONG)
def test_a_wrong_declaration_stops_the_start(
    model: type, attributes: dict[str, Any], sentence: str
) -> None:
    base: type[ModelAdmin] = BookAdmin if model is Book else ModelAdmin
    view = type("WrongAdmin", (base,), attributes, model=model)
    with pytest.raises(ImproperlyConfigured) as error:
        make_app(NOWHERE, view)
    assert str(error.value).startswith("WrongAdmin.")
    assert sentence in str(error.value)


def test_a_view_that_is_not_of_the_kit_stops_the_start() -> None:
    class Stock(ModelView, model=Publisher):
        pass

    with pytest.raises(ImproperlyConfigured, match="Stock must be a ModelAdmin of the kit"):
        make_app(NOWHERE, Stock)  # type: ignore[arg-type]


def test_two_views_at_one_address_stop_the_start() -> None:
    """The second could never be reached."""

    class Twin(PublisherAdmin, model=Publisher):
        pass

    with pytest.raises(ImproperlyConfigured, match="Twin: 'publisher' is taken"):
        make_app(NOWHERE, PublisherAdmin, Twin)


def test_two_views_of_one_model_may_have_two_addresses() -> None:
    class Archive(PublisherAdmin, model=Publisher):
        pass

    Archive.identity = "archive"
    site = make_app(NOWHERE, PublisherAdmin, Archive).state.site
    assert [view.identity for view in site.views] == ["publisher", "archive"]


@pytest.mark.parametrize("declared", [{}, {"form_columns": "__all__"}], ids=str)
def test_what_can_not_be_typed_is_left_out_of_an_undeclared_form(declared: dict[str, str]) -> None:
    view = type("ScanAdmin", (ModelAdmin,), declared, model=Scan)
    make_app(NOWHERE, view)
    assert {"image", "words"}.isdisjoint(view().form_names)


def test_a_page_of_another_kind_is_welcome() -> None:
    class Report(BaseView):
        name = "Report"

    make_app(NOWHERE, Report)  # type: ignore[arg-type]
