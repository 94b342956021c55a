"""`python main.py`: what each command does, and the one sentence it says when it can't."""

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import click.testing
import httpx2
import pytest
from sqlalchemy import URL, func, select, text
from sqlalchemy.orm import selectinload
from starlette.applications import Starlette
from uvicorn.importer import import_from_string

from admin.auth.operators import OperatorError, disable_operator, set_password
from admin.auth.operators import add_operator as new_operator
from admin.auth.passwords import LONGEST_PASSWORD, verify_password
from admin.history import JOURNAL
from admin.kit import Refused
from admin.settings import Settings
from admin.views.posts import PostAdmin
from main import cli, create_app
from models import Operator, OperatorSession, Post, SignInCounter
from models.base import utc_now
from models.database import Database
from tests.databases import Sqlite
from tests.personas import PASSWORD, add_operator, sign_in, visit
from tests.project import ROOT

Result = click.testing.Result
Run = Callable[..., Result]
LAST = "Nobody would be left who may do everything. Make somebody else an owner first."
GENERATED = 22  # characters of 128 random bits


def environment(url: URL | str, **more: str) -> dict[str, str]:
    """Return the variables of a development server; empty ones hide those of a `.env` file."""
    address = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    return {
        "ENV": "development",
        "DATABASE_URL": address,
        "DATABASE_URL_UNPOOLED": "",
        "ADMIN_USERNAME": "",
        "ADMIN_PASSWORD": "",
        "DB_WAIT": "0",
        **more,
    }


def run_on(url: URL | str) -> Run:
    def run_cli(*arguments: str, typed: str = "", **more: str) -> Result:
        runner = click.testing.CliRunner(env=environment(url, **more))
        return runner.invoke(cli, arguments, input=typed)

    return run_cli


@pytest.fixture
def run(real_database: Database) -> Run:
    """Run a command on a migrated database."""
    return run_on(real_database.writer.engine.url)


@pytest.fixture
def real_app(real_database: Database, real_settings: Settings) -> Starlette:
    return create_app(real_settings, real_database)


@pytest.fixture
def run_file(sqlite: Sqlite) -> Iterator[Run]:
    """Run a command on a migrated SQLite file."""
    url = sqlite.migrated()
    yield run_on(url)
    sqlite.drop(url)


@pytest.fixture
def run_bare(empty_database_url: URL) -> Run:
    """Run a command on a database without tables."""
    return run_on(empty_database_url)


def operators(database: Database) -> dict[str, Operator]:
    stmt = select(Operator).options(selectinload(Operator.roles))
    found = database.read(lambda session: session.scalars(stmt).all())
    return {operator.username: operator for operator in found}


def count_sessions(database: Database) -> int:
    stmt = select(func.count()).select_from(OperatorSession)
    return database.read(lambda session: session.scalar(stmt)) or 0


def assert_refused(result: Result, sentence: str) -> None:
    assert result.output.strip() == f"Error: {sentence}"
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)


