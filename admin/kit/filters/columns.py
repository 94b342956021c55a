"""What filters need to know of a column: its type, whether it may be empty, where a path leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, DateTime, Enum, String, TypeDecorator
from sqlalchemy.orm import ColumnProperty, RelationshipProperty

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import QueryableAttribute
    from sqlalchemy.types import TypeEngine

    Column = QueryableAttribute[Any]


def stored_type(column: Column | ColumnElement[Any]) -> TypeEngine[Any]:
    """Return the type of the column in the database, below the decorations of the model."""
    type_ = column.type
    return type_.impl_instance if isinstance(type_, TypeDecorator) else type_


def is_relation(column: Column) -> bool:
    return isinstance(column.property, RelationshipProperty)


def is_text(column: Column) -> bool:
    return is_text_type(stored_type(column))


def is_text_type(type_: TypeEngine[Any]) -> bool:
    return isinstance(type_, String) and not isinstance(type_, Enum)


def is_moment(column: Column) -> bool:
    return isinstance(stored_type(column), Date | DateTime)


def is_nullable(column: Column) -> bool:
    """Say whether a row may have no value, or no related object."""
    prop = column.property
    if isinstance(prop, RelationshipProperty):
        is_own = prop.direction.name == "MANYTOONE"
        return not is_own or any(local.nullable for local in prop.local_columns)
    return bool(prop.columns[0].nullable)


def follow(model: type, path: str) -> tuple[tuple[Column, ...], Column] | None:
    """Return the relations on a dotted path and the column it ends at, or None if it leads nowhere.

    A property that a model computes is nowhere: no database can filter by it.
    """
    through: list[Column] = []
    *relations, name = path.split(".")
    for relation in relations:
        attribute = getattr(model, relation, None)
        if not isinstance(getattr(attribute, "property", None), RelationshipProperty):
            return None
        through.append(attribute)  # type: ignore[arg-type]
        model = attribute.property.mapper.class_  # type: ignore[union-attr]
    column = getattr(model, name, None)
    known = isinstance(getattr(column, "property", None), ColumnProperty | RelationshipProperty)
    return (tuple(through), column) if known and column is not None else None
