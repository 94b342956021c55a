"""The objects an async picker offers, and the one its answer names."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Select, inspect
from sqlalchemy.orm import RelationshipDirection

from admin.kit.choice_fields import RelatedField
from admin.kit.errors import Refused
from admin.kit.keys import BadKeyError, join, key_of, matches_keys
from admin.kit.languages import gettext
from admin.kit.naming import label_of
from admin.kit.search import alternatives, first_rows

if TYPE_CHECKING:
    from sqladmin.ajax import QueryAjaxModelLoader
    from sqlalchemy.orm import RelationshipProperty, Session
    from starlette.requests import Request
    from wtforms import Field

    from admin.kit.model_admin import ModelAdmin

MOST_CHOICES = 20


@dataclass(frozen=True)
class Found:
    """One choice, in the words of the JSON that the picker's script reads."""

    id: str
    text: str

    @classmethod
    def of(cls, obj: Any) -> Self:
        """Describe an object, while its session is open: its name may need other rows."""
        return cls(key_of(obj), label_of(obj))

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def hidden_choice(relation: RelationshipProperty[Any], obj: Any) -> Found | None:
    """Return what a form keeps of a related object that its operator may not see: its key."""
    keys = relation.mapper.primary_key
    local = {remote: own for own, remote in relation.local_remote_pairs or ()}
    if relation.direction is not RelationshipDirection.MANYTOONE or not set(keys) <= set(local):
        return None
    names = [relation.parent.get_property_by_column(local[key]).key for key in keys]
    values = [getattr(obj, name) for name in names]
    return None if None in values else Found(join(values), gettext("not visible to you"))


def find_choices(
    session: Session, query: Select[Any], loader: QueryAjaxModelLoader, term: str
) -> list[Found]:
    """Return the first choices whose fields contain every word of the term."""
    order = [*loader._cached_fields_order_by, *inspect(loader.model).primary_key]  # noqa: SLF001
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    ways = alternatives(loader.model, loader.fields, term, is_sqlite=is_sqlite)
    return [Found.of(o) for o in session.scalars(first_rows(query, ways, order, MOST_CHOICES))]


def find_chosen(session: Session, query: Select[Any], field: str, key: str | None) -> Any:
    """Return the object with this key if it is among the choices; refuse it at the field if not."""
    if not key:
        return None
    model = query.column_descriptions[0]["entity"]
    try:
        chosen = session.scalar(query.where(matches_keys(model, [key])))
    except BadKeyError:
        chosen = None
    if chosen is None:
        raise Refused(gettext("Choose one that exists."), field=field)
    return chosen


async def name_chosen(view: ModelAdmin, request: Request, field: Field) -> None:
    """Let a picker that is shown again call what was chosen by its name, not by its key."""
    if not isinstance(field, RelatedField) or not field.data or field.chosen:
        return
    name = field.short_name
    query = await view.lookup_query(request, name)
    find = partial(find_chosen, query=query, field=name, key=field.data)
    with suppress(Refused):
        field.chosen = await view.site.read(lambda session: Found.of(find(session)).text)
