"""The command that seeds: `python -m seed`, or `python main.py seed`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import click
from sqlalchemy import exc

from admin.settings import Settings, SettingsError
from models.database import Database, connect
from seed.demo import Added, clear, count_rows, has_users, seed
from seed.factories import MOST_POSTS

LONG_RUN = 2000  # rows; a shorter run is over before a progress bar could be read
# How SQLite and PostgreSQL say that there is no such table.
NO_TABLE = ("no such table", "UndefinedTable")


@click.command("seed")
@click.option(
    "--users",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="How many users there are to be.",
)
@click.option(
    "--posts",
    type=click.IntRange(0, MOST_POSTS),
    default=200,
    show_default=True,
    help="How many posts there are to be.",
)
@click.option(
    "--random-seed", default=1, show_default=True, help="The same number makes the same rows."
)
@click.option("--reset", is_flag=True, help="Delete ALL users and posts first, after asking.")
@click.option("--if-empty", is_flag=True, help="Do nothing if there is any user.")
@click.option("--force", is_flag=True, help="Seed even a production environment.")
@click.option("--yes", is_flag=True, help="Don't ask before --reset deletes.")
def seed_command(
    *,
    users: int,
    posts: int,
    random_seed: int,
    reset: bool,
    if_empty: bool,
    force: bool,
    yes: bool,
) -> None:
    """Fill the database with demo users and posts, dated up to the day of the first run.

    What is there already is left as it is, and nothing is added twice.
    """
    _refuse_contradictions(users, posts, reset=reset, if_empty=if_empty)
    with _open_database(force=force) as database:
        if if_empty and has_users(database):
            click.echo("There are users already: nothing was added.")
            return
        if reset:
            _reset(database, yes=yes)
        added = _seed(database, users, posts, random_seed)
    click.echo(f"Added {_rows(added.users, added.posts)}.")
    if sum(added) < users + posts:
        click.echo(f"There already: {_rows(users - added.users, posts - added.posts)}.")


def _refuse_contradictions(users: int, posts: int, *, reset: bool, if_empty: bool) -> None:
    if posts and not users:
        raise click.UsageError("Posts need at least one user to write them: --users 1 or more.")
    if reset and if_empty:
        raise click.UsageError("--reset and --if-empty exclude each other.")


@contextmanager
def _open_database(*, force: bool) -> Iterator[Database]:
    """Yield the database of the environment; what is wrong with either ends in one sentence."""
    try:
        database = _connect(_settings(force=force))
        try:
            yield database
        finally:
            database.dispose()
    except exc.DBAPIError as error:
        raise click.ClickException(_explain(error)) from error


def _settings(*, force: bool) -> Settings:
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    if settings.is_production and not force:
        raise click.ClickException("This is production: --force puts demo data here all the same.")
    return settings


def _connect(settings: Settings) -> Database:
    return connect(
        settings.database_url, wait=settings.db_wait, pool_size=1, prepared=settings.db_prepared
    )


def _explain(error: exc.DBAPIError) -> str:
    reason = f"{type(error.orig).__name__}: {error.orig}"
    if any(sign in reason for sign in NO_TABLE):
        return "The database has no tables yet: run `python main.py migrate` first."
    first_line = str(error.orig).partition("\n")[0]
    return f"The database can't be used: {first_line}"


def _reset(database: Database, *, yes: bool) -> None:
    if not yes:
        _confirm_reset(database)
    clear(database)


def _confirm_reset(database: Database) -> None:
    if not _can_answer():
        raise click.ClickException(
            "--reset asks before it deletes: add --yes where nobody answers."
        )
    there = count_rows(database)
    click.confirm(f"Delete {_rows(there.users, there.posts)}, whoever made them?", abort=True)


def _can_answer() -> bool:
    return sys.stdin.isatty()


def _seed(database: Database, users: int, posts: int, random_seed: int) -> Added:
    work = partial(seed, database, users=users, posts=posts, random_seed=random_seed)
    if users + posts <= LONG_RUN or not sys.stdout.isatty():
        return work()
    with click.progressbar(length=users + posts, label="Seeding") as bar:
        return work(on_progress=bar.update)


def _rows(users: int, posts: int) -> str:
    return f"{users:,} users and {posts:,} posts"
