"""What a deletion takes with it, and the deletion itself: all of the selection or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqladmin.helpers import prettify_class_name
from sqlalchemy import Select, func, select, tuple_

from admin.kit.errors import Refused, require
from admin.kit.hooks import follow_up, wait_for
from admin.kit.keys import key_of
from admin.kit.languages import gettext, in_sentence
from admin.kit.saving import find_selected, write

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapper, RelationshipProperty, Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

MOST_COUNTED = 10_000
MOST_SHOWN = 10
DEEPEST = 5


@dataclass
class Affected:
    """Rows of one kind that a deletion takes: how many, the first few, and what goes with them."""

    name: str
    count: int
    examples: list[tuple[str, str]]
    affected: list[Affected] = field(default_factory=list)

    @property
    def is_capped(self) -> bool:
        return self.count > MOST_COUNTED


def objects_to_delete(
    view: ModelAdmin, request: Request, keys: list[str], session: Session
) -> Affected:
    """Return the selection and all that the cascades take with it, counted up to a limit."""
    objects = find_selected(view, request, session, keys, lock=False)
    examples = [(key_of(obj), str(obj)) for obj in objects]
    chosen = view.objects_query(request, keys)
    name = in_sentence(view.name if len(objects) == 1 else view.name_plural)
    below = cascaded(view, session, view.mapper, chosen, DEEPEST)
    return Affected(name, len(objects), examples, below)


def cascaded(
    view: ModelAdmin, session: Session, mapper: Mapper[Any], rows: Select[Any], depth: int
) -> list[Affected]:
    """Return what goes with these rows of `mapper`, relation by relation."""
    if depth == 0:
        return []
    found = []
    for relationship in mapper.relationships:
        if relationship.cascade.delete and relationship.secondary is None:
            related = related_rows(relationship, rows)
            affected = affected_rows(view, session, relationship.mapper, related, depth)
            found += [affected] if affected.count else []
    return found


def related_rows(relationship: RelationshipProperty[Any], rows: Select[Any]) -> Select[Any]:
    """Return the rows at the other end of the relation."""
    local, remote = zip(*relationship.local_remote_pairs or (), strict=True)
    return select(relationship.mapper.class_).where(
        tuple_(*remote).in_(rows.with_only_columns(*local))
        if len(local) > 1
        else remote[0].in_(rows.with_only_columns(local[0]))
    )


def affected_rows(
    view: ModelAdmin, session: Session, mapper: Mapper[Any], rows: Select[Any], depth: int
) -> Affected:
    bounded = rows.with_only_columns(*mapper.primary_key).limit(MOST_COUNTED + 1).subquery()
    count = session.scalar(select(func.count()).select_from(bounded)) or 0
    first = session.scalars(rows.order_by(*mapper.primary_key).limit(MOST_SHOWN)) if count else ()
    examples = [(key_of(obj), str(obj)) for obj in first]
    below = cascaded(view, session, mapper, rows, depth - 1) if count else []
    return Affected(name_of(view, mapper, count), count, examples, below)


def name_of(view: ModelAdmin, mapper: Mapper[Any], count: int) -> str:
    """Return what to call so many rows, as a view of the model does or would."""
    for other in view.site.views_of({mapper.class_}):
        return in_sentence(other.name if count == 1 else other.name_plural)
    name = prettify_class_name(mapper.class_.__name__).lower()
    return name if count == 1 else f"{name}s"


async def delete(view: ModelAdmin, request: Request, keys: list[str]) -> list[str]:
    """Delete the objects with these keys, all or none, and return their labels."""

    def work(session: Session) -> dict[Any, str]:
        objects = find_selected(view, request, session, keys)
        labels = {obj: str(obj) for obj in objects}
        for obj in objects:
            require(wait_for(view.check_can_delete, request, obj))
            wait_for(view.on_model_delete, obj, request)
            session.delete(obj)
        session.flush()
        return labels

    require_cascade(view, request)
    labels: dict[Any, str] = await write(view, work)
    for obj in labels:
        await follow_up(request, view.after_model_delete(obj, request))
    return list(labels.values())


def require_cascade(view: ModelAdmin, request: Request) -> None:
    """Refuse a deletion that takes rows which the operator may not delete by themselves."""
    for other in view.site.views_of(cascade_targets(view.mapper)):
        if not other.has_permission(request, "delete"):
            names = in_sentence(other.name_plural)
            sentence = gettext("This would also delete %(names)s, which you may not.", names=names)
            raise Refused(sentence, status=403)


def cascade_targets(mapper: Mapper[Any], seen: frozenset[Any] = frozenset()) -> frozenset[Any]:
    """Return the classes whose rows a deletion may take along, however far down."""
    for relationship in mapper.relationships:
        target = relationship.mapper.class_
        if relationship.cascade.delete and target not in seen:
            seen = cascade_targets(relationship.mapper, seen | {target})
    return seen
