"""What one deletion took along: a row of a change set, and all that depended on it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from admin.kit.history.images import row_of
from admin.kit.history.recorder import DELETE, UPDATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Table

    from admin.kit.history.schema import Dependents, RecordedSchema


class Tree:
    """Picks, when asked last entry first, those that belong to the deletion of one row.

    What goes along with a row is recorded before it, so a parent is met before its children.
    """

    def __init__(self, schema: RecordedSchema, position: int) -> None:
        self.schema = schema
        self.position = position
        # For each reference to a row of the tree, the values that it holds.
        self.referred: set[tuple[str, tuple[str, ...], tuple[Any, ...]]] = set()
        self.entries: list[tuple[str, str, str]] = []

    def __call__(self, entry: Any) -> bool:
        table = self.schema.tables.get(entry.table_name)
        if table is None or entry.action not in (DELETE, UPDATE):
            return False
        image = row_of(table, entry.before)
        is_chosen = entry.position == self.position or self._depends(entry, table, image)
        if is_chosen:
            self.entries.append((entry.table_name, entry.action, entry.key))
            if entry.action == DELETE:
                self._add(table, image)
        return is_chosen

    def _add(self, table: Table, image: Mapping[str, Any]) -> None:
        for dependents in self.schema.dependents[table]:
            values = tuple(image[column.name] for column in dependents.referred)
            self.referred.add((*reference(dependents), values))

    def _depends(self, entry: Any, table: Table, image: Mapping[str, Any]) -> bool:
        if entry.position > self.position:
            return False
        for dependents in self._dependents_in(table):
            name, columns = reference(dependents)
            if dependents.is_removed != (entry.action == DELETE) or not image.keys() >= {*columns}:
                continue
            # Other columns that were changed as well were changed by somebody, not by the deletion.
            is_alone = entry.action == DELETE or image.keys() == {*columns}
            if is_alone and (name, columns, tuple(image[c] for c in columns)) in self.referred:
                return True
        return False

    def _dependents_in(self, table: Table) -> list[Dependents]:
        return [
            dependents
            for found in self.schema.dependents.values()
            for dependents in found
            if dependents.table is table
        ]


def reference(dependents: Dependents) -> tuple[str, tuple[str, ...]]:
    return dependents.table.name, tuple(column.name for column in dependents.columns)