def test_help_lists_the_commands_with_what_they_do() -> None:
    help_text = subprocess.run(
        [sys.executable, "main.py", "--help"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for command in ("serve", "migrate", "check", "operator", "seed"):
        assert f"\n  {command} " in help_text


@pytest.mark.parametrize("path", [[], *([name] for name in cli.commands), ["operator", "add"]])
def test_every_command_explains_itself(run_file: Run, path: list[str]) -> None:
    result = run_file(*path, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4


def test_migrate_makes_a_database_ready_and_may_be_repeated(run_bare: Run) -> None:
    assert_refused(run_bare("check"), "The schema is not up to date: run `python main.py migrate`.")
    for _ in range(2):
        assert run_bare("migrate").output == "The schema is up to date.\n"
    assert run_bare("check").output == "Ready.\n"


def test_check_names_what_no_index_serves(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(PostAdmin, "column_searchable_list", [Post.content])
    assert run("check").output == "Ready.\n"
    assert (
        "PostAdmin.column_searchable_list: each search reads all rows; posts lacks" in caplog.text
    )


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_check_says_which_tables_postgresql_could_not_index(
    run: Run, real_database: Database
) -> None:
    drop = text("DROP INDEX ix_users_name_email_trigrams")
    real_database.write(lambda session: session.execute(drop))
    assert run("check").output == (
        "Each search reads all rows of users: the database lacks an index over trigrams. "
        "Have the extension pg_trgm installed, then run `python main.py migrate`.\nReady.\n"
    )


@pytest.mark.parametrize("command", [["serve"], [], ["operator", "list"], ["operator", "add", "x"]])
def test_without_tables_a_command_leads_to_migrate(run_bare: Run, command: list[str]) -> None:
    result = run_bare(*command, typed=f"{PASSWORD}\n")
    assert_refused(result, "The schema is not up to date: run `python main.py migrate`.")


@pytest.mark.parametrize("command", [["check"], ["serve"], ["migrate"], ["operator", "list"]])
def test_an_unreachable_database_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr("migrations.connection.TRIES", 1)
    result = run_on("postgresql://nobody:hunter2@127.0.0.1:9/none")(*command)
    assert_refused(result, "The database can't be reached: check DATABASE_URL.")


@pytest.mark.parametrize("command", [["check"], ["serve"], ["migrate"], ["operator", "list"]])
def test_a_bad_setting_is_said_in_a_sentence(command: list[str]) -> None:
    result = run_on("mysql://db/app")(*command)
    assert_refused(result, "DATABASE_URL must name a PostgreSQL or SQLite database.")


def test_production_without_a_secret_does_not_start(run_file: Run) -> None:
    result = run_file("serve", ENV="production")
    assert result.output.startswith("Error: SECRET_KEY must be set")
    assert result.exit_code == 1


def test_an_operator_is_added_with_a_password_from_a_pipe(
    run: Run, real_database: Database
) -> None:
    result = run("operator", "add", "Olga", "--superuser", typed="three words here\nmore\n")
    assert result.output == "Added olga, who may do everything.\n"
    olga = operators(real_database)["olga"]
    assert verify_password(olga.password_hash, "three words here")
    assert (olga.is_active, olga.is_superuser) == (True, True)


def test_an_operator_may_do_what_their_roles_allow(run: Run, real_database: Database) -> None:
    result = run("operator", "add", "vera", "--role", "Viewer", typed=f"{PASSWORD}\n")
    assert result.output == "Added vera, who has Viewer.\n"
    vera = operators(real_database)["vera"]
    assert ([role.name for role in vera.roles], vera.is_superuser) == (["Viewer"], False)


def test_an_operator_without_a_role_may_do_nothing(run: Run, real_database: Database) -> None:
    result = run("operator", "add", "vera", typed=f"{PASSWORD}\n")
    assert result.output == "Added vera, who has no role yet.\n"


def test_a_role_that_does_not_exist_is_named_with_those_that_do(run: Run) -> None:
    result = run("operator", "add", "vera", "--role", "Boss", typed=f"{PASSWORD}\n")
    assert "There is no role called Boss; there are: Editor, Owner, Viewer." in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize("typed", ["", "\n"])
def test_without_a_password_one_is_generated_and_shown(
    run: Run, real_database: Database, typed: str
) -> None:
    lines = run("operator", "add", "olga", typed=typed).output.splitlines()
    password = lines[1].removeprefix("Password: ").removesuffix(" (shown only this once)")
    assert len(lines) == 2
    assert len(password) == GENERATED
    assert verify_password(operators(real_database)["olga"].password_hash, password)


@pytest.mark.parametrize("name", ["olga", "OLGA", " olga "])
def test_a_name_is_given_once_in_any_spelling(run: Run, real_database: Database, name: str) -> None:
    add_operator(real_database, "olga")
    result = run("operator", "add", name, typed=f"{PASSWORD}\n")
    assert_refused(result, "There is already an operator called olga.")


@pytest.mark.parametrize("name", ["", " ", "x" * 151, "ol\nga", "ol\u202ega"])
def test_a_name_that_can_not_be_read_is_refused(run_file: Run, name: str) -> None:
    result = run_file("operator", "add", name, typed=f"{PASSWORD}\n")
    assert_refused(result, "A username has 1 to 150 letters, digits, and signs of @ . + - _")


def test_a_password_too_long_to_sign_in_with_is_refused(run_file: Run) -> None:
    result = run_file("operator", "add", "olga", typed="x" * (LONGEST_PASSWORD + 1))
    assert f"A password has at most {LONGEST_PASSWORD} characters." in result.output
    assert result.exit_code == 1


def test_all_that_is_wrong_with_a_password_is_said(run: Run, real_database: Database) -> None:
    result = run("operator", "add", "olga", typed="olga\n")
    sentences = ("at least 15 characters.", "too much like the username", "a common password.")
    assert all(sentence in result.output for sentence in sentences)
    assert (result.exit_code, operators(real_database)) == (1, {})


def test_an_operator_is_invited_by_a_link(
    run: Run, real_database: Database, real_app: Starlette
) -> None:
    options = ("--email", "ZOE@example.org", "--role", "Viewer", "--invite")
    lines = run("operator", "add", "zoe", *options).output.splitlines()
    assert lines[0] == "Added zoe, who has Viewer."
    assert lines[1].startswith("Link: http://127.0.0.1:8000/admin/login/link/")
    assert operators(real_database)["zoe"].email == "zoe@example.org"
    assert chosen_by(real_app, lines[1]) == 302


def test_a_link_is_printed(run: Run, real_database: Database, real_app: Starlette) -> None:
    add_operator(real_database, "vera")
    result = run("operator", "link", "vera", PUBLIC_URL="https://admin.example.org/")
    lines = result.output.splitlines()
    assert lines[1].startswith("Link: https://admin.example.org/admin/login/link/")
    assert chosen_by(real_app, lines[1]) == 302


def chosen_by(app: Starlette, line: str) -> int:
    """Choose a password by a link that was printed."""
    client, typed = visit(app), "a password of my own choice"
    client.get(f"/admin/login/link/{line.rpartition('/')[2]}")
    sent = {"new_password": typed, "new_password_again": typed}
    return client.post("/admin/login/password", data=sent).status_code


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--email", "nobody"], "Enter an e-mail address, such as ann@example.org."),
        (["--email", "VERA@example.org"], "There is already an operator with this address."),
    ],
)
def test_an_address_is_one_and_there_once(
    run: Run, real_database: Database, options: list[str], sentence: str
) -> None:
    add_operator(real_database, "vera", email="vera@example.org")
    result = run("operator", "add", "zoe", *options, typed=f"{PASSWORD}\n")
    assert_refused(result, sentence)


def test_roles_are_granted_and_revoked(
    run: Run, real_database: Database, real_app: Starlette
) -> None:
    vera = sign_in(real_app, real_database, "vera", "Viewer")
    granted = run("operator", "grant", "vera", "--role", "Editor", "--superuser")
    assert granted.output == "vera has all rights, Editor, Viewer.\n"
    assert vera.get("/admin/").status_code == 200
    add_operator(real_database, "olga", is_superuser=True)
    revoked = run("operator", "revoke", "vera", "--role", "Viewer", "--superuser")
    assert revoked.output == "vera has Editor.\n"
    assert vera.get("/admin/").status_code == 302


@pytest.mark.parametrize("command", [["disable", "olga"], ["revoke", "olga", "--superuser"]])
def test_the_last_one_who_may_do_everything_remains(
    run: Run, real_database: Database, command: list[str]
) -> None:
    add_operator(real_database, "olga", is_superuser=True)
    add_operator(real_database, "ed", "Editor")
    add_operator(real_database, "dora", "Owner", is_active=False)
    result = run("operator", *command)
    assert_refused(result, LAST)
    add_operator(real_database, "owen", "Owner")
    assert run("operator", *command).exit_code == 0


def test_of_two_owners_who_go_at_once_one_remains(real_database: Database) -> None:
    for name in ("olga", "owen"):
        add_operator(real_database, name, is_superuser=True)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda name: run_alone(real_database, name), ("olga", "owen")))
    assert sorted(runs) == [False, True]


