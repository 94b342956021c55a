"""The same requests within this process, where statements can be counted and calls profiled."""

import asyncio
import cProfile
import io
import pstats
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from unittest.mock import patch

import httpx2
from sqlalchemy import URL, event

from main import create_app
from models.database import Database, connect
from tests.databases import settings_for, statements
from tests.personas import sign_in
from tests.project import ROOT

Result = TypeVar("Result")

OPERATOR = "bench"
PROFILED = 20  # requests
SHOWN = 25  # functions
MODULES = 15


class Inside:
    """The application on the database at `url`, with the operator added and signed in."""

    def __init__(self, url: URL) -> None:
        self.database = connect(url)
        self.app = create_app(settings_for(url), self.database)
        self.client = sign_in(self.app, self.database, OPERATOR, is_superuser=True)

    @property
    def version(self) -> str:
        """Return the name and the version of the database, as in PostgreSQL 15.18."""
        dialect = self.database.writer.dialect
        number = ".".join(map(str, dialect.server_version_info or ()))
        return f"{'SQLite' if dialect.name == 'sqlite' else 'PostgreSQL'} {number}"

    def close(self) -> None:
        self.database.dispose()

    def statements(self, path: str, *, requests: int) -> tuple[int, float]:
        """Return how many statements a request executes, and their time in milliseconds.

        The time is the median of some requests.
        """
        counts, times = zip(*(self.execute(path) for _ in range(requests)), strict=True)
        return counts[-1], median(times) * 1000

    def execute(self, path: str) -> tuple[int, float]:
        """Return the number and the seconds of the statements of one request."""
        with statements(self.database) as seen, durations(self.database) as times:
            assert self.client.get(path).status_code == 200
        return len(seen), sum(times)

    def profile(self, path: str) -> str:
        """Return the functions that take the most time, over some requests."""
        profiler, output = cProfile.Profile(), io.StringIO()

        async def run() -> None:
            transport = httpx2.ASGITransport(self.app)
            async with httpx2.AsyncClient(
                transport=transport, base_url="http://testserver", cookies=self.client.cookies
            ) as client:
                (await client.get(path)).raise_for_status()
                profiler.enable()
                for _ in range(PROFILED):
                    await client.get(path)
                profiler.disable()

        # A profile covers one thread, so the work of the others is called in this one.
        with patch("anyio.to_thread.run_sync", call_here):
            asyncio.run(run())
        stats = pstats.Stats(profiler, stream=output)
        modules = by_module(stats)
        stats.strip_dirs().sort_stats("tottime").print_stats(SHOWN)
        return f"{modules}\n{output.getvalue()}"


def by_module(stats: pstats.Stats) -> str:
    """Say how much of the time is spent in the code of each package, calls of others left out.

    Built-in functions are a line of their own; a profile makes short functions look slower.
    """
    spent: Counter[str] = Counter()
    for (path, _, _), (_, _, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        spent[module_of(path)] += own
    total = spent.total()
    lines = [
        f"{own / PROFILED * 1000:8.2f} ms {own / total:5.0%}  {name}"
        for name, own in spent.most_common(MODULES)
    ]
    return "\n".join([f"{total / PROFILED * 1000:8.2f} ms a request", *lines])


def module_of(path: str) -> str:
    """Return the package of an installed file, and the path of one of ours."""
    installed = re.search(r"site-packages/([^/.]+)", path)
    if installed:
        return installed[1]
    if path.startswith(str(ROOT)):
        return str(Path(path).relative_to(ROOT))
    return "built-in functions" if path == "~" else "the standard library"


async def call_here(work: Callable[..., Result], *arguments: Any, **_options: Any) -> Result:
    return work(*arguments)


@contextmanager
def durations(database: Database) -> Iterator[list[float]]:
    """Collect the seconds each statement takes meanwhile, its rows fetched."""
    started: list[float] = []
    seconds: list[float] = []

    def start(*_arguments: object) -> None:
        started.append(time.perf_counter())

    def end(*_arguments: object) -> None:
        seconds.append(time.perf_counter() - started.pop())

    engine = database.writer.engine
    event.listen(engine, "before_cursor_execute", start)
    event.listen(engine, "after_cursor_execute", end)
    try:
        yield seconds
    finally:
        event.remove(engine, "before_cursor_execute", start)
        event.remove(engine, "after_cursor_execute", end)
