"""A view's hooks run inside the transaction, as SQLAdmin documents them, and may refuse."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import exc, func, select
from sqlalchemy.orm import object_session
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from admin.kit import Refused
from models.database import Database
from tests.kit.app import Publisher, PublisherAdmin, make_app
from tests.kit.browser import form_on
from tests.personas import visit


def open_library(library: Database, **hooks: Any) -> TestClient:
    """Open a library whose publishers have these hooks."""
    view = type("Hooked", (PublisherAdmin,), hooks, model=Publisher)
    return visit(make_app(library, view))


def names(library: Database) -> list[str]:
    return library.read(lambda s: list(s.scalars(select(Publisher.name).order_by(Publisher.id))))


def create(client: TestClient, name: str = "Murray") -> Any:
    return client.post("/admin/publisher/create", data={"name": name})


def test_a_hook_may_change_what_is_stored(library: Database) -> None:
    """It gets the values by name, the object, and whether it is new."""
    seen = []

    async def on_model_change(
        self: Any, data: Any, model: Any, is_created: bool, request: Any
    ) -> None:
        seen.append((dict(data), model.name, is_created))
        data["name"] = data["name"].upper()

    client = open_library(library, on_model_change=on_model_change)
    create(client)
    client.post("/admin/publisher/edit/1", data={"name": "Egerton"})
    assert names(library) == ["EGERTON"]
    assert seen == [({"name": "Murray"}, None, True), ({"name": "Egerton"}, "MURRAY", False)]


def test_a_hook_reads_and_writes_in_the_same_transaction(library: Database) -> None:
    async def on_model_change(
        self: Any, data: Any, model: Any, is_created: bool, request: Any
    ) -> None:
        session = object_session(model)
        assert session is not None
        data["name"] += str(session.scalar(select(func.count()).select_from(Publisher)))

    client = open_library(library, on_model_change=on_model_change)
    create(client)
    client.post("/admin/publisher/edit/1", data={"name": "Egerton"})
    assert names(library) == ["Egerton1"]


def test_what_stores_may_be_wrapped(library: Database) -> None:
    """`insert_model` and `update_model` are asked by the pages, with the request at hand."""

    class Stamped(PublisherAdmin, model=Publisher):
        async def insert_model(self, request: Any, data: Any) -> Any:
            return await super().insert_model(request, {**data, "name": f"{data['name']} 1"})

        async def update_model(self, request: Any, pk: str, data: Any) -> Any:
            return await super().update_model(request, pk, {**data, "name": f"{data['name']} 2"})

    client = visit(make_app(library, Stamped))
    create(client)
    client.post("/admin/publisher/edit/1", data={"name": "Egerton"})
    assert names(library) == ["Egerton 2"]


async def refuse(self: Any, *_: Any) -> None:
    raise Refused("Not this one.", field="name")


async def fail(self: Any, *_: Any) -> None:
    raise RuntimeError("a secret of the hook")


def test_a_hook_may_refuse_at_a_field(library: Database) -> None:
    answer = create(open_library(library, on_model_change=refuse))
    assert (answer.status_code, names(library)) == (400, [])
    assert 'id="name-error">Not this one.' in answer.text
    assert form_on(answer.text)["name"] == ["Murray"]


@pytest.mark.parametrize("hook", ["on_model_change", "on_model_delete"])
def test_a_hook_that_fails_stores_nothing(library: Database, hook: str) -> None:
    library.write(lambda session: session.add(Publisher(name="Egerton")))
    client = open_library(library, **{hook: fail})
    path, sent = (
        ("create", {"name": "x"}) if hook == "on_model_change" else ("delete", {"pks": "1"})
    )
    answer = client.post(f"/admin/publisher/{path}", data=sent)
    assert (answer.status_code, names(library)) == (500, ["Egerton"])
    assert "secret" not in answer.text


def test_a_hook_may_refuse_a_deletion(library: Database) -> None:
    library.write(lambda session: session.add(Publisher(name="Egerton")))
    client = open_library(library, on_model_delete=refuse)
    answer = client.post("/admin/publisher/delete", data={"pks": "1"})
    assert (answer.status_code, names(library)) == (400, ["Egerton"])
    assert "Not this one." in answer.text


def test_a_later_step_that_fails_is_a_warning(
    library: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The row is stored by then; the operator learns of the rest, with a reference to the log."""
    client = open_library(library, after_model_change=fail, after_model_delete=fail)
    answer = create(client)
    page = client.get(answer.headers["location"]).text
    assert "It was stored, but a step that follows failed. Reference:" in page
    assert names(library) == ["Murray"]
    client.post("/admin/publisher/delete", data={"pks": "1"})
    assert names(library) == []
    assert caplog.text.count("RuntimeError: a secret of the hook") == 2
    assert "secret" not in page


def test_a_later_step_may_answer_by_itself(library: Database) -> None:
    async def after_model_change(self: Any, *_: Any) -> PlainTextResponse:
        return PlainTextResponse("Printed.")

    assert create(open_library(library, after_model_change=after_model_change)).text == "Printed."


def test_work_that_is_repeated_runs_the_hook_on_fresh_values(library: Database) -> None:
    """A connection lost before the commit costs time; nothing is stored or changed twice."""
    calls = []

    async def on_model_change(
        self: Any, data: Any, model: Any, is_created: bool, request: Any
    ) -> None:
        calls.append(data["name"])
        data["name"] += "!"
        if len(calls) == 1:
            raise exc.DBAPIError("SELECT 1", {}, Exception("gone"), connection_invalidated=True)

    assert create(open_library(library, on_model_change=on_model_change)).status_code == 302
    assert (calls, names(library)) == (["Murray", "Murray"], ["Murray!"])


def test_a_hook_opens_no_second_session(
    library: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """As many at once as there are threads would wait for each other for ever."""

    async def on_model_change(self: Any, *_: Any) -> None:
        await self.site.read(lambda session: session.get(Publisher, 1))

    answer = create(open_library(library, on_model_change=on_model_change))
    assert (answer.status_code, names(library)) == (500, [])
    assert "use `object_session`" in caplog.text


def test_a_later_step_may_use_the_database(library: Database) -> None:
    async def after_model_change(self: Any, data: Any, model: Any, *_: Any) -> None:
        await self.site.write(lambda session: session.add(Publisher(name=f"{model.name} 2")))

    create(open_library(library, after_model_change=after_model_change))
    assert names(library) == ["Murray", "Murray 2"]


def test_slow_hooks_of_many_requests_do_not_lock_up(library: Database) -> None:
    """Hooks may use threads while the requests' own threads wait for them."""

    async def on_model_change(
        self: Any, data: Any, model: Any, is_created: bool, request: Any
    ) -> None:
        await anyio.to_thread.run_sync(time.sleep, 0.05)

    with open_library(library, on_model_change=on_model_change) as client:
        with ThreadPoolExecutor(120) as pool:
            answers = list(pool.map(lambda n: create(client, f"Publisher {n}"), range(120)))
        assert {answer.status_code for answer in answers} == {302}
        assert client.get("/admin/publisher/list").status_code == 200
    assert len(names(library)) == 120
