"""Fuzzing the whole application: `python -m tests.fuzz --requests 100000 --seed 1`."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests import postgres
from tests.databases import Backend, Postgresql, Sqlite
from tests.fuzz.running import run

KINDS = ("sqlite", "postgresql")


@contextmanager
def backend_of(kind: str) -> Iterator[Backend]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield Sqlite(Path(folder))
        return
    with postgres.server() as url:
        server = Postgresql(url, "admin_fuzz")
        yield server
        server.drop_all()


@click.command()
@click.option("--requests", default=100_000, show_default=True, help="How many, in all.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same requests.")
@click.option("--database", "kinds", type=click.Choice(KINDS), multiple=True, default=KINDS)
def fuzz(requests: int, seed: int, kinds: tuple[str, ...]) -> None:
    """Send requests that nobody would, as nobody, viewer, editor and owner, to all routes.

    No answer may be a 500 or show how the server is made, and nothing may change in the database
    but what the person may change, each change with its entry in the history.
    """
    has_failed = False
    for kind in kinds:
        with backend_of(kind) as backend:
            report = run(backend, requests // len(kinds), seed, click.echo)
        click.echo(f"{kind}: {report}")
        has_failed = has_failed or bool(report.problems)
    sys.exit(has_failed)


if __name__ == "__main__":
    fuzz()
