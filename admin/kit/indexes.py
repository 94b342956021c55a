"""What a view declares and no index serves: on a large table every use of it reads all rows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Enum, String, UniqueConstraint, func
from sqlalchemy.orm import RelationshipProperty

from admin.kit.search import Place, places_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Table

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.search import Field

log = logging.getLogger("admin")

Finding = tuple[str, str]


def report(view: ModelAdmin) -> None:
    """Log a warning for each finding: the attribute of the view, and the index to add."""
    for attribute, sentence in findings(view):
        log.warning("%s.%s: %s", type(view).__name__, attribute, sentence)


def findings(view: ModelAdmin) -> Iterator[Finding]:
    """Yield the attribute and what it lacks, unless the table stays so small that it doesn't."""
    if view.stays_small:
        return
    for place in places_in(view.model, view.search_columns):
        for sentence in search_findings(place):
            yield "column_searchable_list", sentence
    for filter_ in view.filters:
        # A filter through a relation begins with the rows of the other table.
        for sentence in filter_findings(None if filter_.through else filter_.column):
            yield "column_filters", sentence
    for path in view.sort_names:
        for sentence in sort_findings(view, [path]):
            yield "column_sortable_list", sentence
    for sentence in sort_findings(view, [path for path, _ in view.default_sort]):
        yield "column_default_sort", sentence


# Searches


def search_findings(place: Place) -> Iterator[str]:
    yield from path_findings(place.relations)
    for field in place.fields:
        stored = field.stored(place.model)
        if stored is None:
            yield f"{field.name!s} is no column, so each search reads all rows."
        elif not is_text(stored):
            yield from value_findings(stored, field)
        elif not (place.has_trigrams(field) or (field.how == "=" and is_lowered(stored))):
            yield needs(stored.table, f'trigram_index("{stored.name}")', "each search")


def value_findings(stored: Column[Any], field: Field) -> Iterator[str]:
    if field.how != "=":
        yield (
            f"{field.name!r} is no text, so each search reads all rows; "
            f"'={field.name}' finds it by its whole value."
        )
    elif not leads(stored.table, [stored]):
        yield needs(stored.table, index_of([stored]), "each search")


def path_findings(relations: Sequence[Any]) -> Iterator[str]:
    """Yield the foreign keys by which rows can't be found from the row they refer to."""
    for relation in relations:
        prop = relation.property
        local = [column for column, _ in prop.local_remote_pairs]
        if not prop.uselist and not leads(local[0].table, local):
            yield needs(local[0].table, index_of(local), f"a search by {prop.key}")


def is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, String) and not isinstance(column.type, Enum)


def is_lowered(column: Column[Any]) -> bool:
    """Say whether the table has an index over the column in small letters."""
    lowered = str(func.lower(column))
    return any(str(index.expressions[0]) == lowered for index in indexes(column.table))


# Filters and sorts


def filter_findings(attribute: Any) -> Iterator[str]:
    prop = getattr(attribute, "property", None)
    columns: Sequence[Any] = getattr(prop, "columns", ())
    if isinstance(prop, RelationshipProperty):
        columns = [] if prop.uselist else [column for column, _ in prop.local_remote_pairs]
    if columns and not leads(columns[0].table, columns):
        yield needs(columns[0].table, index_of(columns), "the filter")


def sort_findings(view: ModelAdmin, paths: Sequence[str]) -> Iterator[str]:
    """Yield what keeps the order from being read from an index."""
    if len(paths) == 1 and "." in paths[0]:
        yield from related_sort_findings(view, paths[0])
        return
    columns = [column for path in paths if (column := stored_column(view, path)) is not None]
    if columns and not leads(columns[0].table, columns):
        yield needs(columns[0].table, index_of(columns, with_key=True), "the sort")


def related_sort_findings(view: ModelAdmin, path: str) -> Iterator[str]:
    """Only where each row has a related one can the other table's index lead the order."""
    names, _, name = path.rpartition(".")
    place = Place(view.model, names, ())
    for relation in place.relations:
        for column, _ in relation.property.local_remote_pairs:
            if column.nullable:
                yield f"{path!r} reads all rows, because {column} may be empty."
                return
            if not leads(column.table, [column]):
                yield needs(column.table, index_of([column], with_key=True), f"the sort by {path}")
    column = getattr(place.model, name).property.columns[0]
    if not leads(column.table, [column]):
        yield needs(column.table, index_of([column], with_key=True), f"the sort by {path}")


def stored_column(view: ModelAdmin, path: str) -> Column[Any] | None:
    """Return the column of the view's own table, or None for another table's or an expression."""
    prop = view.mapper.attrs.get(path)
    column = getattr(prop, "columns", [None])[0]
    return column if isinstance(column, Column) else None


# Indexes


def leads(table: Table, columns: Sequence[ColumnElement[Any]]) -> bool:
    """Say whether an index, a key or a unique constraint begins with these columns."""
    begun = [list(table.primary_key.columns), *([c] for c in table.columns if c.unique or c.index)]
    begun += [list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint)]
    begun += [list(index.expressions) for index in indexes(table)]
    return any(all(map(is_same, columns, found)) for found in begun if len(found) >= len(columns))


def is_same(column: Any, expression: Any) -> bool:
    return column is expression


def indexes(table: Table) -> list[Any]:
    """Return the indexes that hold every row in the order of their columns."""
    options = ((index, index.dialect_options["postgresql"]) for index in table.indexes)
    return [
        index
        for index, given in options
        if given["using"] in (False, None, "btree") and given["where"] is None
    ]


def index_of(columns: Sequence[Any], *, with_key: bool = False) -> str:
    """Return the index to declare; a sort's ends with the key, which decides between ties."""
    keys = [key for key in columns[0].table.primary_key if key not in columns] if with_key else []
    names = ", ".join(f'"{column.name}"' for column in [*columns, *keys])
    return f"Index(None, {names})"


def needs(table: Table, index: str, use: str) -> str:
    return f"{use} reads all rows; {table.name} lacks {index}."
