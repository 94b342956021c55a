"""The people in the tests, and the browser each of them sits at."""

from functools import cache
from typing import Any

from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from admin.auth.operators import find_roles
from admin.auth.passwords import hash_password
from models import Operator
from models.database import Database

PASSWORD = "correct horse battery staple"


@cache
def password_hash() -> str:
    """Hash once: it is slow by design."""
    return hash_password(PASSWORD)


def add_operator(database: Database, username: str, *roles: str, **attributes: Any) -> Operator:
    """Store an operator whose password is `PASSWORD`."""
    operator = Operator(username=username, password_hash=password_hash(), **attributes)

    def work(session: Session) -> None:
        operator.roles = find_roles(session, roles)
        session.add(operator)

    database.write(work)
    return operator


def visit(app: ASGIApp, **options: Any) -> TestClient:
    """Open a browser that follows no redirect by itself."""
    return TestClient(app, follow_redirects=False, **options)


def sign_in(
    app: Starlette, database: Database, username: str, *roles: str, **attributes: Any
) -> TestClient:
    """Add an operator and sign in as them."""
    add_operator(database, username, *roles, **attributes)
    client = visit(app)
    response = client.post("/admin/login", data={"username": username, "password": PASSWORD})
    assert response.status_code == 302
    return client
