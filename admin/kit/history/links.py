"""The rows of many-to-many relations, as seen from one end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_

from admin.kit.history.schema import key_columns
from admin.kit.hooks import wait_for
from admin.kit.keys import SPELLING, join, unspell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import RelationshipProperty
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin


@dataclass(frozen=True)
class Side:
    """A many-to-many relation as seen from the object: where in a link's key its own key stands."""

    relationship: RelationshipProperty[Any]
    is_first: bool
    size: int

    @property
    def table(self) -> str:
        return self.relationship.secondary.name  # type: ignore[union-attr,no-any-return]

    def own(self, obj: Any) -> list[str]:
        mapper = self.relationship.parent
        ours = [column for column, _ in self.relationship.synchronize_pairs]
        return [escaped(getattr(obj, mapper.get_property_by_column(column).key)) for column in ours]

    def condition(self, changes: Any, obj: Any) -> ColumnElement[bool]:
        text = ";".join(self.own(obj)).translate(SPELLING)
        matches = (
            changes.key.startswith(f"{text};", autoescape=True)
            if self.is_first
            else changes.key.endswith(f";{text}", autoescape=True)
        )
        return and_(changes.table_name == self.table, matches)

    def other(self, key: str, obj: Any) -> str:
        """Return the other end's key, or "" if the link is not one of this object's."""
        parts, own = split(unspell(key)), self.own(obj)
        mine = parts[: self.size] if self.is_first else parts[-self.size :]
        rest = parts[self.size :] if self.is_first else parts[: -self.size]
        return ";".join(rest) if mine == own else ""


def escaped(value: Any) -> str:
    """Return a part of a key of several columns."""
    return unspell(join([value, ""])).removesuffix(";")


def split(key: str) -> list[str]:
    """Return the parts of a key of several columns, as they stand in it."""
    parts, characters = [""], iter(key)
    for character in characters:
        if character == ";":
            parts.append("")
        else:
            parts[-1] += character + (next(characters, "") if character == "\\" else "")
    return parts


def visible_links(view: ModelAdmin, request: Request) -> list[Side]:
    """Return the relations whose other end the operator may see, all rows of it."""
    schema = view.site.recorded.schema
    found: list[Side] = []
    for relationship in view.mapper.relationships:
        if relationship.secondary not in schema.links:
            continue
        others = view.site.views_of({relationship.mapper.class_}, request)
        may_list = [v for v in others if v.is_accessible(request) and not v.hides_rows(request)]
        if not others or any(wait_for(other.check_can_list, request) for other in may_list):
            found += sides_of(relationship)
    return found


def sides_of(relationship: RelationshipProperty[Any]) -> Iterable[Side]:
    """Return where the object's key stands in the link's key: first or last, else nowhere."""
    names = [c.name for c in key_columns(relationship.secondary)]
    own = [column.name for _, column in relationship.synchronize_pairs]
    size = len(own)
    if names[:size] == own and size < len(names):
        yield Side(relationship, True, size)
    elif names[-size:] == own and size < len(names):
        yield Side(relationship, False, size)