def run_alone(database: Database, name: str) -> bool:
    """Disable an operator as the command does, and say whether it was done."""
    try:
        disable_operator(database.recorded_by(JOURNAL), name)
    except Refused:
        return False
    return True


def test_a_new_password_signs_the_operator_out(
    run: Run, real_database: Database, real_app: Starlette
) -> None:
    sign_in(real_app, real_database, "vera", "Viewer")
    olga = sign_in(real_app, real_database, "olga", "Viewer")
    result = run("operator", "password", "olga", typed="a new one of my own\n")
    assert result.output == "Changed the password of olga.\n"
    assert verify_password(operators(real_database)["olga"].password_hash, "a new one of my own")
    assert olga.get("/admin/").status_code == 302
    assert count_sessions(real_database) == 1


def test_a_disabled_operator_is_signed_out_and_stays_out(
    run: Run, real_database: Database, real_app: Starlette
) -> None:
    olga = sign_in(real_app, real_database, "olga", "Viewer")
    assert run("operator", "disable", "Olga").output == "olga can't sign in any more.\n"
    assert not operators(real_database)["olga"].is_active
    assert olga.get("/admin/").status_code == 302
    assert count_sessions(real_database) == 0
    assert run("operator", "enable", "Olga").output == "olga can sign in again.\n"
    assert operators(real_database)["olga"].is_active


