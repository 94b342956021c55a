"""The ASGI application, and the commands that look after it: this project's `manage.py`."""

import contextlib
import gc
import getpass
import logging
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread
import click
import uvicorn
from alembic.util import CommandError
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.applications import Starlette
from starlette.middleware import Middleware

from admin.auth import guessing, operators
from admin.auth.factors.recovery import reset_factors_of
from admin.auth.links import LINK_LIFETIME, LINK_PATH
from admin.auth.passwords import random_password
from admin.health import health_routes
from admin.history import JOURNAL
from admin.kit import Refused
from admin.kit.headers import SecurityHeaders
from admin.kit.history import BrokenHistoryError, origin, prune, verify
from admin.server import BoundedProtocol, keep_links_out_of_the_log
from admin.settings import Settings, SettingsError
from admin.site import mount_admin
from migrations import schema
from models.database import Database, connect
from seed.command import seed_command

log = logging.getLogger("admin")

GARBAGE_THRESHOLDS = (100_000, 20, 50)


def create_app(settings: Settings, database: Database | None = None) -> Starlette:
    """Return the application; nothing is opened before it starts.

    A `database` that is handed over is left as it is at the start and the end.
    """
    seconds = settings.db_statement_seconds
    opened = (database or open_database(settings, statement_seconds=seconds)).recorded_by(JOURNAL)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(greet, opened, settings)
        if database is not None:
            yield
            return
        collect_less_garbage()
        # The cards have numbers when the first operator looks; nobody waits for them.
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(site.board.refresh, opened)
            yield
            tasks.cancel_scope.cancel()
        opened.dispose()

    app = Starlette(
        lifespan=lifespan,
        routes=health_routes(opened, schema.pending),
        middleware=[Middleware(SecurityHeaders, https=settings.is_production)],
    )
    site = mount_admin(app, opened, settings)
    keep_links_out_of_the_log()
    return app


def collect_less_garbage() -> None:
    """Look for circles of garbage less often, and never among what the start has made.

    A page makes thousands of objects, and nearly all of them end with it, in no circle: looking
    through the others so often took a twentieth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def open_database(settings: Settings, *, statement_seconds: int = 0) -> Database:
    """Return the database; commands may take as long as they like to read it."""
    return connect(
        settings.database_url,
        wait=settings.db_wait,
        statement_seconds=statement_seconds,
        pool_size=settings.db_pool_size,
        max_overflow=settings.db_max_overflow,
        prepared=settings.db_prepared,
    )


def greet(database: Database, settings: Settings) -> None:
    """Add the first operator where there is none; a start doesn't fail for want of a database."""
    try:
        created = operators.add_first_operator(database, settings)
    except DBAPIError as error:
        log.warning("The database is not ready: %s", type(error.orig).__name__)
        return
    except operators.OperatorError as error:
        log.warning("The first operator was not added: %s", error)
        return
    if created:
        name, password = created
        click.echo(f"Sign in as {name} with the password {password} (shown only this once).")


@click.group(invoke_without_command=True)
@click.pass_context
def cli(context: click.Context) -> None:
    """Run the admin and look after it; without a command, `serve`."""
    if context.invoked_subcommand is None:
        context.invoke(serve)


@cli.command()
def serve() -> None:
    """Serve the admin at HOST and PORT."""
    settings = read_settings()
    refuse_old_schema(settings)
    refuse_taken_port(settings)
    click.echo(f"The admin is at http://{settings.host}:{settings.port}/admin")
    with declaration_errors():
        uvicorn.run(
            "main:app",
            host=settings.host,
            port=settings.port,
            http=BoundedProtocol,
            workers=settings.workers if settings.workers > 1 else None,
            server_header=False,
            timeout_worker_healthcheck=60,  # A worker that is slow to start is killed after that.
            log_level="warning" if not settings.is_production else "info",
        )


@cli.command()
def migrate() -> None:
    """Bring the schema of the database up to date."""
    try:
        with database_errors():
            schema.upgrade(read_settings())
    except CommandError as error:
        raise click.ClickException(str(error)) from None
    click.echo("The schema is up to date.")


@cli.command()
def check() -> None:
    """Say whether the settings, the screens, the database and its schema are ready."""
    settings = read_settings()
    refuse_old_schema(settings)
    with declaration_errors():
        create_app(settings)  # It logs what no index serves.
    tell_slow_searches(settings)
    click.echo("Ready.")


def tell_slow_searches(settings: Settings) -> None:
    """Say which tables are read whole by each search, because the database lacks an extension."""
    database = open_database(settings)
    with database_errors():
        slow = database.read(lambda session: schema.without_trigrams(session.connection()))
    database.dispose()
    if slow:
        click.echo(
            f"Each search reads all rows of {', '.join(slow)}: the database lacks an index over "
            "trigrams. Have the extension pg_trgm installed, then run `python main.py migrate`."
        )


