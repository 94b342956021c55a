"""Interleaved rounds: the machine's moods meet the admin and the floor alike."""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from statistics import median

from sqlalchemy import URL

from tests.bench import servers
from tests.bench.cases import Case, address, cases
from tests.bench.inside import OPERATOR, Inside
from tests.bench.places import Size
from tests.bench.servers import Server
from tests.bench.throughput import LOADED, Served, measure_throughput

WARM_UP = 3  # rounds
TIMED = 3  # requests within this process
MOST_EXPORTED = 1_000_000  # rows; more take minutes, and say the same


@dataclass
class Row:
    """What was measured of one request; times in milliseconds, sizes in bytes.

    `ratio` is the median of each round's own ratio to the floor.
    """

    request: str
    p50: float
    p95: float
    statements: int
    database: float
    size: int
    sent: int
    floor: float
    ratio: float


@dataclass
class Report:
    """A run; `memory` is that of the admin's process, in MiB."""

    database: str
    users: int
    posts: int
    rows: list[Row]
    served: list[Served]
    memory: dict[str, float]


@dataclass
class Samples:
    """The times of one request, round by round, to the admin and to the floor."""

    case: Case
    path: str
    floor_path: str
    servers: tuple[Server, Server]
    admin: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    sent: int = 0

    @property
    def seconds(self) -> float:
        return (sum(self.admin) + sum(self.floor)) / 1000

    def take(self) -> None:
        admin, floor = self.servers
        self.admin.append(admin.milliseconds(self.path))
        self.sent = admin.received
        self.floor.append(floor.milliseconds(self.floor_path))

    def forget(self) -> None:
        self.admin.clear()
        self.floor.clear()

    def row(self, inside: Inside) -> Row:
        is_export = self.case.is_export
        statements, database = inside.statements(self.path, requests=1 if is_export else TIMED)
        admin, _ = self.servers
        return Row(
            request=self.case.name,
            p50=median(self.admin),
            p95=sorted(self.admin)[math.ceil(len(self.admin) * 0.95) - 1],
            statements=statements,
            database=database,
            size=self.sent if is_export else len(admin.page(self.path).encode()),
            sent=self.sent,
            floor=median(self.floor),
            ratio=median(a / f for a, f in zip(self.admin, self.floor, strict=True)),
        )


class Side:
    """A filled database with the admin and the floor on it."""

    def __init__(self, size: Size, inside: Inside, admin: Server, floor: Server, only: str) -> None:
        self.size, self.inside, self.admin, self.floor = size, inside, admin, floor
        self.memory: dict[str, float] = {}
        self.served: list[Served] = []
        samples = [
            Samples(case, address(case, admin.page), f"/{number}", (admin, floor))
            for number, case in enumerate(cases(size[1]))
            if only in case.name
        ]
        self.exports = [
            sample for sample in samples if sample.case.is_export and size[0] <= MOST_EXPORTED
        ]
        self.pages = [sample for sample in samples if not sample.case.is_export]

    def load(self, seconds: float) -> None:
        """Let several operators ask for lists at once."""
        paths = {
            sample.case.name: (sample.path, sample.floor_path)
            for sample in self.pages
            if sample.case.name in LOADED
        }
        self.served = measure_throughput(self.admin, self.floor, paths, seconds)

    def report(self) -> Report:
        users, posts = self.size
        rows = [sample.row(self.inside) for sample in [*self.pages, *self.exports]]
        self.memory["at most"] = self.admin.peak_memory()
        return Report(self.inside.version, users, posts, rows, self.served, self.memory)


def measure(
    databases: dict[Size, URL], *, rounds: int, seconds: float, load_seconds: float, only: str = ""
) -> list[Report]:
    """Measure each request for about `seconds` at most, on all databases in turns."""
    with ExitStack() as stack:
        sides = [stack.enter_context(running(*item, only)) for item in databases.items()]
        pages = in_turns([side.pages for side in sides])
        exports = in_turns([side.exports for side in sides])
        interleave(pages, rounds=min(WARM_UP, rounds), seconds=seconds)
        for sample in pages:
            sample.forget()
        note_memory(sides, "before")
        interleave(pages, rounds=rounds, seconds=seconds)
        note_memory(sides, "after the pages")
        for side in sides:
            side.load(load_seconds)
        note_memory(sides, "after the load")
        interleave(exports, rounds=rounds, seconds=seconds)
        note_memory(sides, "after the exports")
        return [side.report() for side in sides]


@contextmanager
def running(size: Size, url: URL, only: str) -> Iterator[Side]:
    with (
        closing(Inside(url)) as inside,
        servers.admin(url) as admin,
        servers.floor(url) as floor,
    ):
        admin.sign_in(OPERATOR)
        yield Side(size, inside, admin, floor, only)


def in_turns(samples: Sequence[Sequence[Samples]]) -> list[Samples]:
    """Put the same request to all databases one after the other."""
    return [sample for same in zip_longest(*samples) for sample in same if sample]


def interleave(samples: Sequence[Samples], *, rounds: int, seconds: float) -> None:
    """Send each request once a round, until it has had its rounds or its seconds."""
    for _ in range(rounds):
        for sample in samples:
            if sample.seconds < seconds:
                sample.take()


def note_memory(sides: Sequence[Side], moment: str) -> None:
    for side in sides:
        side.memory[moment] = side.admin.memory()
