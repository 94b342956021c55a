"""How long a page may wait for one statement."""

import logging
import time
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any

from sqlalchemy import Engine, event

log = logging.getLogger(__name__)

# So often, in the time that a statement may take, is looked for those that took longer.
LOOKS = 10
# Seconds for which the server is tried to be told.
CANCEL_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class Run:
    """A statement that was begun; `cancelling` is held while it is being cancelled."""

    began: float
    cancelling: Lock = field(default_factory=Lock)


class StatementLimit:
    """Cancels what takes longer than `seconds` on the connections of an engine that reads.

    The statement fails as a cancelled one does: with the SQLSTATE 57014, or SQLite's interrupt.
    The server's own limit can't be set for a session where a pooler shares connections, and one
    that is set for the role ends long writes and migrations too.
    """

    def __init__(self, engine: Engine, seconds: float) -> None:
        self.seconds = seconds
        self.running: dict[Any, Run] = {}
        self.watching = Lock()
        self.watcher: Thread | None = None
        event.listen(engine, "before_cursor_execute", self.begin)
        event.listen(engine.pool, "checkin", self.forget)
        event.listen(engine.pool, "invalidate", self.forget)

    def begin(self, _connection: object, cursor: Any, *_statement: object) -> None:
        self.forget(cursor.connection)
        self.running[cursor.connection] = Run(time.monotonic())
        with self.watching:
            if self.watcher is None:
                self.watcher = Thread(target=self.watch, name="statement limit", daemon=True)
                self.watcher.start()

    def forget(self, connection: Any, *_details: object) -> None:
        """Let the connection go on; what is cancelled meanwhile is not what it does next."""
        if run := self.running.pop(connection, None):
            with run.cancelling:
                pass

    def watch(self) -> None:
        """Look for statements that take too long, until none is running."""
        while True:
            time.sleep(self.seconds / LOOKS)
            for connection, run in list(self.running.items()):
                if time.monotonic() - run.began > self.seconds:
                    self.cancel(connection, run)
            with self.watching:
                if not self.running:
                    self.watcher = None
                    return

    def cancel(self, connection: Any, run: Run) -> None:
        with run.cancelling:
            if self.running.get(connection) is not run:
                return
            try:
                cancel(connection)
            except Exception:  # noqa: BLE001 - whoever looks after all others must go on
                log.warning("A statement that takes too long could not be cancelled.")
            else:
                self.running.pop(connection, None)  # Once is enough: it may have ended before.


def cancel(connection: Any) -> None:
    """Cancel what a connection of psycopg or sqlite3 is doing in another thread."""
    if hasattr(connection, "cancel_safe"):
        connection.cancel_safe(timeout=CANCEL_SECONDS)
    else:
        connection.interrupt()
