"""What a trusted history costs: recording a save, undoing a large change."""

import resource
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import URL, select, true, update
from sqlalchemy.orm import Session

from admin.history import JOURNAL
from admin.kit.history import recorded_update, undo
from models import ChangeSet, User
from models.database import Database, connect

SAVES = 200
MIB = 1024 * 1024


@dataclass
class HistoryReport:
    """Times in milliseconds or seconds, memory in MiB above what the process held before."""

    save_plain_ms: float
    save_recorded_ms: float
    rows: int
    bulk_plain_s: float
    bulk_recorded_s: float
    undo_s: float
    undo_mib: float


def measure_history(url: URL) -> HistoryReport:
    """Measure on a database with users; plain and recorded saves take turns."""
    plain = connect(url)
    recorded = plain.recorded_by(JOURNAL)
    try:
        key = plain.read(lambda session: session.scalars(select(User.id).limit(1)).one())
        times: dict[Database, list[float]] = {plain: [], recorded: []}
        for number in range(SAVES):
            for database, taken in times.items():
                taken.append(timed(partial(database.write, partial(rename, key, number))))
        save, recorded_save = (statistics.median(taken) * 1000 for taken in times.values())
        stmt = update(User).values(is_active=~User.is_active)
        bulk_plain = timed(lambda: plain.write(lambda session: session.execute(stmt)))
        rows = recorded.write(deactivate)
        bulk = timed(lambda: recorded.write(deactivate))
        with peak_memory() as peak:
            undoing = timed(lambda: recorded.write(undo_last))
        return HistoryReport(save, recorded_save, rows, bulk_plain, bulk, undoing, peak.mib)
    finally:
        plain.dispose()


def rename(key: int, number: int, session: Session) -> None:
    user = session.get_one(User, key)
    user.name = f"{user.name[:20]} {number} {time.monotonic_ns()}"


def deactivate(session: Session) -> int:
    return recorded_update(session, User, true(), {"is_active": ~User.is_active})


def undo_last(session: Session) -> None:
    stmt = select(ChangeSet.operation).order_by(ChangeSet.id.desc()).limit(1)
    undo(JOURNAL, session, session.scalars(stmt).one())


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass
class Peak:
    mib: float = 0.0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Tell how much more memory the process holds meanwhile, sampled every ten milliseconds."""
    peak, start, is_over = Peak(), held(), threading.Event()

    def watch() -> None:
        while not is_over.wait(0.01):
            peak.mib = max(peak.mib, (held() - start) / MIB)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()


def held() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
