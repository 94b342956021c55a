"""What no index serves is said at the start, by view, attribute and the index to add."""

import logging
from typing import Any

import pytest
from sqlalchemy import ForeignKey, Index, String, func, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from admin.kit import ModelAdmin, PeriodFilter, RelatedFilter
from admin.kit.indexes import findings
from admin.views import VIEWS
from models.base import UTCDateTime, created_now
from models.database import connect
from models.trigrams import trigram_index
from tests.kit.app import make_app

# Nothing is opened before the first use.
NOWHERE = connect(make_url("sqlite://"))


class Base(DeclarativeBase):
    type_annotation_map = {created_now: UTCDateTime}


class City(Base):
    __tablename__ = "cities"
    __table_args__ = (Index("ix_name", "name", "id"), trigram_index("name"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    state: Mapped[str] = mapped_column(String(50))


class House(Base):
    __tablename__ = "houses"

    id: Mapped[int] = mapped_column(primary_key=True)
    street: Mapped[str] = mapped_column(String(50))
    code: Mapped[str] = mapped_column(String(50), unique=True)
    rooms: Mapped[int]
    built_at: Mapped[created_now]
    city_id: Mapped[int] = mapped_column(ForeignKey("cities.id"))
    home_id: Mapped[int | None] = mapped_column(ForeignKey("cities.id"), index=True)

    city: Mapped[City] = relationship(foreign_keys=city_id)
    home: Mapped[City | None] = relationship(foreign_keys=home_id)

    __table_args__ = (Index("ix_some", "built_at", postgresql_where="rooms > 3"),)


Index("ix_code", func.lower(House.code))

WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"column_searchable_list": [House.street]},
        'column_searchable_list: each search reads all rows; houses lacks trigram_index("street").',
    ),
    (
        {"column_searchable_list": ["^street"]},
        'column_searchable_list: each search reads all rows; houses lacks trigram_index("street").',
    ),
    (
        {"column_searchable_list": [House.rooms]},
        (
            "column_searchable_list: 'rooms' is no text, so each search reads all rows; "
            "'=rooms' finds it by its whole value."
        ),
    ),
    (
        {"column_searchable_list": ["=rooms"]},
        'column_searchable_list: each search reads all rows; houses lacks Index(None, "rooms").',
    ),
    (
        {"column_searchable_list": ["city.name"]},
        (
            "column_searchable_list: a search by city reads all rows; houses lacks "
            'Index(None, "city_id").'
        ),
    ),
    (
        {"column_searchable_list": ["home.state"]},
        'column_searchable_list: each search reads all rows; cities lacks trigram_index("state").',
    ),
    (
        {"column_filters": [PeriodFilter(House.built_at)]},
        'column_filters: the filter reads all rows; houses lacks Index(None, "built_at").',
    ),
    (
        {"column_filters": [RelatedFilter(House.city)]},
        'column_filters: the filter reads all rows; houses lacks Index(None, "city_id").',
    ),
    (
        {"column_sortable_list": [House.street]},
        'column_sortable_list: the sort reads all rows; houses lacks Index(None, "street", "id").',
    ),
    (
        {"column_default_sort": [(House.code, True), (House.rooms, False)]},
        (
            "column_default_sort: the sort reads all rows; houses lacks "
            'Index(None, "code", "rooms", "id").'
        ),
    ),
    (
        {"column_sortable_list": ["home.name"]},
        "column_sortable_list: 'home.name' reads all rows, because houses.home_id may be empty.",
    ),
]
RIGHT: list[dict[str, Any]] = [
    {"column_searchable_list": ["=id", "=code", "home.name", "^home.name", "=home.name"]},
    {"column_filters": [RelatedFilter(House.home)]},
    {"column_sortable_list": [House.id, House.code]},
    {"column_default_sort": [(House.code, True)]},
]


def view_of(declared: dict[str, Any]) -> type[ModelAdmin]:
    columns = {"column_list": [House.street], "form_columns": [House.street]}
    return type("HouseAdmin", (ModelAdmin,), {**columns, **declared}, model=House)


@pytest.mark.parametrize(("declared", "sentence"), WRONG)
def test_what_no_index_serves_is_logged(
    declared: dict[str, Any], sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_app(NOWHERE, view_of(declared))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("admin", logging.WARNING)
    assert record.getMessage() == f"HouseAdmin.{sentence}"


@pytest.mark.parametrize("declared", RIGHT)
def test_what_an_index_serves_is_not(
    declared: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    make_app(NOWHERE, view_of(declared))
    assert not caplog.records


@pytest.mark.parametrize("view", VIEWS)
def test_indexes_serve_all_that_the_shipped_views_declare(view: type[ModelAdmin]) -> None:
    (made,) = make_app(NOWHERE, view).state.site.model_views()
    assert not list(findings(made))
