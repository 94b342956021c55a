"""Rows without a version are told apart by what they hold."""

from starlette.testclient import TestClient

from models.database import Database
from tests.kit.app import Publisher
from tests.kit.browser import form_on


def test_a_row_without_a_version_is_not_deleted_unseen(
    library: Database, client: TestClient
) -> None:
    library.write(lambda session: session.add(Publisher(id=1, name="Murray")))
    sent = form_on(client.get("/admin/publisher/delete?pks=1").text)
    client.post("/admin/publisher/edit/1", data={"name": "Egerton"})
    answer = client.post("/admin/publisher/delete", data=sent)
    assert answer.status_code == 409
    assert "“Egerton” was changed." in answer.text
    assert client.post("/admin/publisher/delete", data=form_on(answer.text)).status_code == 302


def test_a_row_that_stayed_as_it_was_is_deleted(library: Database, client: TestClient) -> None:
    library.write(lambda session: session.add(Publisher(id=1, name="Murray")))
    sent = form_on(client.get("/admin/publisher/delete?pks=1").text)
    assert client.post("/admin/publisher/delete", data=sent).status_code == 302
