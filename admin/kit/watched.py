"""Whether anything looks at each row that is written: if nothing does, statements may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqladmin import ModelView
from sqladmin.authorization import AllowAllAuthorizationBackend, GrantsAuthorizationBackend
from sqlalchemy import JSON, Table, TypeDecorator
from sqlalchemy.orm import ColumnProperty

from admin.kit.history.journal import recorder_of
from admin.kit.lists.lazy import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Mapper, Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

# Listeners that the history itself has on every mapper.
THE_HISTORYS = {"before_delete": 1}
PLAIN_BACKENDS = (AllowAllAuthorizationBackend, GrantsAuthorizationBackend)


def sees_no_row(view: ModelAdmin, names: Iterable[str]) -> bool:
    """Say whether no hook, validator or event would look at a row that gets new values."""
    mapper = view.mapper
    return (
        not overrides(view, "on_model_change", "after_model_change")
        and not listens(mapper, "before_update", "after_update")
        and mapper.inherits is None
        and isinstance(mapper.local_table, Table)
        and not any(c.onupdate or c.server_onupdate for c in mapper.local_table.columns)
        and all(is_plain(mapper, name) for name in names)
    )


def is_plain(mapper: Mapper[Any], name: str) -> bool:
    """Say whether setting an attribute does nothing but that, to a column that can be compared."""
    prop = mapper.attrs.get(name)
    if isinstance(prop, ColumnProperty):
        is_watched = any(getattr(mapper.class_, name).dispatch.set)
        return len(prop.columns) == 1 and not is_watched and can_compare(prop.columns[0].type)
    relation = mapper.relationships.get(name)
    return relation is not None and not relation.uselist and relation.secondary is None


def can_compare(type_: Any) -> bool:
    """Say whether every database tells two values of the type apart."""
    type_ = type_.impl_instance if isinstance(type_, TypeDecorator) else type_
    return not isinstance(type_, JSON)


def overrides(view: ModelAdmin, *names: str) -> bool:
    """Say whether the view has hooks of its own under one of these names."""
    return any(getattr(type(view), name) is not getattr(ModelView, name) for name in names)


def listens(mapper: Mapper[Any], *names: str) -> bool:
    """Say whether the application watches the rows that the session writes."""
    return any(len(list(getattr(mapper.dispatch, n))) > THE_HISTORYS.get(n, 0) for n in names)


def listens_to_loads(mapper: Mapper[Any]) -> bool:
    """Say whether the application completes or watches objects as they are loaded."""
    return any(list(getattr(mapper.class_manager.dispatch, name)) for name in ("load", "refresh"))


def listens_to_statements(session: Session) -> bool:
    """Say whether the application changes what sessions ask, such as leaving out some rows."""
    return any(listener is not refuse for listener in session.dispatch.do_orm_execute)


def asks_about_rows(view: ModelAdmin, check: str) -> bool:
    """Say whether it takes a row to know if it may be changed.

    A backend that decides by model and right alone says so: `looks_at_objects = False`.
    """
    backend = view._authorization_backend()  # noqa: SLF001 - SQLAdmin's only way to it
    is_plain = type(backend).has_permission in [b.has_permission for b in PLAIN_BACKENDS]
    looks = getattr(backend, "looks_at_objects", not is_plain)
    return looks or overrides(view, check, "has_permission")


async def all_allow(check: Any, request: Request, objects: Sequence[Any]) -> bool:
    return all([await check(request, obj) for obj in objects])


def is_recorded(session: Session, table: Table) -> bool:
    recorder = recorder_of(session)
    return recorder is not None and table.name in recorder.schema.tables
