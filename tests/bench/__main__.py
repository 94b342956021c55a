"""`make bench`: how fast the pages are on large tables, beside the fastest they could be."""

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tests.bench import places, table
from tests.bench.history import HistoryReport, measure_history
from tests.bench.inside import Inside
from tests.bench.measuring import Report, Row, measure
from tests.bench.throughput import Served

# Recording a change of all users at once takes minutes beyond that, and says no more.
MOST_RECORDED = 100_000
FILE = click.Path(path_type=Path)


@click.command()
@click.option("--users", default=100_000, show_default=True, help="Rows in users.")
@click.option("--posts", default=300_000, show_default=True, help="Rows in posts.")
@click.option("--scale", default=0, help="Measure with so many times the rows as well.")
@click.option("--sqlite", is_flag=True, help="Measure on SQLite instead of PostgreSQL.")
@click.option("--keep", type=FILE, metavar="DIR", help="Keep the filled database, and use it.")
@click.option("--only", default="", metavar="TEXT", help="Only requests with this in their name.")
@click.option("--rounds", default=20, show_default=True, help="How often to send each request.")
@click.option("--seconds", default=4.0, show_default=True, help="For each request at most.")
@click.option("--load-seconds", default=3.0, show_default=True, help="For each turn of the load.")
@click.option("--json", "path", type=FILE, help="Write the figures here too.")
@click.option("--compare", type=FILE, nargs=2, help="Only compare two such files.")
@click.option("--profile", metavar="URL", help="Only profile this page, such as /admin/user/list.")
def bench(
    *,
    users: int,
    posts: int,
    scale: int,
    sqlite: bool,
    keep: Path | None,
    only: str,
    path: Path | None,
    compare: tuple[Path, Path] | None,
    profile: str | None,
    **limits: Any,
) -> None:
    """Measure the pages on a database that is thrown away afterwards."""
    if compare:
        click.echo(table.comparison(*map(read, compare)))
        return
    sizes = [(users, posts), *([(users * scale, posts * scale)] if scale else [])]
    with places.databases(sizes, sqlite=sqlite, folder=keep) as urls:
        if profile:
            with closing(Inside(urls[0])) as inside:
                click.echo(inside.profile(profile))
            return
        reports = measure(dict(zip(sizes, urls, strict=True)), only=only, **limits)
    say(reports)
    history = None if only else record(min(users, MOST_RECORDED), sqlite=sqlite)
    if history:
        click.echo(table.history_text(history))
    if path:
        write(path, reports, history)


def record(users: int, *, sqlite: bool) -> HistoryReport:
    """Measure the history on a database of its own, because that changes every row."""
    with places.databases([(users, 0)], sqlite=sqlite) as (url,):
        return measure_history(url)


def say(reports: list[Report]) -> None:
    parts = [table.text(report) for report in reports]
    if len(reports) > 1:
        parts.append(table.comparison(*reports))
    click.echo("\n\n".join(parts))


def write(path: Path, reports: list[Report], history: HistoryReport | None) -> None:
    """Write each report to a file of its own; the first one has the history."""
    for number, report in enumerate(reports):
        target = path if number == 0 else path.with_stem(f"{path.stem}-{number + 1}")
        extra = {"history": asdict(history)} if history and number == 0 else {}
        target.write_text(json.dumps({**asdict(report), **extra}, indent=2))


def read(path: Path) -> Report:
    stored = json.loads(path.read_text())
    stored.pop("history", None)
    rows = [Row(**row) for row in stored.pop("rows")]
    served = [Served(**line) for line in stored.pop("served")]
    return Report(rows=rows, served=served, **stored)


if __name__ == "__main__":
    bench()
