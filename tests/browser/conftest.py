"""A real browser at a real server."""

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, sync_playwright
from starlette.applications import Starlette

from admin.settings import Settings
from main import create_app
from models import Post, User
from models.database import Database
from tests.personas import PASSWORD, add_operator
from tests.records import add_post, add_user

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
START_WAIT, TICK = 10.0, 0.01  # seconds
REPORT_VIOLATIONS = """
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
    });
"""


@dataclass(frozen=True)
class Site:
    """A server on a database of its own, where Alice wrote a post and Bob did not."""

    url: str
    database: Database
    alice: User
    bob: User
    post: Post


@pytest.fixture
def site(real_database: Database, real_settings: Settings) -> Iterator[Site]:
    add_operator(real_database, "olga", is_superuser=True)
    alice, bob = add_user(real_database, "Alice"), add_user(real_database, "Bob")
    post = add_post(real_database, alice, "Hello")
    settings = replace(real_settings, allowed_hosts=("127.0.0.1",))
    with served(create_app(settings, real_database)) as url:
        yield Site(url, real_database, alice, bob, post)


class PromptServer(uvicorn.Server):
    """Ends at once when it may; uvicorn's own takes a fifth of a second, after most tests here."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110 - the tests' thread sets it
            await asyncio.sleep(TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
            await asyncio.sleep(TICK)
        await self.lifespan.shutdown()


@contextmanager
def served(app: Starlette, **options: Any) -> Iterator[str]:
    """Serve in a thread, on a port that is free."""
    config = uvicorn.Config(app, ws="none", log_config=None, **options)
    server = PromptServer(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            wait_until_started(server, thread)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_WAIT
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(TICK)


def find_chromium(playwright: Playwright) -> str | None:
    """Return the browser that is given, the machine's, or the one Playwright installed."""
    own = playwright.chromium.executable_path
    found = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES), own]
    return next((path for path in found if path and Path(path).exists()), None)


@contextmanager
def launch(playwright: Playwright) -> Iterator[Browser]:
    """Start a Chromium; where there is none, skip, but fail in CI."""
    chromium = find_chromium(playwright)
    if chromium is None:
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse("Chromium is missing: install it, or set CHROMIUM to its path.")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = [*ARGUMENTS, "--no-sandbox"] if is_root else ARGUMENTS
    opened = playwright.chromium.launch(executable_path=chromium, args=arguments)
    yield opened
    opened.close()


# Not for the session: while it runs, no other test of the process could run an event loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launch(playwright) as opened:
        yield opened


@contextmanager
def opened_page(
    browser: Browser, site: Site, *, expected: str | None = None, **options: Any
) -> Iterator[Page]:
    """Open a page; what it complains about fails the test, unless it is `expected`."""
    # What the machine is set to makes no difference.
    options = {"timezone_id": "UTC", **options}
    context = browser.new_context(base_url=site.url, **options)
    context.set_default_timeout(10_000)
    context.add_init_script(REPORT_VIOLATIONS)
    complaints = complaints_of(context)
    yield context.new_page()
    context.close()
    assert [said for said in complaints if expected is None or expected not in said] == []


def complaints_of(context: BrowserContext) -> list[str]:
    """Collect errors of scripts, violations of the policy, and answers that are errors."""
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    return complaints


def held(page: Page, address: str) -> list[Route]:
    """Keep back what the page asks for at these addresses, until each is continued."""
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        waiting.append(route)

    page.route(address, keep)
    return waiting


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    with opened_page(browser, site) as page:
        yield page


@pytest.fixture
def plain_page(browser: Browser, site: Site) -> Iterator[Page]:
    """Open a page in a browser that runs no scripts."""
    with opened_page(browser, site, java_script_enabled=False) as page:
        yield page


@pytest.fixture
def olga(page: Page) -> Page:
    """Sign in Olga, who may do everything."""
    sign_in(page.context)
    return page


def sign_in(context: BrowserContext, username: str = "olga") -> None:
    """Sign in without a page, which is quicker; the pages have the cookie then."""
    entered: dict[str, str | float | bool] = {"username": username, "password": PASSWORD}
    assert context.request.post("/admin/login", form=entered).ok
