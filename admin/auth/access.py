"""Who may do what: all operators with their roles, as they are stored or as they were before."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from admin.kit.history.images import row_of
from admin.kit.history.recorder import CREATE, DELETE, UPDATE
from admin.kit.permissions import Permissions, RoleRights, read_rights
from models import Operator, OperatorRole, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

Row = dict[str, Any]

CHANGES = (CREATE, UPDATE, DELETE)
# What of each table says who may do what.
COLUMNS = {
    "roles": ("id", "name", "rights", "requires_second_factor"),
    "operators": ("id", "username", "is_active", "is_superuser"),
    "operator_roles": ("operator_id", "role_id"),
}
TABLES: dict[str, Table] = {
    model.__tablename__: model.__table__  # type: ignore[misc]
    for model in (Role, Operator, OperatorRole)
}


@dataclass
class Access:
    """The rows of roles and operators by their ids, and who has which role."""

    roles: dict[int, Row] = field(default_factory=dict)
    operators: dict[int, Row] = field(default_factory=dict)
    links: set[tuple[int, int]] = field(default_factory=set)

    @classmethod
    def read(cls, session: Session) -> Access:
        """Return how things are stored, with what the session has sent."""
        found = {
            name: session.execute(select(*(table.c[c] for c in COLUMNS[name]))).mappings().all()
            for name, table in TABLES.items()
        }
        return cls(
            {row["id"]: dict(row) for row in found["roles"]},
            {row["id"]: dict(row) for row in found["operators"]},
            {(row["operator_id"], row["role_id"]) for row in found["operator_roles"]},
        )

    def before(self, entries: Iterable[Any]) -> Access:
        """Return how things were before what the entries tell, which are in their order."""
        was = copy.deepcopy(self)
        for entry in reversed(list(entries)):
            was.take_back(entry)
        return was

    def take_back(self, entry: Any) -> None:
        if entry.action not in CHANGES or entry.table_name not in TABLES:
            return
        image = entry.after if entry.action == CREATE else entry.before
        row = row_of(TABLES[entry.table_name], image)
        if entry.table_name == "operator_roles":
            link = (row["operator_id"], row["role_id"])
            (self.links.discard if entry.action == CREATE else self.links.add)(link)
            return
        rows = self.roles if entry.table_name == "roles" else self.operators
        held = {name: row[name] for name in COLUMNS[entry.table_name] if name in row}
        if entry.action == CREATE:
            rows.pop(row["id"], None)
        elif entry.action == DELETE:
            rows[row["id"]] = held
        else:
            rows.setdefault(int(entry.key), {}).update(held)

    def roles_of(self, operator_id: int) -> list[int]:
        return sorted(role for operator, role in self.links if operator == operator_id)

    def rights(self, role_id: int) -> Permissions:
        """Return what a role allows; nothing, if there is no such role."""
        row = self.roles.get(role_id)
        return Permissions([RoleRights(row["name"], read_rights(row["rights"]))] if row else [])

    def permissions(self, operator_id: int) -> Permissions:
        """Return what an operator may do once active; nothing, if there is no such operator."""
        row = self.operators.get(operator_id)
        roles = [role for key in self.roles_of(operator_id) for role in self.rights(key).roles]
        return Permissions(roles, row["is_superuser"]) if row else Permissions()

    def owners(self) -> set[int]:
        """Return the active operators who may do everything."""
        active = [key for key, row in self.operators.items() if row["is_active"]]
        return {key for key in active if self.permissions(key).is_owner}


def permissions_of(operator: Operator) -> Permissions:
    """Return what an operator may do once active."""
    roles = [RoleRights(role.name, read_rights(role.rights)) for role in operator.roles]
    return Permissions(roles, operator.is_superuser)
