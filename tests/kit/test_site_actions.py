"""Actions of the whole site, and what their declarations can say."""

from typing import Any

import pytest
from sqladmin.exceptions import ImproperlyConfigured
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.testclient import TestClient
from wtforms import Form, StringField
from wtforms.validators import Length

from admin.kit import Action, SetValues, Work, action
from models.database import Database
from tests.kit.app import Book, BookAdmin, Publisher, PublisherAdmin, make_app
from tests.kit.browser import form_on
from tests.kit.pages import Allow, sentence, store
from tests.personas import visit

SENT: list[Any] = []


class Send(Action):
    """Sends something about the selected rows."""

    async def run(self, work: Work) -> str:
        SENT.append((work.view.name, work.selection.keys, work.data))
        return "It was sent."


class Message(Form):
    subject = StringField("Subject", [Length(min=3)])


@pytest.fixture
def app(library: Database) -> Starlette:
    SENT.clear()
    store(library, Book(title="Emma"), Publisher(name="Orion"))
    return make_app(library)


@pytest.fixture
def client(app: Starlette) -> TestClient:
    return visit(app)


def buttons(client: TestClient, page: str = "book/list") -> list[str]:
    text = client.get(f"/admin/{page}").text
    return [part.partition('"')[0] for part in text.split("/action/")[1:]]


def test_the_site_may_offer_an_action_everywhere(app: Starlette, client: TestClient) -> None:
    app.state.site.add_action(Send("send", "Send"))
    assert "send" in buttons(client)
    assert "send" in buttons(client, "publisher/details/1")
    page = client.post("/admin/publisher/action/send", data={"pks": "1"})
    assert "1 publisher" in sentence(page)
    assert SENT == []
    client.post("/admin/publisher/action/send", data=form_on(page.text))
    assert SENT == [("Publisher", ["1"], {})]
    assert "It was sent." in client.get("/admin/publisher/list").text


def test_the_site_may_switch_it_off_but_where_it_is_named(library: Database) -> None:
    class Named(BookAdmin, model=Book):
        actions = ["change"]

    app = make_app(library, Named, PublisherAdmin)
    site = app.state.site
    site.add_action(Send("send", "Send"))
    store(library, Book(title="Emma"), Publisher(name="Orion"))
    for name in ("change", "send"):
        site.disable_action(name)
    assert buttons(visit(app)) == ["change"]
    assert visit(app).post("/admin/book/action/send", data={"pks": "1"}).status_code == 404
    with pytest.raises(ImproperlyConfigured):
        site.disable_action("nothing")


def test_a_view_may_replace_it_or_leave_it_out(library: Database) -> None:
    class Without(BookAdmin, model=Book):
        disabled_actions = ["change"]

    class Other(PublisherAdmin, model=Publisher):
        actions = [Send("change", "Another")]

    store(library, Book(title="Emma"), Publisher(name="Orion"))
    client = visit(make_app(library, Without, Other))
    assert buttons(client) == []
    assert "Another" in client.get("/admin/publisher/list").text
    assert "Change fields" not in client.get("/admin/publisher/list").text


@pytest.mark.parametrize(
    ("rights", "status"),
    [([], 403), (["book:action:send"], 403), (["book:post"], 200), (["book:mail"], 200)],
)
def test_one_of_its_permissions_is_enough(
    library: Database, rights: list[str], status: int
) -> None:
    """Without any it is hidden as well as refused."""
    backend = Allow("book:list", *rights)
    app = make_app(library, BookAdmin, authorization_backend=backend)
    app.state.site.add_action(Send("send", "Send", permissions=["post", "mail"]))
    store(library, Book(title="Emma"))
    assert ("send" in buttons(visit(app))) == (status == 200)
    assert visit(app).post("/admin/book/action/send", data={"pks": "1"}).status_code == status


def test_a_form_is_checked_and_kept(app: Starlette, client: TestClient) -> None:
    app.state.site.add_action(Send("send", "Send", form=Message, question="Send it?"))
    sent = form_on(client.post("/admin/book/action/send", data={"pks": "1"}).text)
    wrong = client.post("/admin/book/action/send", data={**sent, "subject": "Hi"})
    assert (wrong.status_code, SENT) == (400, [])
    assert "Send it?" in sentence(wrong)
    assert "Field must be at least 3 characters long." in sentence(wrong)
    right = {**form_on(wrong.text), "subject": "Hello"}
    assert form_on(wrong.text)["subject"] == ["Hi"]
    assert client.post("/admin/book/action/send", data=right).status_code == 302
    assert SENT == [("Book", ["1"], {"subject": "Hello"})]


def test_it_is_not_run_on_rows_that_changed_since(
    app: Starlette, client: TestClient, library: Database
) -> None:
    app.state.site.add_action(Send("send", "Send"))
    sent = form_on(client.post("/admin/book/action/send", data={"pks": "1"}).text)
    library.write(lambda session: setattr(session.get_one(Book, 1), "title", "Emma II"))
    assert client.post("/admin/book/action/send", data=sent).status_code == 409
    assert SENT == []


def test_many_actions_are_in_a_menu(library: Database) -> None:
    class Busy(BookAdmin, model=Book):
        actions = [SetValues(f"s{n}", f"Shelf {n}", {"shelf": n}) for n in range(6)]

    store(library, Book(title="Emma"))
    page = visit(make_app(library, Busy)).get("/admin/book/list").text
    menu = page.partition("More actions")[2].partition("</details>")[0]
    assert [n for n in range(6) if f"Shelf {n}" in menu] == [4, 5]


def test_places_are_where_it_is_offered(library: Database) -> None:
    class Placed(BookAdmin, model=Book):
        actions = [SetValues("lend", "Lend", {"lendable": True}, places=["form"])]

        @action(name="both", label="Both", add_in_list=False)
        async def both(self, request: Any) -> None:
            """Do nothing."""

        @action(name="hide", label="Hide", add_in_detail=False, add_in_form=True)
        async def hide(self, request: Any) -> None:
            """Do nothing."""

    store(library, Book(title="Emma"))
    client = visit(make_app(library, Placed))
    assert buttons(client) == ["hide", "change"]
    assert buttons(client, "book/details/1") == ["both"]
    assert sorted(buttons(client, "book/edit/1")) == ["both", "hide", "lend"]
    assert buttons(client, "book/create") == []


def test_a_method_may_have_a_form_and_permissions(library: Database) -> None:
    class Mailing(BookAdmin, model=Book):
        @action(name="mail", label="Mail", form=Message, permissions=["mail"])
        async def mail(self, request: Any, data: dict[str, Any]) -> RedirectResponse:
            return RedirectResponse(f"/sent?{data['subject']}", 303)

    store(library, Book(title="Emma"))
    rights = Allow("book:list", "book:mail")
    client = visit(make_app(library, Mailing, authorization_backend=rights))
    sent = form_on(client.post("/admin/book/action/mail", data={"pks": "1"}).text)
    answer = client.post("/admin/book/action/mail", data={**sent, "subject": "Hello"})
    assert answer.headers["location"] == "/sent?Hello"
    rights = Allow("book:list", "book:action:mail")
    refused = visit(make_app(library, Mailing, authorization_backend=rights))
    assert refused.post("/admin/book/action/mail", data={"pks": "1"}).status_code == 403


def test_an_action_that_is_not_there_is_a_404(client: TestClient) -> None:
    assert client.post("/admin/book/action/nothing", data={"pks": "1"}).status_code == 404
