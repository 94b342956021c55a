"""A process that writes until somebody kills it: `python -m tests.history.writer URL`."""

import sys

from sqlalchemy import make_url
from sqlalchemy.orm import Session

from admin.history import JOURNAL
from models import Post, User
from models.database import connect


def work(number: int, session: Session) -> None:
    user = User(name=f"User {number}", email=f"{number}@example.org")
    session.add(user)
    session.flush()
    session.add(Post(title=f"Post {number}", content="", author=user))
    session.flush()
    user.name = f"Renamed {number}"


def main() -> None:
    database = connect(make_url(sys.argv[1])).recorded_by(JOURNAL)
    for number in range(int(sys.argv[2]), 1_000_000):
        database.write(lambda session, number=number: work(number, session))  # type: ignore[misc]
        print(number, flush=True)  # noqa: T201 - the test counts them


if __name__ == "__main__":
    main()