@pytest.mark.parametrize("command", ["password", "disable", "enable", "link", "grant", "revoke"])
def test_an_unknown_operator_is_said_in_a_sentence(run_file: Run, command: str) -> None:
    result = run_file("operator", command, "Nobody", typed=f"{PASSWORD}\n")
    assert_refused(result, "There is no operator called nobody.")


@pytest.mark.parametrize(
    ("arguments", "whose"),
    [
        (["OLGA"], "of olga"),
        (["--address", "192.0.2.1"], "from 192.0.2.1"),
        (["--address", "2001:db8::1"], "from 2001:db8::/64"),
        (["--all"], "of everybody"),
    ],
)
def test_failed_sign_ins_can_be_forgotten(
    run: Run, real_database: Database, arguments: list[str], whose: str
) -> None:
    olga = add_operator(real_database, "olga").id
    now = utc_now()
    real_database.write(
        lambda session: session.add_all(
            [
                SignInCounter(key="1", counted_at=now, operator_id=olga),
                SignInCounter(key="2", counted_at=now, network="192.0.2.1"),
                SignInCounter(key="3", counted_at=now, network="2001:db8::/64"),
            ]
        )
    )
    said = f"The failed sign-ins {whose} are forgotten."
    assert run("operator", "unlock", *arguments).output.strip() == said
    left = real_database.read(lambda s: s.scalars(select(SignInCounter)).all())
    assert len(left) == (0 if "--all" in arguments else 2)


@pytest.mark.parametrize("arguments", [[], ["olga", "--all"], ["--all", "--address", "::1"]])
def test_one_kind_of_failures_is_forgotten_at_a_time(run_file: Run, arguments: list[str]) -> None:
    result = run_file("operator", "unlock", *arguments)
    assert result.exit_code == 2
    assert "Give one of a name, --address and --all." in result.output


@pytest.mark.parametrize("command", ["add", "password", "disable"])
def test_bytes_that_are_no_text_are_refused(run_file: Run, command: str) -> None:
    """Python hands them over as halves of surrogate pairs, which no database stores."""
    assert_refused(
        run_file("operator", command, os.fsdecode(b"\xff"), typed=f"{PASSWORD}\n"),
        "A username has 1 to 150 letters, digits, and signs of @ . + - _",
    )


def test_a_password_that_is_no_text_is_refused(real_database: Database) -> None:
    add_operator(real_database, "olga")
    for change in (set_password, new_operator):
        with pytest.raises(OperatorError, match="characters that can't be read"):
            change(real_database, "olga", os.fsdecode(b"\xff"))


@pytest.mark.parametrize("command", ["password", "disable"])
def test_a_change_waits_for_a_sign_in(run: Run, real_database: Database, command: str) -> None:
    operator = add_operator(real_database, "olga")
    with ThreadPoolExecutor() as pool, real_database.sessions.begin() as session:
        session.get_one(Operator, operator.id).last_sign_in_at = utc_now()
        session.flush()
        changing = pool.submit(run, "operator", command, "olga", typed="a new one of my own\n")
        time.sleep(1)  # by now it waits for the row
    assert changing.result().exit_code == 0


