"""A process that writes until somebody kills it."""

from functools import partial
from multiprocessing.connection import Connection

from sqlalchemy import make_url
from sqlalchemy.orm import Session

from admin.history import JOURNAL
from models import Post, User
from models.database import connect


def work(session: Session, number: int) -> None:
    user = User(name=f"User {number}", email=f"{number}@example.org")
    session.add(user)
    session.flush()
    session.add(Post(title=f"Post {number}", content="", author=user))
    session.flush()
    user.name = f"Renamed {number}"


def write(url: str, first: int, told: Connection) -> None:
    """Write one user after the other, and tell the number of each."""
    database = connect(make_url(url)).recorded_by(JOURNAL)
    for number in range(first, 1_000_000):
        database.write(partial(work, number=number))
        told.send(number)
