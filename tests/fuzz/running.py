"""A run: batches of requests, each in a transaction that is rolled back, judged as a whole."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest import mock

import anyio
from argon2 import PasswordHasher
from sqlalchemy import Connection, event, update
from starlette.applications import Starlette

from admin.auth import passwords
from admin.history import JOURNAL
from admin.kit.history import BrokenHistoryError, verify
from main import create_app
from models import OperatorSession
from models.base import utc_now
from models.database import Database
from tests import personas
from tests.asking import Answer, Sent, ask
from tests.databases import Backend, settings_for
from tests.fuzz import oracle
from tests.fuzz.drawing import WHO, Drawing
from tests.fuzz.oracle import Problem
from tests.records import NOON, add_post, add_user

BATCH = 200
SLOWEST = 5.0  # seconds, for a statement over a few rows, on a busy machine
MOST_PROBLEMS = 20
ROLES = {"viewer": ["Viewer"], "editor": ["Editor"], "owner": ["Owner"]}
Tell = Callable[[str], None]


@dataclass
class Report:
    """What was asked, how it was answered, and what was wrong."""

    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    changes: int = 0
    problems: list[Problem] = field(default_factory=list)

    def __str__(self) -> str:
        speed = self.requests / max(self.seconds, 0.001)
        lines = [
            f"{self.requests:,} requests in {self.seconds:,.0f} s, {speed:,.0f} a second",
            f"answers: {counted(self.statuses)}",
            f"people: {counted(self.people)}",
            f"methods: {counted(self.methods)}",
            f"change sets: {self.changes:,}; slowest statement: {self.slowest:.3f} s",
            f"problems: {len(self.problems)}",
            *(f"  {problem}" for problem in self.problems),
        ]
        return "\n".join(lines)


def counted(counter: Counter[Any]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common(40))


class Run:
    """Asks one application, on a connection that nobody else uses."""

    def __init__(self, connection: Connection, app: Starlette, drawing: Drawing) -> None:
        self.connection = connection
        self.app = app
        self.drawing = drawing
        self.report = Report()
        self.tables = oracle.tables(connection)
        self.head = oracle.newest(connection)

    async def go_on(self, requests: int, tell: Tell) -> None:
        start = time.monotonic()
        await self.look_around()
        while self.report.requests < requests and len(self.report.problems) < MOST_PROBLEMS:
            await self.batch(self.drawing.batch(min(BATCH, requests - self.report.requests)))
            self.report.seconds = time.monotonic() - start
            if self.report.requests % (BATCH * 10) == 0:
                wrong = len(self.report.problems)
                tell(
                    f"{self.report.requests:,} … {wrong} problems, {counted(self.report.statuses)}"
                )

    async def look_around(self) -> None:
        transaction = self.connection.begin_nested()
        for sent in self.drawing.tour():
            self.drawing.learn(sent, await ask(self.app, sent), share=1.0)
        transaction.rollback()

    async def batch(self, sent: Sequence[Sent]) -> None:
        """Send what must change nothing, then what may change little, then the rest."""
        self.keep_signed_in()
        lesser = [s for s in sent if not s.is_safe and s.who in ("anonymous", "viewer")]
        editors = [s for s in sent if not s.is_safe and s.who == "editor"]
        owners = [s for s in sent if not s.is_safe and s.who == "owner"]
        for part in ([s for s in sent if s.is_safe], lesser, editors, owners):
            if await self.part(part):
                for one in part:  # Which one was it?
                    await self.part([one], is_last=True)

    def keep_signed_in(self) -> None:
        """Let no session grow old: what tells of its use is taken back with all else."""
        now = utc_now()
        fresh = {"used_at": now, "confirmed_at": now, "expires_at": now + timedelta(hours=1)}
        self.connection.execute(update(OperatorSession).values(fresh))

    async def part(self, sent: Sequence[Sent], *, is_last: bool = False) -> bool:
        """Send requests and take all back; return whether what they left behind is wrong."""
        transaction = self.connection.begin_nested()
        try:
            answers = [await self.ask(one, is_repeated=is_last) for one in sent]
            sentences = self.judge(sent, answers) if sent else []
        finally:
            transaction.rollback()
        if is_last:
            self.report.problems += [Problem(text, sent[0]) for text in sentences]
        elif sentences and len(sent) > 1:
            self.report.problems += [Problem(f"{text}, by one of these") for text in sentences]
        return bool(sentences) and not is_last

    async def ask(self, sent: Sent, *, is_repeated: bool) -> Answer:
        with anyio.move_on_after(60) as scope:
            answer = await ask(self.app, sent)
        if scope.cancelled_caught:
            answer = Answer(error=TimeoutError())
        if not is_repeated:
            self.report.requests += 1
            self.report.statuses[answer.status] += 1
            self.report.people[sent.who] += 1
            self.report.methods[sent.method] += 1
            self.report.problems += oracle.wrong_with(sent, answer)
            if answer.error is None:
                self.drawing.learn(sent, answer)
        return answer

    def judge(self, sent: Sequence[Sent], answers: Sequence[Answer]) -> list[str]:
        """Look at the database, and for what is stored there in the answers."""
        after = oracle.tables(self.connection)
        found = []
        if sent[0].is_safe or sent[0].who != "owner":
            found += [f"{row} was changed" for row in oracle.forbidden(sent, self.tables, after)]
        if any(not one.is_safe for one in sent):
            rows = oracle.changed(self.tables, after)
            lost = oracle.unrecorded(self.connection, self.head, rows)
            found += [f"{row} changed without an entry" for row in lost]
            found += self.chain()
        for secret in oracle.secrets(self.connection):
            found += [f"It shows {secret!r}" for answer in answers if secret in answer.body]
        return found

    def chain(self) -> list[str]:
        self.report.changes += oracle.newest(self.connection) - self.head
        with Database(self.connection, self.connection).sessions() as session:
            try:
                verify(JOURNAL, session)
            except BrokenHistoryError as error:
                return [str(error)]
        return []


def run(backend: Backend, requests: int, seed: int, tell: Tell = print) -> Report:
    """Send this many requests to the application on a database of this kind."""
    url = backend.migrated()
    database = backend.open(url)
    try:
        with cheap_passwords(), database.writer.engine.connect() as connection, connection.begin():
            return run_on(connection, requests, f"{seed} {url.get_backend_name()}", tell)
    finally:
        database.dispose()
        backend.drop(url)


def run_on(connection: Connection, requests: int, seed: str, tell: Tell) -> Report:
    database = Database(connection, connection, join_transaction_mode="create_savepoint")
    app = create_app(settings_for(connection.engine.url), database)
    cookies = people(app, database)
    values = contents(database.recorded_by(JOURNAL))
    fuzz = Run(connection, app, Drawing(app, seed, cookies, values))
    with timed(connection, fuzz.report), logged(fuzz.report):
        anyio.run(fuzz.go_on, requests, tell)
    return fuzz.report


def people(app: Starlette, database: Database) -> dict[str, bytes]:
    """Sign everybody in, and return what their browsers send from then on."""
    signed_in = {who: personas.sign_in(app, database, who, *roles) for who, roles in ROLES.items()}
    assert {*signed_in, "anonymous"} == {*WHO}
    return {
        who: "; ".join(f"{name}={value}" for name, value in client.cookies.items()).encode()
        for who, client in signed_in.items()
    }


def contents(database: Database) -> list[str]:
    """Store some rows, and return keys and texts that are theirs."""
    names = ["Alice", "Bob", "Zoë <b>", "Ł𝒳 \u202e", "a%b_c", "'; --"]
    users = [add_user(database, n, email=f"u{k}@example.org") for k, n in enumerate(names)]
    posts = [
        add_post(database, users[n % 4], f"Post {n}", published_at=NOON if n % 3 else None)
        for n in range(12)
    ]
    keys = [*(str(user.id) for user in users), *(str(post.id) for post in posts)]
    return [*dict.fromkeys(keys), "alice", "Post 3", "name", "-created_at", "title", "author"]


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Hash quickly: what is looked for is not in the hashes."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with (
        mock.patch.object(passwords, "hasher", cheap),
        mock.patch.object(passwords, "NOBODY", cheap.hash("nobody")),
    ):
        personas.password_hash.cache_clear()
        yield
    personas.password_hash.cache_clear()


@contextmanager
def timed(connection: Connection, report: Report) -> Iterator[None]:
    """Tell of statements that take long."""
    started = [0.0]

    def begin(*_: object) -> None:
        started[0] = time.perf_counter()

    def end(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        took = time.perf_counter() - started[0]
        report.slowest = max(report.slowest, took)
        if took > SLOWEST:
            report.problems.append(Problem(f"It took {took:.1f} s: {statement}"))

    engine = connection.engine
    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", begin)
        event.remove(engine, "after_cursor_execute", end)


@contextmanager
def logged(report: Report) -> Iterator[None]:
    """Tell of the traceback behind a page that says only that something went wrong."""
    handler = Remembering(report)
    logger = logging.getLogger("admin")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


class Remembering(logging.Handler):
    """Keeps what was logged as an error."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.ERROR)
        self.report = report

    def emit(self, record: logging.LogRecord) -> None:
        self.report.problems.append(Problem(logging.Formatter().format(record)))
