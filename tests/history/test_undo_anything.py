"""Whatever is done to users and posts can be undone, and the undoing undone."""

from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.history import JOURNAL
from admin.kit.history import recorded_delete, recorded_update, undo
from models import ChangeSet, Post, User
from models.database import Database
from tests.databases import Backend

Step = tuple[str, int, int]
STEPS = ["create", "edit", "link", "bulk update", "delete", "bulk delete", "both", "undo"]


def rows(session: Session) -> list[Any]:
    """Return all that is stored, but for versions, which only ever grow."""
    users = select(User.id, User.name, User.email, User.is_active, User.created_at)
    posts = select(Post.id, Post.title, Post.content, Post.user_id, Post.published_at)
    both = (users.order_by(User.id), posts.order_by(Post.id))
    return [row for stmt in both for row in session.execute(stmt)]


def pick(session: Session, model: type, number: int) -> Any:
    """Return one of the rows, or none if there are none."""
    found: list[Any] = list(session.scalars(select(model).order_by(model.id)))  # type: ignore[attr-defined]
    return found[number % len(found)] if found else None


def create(session: Session, number: int, other: int) -> None:
    count = session.scalar(select(ChangeSet.id).order_by(ChangeSet.id.desc()).limit(1))
    user = User(name=f"User {number}", email=f"{count}@example.org")
    posts = [Post(title=f"Post {n}", content="é\n\\", author=user) for n in range(other % 3)]
    session.add_all([user, *posts])


def edit(session: Session, number: int, other: int) -> None:
    if user := pick(session, User, number):
        user.name, user.is_active = f"Renamed {other}", bool(other % 2)


def link(session: Session, number: int, other: int) -> None:
    post, user = pick(session, Post, number), pick(session, User, other)
    if post:
        post.author = user


def bulk_update(session: Session, number: int, other: int) -> None:
    recorded_update(session, User, User.id > number, {"is_active": bool(other % 2)})


def delete(session: Session, number: int, other: int) -> None:
    if user := pick(session, User, number):
        session.delete(user)


def bulk_delete(session: Session, number: int, other: int) -> None:
    recorded_delete(session, User, User.id % 3 == number % 3)


def both(session: Session, number: int, other: int) -> None:
    """Move the posts of a user who goes, in one flush."""
    user, heir = pick(session, User, number), pick(session, User, other)
    if user and user is not heir:
        for post in session.scalars(select(Post).where(Post.user_id == user.id)):
            post.author = heir
        session.delete(user)


def undo_last(session: Session, number: int, other: int) -> None:
    last = session.scalars(select(ChangeSet).order_by(ChangeSet.id.desc()).limit(1)).first()
    if last:
        undo(JOURNAL, session, last.operation)


WORK: dict[str, Any] = dict(
    zip(STEPS, [create, edit, link, bulk_update, delete, bulk_delete, both, undo_last], strict=True)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9), st.integers(0, 9))))
def test_undoing_everything_leads_back_to_the_start(backend: Backend, steps: list[Step]) -> None:
    with backend.shared.connect() as connection, connection.begin() as transaction:
        raw = Database(connection, connection, join_transaction_mode="create_savepoint")
        database = raw.recorded_by(JOURNAL)
        for number in range(3):
            database.write(partial(create, number=number, other=number))
        start, first = database.read(rows), len(sets(database))
        for name, number, other in steps:
            database.write(partial(WORK[name], number=number, other=other))
        end = database.read(rows)
        done = sets(database)[first:]
        for operation in reversed(done):
            database.write(partial(undo, JOURNAL, operation=operation))
        assert database.read(rows) == start
        for operation in reversed(sets(database)[first + len(done) :]):
            database.write(partial(undo, JOURNAL, operation=operation))
        assert database.read(rows) == end
        transaction.rollback()


def sets(database: Database) -> list[Any]:
    stmt = select(ChangeSet.operation).order_by(ChangeSet.id)
    return database.read(lambda session: list(session.scalars(stmt)))
