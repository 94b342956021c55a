"""What a deletion takes with it, and the deletion itself: all of the selection or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sqladmin.helpers import prettify_class_name
from sqlalchemy import Select, Table, func, literal, select, tuple_
from sqlalchemy.orm.interfaces import RelationshipDirection

from admin.kit.errors import Refused, require
from admin.kit.formats import write_number
from admin.kit.history import recorded_delete
from admin.kit.history.recorder import table_of
from admin.kit.hooks import follow_up, wait_for
from admin.kit.keys import key_columns, key_of, matches_keys
from admin.kit.languages import gettext, in_sentence
from admin.kit.naming import label_of
from admin.kit.progress import Progress
from admin.kit.saving import write
from admin.kit.seen import Seen, digest
from admin.kit.selection import MOST_COUNTED, MOST_SHOWN, Selection
from admin.kit.watched import all_allow, asks_about_rows, is_recorded, listens, overrides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Mapper, RelationshipProperty, Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.selection import Batch

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


def objects_to_delete(selection: Selection, session: Session) -> Affected:
    """Return the selection and all that the cascades take with it, counted up to a limit."""
    view, most = selection.view, MOST_SHOWN if selection.is_all else None
    shown = selection.show(session, most)
    examples = [(key_of(obj), label_of(obj)) for obj in shown.objects]
    name = in_sentence(view.name if shown.count == 1 else view.name_plural)
    require_cascaded(view, selection.request, session, view.mapper, selection.rows())
    below = cascaded(view, session, view.mapper, selection.rows(), DEEPEST)
    seen = replace(shown.seen, going=told(below))
    return Affected(name, shown.count, examples, below, seen=seen)


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
    examples = [(key_of(obj), label_of(obj)) for obj in first]
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


@dataclass(frozen=True)
class Deleted:
    """How many rows a deletion took, and the label if it was one that was ticked."""

    count: int
    label: str = ""


async def delete(
    selection: Selection, seen: Seen | None = None, progress: Progress | None = None
) -> Deleted:
    """Delete the selected objects, all or none.

    Raises `ChangedSinceShown` if they are no longer as they were `seen`.
    """
    view, request = selection.view, selection.request
    require_cascade(view, request)
    deletion = Deletion(selection, seen, progress or Progress())
    deleted: Deleted = await write(view, deletion.run)
    for obj in deletion.gone:
        await follow_up(request, view.after_model_delete(obj, request))
    return deleted


class Deletion:
    """One deletion, as a unit of work that may be repeated."""

    def __init__(self, selection: Selection, seen: Seen | None, progress: Progress) -> None:
        self.selection = selection
        self.view = selection.view
        self.seen = seen
        self.progress = progress
        # A few rows go one by one, as they ever did: nothing would be gained.
        self.is_plain = selection.is_all and sees_no_deletion(self.view)
        self.gone: list[Any] = []

    def run(self, session: Session) -> Deleted:
        self.gone, count, label = [], 0, ""
        view, request = self.view, self.selection.request
        require_cascaded(view, request, session, view.mapper, self.selection.rows())
        going = partial(self.going, session)
        for batch in self.selection.batches(session, self.seen, self.progress, going):
            objects = self.permitted(batch)
            count += len(batch.keys)
            label = label_of(objects[0]) if len(objects) == 1 else ""
            if self.is_plain:
                delete_rows(session, self.view, batch.keys)
            else:
                self.delete_objects(session, objects)
            if self.selection.is_all:
                session.expunge_all()
        return Deleted(count, label if count == 1 else "")

    def going(self, session: Session) -> str:
        rows = self.selection.rows()
        return told(cascaded(self.view, session, self.view.mapper, rows, DEEPEST))

    def permitted(self, batch: Batch) -> list[Any]:
        """Return the objects, if they are needed; refuse all if one may not be deleted."""
        view, request = self.view, self.selection.request
        if self.is_plain and not asks_about_rows(view, "check_can_delete"):
            require(wait_for(view.check_can_delete, request, None))
            return []
        objects = batch.objects()
        require(wait_for(all_allow, view.check_can_delete, request, objects))
        return objects

    def delete_objects(self, session: Session, objects: Sequence[Any]) -> None:
        for obj in objects:
            wait_for(self.view.on_model_delete, obj, self.selection.request)
            session.delete(obj)
        session.flush()
        if not self.selection.is_all or overrides(self.view, "after_model_delete"):
            self.gone += objects


def delete_rows(session: Session, view: ModelAdmin, keys: Sequence[str]) -> None:
    """Delete rows by statement; the database takes along what belongs to them."""
    condition, table = matches_keys(view.model, keys), table_of(view.mapper)
    if is_recorded(session, table):
        recorded_delete(session, view.model, condition)
    else:
        session.connection().execute(table.delete().where(condition))


def sees_no_deletion(view: ModelAdmin) -> bool:
    """Say whether no hook or event would look at a row that goes, and no cascade is Python's."""
    mapper = view.mapper
    return (
        not overrides(view, "on_model_delete", "after_model_delete")
        and not listens(mapper, "before_delete", "after_delete")
        and mapper.inherits is None
        and isinstance(mapper.local_table, Table)
        and all(map(is_databases, mapper.relationships))
    )


