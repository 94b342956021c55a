"""What a form asks for is stored once, however often it is sent."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from httpx2 import Response
from sqladmin import action
from sqlalchemy import exc, func, select
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.kit.once import OPERATION_FIELD
from admin.settings import Settings
from admin.views import VIEWS
from admin.views.users import UserAdmin
from main import create_app
from models import ChangeSet, User
from models.database import Database
from tests.databases import statements
from tests.pages import Page, follow, get, submit
from tests.personas import sign_in, visit
from tests.records import add_user, users

CREATE, DELETE, LIST = "/admin/user/create", "/admin/user/delete", "/admin/user/list"
CAROL = {"name": "Carol", "email": "carol@example.org", "is_active": "y"}
AGAIN = "“Carol” was stored before; it was not stored again."

Sent = dict[str, Any]


def change_sets(database: Database) -> int:
    return database.read(lambda s: s.scalar(select(func.count()).select_from(ChangeSet))) or 0


def filled(client: TestClient, path: str, **changes: str) -> Sent:
    """Open a form and type into it, without sending it."""
    return {**get(client, path).fields(), **changes}


@pytest.fixture
def alice(database: Database) -> User:
    return add_user(database, "Alice")


@pytest.fixture
def edit(alice: User) -> str:
    return f"/admin/user/edit/{alice.id}"


def test_every_form_that_writes_bears_a_key_of_its_own(olga: TestClient, edit: str) -> None:
    paths = [CREATE, edit, f"{DELETE}?pks={edit.rpartition('/')[2]}"]
    keys = [get(olga, path).fields()[OPERATION_FIELD] for path in paths * 2]
    assert len(set(keys)) == len(keys)
    assert min(map(len, keys)) >= 20


def test_a_new_user_is_stored_once(olga: TestClient, database: Database) -> None:
    sent = filled(olga, f"{CREATE}?search=x", **CAROL)
    first = olga.post(f"{CREATE}?search=x", data=sent)
    message = follow(olga, first).links()["“Carol”"]
    again = olga.post(f"{CREATE}?search=x", data=sent)
    page = follow(olga, again)
    assert again.headers["location"] == first.headers["location"]
    assert (page.alerts, page.links()["“Carol”"]) == ([AGAIN], message)
    assert [user.name for user in users(database)] == ["Carol"]


def test_it_leads_to_the_same_object_after_save_and_continue(olga: TestClient) -> None:
    sent = filled(olga, CREATE, **CAROL, save="Save and continue editing")
    answers = [olga.post(CREATE, data=sent) for _ in range(2)]
    first, again = [answer.headers["location"] for answer in answers]
    assert first == again
    assert "/edit/" in first


def test_a_second_click_may_be_on_another_button(olga: TestClient, database: Database) -> None:
    sent = filled(olga, CREATE, **CAROL)
    olga.post(CREATE, data={**sent, "save": "Save"})
    answer = olga.post(CREATE, data={**sent, "save": "Save and add another"})
    assert answer.headers["location"] == CREATE
    assert len(users(database)) == 1


def test_a_change_is_stored_once(olga: TestClient, database: Database, edit: str) -> None:
    """The version it was opened at is stale by then, and is no reason to ask."""
    sent = filled(olga, edit, name="Carol")
    olga.post(edit, data=sent)
    count = change_sets(database)
    assert follow(olga, olga.post(edit, data=sent)).alerts[-1] == AGAIN
    assert change_sets(database) == count


def test_a_change_is_not_repeated_over_a_later_one(
    olga: TestClient, database: Database, edit: str
) -> None:
    sent = filled(olga, edit, name="Carol")
    olga.post(edit, data=sent)
    submit(olga, edit, name="Later")
    page = follow(olga, olga.post(edit, data=sent))
    assert page.alerts[-1] == "“Later” was stored before; it was not stored again."
    assert [user.name for user in users(database)] == ["Later"]


def test_the_row_may_be_gone_by_then(olga: TestClient, alice: User, edit: str) -> None:
    sent = filled(olga, edit, name="Carol")
    olga.post(edit, data=sent)
    olga.post(DELETE, data={"pks": str(alice.id)})
    answer = olga.post(edit, data=sent)
    assert answer.headers["location"] == LIST
    assert follow(olga, answer).alerts[-1] == AGAIN


def test_a_deletion_is_done_once(olga: TestClient, alice: User) -> None:
    sent = filled(olga, f"{DELETE}?pks={alice.id}&_back=search%3Da")
    first, again = olga.post(DELETE, data=sent), olga.post(DELETE, data=sent)
    assert again.headers["location"] == first.headers["location"] == f"{LIST}?search=a"
    alerts = follow(olga, again).alerts
    assert alerts[-1] == "This was deleted before; nothing more was deleted."


def test_other_content_under_the_same_key_is_not_lost(olga: TestClient, database: Database) -> None:
    sent = filled(olga, CREATE, **CAROL)
    olga.post(CREATE, data=sent)
    olga.post(CREATE, data={**sent, "name": "Dora", "email": "dora@example.org"})
    assert [user.name for user in users(database)] == ["Carol", "Dora"]


def test_a_refused_form_keeps_its_key_for_what_is_corrected(
    olga: TestClient, database: Database, alice: User
) -> None:
    sent = filled(olga, CREATE, **{**CAROL, "email": "alice@example.org"})
    corrected = {**Page(olga.post(CREATE, data=sent)).fields(), "email": "carol@example.org"}
    assert corrected[OPERATION_FIELD] == sent[OPERATION_FIELD]
    olga.post(CREATE, data=corrected)
    assert follow(olga, olga.post(CREATE, data=corrected)).alerts[-1] == AGAIN
    assert len(users(database)) == 2


def test_the_key_of_someone_else_is_nothing_special(
    olga: TestClient, app: Starlette, database: Database
) -> None:
    """It neither stops a form nor tells what was stored under it."""
    sent = filled(olga, CREATE, **CAROL)
    olga.post(CREATE, data=sent)
    eve = sign_in(app, database, "eve", is_superuser=True)
    page = Page(eve.post(CREATE, data=sent))
    assert page.error("email") == "A user with this e-mail already exists."
    sent |= {"name": "Dora", "email": "dora@example.org"}
    assert follow(eve, eve.post(CREATE, data=sent)).alerts == ["The user “Dora” was added."]


@pytest.mark.parametrize("key", ["", "x", "\0", "é" * 10_000, "00000000-0000-0000-0000-0000"])
def test_any_key_will_do(olga: TestClient, database: Database, key: str) -> None:
    for _ in range(2):
        assert olga.post(CREATE, data={**CAROL, OPERATION_FIELD: key}).status_code in (302, 400)
    assert len(users(database)) == 1


def test_without_a_key_each_request_is_one_of_its_own(olga: TestClient, edit: str) -> None:
    for said in ("was changed.", "stays as it was."):
        page = follow(olga, olga.post(edit, data={"name": "Carol"}))
        assert page.alerts[-1] == f"The user “Carol” {said}"


def test_a_key_costs_no_statement(olga: TestClient, database: Database, edit: str) -> None:
    counts = []
    for name, path, sent in (
        ("Bare", edit, {"name": "Bare"}),
        ("Keyed", edit, {"name": "Keyed", OPERATION_FIELD: "a key"}),
    ):
        with statements(database) as executed:
            assert olga.post(path, data=sent).status_code == 302, name
        counts.append(len(executed))
    assert counts[0] == counts[1]


# Actions


class SuffixAdmin(UserAdmin, model=User):
    @action(name="mark", label="Mark")
    async def mark(self, request: Any) -> None:
        def change(session: Session, found: list[User]) -> None:
            for user in found:
                user.name += "!"

        await self.selected_objects(request, change)

    @action(name="twice", label="Mark twice", confirmation_message="Mark twice?")
    async def twice(self, request: Any) -> None:
        await self.mark(request)
        await self.mark(request)


@pytest.fixture
def marking(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, database: Database, alice: User
) -> TestClient:
    """Sign in Olga where users can be marked."""
    monkeypatch.setattr("admin.site.VIEWS", [SuffixAdmin, *VIEWS[1:]])
    return sign_in(create_app(settings, database), database, "olga", is_superuser=True)


def names(database: Database) -> list[str]:
    return [user.name for user in users(database)]


def test_an_action_is_done_once(marking: TestClient, database: Database, alice: User) -> None:
    button, *_ = get(marking, LIST).root.find("button", name=OPERATION_FIELD)
    sent = {OPERATION_FIELD: button.attributes["value"], "pks": str(alice.id)}
    answers = [marking.post("/admin/user/action/mark", data=sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert names(database) == ["Alice!"]
    alerts = get(marking, LIST).alerts
    assert alerts == ["This was done before; it was not done again."]


def test_an_action_of_two_steps_is_two_operations(
    marking: TestClient, database: Database, alice: User
) -> None:
    """The page that asks hands the key on."""
    path = "/admin/user/action/twice"
    sent = Page(marking.post(path, data={"pks": str(alice.id), OPERATION_FIELD: "k"})).fields()
    assert sent[OPERATION_FIELD] == "k"
    del sent["_seen"]
    for _ in range(2):
        assert marking.post(path, data=sent).status_code == 302
    assert names(database) == ["Alice!!"]


# At once, and over a connection that is lost


@pytest.fixture
def real_app(real_settings: Settings, real_database: Database) -> Iterator[Starlette]:
    with visit(app := create_app(real_settings, real_database)):
        yield app


@pytest.mark.parametrize("backend", ["postgresql", "sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["create", "edit", "delete"])
def test_the_same_request_eight_times_at_once_is_stored_once(
    real_app: Starlette, real_database: Database, kind: str
) -> None:
    alice = add_user(real_database, "Alice")
    olga = sign_in(real_app, real_database, "olga", is_superuser=True)
    path = {"create": CREATE, "edit": f"/admin/user/edit/{alice.id}", "delete": DELETE}[kind]
    asked = f"{DELETE}?pks={alice.id}" if kind == "delete" else path
    sent = filled(olga, asked, **({} if kind == "delete" else CAROL))
    barrier, before = Barrier(8), change_sets(real_database)

    def send(_number: int) -> Response:
        client = visit(real_app, cookies=dict(olga.cookies))
        barrier.wait()
        return client.post(path, data=sent)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {(a.status_code, a.headers.get("location")) for a in answers} == {(302, LIST)}
    assert change_sets(real_database) == before + 1
    expected = {"create": ["Alice", "Carol"], "edit": ["Carol"], "delete": []}
    assert names(real_database) == expected[kind]


def test_what_was_sent_while_the_database_went_away_is_sent_again_safely(
    olga: TestClient, app: Starlette, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although it was stored, and only the answer got lost; the form had no key yet."""
    write = Database.write

    def lose_the_answer(self: Database, work: Any, **options: Any) -> None:
        write(self, work, **options)
        raise exc.OperationalError("COMMIT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", lose_the_answer)
        answer = olga.post(CREATE, data=CAROL)
    assert answer.status_code == 503
    assert "it is stored only once" in Page(answer).root.text
    again = olga.post(CREATE, data=Page(answer).fields())
    assert follow(olga, again).alerts == [AGAIN]
    assert len(users(database)) == 1


UNDONE = (
    "This was done before and undone since. It was not done again: open the form anew to do so."
)


def undo_last(client: TestClient, page: Page) -> None:
    (form,) = page.root.find("form", **{"class": "undo"})
    assert client.post(form.attributes["action"]).status_code == 302


def test_what_was_undone_since_is_not_called_stored(
    olga: TestClient, database: Database, edit: str
) -> None:
    sent = filled(olga, edit, name="Carol")
    undo_last(olga, follow(olga, olga.post(edit, data=sent)))
    assert follow(olga, olga.post(edit, data=sent)).alerts[-1] == UNDONE
    assert [user.name for user in users(database)] == ["Alice"]
    assert (
        follow(olga, submit(olga, edit, name="Carol")).alerts[-1] == "The user “Carol” was changed."
    )


def test_what_was_undone_since_is_not_called_deleted(
    olga: TestClient, database: Database, alice: User
) -> None:
    sent = filled(olga, f"{DELETE}?pks={alice.id}")
    undo_last(olga, follow(olga, olga.post(DELETE, data=sent)))
    assert follow(olga, olga.post(DELETE, data=sent)).alerts[-1] == UNDONE
    assert [user.name for user in users(database)] == ["Alice"]
