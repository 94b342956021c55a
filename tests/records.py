"""Users and posts that tests find in the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import select

from models import Post, User
from models.database import Database

Row = TypeVar("Row", User, Post)

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def add_user(database: Database, name: str, **columns: Any) -> User:
    """Store a user; Alice has the address alice@example.org."""
    user = User(**{"name": name, "email": f"{name.lower()}@example.org", **columns})
    return add(database, user)


def add_post(database: Database, author: User, title: str = "Hello", **columns: Any) -> Post:
    """Store a published post."""
    defaults = {"content": "Some words.", "published_at": NOON}
    return add(database, Post(title=title, user_id=author.id, **{**defaults, **columns}))


def add(database: Database, row: Row) -> Row:
    database.write(lambda session: session.add(row))
    return row


def users(database: Database) -> Sequence[User]:
    """Return all users by name."""
    return database.read(lambda session: session.scalars(select(User).order_by(User.name)).all())


def posts(database: Database) -> Sequence[Post]:
    """Return all posts by title."""
    return database.read(lambda session: session.scalars(select(Post).order_by(Post.title)).all())
