"""Operators whose roles a test makes up."""

from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from models import Role
from models.database import Database
from tests.personas import sign_in

LOOK = ("list", "details")
ACTIONS = ("action:publish", "action:unpublish", "action:change", "action:activate")
ALL = ("list", "details", "create", "edit", "delete", "export", "reveal", *ACTIONS)


def right(*may: str, **said: Any) -> dict[str, Any]:
    """Return what a role says of one screen."""
    return {"may": list(may), **said}


def sign_in_with(
    app: Starlette, database: Database, *roles: dict[str, Any], name: str = "ruth"
) -> TestClient:
    """Sign somebody in who has roles with these rights."""
    names = [f"{name}'s role {number}" for number in range(len(roles))]
    made = [Role(name=known, rights=rights) for known, rights in zip(names, roles, strict=True)]
    database.write(lambda session: session.add_all(made))
    return sign_in(app, database, name, *names)
