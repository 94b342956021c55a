"""What the tables of an application mean for its history."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ForeignKeyConstraint, Table

from admin.kit.history.images import SECRET, is_recorded
from admin.kit.keys import join
from admin.kit.reading import is_called_by_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Mapper, RelationshipProperty, registry


@dataclass(frozen=True)
class Dependents:
    """Rows that go, or lose what they refer to, with the rows that they refer to."""

    table: Table
    columns: Sequence[Column[Any]]
    referred: Sequence[Column[Any]]
    is_removed: bool


class RecordedSchema:
    """The tables of a registry whose rows have a history: all but those that say otherwise.

    A table or a column says so by `info={"recorded": False}`.
    """

    def __init__(self, models: registry) -> None:
        self.registry = models

    @cached_property
    def mappers(self) -> dict[Table, Mapper[Any]]:
        found = {}
        for mapper in self.registry.mappers:
            table = mapper.local_table
            if isinstance(table, Table) and table.info.get("recorded", True):
                if mapper.inherits is not None:
                    raise TypeError(f"{mapper.class_.__name__}: history knows no inheritance.")
                found[table] = mapper
        return found

    @cached_property
    def links(self) -> dict[Table, RelationshipProperty[Any]]:
        """The tables of many-to-many relations, each with a relation that writes it."""
        return {
            relationship.secondary: relationship
            for mapper in self.mappers.values()
            for relationship in mapper.relationships
            if isinstance(relationship.secondary, Table) and not relationship.viewonly
        }

    def is_link(self, table_name: str) -> bool:
        return self.tables.get(table_name) in self.links

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The recorded tables by name, referred ones before those that refer to them."""
        order = self.registry.metadata.sorted_tables
        known = {*self.mappers, *self.links}
        return {table.name: table for table in order if table in known}

    @cached_property
    def rank(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.tables)}

    @cached_property
    def dependents(self) -> dict[Table, list[Dependents]]:
        found: dict[Table, list[Dependents]] = {table: [] for table in self.tables.values()}
        for table in self.tables.values():
            for constraint in table.foreign_key_constraints:
                if constraint.referred_table in found:
                    found[constraint.referred_table] += self._dependents(table, constraint)
        return found

    @cached_property
    def attributes(self) -> dict[Table, list[tuple[str, str]]]:
        """For each table, the attributes of its model, each with its column."""
        return {
            table: [(mapper.get_property_by_column(c).key, c.name) for c in table.columns]
            for table, mapper in self.mappers.items()
        }

    @cached_property
    def references(self) -> dict[Table, list[tuple[Table, ForeignKeyConstraint]]]:
        """For each table, the tables and constraints that refer to it."""
        found: dict[Table, list[tuple[Table, ForeignKeyConstraint]]]
        found = {table: [] for table in self.tables.values()}
        for table in self.tables.values():
            for constraint in table.foreign_key_constraints:
                if constraint.referred_table in found:
                    found[constraint.referred_table].append((table, constraint))
        return found

    def _dependents(self, table: Table, constraint: ForeignKeyConstraint) -> Iterator[Dependents]:
        rule = (constraint.ondelete or "").upper()
        is_removed = rule == "CASCADE" or table in self.links
        if is_removed or rule == "SET NULL":
            referred = [element.column for element in constraint.elements]
            yield Dependents(table, list(constraint.columns), referred, is_removed)

    def mapper_of(self, obj: Any) -> Mapper[Any] | None:
        """Return the mapper of an object whose table is recorded, else None."""
        mapper: Mapper[Any] = obj.__mapper__
        return mapper if mapper.local_table in self.mappers else None

    def version_of(self, table: Table) -> Column[Any] | None:
        """Return the column that counts the updates of a row, if there is one."""
        mapper = self.mappers.get(table)
        column = mapper.version_id_col if mapper else None
        return column if isinstance(column, Column) else None

    @cached_property
    def watched(self) -> dict[Table, list[Column[Any]]]:
        """For each table, the columns whose change is worth an entry."""
        return {
            table: [c for c in table.columns if is_recorded(c) and c is not self.version_of(table)]
            for table in self.tables.values()
        }

    def label(self, table: Table, row: Mapping[str, Any]) -> str:
        """Return what the model calls a row, or "" for a row of a link."""
        if table not in self.mappers:
            return ""
        return name_of(self.ghost(table, row)) or key_of_row(table, row)

    def ghost(self, table: Table, row: Mapping[str, Any]) -> Any:
        """Return an object that no session knows, with these columns but for the secret ones."""
        obj = self.mappers[table].class_manager.new_instance()
        held = [(name, row[column]) for name, column in self.attributes[table] if column in row]
        # Not `setattr`: an event or a validator of the model must not run.
        obj.__dict__.update((name, value) for name, value in held if value is not SECRET)
        return obj


@cache
def key_columns(table: Table) -> list[Column[Any]]:
    return list(table.primary_key.columns) or list(table.columns)


def key_of_row(table: Table, row: Mapping[str, Any]) -> str:
    """Return the key of a row as it stands in addresses."""
    return join([row[column.name] for column in key_columns(table)])


def name_of(obj: Any) -> str:
    """Return what an object calls itself, or "" if it needs a relation that isn't loaded.

    The history is the same for everyone: who may see the name is asked where it is shown.
    """
    if is_called_by_secrets(type(obj)):
        return ""
    try:
        return str(obj)
    except Exception:  # noqa: BLE001 - the model's own code, which history must not depend on
        return ""
