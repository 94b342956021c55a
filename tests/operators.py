"""Operators as their pages make and change them."""

from typing import Any

from httpx2 import Response
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from models import Operator, OperatorSession, Role
from models.database import Database
from tests.pages import get

CHOSEN = "a password of my own choice"


def find(database: Database, username: str) -> Operator:
    stmt = select(Operator).where(Operator.username == username)
    return database.read(lambda session: session.scalars(stmt).one())


def role_names(database: Database, username: str) -> list[str]:
    return [role.name for role in find(database, username).roles]


def add_role(database: Database, name: str, rights: dict[str, Any]) -> None:
    database.write(lambda session: session.add(Role(name=name, rights=rights)))


def role_keys(database: Database, *names: str) -> list[str]:
    """Return what a form sends for these roles, and for none of them."""
    stmt = select(Role.id).where(Role.name.in_(names))
    return ["", *map(str, database.read(lambda session: session.scalars(stmt).all()))]


def edit(client: TestClient, operator: Operator, **changes: Any) -> Response:
    """Open the form of an operator, change it, and send all of it."""
    path = f"/admin/operator/edit/{operator.id}"
    page = get(client, path)
    ticked = [
        box.attributes["value"]
        for box in page.root.find("input", name="roles")
        if "checked" in box.attributes
    ]
    return client.post(path, data={**page.fields(), "roles": ["", *ticked], **changes})


def act(client: TestClient, action: str, operator: Operator, **typed: str) -> Response:
    """Run an action on an operator, as its page does once it has asked."""
    sent = {"pks": str(operator.id), "confirmed": "yes", **typed}
    return client.post(f"/admin/operator/action/{action}", data=sent)


def count_sessions(database: Database, operator: Operator) -> int:
    stmt = select(func.count()).where(OperatorSession.operator_id == operator.id)
    return database.read(lambda session: session.scalar(stmt)) or 0


def change(database: Database, operator: Operator, **values: Any) -> None:
    """Change an operator behind everybody's back."""
    stmt = update(Operator).where(Operator.id == operator.id).values(**values)
    database.write(lambda session: session.execute(stmt))
