"""Undo as a page does it: with the operator's rights, row by row, all of it or nothing."""

from __future__ import annotations

from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from starlette.exceptions import HTTPException

from admin.kit.constraints import broken_rule
from admin.kit.errors import Refused, require
from admin.kit.history.images import row_of
from admin.kit.history.origin import origin
from admin.kit.history.recorder import BATCH, CREATE, DELETE, UPDATE, table_of
from admin.kit.history.schema import key_columns
from admin.kit.history.sight import (
    ACTIONS,
    is_key,
    is_recorded,
    may,
    may_undo,
    table_name,
)
from admin.kit.history.timeline import summary
from admin.kit.history.tree import Tree
from admin.kit.history.undo import Undone, undo
from admin.kit.hooks import wait_for
from admin.kit.keys import join, key_after, key_of, matches_keys
from admin.kit.languages import gettext
from admin.kit.saving import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.history.journal import Journal
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

MOST_TRIED = 20  # change sets that undo the same one, the newest first
Row = tuple[str, str, str]  # table, action, key


class UndoneBeforeError(Refused):
    def __init__(self, number: int) -> None:
        sentence = gettext("This was undone before, by change %(number)s.", number=number)
        super().__init__(sentence, status=409)


async def undo_set(site: AdminSite, request: Request, found: Any, *, skip: bool) -> Undone:
    """Take a change set back, but for rows that changed since if they are to be skipped."""
    require(may_undo(site, request, summary(found)))
    work = Work(site, request, found)
    told = in_words(partial(blamed, site, found))
    with origin(source="undo", undoes=found.id, reason=""), told:
        return await site.write(lambda session: work.undo(session, skip=skip))


async def restore_tree(site: AdminSite, request: Request, found: Any) -> Undone:
    """Take back the deletion of one row, and of what went along with it."""
    work = Work(site, request, found)
    told = in_words(partial(blamed, site, found))
    with origin(source="restore", undoes=found.id, reason=""), told:
        return await site.write(work.restore)


class Work:
    """One undo in one transaction."""

    def __init__(self, site: AdminSite, request: Request, found: Any) -> None:
        self.site = site
        self.request = request
        self.found = found

    @property
    def journal(self) -> Journal:
        return self.site.recorded

    def undo(self, session: Session, *, skip: bool) -> Undone:
        number = undone_by(self.journal, session, self.found)
        if number is not None:
            raise UndoneBeforeError(number)
        self.check_settable(self.journal.entries(session, self.found.operation))
        now = self.rows(session, is_undone=False)
        self.check(session, now, {CREATE: Action.DELETE, UPDATE: Action.EDIT})
        undone = undo(self.journal, session, self.found.operation, skip=skip)
        then = self.rows(session, is_undone=True)
        self.check(session, then, {UPDATE: None, DELETE: Action.CREATE})
        return undone

    def restore(self, session: Session) -> Undone:
        tree = Tree(self.journal.schema, self.found.position)
        undone = undo(self.journal, session, self.found.operation, chosen=tree)
        require(may_undo(self.site, self.request, {(name, a) for name, a, _ in tree.entries}))
        self.check(session, tree.entries, {UPDATE: None, DELETE: Action.CREATE})
        return undone

    def check_settable(self, entries: Iterable[Any]) -> None:
        """Refuse what would set columns that the operator's roles don't let them set."""
        if not any(view.unsettable for view in self.site.model_views(self.request)):
            return
        for entry in entries:
            view = self.view(entry.table_name, UPDATE) if entry.action == UPDATE else None
            if view is not None and sets(view, entry.before) & view.unsettable:
                sentence = gettext("This would change fields that you may not change.")
                raise Refused(sentence, status=403)

    def rows(self, session: Session, *, is_undone: bool) -> Iterator[Row]:
        """Return the rows of the change set by their keys, before or after the undo."""
        for entry in self.journal.entries(session, self.found.operation):
            key = entry.key if is_undone else key_since(self.journal, entry)
            yield entry.table_name, entry.action, key

    def check(
        self, session: Session, rows: Iterable[Row], rights: dict[str, Action | None]
    ) -> None:
        """Refuse rows outside of the operator's scope, or that they may not change so.

        After the undo there is no right to ask for: rows must not leave the scope, that is all.
        """
        of_objects = (row for row in rows if not self.journal.schema.is_link(row[0]))
        for (name, action), some in groupby(of_objects, lambda row: row[:2]):
            if action not in rights:
                continue
            view = self.view(name, action)
            if view is None:
                continue
            if rights[action] == Action.CREATE:
                require(wait_for(view.check_can_create, self.request))
            for keys in batches(key for _, _, key in some):
                self.check_keys(session, view, keys, rights[action])
                session.expunge_all()

    def check_keys(
        self, session: Session, view: ModelAdmin, keys: Sequence[str], right: Action | None
    ) -> None:
        keys = [key for key in keys if is_key(view.model, key)]
        check = {Action.DELETE: view.check_can_delete, Action.EDIT: view.check_can_edit}
        # After it, rows have to be where the operator may edit them, or could have added them.
        actions = {right or Action.EDIT, *(() if right in check else (Action.LIST,))}
        if not keys or not (right in check or self.hides_rows(view, actions)):
            return
        for action in sorted(actions):
            self.check_rows(
                session, view, keys, action, None if right is None else check.get(right)
            )

    def hides_rows(self, view: ModelAdmin, actions: Iterable[str]) -> bool:
        return any(view.hides_rows(self.request, action) for action in actions)

    def check_rows(
        self,
        session: Session,
        view: ModelAdmin,
        keys: Sequence[str],
        action: str,
        check: Callable[..., Any] | None,
    ) -> None:
        """Refuse rows that this may not be done to."""
        stmt = view.objects_query(self.request, keys, action)
        objects = list(session.scalars(stmt.with_for_update(of=view.model)))
        if view.hides_rows(self.request, action):
            condition = matches_keys(view.model, keys)
            there = select(func.count()).select_from(view.model).where(condition)
            if session.scalar(there) != len({key_of(obj) for obj in objects}):
                raise HTTPException(404)
        if check is not None:
            require(wait_for(all_allow, check, self.request, objects))

    def view(self, name: str, action: str) -> ModelAdmin | None:
        """Return the view by whose rules the rows of a table are put back; none has any."""
        table = self.journal.schema.tables.get(name)
        mapper = self.journal.schema.mappers.get(table) if table is not None else None
        views = self.site.views_of({mapper.class_} if mapper else (), self.request)
        if not views:
            return None
        for view in views:
            if may(view, self.request, ACTIONS[action]):
                return view
        raise HTTPException(403)


