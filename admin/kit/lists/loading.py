"""What a page of a list reads of its rows: objects, or no more than what it shows of them."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from functools import cached_property, lru_cache
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import RelationshipProperty, aliased

from admin.kit.keys import key_columns
from admin.kit.lists.query import with_relations
from admin.kit.watched import asks_about_rows, listens_to_loads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row, Select

    from admin.kit.lists.columns import Column
    from admin.kit.model_admin import ModelAdmin

CHECKS = ("check_can_edit", "check_can_view_details")


@dataclass(frozen=True)
class Objects:
    """Reads objects, with the related ones that columns need: the application's code sees them."""

    view: ModelAdmin
    columns: Sequence[Column]
    width: int = 1

    def select(self, stmt: Select[Any]) -> Select[Any]:
        return with_relations(self.view, stmt, [column.name for column in self.columns])

    def read(self, found: Iterable[Row[Any]]) -> list[Any]:
        return [row[0] for row in found]


@dataclass(frozen=True)
class Values:
    """Reads the key and the columns that are shown, a third of the work of making objects.

    A related object is read whole, for it says itself what it is called.
    """

    view: ModelAdmin
    columns: Sequence[Column]

    @cached_property
    def names(self) -> list[str]:
        keys = [column.name for column in key_columns(self.view.model)]
        return list(dict.fromkeys([*keys, *(column.name for column in self.columns)]))

    @property
    def width(self) -> int:
        return len(self.names)

    def select(self, stmt: Select[Any]) -> Select[Any]:
        selected: list[Any] = []
        for name in self.names:
            attribute = getattr(self.view.model, name)
            if isinstance(attribute.property, RelationshipProperty):
                entity = aliased(attribute.property.mapper.class_)
                stmt = stmt.join(attribute.of_type(entity), isouter=True)
                attribute = entity
            selected.append(attribute)
        return stmt.with_only_columns(*selected, maintain_column_froms=True)

    def read(self, found: Iterable[Row[Any]]) -> list[Any]:
        record, width = record_of(tuple(self.names)), self.width
        return [record(*row[:width]) for row in found]


@lru_cache(maxsize=1000)
def record_of(names: tuple[str, ...]) -> Any:
    """Return what holds the values of a row, under the names that an object has for them."""
    return namedtuple("Record", names)  # noqa: PYI024 - the names vary


def loading_of(view: ModelAdmin, columns: Sequence[Column]) -> Objects | Values:
    """Return how to read the rows: as values, unless something may ask for more than is shown."""
    return Values(view, columns) if is_shown_alone(view, columns) else Objects(view, columns)


def is_shown_alone(view: ModelAdmin, columns: Sequence[Column]) -> bool:
    """Say whether stored values are all that anything sees of a row."""
    return (
        all(column.is_stored and is_name(column.name) for column in columns)
        and not view.is_scoped
        and not view.limits
        and not view.select_related
        and not view.draws_rows_itself
        and not listens_to_loads(view.mapper)
        and not any(asks_about_rows(view, check) for check in CHECKS)
    )


def is_name(name: str) -> bool:
    """Say whether a record can have a field of this name."""
    return not name.startswith("_") and not iskeyword(name)