def test_operators_are_listed_by_name(
    run: Run, real_database: Database, real_app: Starlette
) -> None:
    add_operator(real_database, "vera", "Viewer", email="vera@example.org")
    add_operator(real_database, "dora", is_active=False)
    sign_in(real_app, real_database, "olga", is_superuser=True)
    seen = operators(real_database)["olga"].last_sign_in_at
    assert run("operator", "list").output.splitlines() == [
        "dora  disabled  last sign-in: never",
        f"olga  superuser  last sign-in: {seen:%Y-%m-%d %H:%M} UTC",
        "vera  vera@example.org  Viewer  last sign-in: never",
    ]


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Lend both ends of a terminal."""
    master, slave = pty.openpty()
    try:
        yield master, slave
    finally:
        os.close(master)


def read_until(terminal: int, words: str) -> str:
    seen = ""
    while words not in seen:
        seen += os.read(terminal, 1000).decode()
    return seen


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(sqlite: Sqlite) -> None:
    url = sqlite.migrated()
    command = [sys.executable, "main.py", "operator", "add", "olga"]
    environ = {**os.environ, **environment(url)}
    with terminal() as (master, slave):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        seen = read_until(master, "generate one): ")
        os.write(master, f"{PASSWORD}\n".encode())
        seen += read_until(master, "confirmation: ")
        os.write(master, f"{PASSWORD}\n".encode())
        seen += read_until(master, "no role yet.")
        assert process.wait(10) == 0
    assert PASSWORD not in seen
    sqlite.drop(url)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def answer(url: str) -> str:
    """Return what is answered, once something answers."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return httpx2.get(url).text
        except httpx2.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_without_a_command_it_serves_until_it_is_told_to_stop(sqlite: Sqlite) -> None:
    url, port = sqlite.migrated(), free_port()
    environ = {**os.environ, **environment(url, HOST="127.0.0.1", PORT=str(port))}
    command = [sys.executable, "main.py"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as run:
        assert answer(f"http://127.0.0.1:{port}/readyz") == "ready"
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=20)
    assert said.startswith(f"The admin is at http://127.0.0.1:{port}/admin\nSign in as admin")
    sqlite.drop(url)


def test_nobody_is_sent_to_an_address_that_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run("serve", HOST="127.0.0.1", PORT=port)
    sentence = "is taken, or not for you to use: set PORT or HOST to another one."
    assert_refused(result, f"127.0.0.1:{port} {sentence}")


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_screen_that_can_not_be_offered_is_said_in_a_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(PostAdmin, "form_ajax_refs", {})
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: create_app(Settings.from_env()))
    result = run(command, PORT=str(free_port()))
    assert result.exit_code == 1
    assert "Error: PostAdmin.form_ajax_refs: 'author' is missing" in result.output


def test_several_workers_may_be_slow_to_start(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """After uvicorn's own five seconds a busy machine would kill and start them for ever."""
    served = Mock()
    monkeypatch.setattr("uvicorn.run", served)
    assert run("serve", WEB_CONCURRENCY="2", PORT=str(free_port())).exit_code == 0
    assert served.call_args.kwargs["workers"] == 2
    assert served.call_args.kwargs["timeout_worker_healthcheck"] >= 60


def test_the_app_is_where_uvicorn_looks_for_it() -> None:
    assert isinstance(import_from_string("main:app"), Starlette)


def test_importing_the_app_opens_no_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/data/app.db"
    environ = {**os.environ, **environment(url), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "import main; main.app"]
    subprocess.run(command, cwd=tmp_path, env=environ, check=True)
    assert list(tmp_path.iterdir()) == []


def test_history_verify_counts_what_is_as_it_was_recorded(run: Run) -> None:
    run("operator", "add", "olga")
    verified = run("history", "verify")
    assert verified.exit_code == 0
    count, head = verified.output.splitlines()
    assert count == "1 change sets are as they were recorded."
    assert run("history", "verify", "--head", head.removeprefix("Head: ")).exit_code == 0


def test_history_verify_names_what_is_broken(run: Run) -> None:
    run("operator", "add", "olga")
    broken = run("history", "verify", "--head", "7:abc")
    assert (broken.exit_code, broken.output) == (1, "Error: Change set 7 is missing.\n")
    assert "NUMBER:HASH" in run("history", "verify", "--head", "7").output


def test_history_prune_removes_what_is_old(run: Run) -> None:
    run("operator", "add", "olga")
    assert run("history", "prune", "--before", "2020-01-01").output == "Removed 0 change sets.\n"
    assert run("history", "prune", "--before", "2100-01-01").output == "Removed 1 change sets.\n"
    assert run("history", "verify").exit_code == 0
    assert run("history", "prune", "--before", "soon").exit_code == 2
