"""Screens whose writes are dangerous: who is there is asked, and each change is looked at."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from wtforms import Form

from admin.kit.choice_fields import ChecksField, RadioField
from admin.kit.forms import fill
from models.database import Database
from tests.kit.app import BookAdmin, EveryoneIsOlga, Publisher, PublisherAdmin, make_app
from tests.kit.recorded import begin_history, make_recorded
from tests.pages import get
from tests.personas import visit


class Doubtful(EveryoneIsOlga):
    """Doubts that it is Olga."""

    async def confirm(self, request: Request) -> Response | None:
        return PlainTextResponse("Is it you?", 401)


class DangerousAdmin(PublisherAdmin, model=Publisher):
    must_confirm = True
    can_undo = False

    def set_value(self, session: Session, obj: Any, name: str, value: Any) -> None:
        super().set_value(session, obj, name, value.title())


def names(library: Database) -> list[str]:
    stmt = select(Publisher.name).order_by(Publisher.id)
    return list(library.read(lambda session: session.scalars(stmt).all()))


@pytest.fixture
def murray(library: Database) -> Database:
    library.write(lambda session: session.add(Publisher(name="Murray")))
    return library


@pytest.mark.parametrize("path", ["create", "edit/1", "delete", "action/change", "cells", "cell/1"])
def test_who_is_there_is_asked_before_anything_changes(murray: Database, path: str) -> None:
    app = make_app(murray, DangerousAdmin, BookAdmin, authentication_backend=Doubtful())
    sent = {"name": "Egerton", "pks": "1", "confirmed": "yes"}
    answer = visit(app).post(f"/admin/publisher/{path}", data=sent)
    assert (answer.status_code, answer.text) == (401, "Is it you?")
    assert names(murray) == ["Murray"]


class UndoableAdmin(DangerousAdmin, model=Publisher):
    can_undo = True


@pytest.mark.parametrize("path", ["history/1/undo", "publisher/history/1?at=1", "publisher/trash"])
def test_nor_is_anything_taken_back_unasked(murray: Database, path: str) -> None:
    recorded = begin_history(murray)
    certain = visit(make_recorded(recorded, UndoableAdmin, BookAdmin))
    certain.post("/admin/publisher/edit/1", data={"name": "Egerton"})
    app = make_recorded(recorded, UndoableAdmin, BookAdmin, authentication_backend=Doubtful())
    answer = visit(app).post(f"/admin/{path}", data={"pks": "1"})
    assert (answer.status_code, answer.text) == (401, "Is it you?")
    assert names(murray) == ["Egerton"]


def test_where_nothing_is_dangerous_nobody_is_asked(murray: Database) -> None:
    app = make_app(murray, DangerousAdmin, BookAdmin, authentication_backend=Doubtful())
    assert visit(app).post("/admin/book/create", data={"title": "Emma"}).status_code == 302
    assert visit(app).get("/admin/publisher/list").status_code == 200


def test_a_view_may_set_values_in_its_own_way(murray: Database) -> None:
    client = visit(make_app(murray, DangerousAdmin, BookAdmin))
    client.post("/admin/publisher/create", data={"name": "egerton"})
    client.post("/admin/publisher/edit/1", data={"name": "john murray"})
    assert names(murray) == ["John Murray", "Egerton"]


def test_what_can_not_be_undone_has_no_undo_no_trash_and_no_restore(murray: Database) -> None:
    for view, has_it in ((DangerousAdmin, False), (PublisherAdmin, True)):
        client = visit(make_recorded(begin_history(murray), view, BookAdmin))
        client.post("/admin/publisher/edit/1", data={"name": f"Murray {has_it}"})
        page = get(client, "/admin/publisher/list")
        assert ("Undo" in page.root.text) == has_it
        assert ("Trash" in page.buttons) == has_it
        assert (client.get("/admin/publisher/trash").status_code == 200) == has_it


class Choices(Form):
    tags = ChecksField("Tags", choices={"1": "One", "2": "Two", "3": "Three"})
    way = RadioField("Way", choices={"walk": "Walk", "ride": "Ride"}, default="walk")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([("tags", "")], []),
        ([("tags", ""), ("tags", "3"), ("tags", "1"), ("tags", "1")], ["1", "3"]),
        ([], ["2"]),
    ],
)
def test_boxes_hold_what_is_ticked(sent: list[tuple[str, str]], expected: list[str]) -> None:
    """No box at all is an answer; a field that is not sent is none."""
    form = fill(Choices, {"tags": [2]}, FormData([*sent]))
    assert form.validate()
    assert form.data["tags"] == expected


@pytest.mark.parametrize(
    "sent", [[("tags", "4")], [("tags", "1"), ("tags", "x")], [("way", "fly")]]
)
def test_what_is_not_offered_is_refused(sent: list[tuple[str, str]]) -> None:
    form = fill(Choices, {}, FormData([*sent]))
    assert not form.validate()
    assert form.errors == {sent[0][0]: ["Choose one of the list."]}