def sets(view: ModelAdmin, before: str) -> set[str]:
    """Return the attributes that an image gives values to."""
    table = table_of(view.mapper)
    return {view.mapper.get_property_by_column(table.c[n]).key for n in row_of(table, before)}


def batches(keys: Iterable[str]) -> Iterator[list[str]]:
    """Return the keys some at a time, each of these once."""
    rest = iter(keys)
    while some := list(islice(rest, BATCH)):
        yield list(dict.fromkeys(some))


def key_since(journal: Journal, entry: Any) -> str:
    """Return the key that the row has had since the change, which may have changed the key."""
    table = journal.schema.tables.get(entry.table_name)
    mapper = journal.schema.mappers.get(table) if table is not None else None
    if table is None or mapper is None or entry.action != UPDATE:
        return str(entry.key)
    after = row_of(table, entry.after)
    if after.keys().isdisjoint(column.name for column in key_columns(table)):
        return str(entry.key)
    return join(key_after(mapper.class_, entry.key, after))


async def all_allow(check: Callable[..., Any], request: Request, objects: Sequence[Any]) -> bool:
    return all([await check(request, obj) for obj in objects])


def undone_by(journal: Journal, session: Session, found: Any) -> int | None:
    """Return the change set that took back all of this one, unless it was taken back itself."""
    sets = journal.change_sets
    undoing = aliased(sets)
    again = select(undoing.id).where(undoing.undoes == sets.id).exists()
    stmt = select(sets.id, sets.summary).where(sets.undoes == found.id, ~again)
    for row in session.execute(stmt.order_by(sets.id.desc()).limit(MOST_TRIED)):
        if rows_changed(row) >= rows_changed(found):
            number: int = row.id
            return number
    return None


def rows_changed(found: Any) -> int:
    """Return how many rows a change set changed; events, which nothing takes back, are none."""
    return sum(count for (_, action), count in summary(found).items() if action in ACTIONS)


async def is_undone(site: AdminSite, operation: UUID) -> bool:
    """Say whether an operation was taken back, and is so still."""
    journal, sets = site.recorded, site.recorded.change_sets

    def work(session: Session) -> bool:
        stmt = select(sets.id, sets.summary).where(sets.operation == operation)
        found = session.execute(stmt).first()
        return found is not None and undone_by(journal, session, found) is not None

    return await site.read(work)


def blamed(site: AdminSite, found: Any, error: Exception) -> ModelAdmin | None:
    """Return the view of the table that the error is about."""
    names = [name for name, _ in summary(found)]
    if isinstance(error, IntegrityError):
        rule = broken_rule(error, site.recorded.schema.registry.metadata)
        names = [rule.table, *names] if rule.table else names
    views = {table_name(v): v for v in site.model_views() if is_recorded(site.journal, v)}
    return next((views[name] for name in names if name in views), None)
