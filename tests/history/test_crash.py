"""A process that dies leaves changes with their entries, or neither."""

import multiprocessing
import random
import sys
import time
from collections import Counter
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.history import JOURNAL
from admin.kit.history import verify
from models import Change, Post, User
from models.database import Database
from tests.history.writer import write

WRITES = 200
# Each begins as a copy of a process that has imported what they need, where there are copies.
if sys.platform == "win32":
    PROCESSES = multiprocessing.get_context("spawn")
else:
    PROCESSES = multiprocessing.get_context("forkserver")
    PROCESSES.set_forkserver_preload([write.__module__])


def test_whenever_it_is_killed_no_change_is_without_its_entry(real_database: Database) -> None:
    chance, done = random.Random(4), 0
    while done < WRITES:
        done = write_and_kill(real_database, done, after=chance.randint(1, 40), chance=chance)
    real_database.read(check_entries)
    assert real_database.read(partial(verify, JOURNAL)).count >= WRITES


def write_and_kill(database: Database, first: int, *, after: int, chance: random.Random) -> int:
    """Let a process write, kill it some time after so many writes, and return where to go on."""
    url = database.writer.engine.url.render_as_string(hide_password=False)
    heard, told = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=write, args=(url, first, told))
    process.start()
    told.close()
    for _ in range(after):
        assert heard.recv() is not None
    time.sleep(chance.uniform(0, 0.01))
    process.kill()
    process.join()
    heard.close()
    count = database.read(lambda session: session.scalar(select(func.count(User.id))))
    return count or 0


def check_entries(session: Session) -> None:
    """Each user and post has the entries of its creation, the user that of its new name."""
    entries = Counter(
        (row.table_name, row.action) for row in session.execute(select(Change.__table__))
    )
    users, posts = (session.scalar(select(func.count(m.id))) for m in (User, Post))
    assert users == posts
    assert entries == {
        ("users", "create"): users,
        ("posts", "create"): posts,
        ("users", "update"): users,
    }
    renamed = select(func.count(User.id)).where(User.name.startswith("Renamed"))
    assert session.scalar(renamed) == users
