"""Long work goes on by itself, while a page shows how far it is; what fails changes nothing."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.to_thread
import pytest
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.kit import SetValues, progress
from admin.kit.selection import Batch, Selection
from models.database import Database
from tests.kit.app import Book, BookAdmin
from tests.kit.browser import form_on
from tests.kit.pages import sentence, store
from tests.kit.recorded import begin_history, make_recorded
from tests.personas import visit

LEND = "/admin/book/action/lend"
WAIT = 10.0  # seconds


class Gate:
    """Holds up the work before its last row, until the test lets it go on."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.error: Exception | None = None
        self.seen: list[str] = []

    def pass_through(self, title: str) -> None:
        self.seen.append(title)
        if title == "Sanditon":
            assert self.may_go_on.wait(WAIT)
            if self.error:
                raise self.error


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def app(library: Database, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Starlette:
    """Open a recorded library of three books, where work soon takes long."""
    monkeypatch.setattr("admin.kit.progress.PATIENCE", 0.05)
    monkeypatch.setattr("admin.kit.progress.BEAT", 0.05)
    monkeypatch.setattr("admin.kit.selection.BATCH_SIZE", 1)

    class SlowAdmin(BookAdmin, model=Book):
        actions = [SetValues("lend", "Lend", {"lendable": True})]

        async def on_model_change(self, data: Any, model: Any, *_: Any) -> None:
            await anyio.to_thread.run_sync(gate.pass_through, model.title)

        async def on_model_delete(self, model: Any, _request: Any) -> None:
            await anyio.to_thread.run_sync(gate.pass_through, model.title)

    recorded = begin_history(library)
    store(recorded, *[Book(title=name) for name in ("Emma", "Persuasion", "Sanditon")])
    return make_recorded(recorded, SlowAdmin)


@pytest.fixture
def client(app: Starlette) -> TestClient:
    return visit(app)


def asked(client: TestClient, path: str = LEND) -> dict[str, list[str]]:
    if path == LEND:
        return form_on(client.post(LEND, data={"_all": "1"}).text)
    return form_on(client.get(f"{path}?_all=1").text)


def lent(library: Database) -> int:
    stmt = select(func.count()).select_from(Book).where(Book.lendable.is_(True))
    return library.read(lambda session: session.scalar(stmt)) or 0


def after(gate: Gate, seconds: float = 0.4) -> None:
    threading.Timer(seconds, gate.may_go_on.set).start()


@pytest.mark.parametrize("path", [LEND, "/admin/book/delete"])
def test_a_page_shows_how_far_it_is_and_how_it_ended(
    client: TestClient, gate: Gate, path: str
) -> None:
    sent = asked(client, path)
    after(gate)
    page = client.post(path, data=sent)
    assert page.status_code == 200
    steps = re.findall(r"<p>(.*? rows are done\.)</p>", page.text)
    assert steps[-1] == "2 of 3 rows are done."
    done = "3 books were changed." if path == LEND else "3 books were deleted."
    assert page.text.index(steps[-1]) < page.text.index(done)
    assert 'class="undo"' in page.text
    assert page.text.rstrip().endswith("</html>")
    assert done not in client.get("/admin/book/list").text


def test_what_is_quick_is_answered_as_ever(
    client: TestClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 30.0)
    gate.may_go_on.set()
    sent = {**asked(client), "_all": "", "pks": "1"}
    assert client.post(LEND, data=sent).status_code in (302, 409)


def test_a_failure_changes_nothing_and_has_a_reference(
    client: TestClient, gate: Gate, library: Database, caplog: pytest.LogCaptureFixture
) -> None:
    gate.error = RuntimeError("a secret")
    sent = asked(client)
    after(gate)
    page = sentence(client.post(LEND, data=sent))
    reference = re.findall(r"Reference: (\w+)\.", page)
    assert "Nothing was changed." in page
    assert "a secret" not in page
    assert [r for r in reference if r in caplog.text]
    assert lent(library) == 0


def test_rows_that_changed_meanwhile_are_asked_about_again(
    client: TestClient, gate: Gate, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if that is found only after the page has begun."""
    original = Selection.batches

    def slow(self: Selection, *arguments: Any) -> Iterator[Batch]:
        assert gate.may_go_on.wait(WAIT)
        yield from original(self, *arguments)

    sent = asked(client)
    store(library, Book(title="Another"))
    monkeypatch.setattr(Selection, "batches", slow)
    after(gate)
    page = client.post(LEND, data=sent)
    assert "There were 3 books; now there are 4." in sentence(page)
    again = form_on(page.text)
    assert "_seen" not in again
    assert "4 books" in sentence(client.post(LEND, data=again))
    assert lent(library) == 0


def in_one_loop(app: Starlette, steps: Callable[[AsyncClient], Any]) -> Any:
    """Send several requests to one running application."""

    async def run() -> Any:
        transport = ASGITransport(app=app)
        async with AsyncClient(transport=transport, base_url="http://testserver") as browser:
            return await steps(browser)

    return anyio.run(run)


def test_who_sends_it_again_sees_the_same_work(
    app: Starlette, client: TestClient, gate: Gate, library: Database
) -> None:
    sent, pages = asked(client), []

    async def steps(browser: AsyncClient) -> None:
        async def send() -> None:
            pages.append((await browser.post(LEND, data=sent)).text)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            await anyio.sleep(0.2)
            tasks.start_soon(send)
            await anyio.sleep(0.2)
            gate.may_go_on.set()

    in_one_loop(app, steps)
    assert ["3 books were changed." in page for page in pages] == [True, True]
    assert gate.seen == ["Emma", "Persuasion", "Sanditon"]
    assert lent(library) == 3


def test_a_reload_says_what_the_first_request_did(
    client: TestClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = asked(client)
    after(gate)
    client.post(LEND, data=sent)
    monkeypatch.setattr("admin.kit.progress.PATIENCE", WAIT)
    assert client.post(LEND, data=sent).status_code == 302
    assert "3 books were changed before; it was not done again." in sentence(
        client.get("/admin/book/list")
    )


def test_it_goes_on_when_nobody_reads_the_page(
    app: Starlette, client: TestClient, gate: Gate, library: Database
) -> None:
    sent = asked(client)

    async def steps(browser: AsyncClient) -> None:
        with anyio.move_on_after(0.3):
            await browser.post(LEND, data=sent)
        gate.may_go_on.set()
        with anyio.fail_after(WAIT):
            (job,) = app.state.site.jobs.values()
            await job.is_done(WAIT)

    in_one_loop(app, steps)
    assert lent(library) == 3


WRITER = """
import sys
from sqlalchemy import make_url
from admin.kit import SetValues
from models.database import connect
from tests.kit.app import Book, BookAdmin
from tests.kit.browser import form_on
from tests.kit.recorded import JOURNAL, make_recorded
from tests.personas import visit
import admin.kit.selection as selection

selection.BATCH_SIZE = 5
counted = selection.counted

def telling(*arguments):
    for batch in counted(*arguments):
        yield batch
        print("batch", flush=True)

selection.counted = telling

class LendingAdmin(BookAdmin, model=Book):
    actions = [SetValues("lend", "Lend", {"lendable": True})]

library = connect(make_url(sys.argv[1])).recorded_by(JOURNAL)
client = visit(make_recorded(library, LendingAdmin))
path = "/admin/book/action/lend"
client.post(path, data=form_on(client.post(path, data={"_all": "1"}).text))
"""


def test_killed_in_the_middle_it_has_changed_nothing(library: Database) -> None:
    recorded = begin_history(library)
    store(recorded, *[Book(title=f"{number}") for number in range(500)])
    url = library.writer.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", WRITER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "batch\n"
        process.kill()
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline and not is_unlocked(library):
        time.sleep(0.05)
    assert lent(library) == 0
    versions = select(func.max(Book.version))
    assert library.read(lambda session: session.scalar(versions)) == 1


def is_unlocked(library: Database) -> bool:
    def work(session: Session) -> bool:
        stmt = select(Book.id).with_for_update(skip_locked=True)
        return len(session.scalars(stmt).all()) == 500

    return library.write(work)
