"""How many pages one worker serves when several operators ask at once."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from tests.bench.load import Answered, Load
from tests.bench.servers import Server
from tests.project import ROOT

CLIENTS = 8
ROUNDS = 3
LOADED = ("users, first page", "posts, first page")


@dataclass(frozen=True)
class Served:
    """Pages of one kind, in medians of the rounds; times in milliseconds.

    `cpu` is what the worker's process spends on a page, which a busy machine hardly changes;
    `client` is the share of a core that the asking took.
    """

    request: str
    per_second: float
    p50: float
    p99: float
    cpu: float
    client: float
    floor: float


@dataclass(frozen=True)
class Turn:
    """What came of asking one server for a while."""

    answered: Answered
    cpu: float


def measure_throughput(
    admin: Server, floor: Server, paths: dict[str, tuple[str, str]], seconds: float
) -> list[Served]:
    """Ask both servers in turns; `paths` are those of a request at the admin and at the floor."""
    turns: dict[str, list[tuple[Turn, Turn]]] = {name: [] for name in paths}
    for _ in range(ROUNDS):
        for name, (ours, theirs) in paths.items():
            turns[name].append((ask(admin, ours, seconds), ask(floor, theirs, seconds)))
    return [summary(name, pairs) for name, pairs in turns.items()]


def ask(server: Server, path: str, seconds: float) -> Turn:
    load = Load(server.port, path, server.headers_for(path), CLIENTS, seconds)
    command = [sys.executable, "-m", "tests.bench.load", json.dumps(asdict(load))]
    before = server.processor_seconds()
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    answered = Answered(**json.loads(done.stdout))
    return Turn(answered, (server.processor_seconds() - before) / answered.count * 1000)


def summary(name: str, turns: Sequence[tuple[Turn, Turn]]) -> Served:
    def middle(value: Callable[[Turn], float]) -> float:
        return median(value(ours) for ours, _ in turns)

    return Served(
        name,
        per_second=middle(lambda turn: turn.answered.per_second),
        p50=middle(lambda turn: turn.answered.p50),
        p99=middle(lambda turn: turn.answered.p99),
        cpu=middle(lambda turn: turn.cpu),
        client=middle(lambda turn: turn.answered.cpu),
        floor=median(theirs.answered.per_second for _, theirs in turns),
    )