def is_databases(relationship: RelationshipProperty[Any]) -> bool:
    """Say whether the database does by itself what the session would do for this relation."""
    if relationship.viewonly or relationship.direction is RelationshipDirection.MANYTOONE:
        return not relationship.cascade.delete
    many = relationship.secondary
    pairs = relationship.synchronize_pairs if many is not None else relationship.local_remote_pairs
    rules = {
        (key.ondelete or "").upper()
        for _, remote in pairs or ()
        for key in remote.foreign_keys
        if key.column in relationship.parent.local_table.columns.values()
    }
    if many is not None or relationship.cascade.delete:
        return rules == {"CASCADE"} and (many is not None or bool(relationship.passive_deletes))
    return rules == {"SET NULL"} or relationship.passive_deletes == "all"


def require_cascade(view: ModelAdmin, request: Request) -> None:
    """Refuse a deletion that takes rows which the operator may not delete by themselves."""
    for other in view.site.views_of(cascade_targets(view.mapper)):
        if not other.has_permission(request, "delete"):
            raise also_deletes(other)


def require_cascaded(
    view: ModelAdmin,
    request: Request,
    session: Session,
    mapper: Mapper[Any],
    rows: Select[Any],
    depth: int = DEEPEST,
) -> None:
    """Refuse a deletion that takes a row of others which the operator's roles leave out.

    So whatever it takes, and a page names and counts, is theirs to delete.
    """
    for relationship in mapper.relationships:
        if not (relationship.cascade.delete and relationship.secondary is None and depth):
            continue
        related, model = related_rows(relationship, rows), relationship.mapper.class_
        for other in view.site.views_of({model}, request):
            if other.hides_rows(request, "delete"):
                key = tuple_(*key_columns(model))
                mine = other.within(request, "delete").with_only_columns(*key_columns(model))
                beyond = related.where(key.not_in(mine)).with_only_columns(literal(1)).limit(1)
                if session.scalar(beyond):
                    raise also_deletes(other)
        require_cascaded(view, request, session, relationship.mapper, related, depth - 1)


def also_deletes(view: ModelAdmin) -> Refused:
    names = in_sentence(view.name_plural)
    sentence = gettext("This would also delete %(names)s, which you may not.", names=names)
    return Refused(sentence, status=403)


def cascade_targets(mapper: Mapper[Any], seen: frozenset[Any] = frozenset()) -> frozenset[Any]:
    """Return the classes whose rows a deletion may take along, however far down."""
    for relationship in mapper.relationships:
        target = relationship.mapper.class_
        if relationship.cascade.delete and target not in seen:
            seen = cascade_targets(relationship.mapper, seen | {target})
    return seen