@cli.group()
def operator() -> None:
    """Look after the people who sign in."""


@operator.command("add")
@click.argument("name")
@click.option("--email", default="", help="Where links to choose a password are sent.")
@click.option("--superuser", is_flag=True, help="May do everything, whatever the roles.")
@click.option("--role", "roles", multiple=True, help="What they may do, as Viewer; repeatable.")
@click.option("--invite", is_flag=True, help="Print a link to choose a password, and ask for none.")
def add_operator(
    name: str, email: str, superuser: bool, roles: tuple[str, ...], invite: bool
) -> None:
    """Add an operator. The password is asked for, read from standard input, or generated."""
    rights = "may do everything" if superuser else f"has {', '.join(roles) or 'no role yet'}"
    who: dict[str, Any] = {"email": email, "is_superuser": superuser, "roles": roles}
    with operator_errors() as database:
        if invite:
            name, token = operators.invite_operator(database, name, **who)
            click.echo(f"Added {name}, who {rights}.")
            tell_link(token)
            return
        password, is_generated = read_password()
        name = operators.add_operator(database, name, password, **who)
        tell(f"Added {name}, who {rights}.", password if is_generated else None)


@operator.command("password")
@click.argument("name")
def change_password(name: str) -> None:
    """Set an operator's password and sign them out everywhere."""
    with operator_errors() as database:
        password, is_generated = read_password()
        name = operators.set_password(database, name, password)
        tell(f"Changed the password of {name}.", password if is_generated else None)


@operator.command("link")
@click.argument("name")
def link_operator(name: str) -> None:
    """Print a link by which an operator chooses a new password."""
    with operator_errors() as database:
        name, token = operators.link_operator(database, name)
        click.echo(f"{name} chooses a password by this link.")
        tell_link(token)


@operator.command("grant")
@click.argument("name")
@click.option("--superuser", is_flag=True, help="May do everything, whatever the roles.")
@click.option("--role", "roles", multiple=True, help="What they may do, as Viewer; repeatable.")
def grant(name: str, superuser: bool, roles: tuple[str, ...]) -> None:
    """Give an operator roles, besides those they have."""
    with operator_errors() as database:
        name = operators.grant(database, name, roles, is_superuser=superuser)
        click.echo(f"{name} has {rights_of(database, name)}.")


@operator.command("revoke")
@click.argument("name")
@click.option("--superuser", is_flag=True, help="May only do what the roles allow.")
@click.option("--role", "roles", multiple=True, help="What to take away, as Viewer; repeatable.")
def revoke(name: str, superuser: bool, roles: tuple[str, ...]) -> None:
    """Take roles from an operator, and sign them out everywhere."""
    with operator_errors() as database:
        name = operators.revoke(database, name, roles, is_superuser=superuser)
        click.echo(f"{name} has {rights_of(database, name)}.")


def rights_of(database: Database, name: str) -> str:
    """Say what an operator has by now."""
    row = next(row for row in operators.list_operators(database) if row.username == name)
    everything = ["all rights"] if row.is_superuser else []
    return ", ".join([*everything, *(role.name for role in row.roles)]) or "no role"


@operator.command("disable")
@click.argument("name")
def disable_operator(name: str) -> None:
    """Keep an operator from signing in, and sign them out everywhere."""
    with operator_errors() as database:
        name = operators.disable_operator(database, name)
        click.echo(f"{name} can't sign in any more.")


@operator.command("enable")
@click.argument("name")
def enable_operator(name: str) -> None:
    """Let an operator sign in again who was kept from it."""
    with operator_errors() as database:
        name = operators.enable_operator(database, name)
        click.echo(f"{name} can sign in again.")


@operator.command("reset-factors")
@click.argument("name")
def reset_operator_factors(name: str) -> None:
    """Take an operator's second factors away, and sign them out everywhere."""
    with operator_errors() as database:
        name = reset_factors_of(database, name)
        click.echo(f"{name} has no second factor any more.")


@operator.command("unlock")
@click.argument("name", default="")
@click.option("--address", default="", help="Of everybody there; of IPv6 a /64.")
@click.option("--all", "everybody", is_flag=True, help="Of everybody everywhere.")
def unlock_operator(name: str, address: str, everybody: bool) -> None:
    """Forget failed sign-ins: of an operator, from an address, or all of them."""
    if [bool(name), bool(address), everybody].count(True) != 1:
        raise click.UsageError("Give one of a name, --address and --all.")
    with operator_errors() as database:
        if name:
            whose = f"of {database.write(lambda session: guessing.unlock(session, name))}"
        elif address:
            whose = f"from {database.write(lambda s: guessing.unlock_address(s, address))}"
        else:
            database.write(guessing.unlock_all)
            whose = "of everybody"
        click.echo(f"The failed sign-ins {whose} are forgotten.")


