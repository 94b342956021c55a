"""`make bench`: how fast the pages are on large tables, beside the fastest they could be."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import URL

from tests import postgres
from tests.bench import table
from tests.bench.data import fill
from tests.bench.history import measure_history
from tests.bench.inside import Inside
from tests.bench.measuring import measure
from tests.databases import Postgresql


@click.command()
@click.option("--users", default=100_000, show_default=True, help="Rows in users.")
@click.option("--posts", default=300_000, show_default=True, help="Rows in posts.")
@click.option("--rounds", default=20, show_default=True, help="How often to send each request.")
@click.option("--seconds", default=4.0, show_default=True, help="For each request at most.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write the figures here too.")
@click.option("--profile", metavar="URL", help="Only profile this page, such as /admin/user/list.")
def bench(
    users: int, posts: int, rounds: int, seconds: float, path: Path | None, profile: str | None
) -> None:
    """Measure the pages on a PostgreSQL that is thrown away afterwards."""
    with throw_away_database() as url:
        if profile:
            fill(url, users, posts)
            with closing(Inside(url)) as inside:
                click.echo(inside.profile(profile))
            return
        report = measure(url, users=users, posts=posts, rounds=rounds, seconds=seconds)
        history = measure_history(url)
    click.echo(table.text(report))
    click.echo(table.history_text(history))
    if path:
        path.write_text(json.dumps({**asdict(report), "history": asdict(history)}, indent=2))


@contextmanager
def throw_away_database() -> Iterator[URL]:
    """Lend a migrated database that ends with the run, as does a server that was started for it."""
    with ExitStack() as cleanup:
        server = cleanup.enter_context(postgres.server())
        backend = Postgresql(server, f"admin_bench_{secrets.token_hex(4)}")
        cleanup.callback(backend.drop_all)
        yield backend.migrated()


if __name__ == "__main__":
    bench()
