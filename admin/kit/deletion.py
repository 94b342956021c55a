"""What a deletion takes with it, and the deletion itself: all of the selection or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqladmin.helpers import prettify_class_name
from sqlalchemy import Select, func, literal, select, tuple_

from admin.kit.errors import Refused, require
from admin.kit.formats import write_number
from admin.kit.hooks import follow_up, wait_for
from admin.kit.keys import key_of
from admin.kit.languages import gettext, in_sentence
from admin.kit.saving import find_selected, write
from admin.kit.seen import Seen, digest

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    versions: int = 0
    seen: Seen | None = None

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
    seen = Seen.of(view, objects, told(below))
    return Affected(name, len(objects), examples, below, seen=seen)


def told(affected: list[Affected]) -> str:
    """Return in words what goes along, and a digest of all that is known of it."""
    words = ", ".join(words_of(affected))
    return f"{words} {digest(repr(affected))}" if words else ""


def words_of(affected: list[Affected]) -> Iterator[str]:
    for item in affected:
        yield f"{write_number(item.count)} {item.name}"
        yield from words_of(item.affected)


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
    version = mapper.version_id_col
    columns = mapper.primary_key if version is None else (*mapper.primary_key, version)
    bounded = rows.with_only_columns(*columns).limit(MOST_COUNTED + 1).subquery()
    updates = literal(0) if version is None else func.sum(bounded.c[len(columns) - 1])
    count, versions = session.execute(select(func.count(), updates).select_from(bounded)).one()
    first = session.scalars(rows.order_by(*mapper.primary_key).limit(MOST_SHOWN)) if count else ()
    examples = [(key_of(obj), str(obj)) for obj in first]
    below = cascaded(view, session, mapper, rows, depth - 1) if count else []
    # Of more than are counted, each time others may be among them.
    versions = 0 if count > MOST_COUNTED else int(versions or 0)
    return Affected(name_of(view, mapper, count), count, examples, below, versions)


def name_of(view: ModelAdmin, mapper: Mapper[Any], count: int) -> str:
    """Return what to call so many rows, as a view of the model does or would."""
    for other in view.site.views_of({mapper.class_}):
        return in_sentence(other.name if count == 1 else other.name_plural)
    name = prettify_class_name(mapper.class_.__name__).lower()
    return name if count == 1 else f"{name}s"


async def delete(
    view: ModelAdmin, request: Request, keys: list[str], seen: Seen | None = None
) -> list[str]:
    """Delete the objects with these keys, all or none, and return their labels.

    Raises `ChangedSinceShown` if they are no longer as they were `seen`.
    """

    def work(session: Session) -> dict[Any, str]:
        objects = find_selected(view, request, session, keys)
        if seen is not None:
            below = cascaded(view, session, view.mapper, view.objects_query(request, keys), DEEPEST)
            seen.require_same(view, session, objects, told(below))
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