@operator.command("list")
def list_operators() -> None:
    """List all operators."""
    with operator_errors() as database:
        for row in operators.list_operators(database):
            roles = ", ".join(role.name for role in row.roles) or "no role"
            rights = "superuser" if row.is_superuser else roles
            state = rights if row.is_active else "disabled"
            seen = f"{row.last_sign_in_at:%Y-%m-%d %H:%M} UTC" if row.last_sign_in_at else "never"
            email = f"  {row.email}" if row.email else ""
            click.echo(f"{row.username}{email}  {state}  last sign-in: {seen}")


@cli.group()
def history() -> None:
    """Look after the record of who changed what."""


@history.command("verify")
@click.option("--head", metavar="NUMBER:HASH", help="What an earlier run printed.")
def verify_history(head: str | None) -> None:
    """Walk the chain of change sets, and name the first that is not what was recorded."""
    earlier = read_head(head) if head else None
    with operator_errors() as database:
        try:
            found = database.read(lambda session: verify(JOURNAL, session, earlier))
        except BrokenHistoryError as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"{found.count:,} change sets are as they were recorded.")
    click.echo(f"Head: {found.number}:{found.hash}")


@history.command("prune")
@click.option(
    "--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="A day (UTC), as 2026-01-31."
)
def prune_history(before: datetime) -> None:
    """Remove what was recorded before a day; a checkpoint keeps the rest verifiable."""
    with operator_errors() as database:
        removed = database.write(lambda s: prune(JOURNAL, s, before.replace(tzinfo=UTC)))
    click.echo(f"Removed {removed:,} change sets.")


def read_head(text: str) -> tuple[int, str]:
    number, _, hash_ = text.partition(":")
    if not number.isdecimal() or not hash_:
        raise click.BadParameter("Give it as NUMBER:HASH.", param_hint="--head")
    return int(number), hash_


cli.add_command(seed_command)


def read_settings() -> Settings:
    """Return the settings, or end with the sentence that says what is wrong with them."""
    try:
        return Settings.from_env()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def refuse_old_schema(settings: Settings) -> None:
    """End with a sentence unless the database has all that this code needs."""
    database = open_database(settings)
    with database_errors():
        lacking = database.read(lambda session: schema.pending(session.connection()))
    database.dispose()
    if lacking:
        raise click.ClickException("The schema is not up to date: run `python main.py migrate`.")


def refuse_taken_port(settings: Settings) -> None:
    """End with a sentence where nobody can listen, before anybody is sent there."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError:
        address = f"{settings.host}:{settings.port}"
        raise click.ClickException(
            f"{address} is taken, or not for you to use: set PORT or HOST to another one."
        ) from None


@contextlib.contextmanager
def declaration_errors() -> Iterator[None]:
    """End with the sentence that says which attribute of which screen is wrong."""
    try:
        yield
    except ImproperlyConfigured as error:
        raise click.ClickException(str(error)) from None


@contextlib.contextmanager
def operator_errors() -> Iterator[Database]:
    """Lend the database to a command about operators, and say in a sentence what goes wrong."""
    settings = read_settings()
    refuse_old_schema(settings)
    database = open_database(settings).recorded_by(JOURNAL)
    try:
        with database_errors(), origin(source="command", operator_name=account()):
            yield database
    except (operators.OperatorError, Refused) as error:
        raise click.ClickException(str(error)) from None
    finally:
        database.dispose()


def account() -> str:
    """Return the name of the person at this machine, as the history calls who runs a command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""  # A container may run as a number without a name.


@contextlib.contextmanager
def database_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError:
        raise click.ClickException("The database can't be reached: check DATABASE_URL.") from None


def read_password() -> tuple[str, bool]:
    """Return a password, typed twice or read from a pipe, and whether it had to be generated."""
    if sys.stdin.isatty():
        password = click.prompt(
            "Password (empty: generate one)",
            default="",
            hide_input=True,
            show_default=False,
            confirmation_prompt=True,
        )
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    return (password, False) if password else (random_password(), True)


def tell(sentence: str, password: str | None) -> None:
    click.echo(sentence)
    if password:
        click.echo(f"Password: {password} (shown only this once)")


def tell_link(token: str) -> None:
    """Print a link, whole if it is known where the admin is."""
    address = read_settings().public_address
    where = "" if address else " (below the address of the admin: set PUBLIC_URL)"
    hours = round(LINK_LIFETIME.total_seconds() / 3600)
    click.echo(f"Link: {address}{LINK_PATH}{token}{where}")
    click.echo(f"It works once, within {hours} hours, and is shown only this once.")


if __name__ == "__main__":
    cli()
else:
    app = create_app(Settings.from_env())
