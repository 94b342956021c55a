"""What a page of a list reads of its rows: objects, or no more than what it shows of them."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import RelationshipProperty, aliased

from admin.kit.display import display_object
from admin.kit.keys import key_columns
from admin.kit.lists.query import with_relations
from admin.kit.reading import name_columns
from admin.kit.watched import asks_about_rows, listens_to_loads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
    makes_objects: bool = True

    def select(self, stmt: Select[Any]) -> Select[Any]:
        return with_relations(self.view, stmt, [column.name for column in self.columns])

    def read(self, found: Iterable[Row[Any]]) -> list[Any]:
        return [row[0] for row in found]


@dataclass(frozen=True)
class Named:
    """What is read of a related object: its key, and what it makes its name of."""

    model: Any
    names: tuple[str, ...]

    def read(self, *values: Any) -> Any:
        """Return an object of the model that has these attributes alone, and no session."""
        if values[0] is None:
            return None
        obj = object.__new__(self.model)
        obj.__dict__.update(zip(self.names, values, strict=True))
        return obj


@dataclass(frozen=True)
class Values:
    """Reads the key and the columns that are shown, a third of the work of making objects.

    `named` are related objects by column, of which only the name is made; any other is read whole,
    by the session, for it says itself what it is called.
    """

    view: ModelAdmin
    columns: tuple[Column, ...]
    named: tuple[tuple[str, Named], ...] = ()

    @cached_property
    def names(self) -> list[str]:
        keys = [column.name for column in key_columns(self.view.model)]
        return list(dict.fromkeys([*keys, *(column.name for column in self.columns)]))

    @property
    def is_kept(self) -> bool:
        """Whether other requests read the same."""
        return self.view is self.view.declared

    @cached_property
    def makes_objects(self) -> bool:
        return sum(column.may_be_related for column in self.columns) > len(self.named)

    @cached_property
    def width(self) -> int:
        return len(self.selected[0])

    @cached_property
    def selected(self) -> tuple[list[Any], list[Any]]:
        """What to select, and the relations to join for it."""
        selected: list[Any] = []
        joined: list[Any] = []
        for name in self.names:
            attribute = getattr(self.view.model, name)
            if not isinstance(attribute.property, RelationshipProperty):
                selected.append(attribute)
                continue
            entity: Any = aliased(attribute.property.mapper.class_)
            joined.append(attribute.of_type(entity))
            named = dict(self.named).get(name)
            selected += [getattr(entity, n) for n in named.names] if named else [entity]
        return selected, joined

    def select(self, stmt: Select[Any]) -> Select[Any]:
        selected, joined = self.selected
        for target in joined:
            stmt = stmt.join(target, isouter=True)
        return stmt.with_only_columns(*selected, maintain_column_froms=True)

    def read(self, found: Sequence[Row[Any]]) -> list[Any]:
        """Return a record of each row; a column of it at a time, as lists have hundreds."""
        if not found:
            return []
        columns, named = iter(zip(*found, strict=True)), dict(self.named)
        values = [
            next(columns)
            if name not in named
            else map(named[name].read, *islice(columns, len(named[name].names)))
            for name in self.names
        ]
        return list(map(record_of(tuple(self.names)), *values))


@lru_cache(maxsize=1000)
def record_of(names: tuple[str, ...]) -> Any:
    """Return what holds the values of a row, under the names that an object has for them."""
    return namedtuple("Record", names)  # noqa: PYI024 - the names vary


def loading_of(view: ModelAdmin, columns: Sequence[Column]) -> Objects | Values:
    """Return how to read the rows: as values, unless something may ask for more than is shown."""
    if not is_shown_alone(view, columns):
        return Objects(view, columns)
    relations = [column for column in columns if column.may_be_related]
    named = ((column.name, named_of(view, column)) for column in relations)
    found = tuple((name, related) for name, related in named if related is not None)
    made = Values if view is not view.declared else values_of
    return made(view, tuple(columns), found)


# What a declared view selects is put together once; one that roles bind ends with its request.
values_of = lru_cache(maxsize=1000)(Values)


def related(columns: Sequence[Column], records: Sequence[Any]) -> Iterator[Any]:
    """Yield the related objects that these columns of the records show."""
    names = [column.name for column in columns if column.may_be_related and column.is_stored]
    return (getattr(record, name) for name in names for record in records)


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


def named_of(view: ModelAdmin, column: Column) -> Named | None:
    """Return what to read of a related object for its name, unless more may be asked of it."""
    mapper = view.mapper.relationships[column.name].mapper
    names = name_columns(mapper)
    if names is None or column.show is not display_object or listens_to_loads(mapper):
        return None
    if any(asks_about_rows(each, "has_permission") for each in view.site.views_of({mapper.class_})):
        return None
    keys = [mapper.get_property_by_column(key).key for key in mapper.primary_key]
    return Named(mapper.class_, tuple(dict.fromkeys([*keys, *sorted(names)])))
