"""Two operators at the same row: nobody overwrites what they have not seen."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread
from typing import Any

import anyio.to_thread
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models.database import Database
from tests.kit.app import Book, BookAdmin, Publisher, make_app
from tests.kit.browser import form_on
from tests.personas import visit

Sent = dict[str, Any]


@pytest.fixture
def key(library: Database) -> int:
    """Store a book and return its key."""
    library.write(lambda session: session.add(Book(id=1, title="Emma")))
    return 1


def opened(client: TestClient, key: int, **changes: str) -> Sent:
    """Open the form and type into it, without sending it."""
    return {**form_on(client.get(f"/admin/book/edit/{key}").text), **changes}


def title(library: Database, key: int) -> str:
    return library.read(lambda session: session.get_one(Book, key).title)


def test_a_stale_form_is_not_stored_but_kept(
    library: Database, client: TestClient, key: int
) -> None:
    """What was typed stays on the page, and saving once more replaces the other's version."""
    stale = opened(client, key, title="Mine")
    client.post(f"/admin/book/edit/{key}", data=opened(client, key, title="Theirs"))
    answer = client.post(f"/admin/book/edit/{key}", data=stale)
    assert answer.status_code == 409
    assert "Someone else saved this after you opened it." in answer.text
    assert title(library, key) == "Theirs"
    again = form_on(answer.text)
    assert again["title"] == ["Mine"]
    assert client.post(f"/admin/book/edit/{key}", data=again).status_code == 302
    assert title(library, key) == "Mine"


def test_another_mistake_does_not_lose_the_guard(
    library: Database, client: TestClient, key: int
) -> None:
    """A form that is shown again for a typing error is as stale as before."""
    stale = opened(client, key, title="Mine", pages="0.5")
    client.post(f"/admin/book/edit/{key}", data=opened(client, key, title="Theirs"))
    answer = client.post(f"/admin/book/edit/{key}", data=stale)
    assert answer.status_code == 400
    mended = {**form_on(answer.text), "pages": "5"}
    assert client.post(f"/admin/book/edit/{key}", data=mended).status_code == 409
    assert title(library, key) == "Theirs"


def test_a_refusal_of_the_database_does_not_lose_the_guard(
    library: Database, client: TestClient, key: int
) -> None:
    stale = opened(client, key, title="Mine", pages="-1")
    answer = client.post(f"/admin/book/edit/{key}", data=stale)
    assert answer.status_code == 400
    client.post(f"/admin/book/edit/{key}", data=opened(client, key, title="Theirs"))
    mended = {**form_on(answer.text), "pages": "5"}
    assert client.post(f"/admin/book/edit/{key}", data=mended).status_code == 409


def at_once(*requests: Any) -> list[int]:
    """Send requests at the same moment, each from a thread, and return their statuses."""
    barrier = Barrier(len(requests))

    def send(request: Any) -> int:
        barrier.wait()
        status: int = request().status_code
        return status

    with ThreadPoolExecutor(len(requests)) as pool:
        return sorted(pool.map(send, requests))


def test_of_saves_at_the_same_moment_one_wins(
    library: Database, toy: Starlette, client: TestClient, key: int
) -> None:
    forms = [opened(client, key, title=f"By {n}") for n in range(6)]
    statuses = at_once(
        *(lambda sent=sent: visit(toy).post(f"/admin/book/edit/{key}", data=sent) for sent in forms)
    )
    assert statuses == [302, *[409] * 5]


def test_a_deletion_waits_for_the_one_before_it(library: Database, key: int) -> None:
    """Until the first one ends, for whichever reason, the second one doesn't begin."""
    answers: dict[str, int] = {}

    class Slow(BookAdmin, model=Book):
        async def on_model_delete(self, model: Any, request: Any) -> None:
            if not second.ident:
                second.start()
                await anyio.to_thread.run_sync(second.join, 0.3)

    def delete(turn: str) -> None:
        client = visit(make_app(library, Slow))
        answers[turn] = client.post("/admin/book/delete", data={"pks": str(key)}).status_code

    second = Thread(target=delete, args=["second"])
    delete("first")
    second.join()
    assert answers == {"first": 302, "second": 404}


def test_of_deletions_at_the_same_moment_one_wins(toy: Starlette, key: int) -> None:
    """The others learn that the row is gone."""
    statuses = at_once(
        *(lambda: visit(toy).post("/admin/book/delete", data={"pks": str(key)}) for _ in range(6))
    )
    assert statuses == [302, *[404] * 5]


@pytest.mark.parametrize("path", ["/admin/book/edit/1", "/admin/publisher/edit/1"])
def test_an_edit_that_races_a_deletion_never_fails(
    library: Database, toy: Starlette, client: TestClient, path: str
) -> None:
    """Whoever comes second is told; this holds for models without a version too."""
    library.write(lambda session: session.add(Publisher(id=1, name="Murray")))
    library.write(lambda session: session.merge(Book(id=1, title="Emma")))
    sent = form_on(client.get(path).text)
    sent["title"] = sent["name"] = ["Changed"]
    view = path.split("/")[2]
    statuses = at_once(
        lambda: visit(toy).post(path, data=sent),
        lambda: visit(toy).post(f"/admin/{view}/delete", data={"pks": "1"}),
    )
    assert set(statuses) <= {302, 404, 409}


def test_a_row_deleted_while_its_form_was_open_is_a_404(
    library: Database, client: TestClient, key: int
) -> None:
    sent = opened(client, key, title="Mine")
    client.post("/admin/book/delete", data={"pks": str(key)})
    answer = client.post(f"/admin/book/edit/{key}", data=sent)
    assert answer.status_code == 404
    assert "It may have been deleted." in answer.text


def test_a_stale_form_of_a_row_without_a_version_is_not_stored_either(
    library: Database, client: TestClient
) -> None:
    library.write(lambda session: session.add(Publisher(id=1, name="Murray")))
    path = "/admin/publisher/edit/1"
    stale = {**form_on(client.get(path).text), "name": "Mine"}
    client.post(path, data={**form_on(client.get(path).text), "name": "Theirs"})
    answer = client.post(path, data=stale)
    assert answer.status_code == 409
    assert library.read(lambda session: session.get_one(Publisher, 1).name) == "Theirs"
    assert client.post(path, data=form_on(answer.text)).status_code == 302
    assert library.read(lambda session: session.get_one(Publisher, 1).name) == "Mine"
