"""The admin and the floor as processes of their own, each with one kept connection to it."""

import gzip
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import URL

from tests.personas import PASSWORD
from tests.postgres import free_port
from tests.project import ROOT

START_WAIT = 30.0  # seconds
KEPT_FOR = 2.0  # seconds; uvicorn hangs up after five
GZIP = b"\x1f\x8b"


class Server:
    """A process that answers on one port of this machine."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid
        self.connection = HTTPConnection("127.0.0.1", port, timeout=600)
        self.headers: dict[str, str] = {}
        self.asked_at, self.received = time.monotonic(), 0

    def headers_for(self, path: str) -> dict[str, str]:
        """Ask for pages as browsers do, compressed; a file is compared with what COPY sends."""
        return {**self.headers, "Accept-Encoding": "identity" if "/export/" in path else "gzip"}

    def page(self, path: str) -> str:
        """Return the text of a page."""
        body = self.get(path)
        return (gzip.decompress(body) if body.startswith(GZIP) else body).decode()

    def get(self, path: str) -> bytes:
        """Return the whole answer, which must be a page, as it is on the wire."""
        self.stay_connected()
        self.connection.request("GET", path, headers=self.headers_for(path))
        response = self.connection.getresponse()
        body = response.read()
        self.asked_at, self.received = time.monotonic(), len(body)
        if response.status != 200:
            raise RuntimeError(f"{path} was answered with {response.status}.")
        return body

    def stay_connected(self) -> None:
        """Connect anew after the other server took long, before this one has hung up."""
        if time.monotonic() - self.asked_at > KEPT_FOR:
            self.connection.close()
            self.connection.connect()
            self.asked_at = time.monotonic()

    def milliseconds(self, path: str) -> float:
        """Return how long the answer takes, to its last byte."""
        self.stay_connected()
        start = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - start) * 1000

    def sign_in(self, username: str) -> None:
        """Sign in, and send the cookie from here on."""
        sent = urlencode({"username": username, "password": PASSWORD})
        self.stay_connected()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", "/admin/login", sent, form)
        response = self.connection.getresponse()
        response.read()
        cookies = response.headers.get_all("Set-Cookie", [])
        self.headers["Cookie"] = "; ".join(cookie.partition(";")[0] for cookie in cookies)

    def memory(self) -> float:
        """Return the MiB that the process holds in memory, or 0 where the system doesn't say."""
        return self._status("VmRSS")

    def peak_memory(self) -> float:
        """Return the most it has held so far."""
        return self._status("VmHWM")

    def processor_seconds(self) -> float:
        """Return the time that processors have given to the process so far."""
        path = Path(f"/proc/{self.pid}/stat")
        fields = path.read_text().rpartition(")")[2].split() if path.exists() else ["0"] * 13
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> float:
        path = Path(f"/proc/{self.pid}/status")
        text = path.read_text() if path.exists() else ""
        found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def admin(url: URL) -> Iterator[Server]:
    """Run the admin as in production: one worker, uvloop and httptools."""
    port = free_port()
    settings = {
        "ENV": "production",
        "ALLOW_SQLITE": "1",
        "SECRET_KEY": "a secret of the measurement, long enough",
        "ALLOWED_HOSTS": "127.0.0.1",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
    }
    with running(["main.py", "serve"], url, port, settings) as server:
        yield server


@contextmanager
def floor(url: URL) -> Iterator[Server]:
    """Run the floor with the options that `main.py serve` gives to uvicorn."""
    port = free_port()
    command = ["-m", "uvicorn", "--factory", "tests.bench.floor:create_app", "--no-server-header"]
    with running([*command, "--port", str(port)], url, port, {}) as server:
        yield server


@contextmanager
def running(
    arguments: list[str], url: URL, port: int, settings: dict[str, str]
) -> Iterator[Server]:
    """Yield a server that is up, on this database and no other, whatever `.env` says."""
    address = url.render_as_string(hide_password=False)
    databases = {"DATABASE_URL": address, "DATABASE_URL_UNPOOLED": address}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **databases, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Server(port, process.pid)
    try:
        wait_until_up(process, server)
        yield server
    finally:
        server.connection.close()
        process.terminate()
        process.wait(START_WAIT)


def wait_until_up(process: subprocess.Popen[bytes], server: Server) -> None:
    deadline = time.monotonic() + START_WAIT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.connection.connect()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{process.args!r} did not start.")
