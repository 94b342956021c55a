"""Interleaved rounds: the machine's moods meet the admin and the floor alike."""

import gzip
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from statistics import median

from sqlalchemy import URL

from tests.bench import servers
from tests.bench.cases import Case, cases
from tests.bench.data import fill
from tests.bench.inside import OPERATOR, Inside
from tests.bench.servers import Server

WARM_UP = 3  # rounds


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
    gzipped: int
    floor: float
    ratio: float


@dataclass
class Report:
    """A run; `memory` is that of the admin's process, in MiB."""

    postgresql: str
    users: int
    posts: int
    rows: list[Row]
    memory: dict[str, float]

    @property
    def exported(self) -> tuple[float, float]:
        """Rows per second in the CSV file of the admin, and of the floor."""
        export = self.rows[-1]  # the last of the cases
        return self.users / export.p50 * 1000, self.users / export.floor * 1000


@dataclass
class Samples:
    """The times of one request, round by round, to the admin and to the floor."""

    case: Case
    floor_path: str
    admin: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/admin{self.case.path}"

    @property
    def seconds(self) -> float:
        return (sum(self.admin) + sum(self.floor)) / 1000

    def take(self, admin: Server, floor: Server) -> None:
        self.admin.append(admin.milliseconds(self.path))
        self.floor.append(floor.milliseconds(self.floor_path))

    def forget(self) -> None:
        self.admin.clear()
        self.floor.clear()

    def row(self, body: bytes, inside: Inside) -> Row:
        statements, database = inside.statements(self.path)
        return Row(
            request=self.case.name,
            p50=median(self.admin),
            p95=sorted(self.admin)[math.ceil(len(self.admin) * 0.95) - 1],
            statements=statements,
            database=database,
            size=len(body),
            gzipped=len(gzip.compress(body)),
            floor=median(self.floor),
            ratio=median(a / f for a, f in zip(self.admin, self.floor, strict=True)),
        )


def measure(url: URL, *, users: int, posts: int, rounds: int, seconds: float) -> Report:
    """Fill the migrated database at `url`, and measure each request for about `seconds` at most."""
    version = fill(url, users, posts)
    samples = [Samples(case, f"/{number}") for number, case in enumerate(cases(users))]
    exports = [sample for sample in samples if sample.case.is_export]
    pages = [sample for sample in samples if sample not in exports]
    with (
        closing(Inside(url)) as inside,
        servers.admin(url) as admin,
        servers.floor(url) as floor,
    ):
        admin.sign_in(OPERATOR)
        interleave(pages, admin, floor, rounds=WARM_UP, seconds=seconds)
        for sample in pages:
            sample.forget()
        memory = {"before": admin.memory()}
        interleave(pages, admin, floor, rounds=rounds, seconds=seconds)
        memory["after the pages"] = admin.memory()
        interleave(exports, admin, floor, rounds=rounds, seconds=seconds)
        memory["after the exports"] = admin.memory()
        memory["at most"] = admin.peak_memory()
        rows = [sample.row(admin.get(sample.path), inside) for sample in samples]
    return Report(version, users, posts, rows, memory)


def interleave(
    samples: Sequence[Samples], admin: Server, floor: Server, *, rounds: int, seconds: float
) -> None:
    """Send each request once a round, until it has had its rounds or its seconds."""
    for _ in range(rounds):
        for sample in samples:
            if sample.seconds < seconds:
                sample.take(admin, floor)
