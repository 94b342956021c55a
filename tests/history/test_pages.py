"""The pages of the history, as operators of the application meet them."""

import re
from uuid import uuid4

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from admin.history import JOURNAL
from admin.kit.history import prune
from models import Post, User
from models.base import utc_now
from models.database import Database
from tests.databases import statements
from tests.history.conftest import change_sets
from tests.pages import Page, follow, get, submit
from tests.personas import add_operator, visit
from tests.records import add_post, add_user, posts, users

HISTORY = "/admin/history"


def undo_path(page: Page) -> str:
    """Return where the message's button leads."""
    (form,) = page.root.find("form", **{"class": "undo"})
    assert (form.text, form.attributes["method"]) == ("Undo", "post")
    return form.attributes["action"]


def rename(client: TestClient, user: User, name: str) -> Page:
    """Change a user's name by the form."""
    return follow(client, submit(client, f"/admin/user/edit/{user.id}", name=name))


def remove(client: TestClient, *rows: User) -> Page:
    keys = [str(row.id) for row in rows]
    return follow(client, client.post("/admin/user/delete", data={"pks": keys}))


@pytest.fixture
def alice(recorded: Database) -> User:
    return add_user(recorded, "Alice")


def names(database: Database) -> list[str]:
    return [user.name for user in users(database)]


def whats(page: Page) -> list[str]:
    return [cell.text for cell in page.root.find("th", scope="row")]


# Undo in a message


def test_an_edit_is_undone_from_its_message_and_that_again(
    olga: TestClient, alice: User, database: Database
) -> None:
    page = rename(olga, alice, "Alicia")
    page = follow(olga, olga.post(undo_path(page)))
    assert names(database) == ["Alice"]
    assert page.alerts == ["Undone: 1 row was put back."]
    follow(olga, olga.post(undo_path(page)))
    assert names(database) == ["Alicia"]


def test_a_new_row_is_undone_from_its_message(olga: TestClient, database: Database) -> None:
    response = submit(olga, "/admin/user/create", name="Zoe", email="zoe@example.org")
    olga.post(undo_path(follow(olga, response)))
    assert names(database) == []


def test_a_deletion_is_undone_from_its_message(
    olga: TestClient, alice: User, database: Database
) -> None:
    add_post(database, alice, "Hello")
    olga.post(undo_path(remove(olga, alice)))
    assert names(database) == ["Alice"]
    assert [post.title for post in posts(database)] == ["Hello"]


def test_a_save_that_changed_nothing_offers_no_undo(olga: TestClient, alice: User) -> None:
    page = rename(olga, alice, "Alice")
    assert not page.root.find("form", **{"class": "undo"})


def test_learning_what_to_undo_takes_no_statement(
    olga: TestClient, alice: User, database: Database
) -> None:
    submit(olga, f"/admin/user/edit/{alice.id}", name="Alicia")
    olga.get("/admin/user/list")
    with statements(database) as plain:
        olga.get("/admin/user/list")
    submit(olga, f"/admin/user/edit/{alice.id}", name="Alice")
    with statements(database) as with_message:
        page = get(olga, "/admin/user/list")
    assert undo_path(page)
    assert len(with_message) == len(plain)


# Undo, attacked


def test_an_undo_sent_twice_is_done_once(olga: TestClient, alice: User, database: Database) -> None:
    path = undo_path(rename(olga, alice, "Alicia"))
    olga.post(path)
    page = follow(olga, olga.post(path))
    (*_, last) = change_sets(database)
    assert f"This was undone before, by change {last.id}." in page.alerts[-1]
    assert names(database) == ["Alice"]
    assert [found.source for found in change_sets(database)].count("undo") == 1


@pytest.mark.parametrize("number", ["0", "01", "99", "9" * 19, "9" * 40, "x", "-1", "1.5", "%00"])
@pytest.mark.parametrize("way", ["", "/undo"])
def test_a_change_that_does_not_exist_is_a_404(olga: TestClient, number: str, way: str) -> None:
    method = "POST" if way else "GET"
    assert olga.request(method, f"{HISTORY}/{number}{way}").status_code == 404


def test_an_unknown_operation_is_a_404(olga: TestClient) -> None:
    assert olga.post(f"{HISTORY}/{uuid4().hex}/undo").status_code == 404


def test_an_undo_is_never_done_by_a_get(olga: TestClient, alice: User, database: Database) -> None:
    path = undo_path(rename(olga, alice, "Alicia"))
    assert olga.get(path).status_code == 405
    assert names(database) == ["Alicia"]


def test_a_viewer_sees_no_button_and_is_refused(
    olga: TestClient, vera: TestClient, alice: User, database: Database
) -> None:
    path = undo_path(rename(olga, alice, "Alicia"))
    (*_, last) = change_sets(database)
    page = get(vera, f"{HISTORY}/{last.id}")
    assert page.buttons == []
    for address in (path, f"{HISTORY}/{last.id}/undo"):
        assert vera.post(address).status_code == 403
    assert names(database) == ["Alicia"]


def test_a_change_of_operators_is_seen_by_who_may_list_them_and_undone_by_nobody(
    olga: TestClient, vera: TestClient, recorded: Database
) -> None:
    add_operator(recorded, "eve", "Viewer")
    (*_, last) = change_sets(recorded)
    for client, status in ((olga, 200), (vera, 404)):
        assert client.get(f"{HISTORY}/{last.id}").status_code == status
        assert client.post(f"{HISTORY}/{last.id}/undo").status_code == 403
    for query in ("", "?search=eve"):
        assert "eve" not in " ".join(whats(get(vera, HISTORY + query)))
    assert vera.get("/admin/operator/history/1").status_code == 403


def test_what_changed_since_is_said_and_left_alone(
    olga: TestClient, alice: User, database: Database
) -> None:
    path = undo_path(rename(olga, alice, "Alicia"))
    rename(olga, alice, "Alina")
    response = olga.post(path)
    page = Page(response)
    assert response.status_code == 409
    assert page.root.find("li")
    assert "The user “Alicia” was changed since (name)." in page.root.text
    assert not [b for b in page.buttons if b.startswith("Undo")]
    assert names(database) == ["Alina"]


def test_the_others_can_be_undone_all_the_same(
    olga: TestClient, alice: User, database: Database
) -> None:
    bob = add_user(database, "Bob")
    path = undo_path(remove(olga, alice, bob))
    add_user(database, "Bobby", email="bob@example.org")
    page = Page(olga.post(path))
    assert "“Bob” can't come back: another one has the same e-mail by now." in page.root.text
    assert names(database) == ["Bobby"]
    (form,) = page.root.find("form", **{"class": "sheet"})
    assert "Undo the other 1" in form.text
    done = follow(olga, olga.post(form.attributes["action"], data={"skip": "1"}))
    assert done.alerts == ["Undone: 1 row was put back. 1 row was left as it is."]
    assert names(database) == ["Alice", "Bobby"]


# The list of all changes


def test_the_list_says_who_did_what_from_where(olga: TestClient, alice: User) -> None:
    rename(olga, alice, "Alicia")
    (row, *_) = get(olga, HISTORY).table
    assert {"olga", "Form", "Changed “Alicia”"} <= set(row)


def test_a_deletion_is_told_with_what_went_along(
    olga: TestClient, alice: User, database: Database
) -> None:
    for title in ("One", "Two"):
        add_post(database, alice, title)
    remove(olga, alice)
    assert whats(get(olga, HISTORY))[0] == "Deleted “Alice” and 2 posts"


def test_what_was_undone_says_by_which(olga: TestClient, alice: User, database: Database) -> None:
    olga.post(undo_path(rename(olga, alice, "Alicia")))
    (*_, edit, undoing) = change_sets(database)
    first, second, *_ = whats(get(olga, HISTORY))
    assert first == f"Changed “Alice” Undoes {edit.id}"
    assert second == f"Changed “Alicia” Undone by {undoing.id}"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("operator=olga", 2),
        ("operator=nobody", 0),
        ("model=user", 2),
        ("model=post", 0),
        ("action=create", 1),
        ("action=update", 1),
        ("model=user&action=delete", 0),
        ("source=form", 2),
        ("action=sign+in", 1),
        ("action=refuse", 0),
        ("action=export", 0),
        ("source=undo", 0),
        ("search=alic", 2),
        ("search=alicia", 1),
        ("search=%25", 0),
        ("search=_lice", 0),
        ("from=2000-01-01", 3),
        ("to=2000-01-01", 0),
        ("from=2999-01-01", 0),
        ("from=2000-01-01&to=2999-01-01", 3),
    ],
)
def test_the_list_is_filtered(olga: TestClient, alice: User, query: str, count: int) -> None:
    rename(olga, alice, "Alicia")
    page = get(olga, f"{HISTORY}?{query}")
    assert len(whats(page)) == count
    assert page.links()["Clear all"] == HISTORY


@pytest.mark.parametrize(
    "query",
    [
        "model=passkey",
        "model=nothing",
        "action=drop",
        "source=moon",
        "from=yesterday",
        "to=2026-02-30",
        "to=9999-12-31",
        "before=0",
        "before=-1",
        "after=x",
        "before=" + "9" * 30,
        "search=%00",
        "operator=%00",
        "search=" + "x" * 201,
    ],
)
def test_a_filter_that_makes_no_sense_is_a_400(olga: TestClient, query: str) -> None:
    assert olga.get(f"{HISTORY}?{query}").status_code == 400


def test_pages_lead_through_all_changes_and_back(
    olga: TestClient, alice: User, recorded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.kit.history.timeline.PAGE", 2)
    for number in range(4):
        add_user(recorded, f"User{number}")
    first = get(olga, f"{HISTORY}?source=command")
    second = get(olga, first.links()["Older"])
    third = get(olga, second.links()["Older"])
    assert whats(first) + whats(second) + whats(third) == [
        *(f"Added “User{number}”" for number in (3, 2, 1, 0)),
        "Added “Alice”",
    ]
    assert "Older" not in third.links()
    assert whats(get(olga, third.links()["Newer"])) == whats(second)
    assert "Newer" not in first.links()


def test_a_search_looks_at_a_bounded_part_and_leads_on(
    olga: TestClient, alice: User, recorded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        add_user(recorded, f"User{number}")
    monkeypatch.setattr("admin.kit.history.timeline.WINDOW", 2)
    path, found = f"{HISTORY}?search=alice", []
    while path:
        page = get(olga, path)
        found += whats(page)
        path = page.links().get("Older", "")
    assert found == ["Added “Alice”"]


def test_the_list_takes_the_same_statements_whatever_it_shows(
    olga: TestClient, alice: User, recorded: Database, database: Database
) -> None:
    get(olga, HISTORY)
    with statements(database) as few:
        get(olga, HISTORY)
    for number in range(20):
        add_user(recorded, f"User{number}")
    with statements(database) as many:
        get(olga, HISTORY)
    assert len(few) == len(many) == 3


def test_the_menu_marks_the_history_on_the_page_of_a_change(
    olga: TestClient, alice: User, database: Database
) -> None:
    for path, how in ((HISTORY, "page"), (f"{HISTORY}/{change_sets(database)[-1].id}", "true")):
        (menu,) = get(olga, path).root.find("nav", id="menu")
        assert [a.text for a in menu.find("a", **{"aria-current": how})] == ["History"]


# Events


def test_one_s_own_sign_ins_and_refusals_are_told(olga: TestClient, vera: TestClient) -> None:
    """Others are told only with a right of its own: what was typed may be a password."""
    vera.get("/admin/user/create")
    visit(vera.app).post("/admin/login", data={"username": "vera", "password": "wrong"})
    told = ["Sign-in refused", "Refused: GET /admin/user/create", "Signed in"]
    assert whats(get(vera, HISTORY)) == told
    assert whats(get(olga, HISTORY)) == [*told, "Signed in"]
    (recent,) = get(vera, "/admin/").root.find("section", **{"class": "recent"})
    assert [link.text for link in recent.find("a")] == ["Refused: GET /admin/user/create"]


def test_an_event_of_somebody_else_is_a_404(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    hers, mine = change_sets(database)
    page = get(vera, f"{HISTORY}/{mine.id}")
    assert page.table == [["–", "", "Signed in", ""]]
    assert not [b for b in page.buttons if b == "Undo"]
    assert vera.get(f"{HISTORY}/{hers.id}").status_code == 404


def test_an_export_is_told_to_who_may_see_what_was_exported(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    olga.get("/admin/user/export/csv")
    assert whats(get(vera, HISTORY))[0] == "Exported users as CSV"
    (*_, last) = change_sets(database)
    assert get(vera, f"{HISTORY}/{last.id}").table == [["CSV", "User", "Exported", ""]]


def test_everybody_is_told_that_old_history_was_removed(
    vera: TestClient, alice: User, recorded: Database
) -> None:
    recorded.write(lambda session: prune(JOURNAL, session, utc_now()))
    assert whats(get(vera, HISTORY)) == ["Old history removed"]


# One object


def test_an_object_tells_what_was_changed_by_whom(olga: TestClient, alice: User) -> None:
    rename(olga, alice, "Alicia")
    page = get(olga, f"/admin/user/history/{alice.id}")
    assert page.heading == "History of Alicia"
    last, first = page.root.find("ol", **{"class": "moments"})[0].find("li")
    assert "Changed" in last.text
    assert "olga" in last.text
    assert [dd.text for dd in last.find("dd")] == ["Removed: Alice Added: Alicia"]
    labels = [dt.text for dt in first.find("dt")]
    assert {"Name", "E-mail", "Active", "Created"} <= set(labels)


def test_a_long_text_is_compared_word_by_word(
    olga: TestClient, alice: User, recorded: Database
) -> None:
    post = add_post(recorded, alice, "Hello", content="The quick brown fox jumps over the dog.")
    text = "The quick red fox jumps over the dog."
    submit(olga, f"/admin/post/edit/{post.id}", content=text)
    page = get(olga, f"/admin/post/history/{post.id}")
    (last, *_) = page.root.find("ol", **{"class": "moments"})[0].find("li")
    assert [d.text for d in last.find("del")] == ["Removed: brown"]
    assert [i.text for i in last.find("ins")] == ["Added: red"]


def test_a_reference_is_called_by_the_name_of_what_it_refers_to(
    olga: TestClient, alice: User, recorded: Database
) -> None:
    post, bob = add_post(recorded, alice, "Hello"), add_user(recorded, "Bob")
    submit(olga, f"/admin/post/edit/{post.id}", author=str(bob.id))
    page = get(olga, f"/admin/post/history/{post.id}")
    (last, *_) = page.root.find("ol", **{"class": "moments"})[0].find("li")
    assert [dt.text for dt in last.find("dt")] == ["Author"]
    said = f"Removed: Alice ({alice.id}) Added: Bob ({bob.id})"
    assert [dd.text for dd in last.find("dd")] == [said]


def test_an_object_that_was_never_recorded_has_no_history_yet(
    olga: TestClient, database: Database
) -> None:
    bob = add_user(database, "Bob")
    assert "This has no history yet." in get(olga, f"/admin/user/history/{bob.id}").root.text


def test_an_object_that_is_gone_still_has_its_history(olga: TestClient, alice: User) -> None:
    remove(olga, alice)
    page = get(olga, f"/admin/user/history/{alice.id}")
    assert page.heading == "History of Alice"
    assert "This was deleted." in page.root.text
    assert page.links()["Restore it from the trash"] == "/admin/user/trash"


@pytest.mark.parametrize("key", ["0", "99", "01", "x", "9" * 30, "%00", "1;2"])
def test_an_object_that_never_was_is_a_404(olga: TestClient, key: str) -> None:
    assert olga.get(f"/admin/user/history/{key}").status_code == 404
    assert olga.post(f"/admin/user/history/{key}?at=1").status_code == 404


def test_names_and_values_are_never_markup(olga: TestClient, alice: User) -> None:
    rename(olga, alice, "<script>alert(1)</script>")
    remove(olga, alice)
    for path in (HISTORY, f"/admin/user/history/{alice.id}", "/admin/user/trash", "/admin/"):
        text = olga.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_forms_and_details_lead_to_the_history(olga: TestClient, alice: User) -> None:
    for page in ("edit", "details"):
        links = get(olga, f"/admin/user/{page}/{alice.id}").root.find("main")[0].find("a")
        found = [a.attributes["href"] for a in links if a.text == "History"]
        assert found == [f"/admin/user/history/{alice.id}"]


# Versions


def test_an_earlier_version_is_shown_and_restored(
    olga: TestClient, alice: User, database: Database
) -> None:
    created = change_sets(database)[-1].id
    rename(olga, alice, "Alicia")
    path = f"/admin/user/history/{alice.id}?at={created}"
    page = get(olga, path)
    assert "Alice" in [dd.text for dd in page.root.find("dd")]
    done = follow(olga, olga.post(path, data=page.fields()))
    assert names(database) == ["Alice"]
    assert done.alerts == [f"The user “Alicia” is as it was after change {created}."]
    follow(olga, olga.post(undo_path(done)))
    assert names(database) == ["Alicia"]


def test_a_version_restored_twice_is_restored_once(
    olga: TestClient, alice: User, database: Database
) -> None:
    created = change_sets(database)[-1].id
    rename(olga, alice, "Alicia")
    path = f"/admin/user/history/{alice.id}?at={created}"
    fields = get(olga, path).fields()
    assert olga.post(path, data=fields).status_code == 302
    assert "nothing was changed" in follow(olga, olga.post(path, data=fields)).alerts[-1]
    rename(olga, alice, "Alina")
    assert olga.post(path, data=fields).status_code == 409
    assert names(database) == ["Alina"]


def test_a_reference_is_restored_as_well(olga: TestClient, alice: User, recorded: Database) -> None:
    post, bob = add_post(recorded, alice, "Hello"), add_user(recorded, "Bob")
    created = change_sets(recorded)[-2].id
    submit(olga, f"/admin/post/edit/{post.id}", author=str(bob.id))
    path = f"/admin/post/history/{post.id}?at={created}"
    page = get(olga, path)
    assert "Alice" in page.root.find("dl")[0].text
    assert olga.post(path, data=page.fields()).status_code == 302
    assert [post.user_id for post in posts(recorded)] == [alice.id]


def test_a_value_taken_meanwhile_is_a_sentence(
    olga: TestClient, alice: User, database: Database
) -> None:
    created = change_sets(database)[-1].id
    submit(olga, f"/admin/user/edit/{alice.id}", email="alicia@example.org")
    add_user(database, "Bob", email="alice@example.org")
    response = olga.post(f"/admin/user/history/{alice.id}?at={created}")
    assert response.status_code == 400
    assert Page(response).alerts[-1:] == ["A user with this e-mail already exists."]


@pytest.mark.parametrize("at", ["0", "x", "99", "9" * 19, "9" * 40])
def test_a_version_that_never_was_is_a_404(olga: TestClient, alice: User, at: str) -> None:
    path = f"/admin/user/history/{alice.id}?at={at}"
    assert olga.get(path).status_code == 404
    assert olga.post(path).status_code == 404


def test_a_viewer_may_look_at_a_version_and_not_restore_it(
    olga: TestClient, vera: TestClient, alice: User, database: Database
) -> None:
    created = change_sets(database)[-1].id
    rename(olga, alice, "Alicia")
    path = f"/admin/user/history/{alice.id}?at={created}"
    assert [b for b in get(vera, path).buttons if "Restore" in b] == []
    assert vera.post(path).status_code == 403
    assert names(database) == ["Alicia"]


# The trash


def restore(client: TestClient, row: User | Post, model: str = "user") -> Response:
    return client.post(f"/admin/{model}/trash", data={"pks": str(row.id)})


def test_what_was_deleted_is_restored_with_what_went_along(
    olga: TestClient, alice: User, database: Database
) -> None:
    post = add_post(database, alice, "Hello")
    remove(olga, alice)
    page = get(olga, "/admin/user/trash")
    assert whats(page) == ["Alice"]
    done = follow(olga, restore(olga, alice))
    assert done.alerts == ["The user “Alice” was restored, with 1 that went along."]
    assert [(user.id, user.name) for user in users(database)] == [(alice.id, "Alice")]
    assert [p.id for p in posts(database)] == [post.id]
    assert whats(get(olga, "/admin/user/trash")) == []


def test_one_of_many_is_restored_alone(olga: TestClient, alice: User, database: Database) -> None:
    bob = add_user(database, "Bob")
    for author in (alice, bob):
        add_post(database, author, f"By {author.name}")
    remove(olga, alice, bob)
    restore(olga, bob)
    assert names(database) == ["Bob"]
    assert [post.title for post in posts(database)] == ["By Bob"]
    assert whats(get(olga, "/admin/user/trash")) == ["Alice"]
    restore(olga, alice)
    assert names(database) == ["Alice", "Bob"]


def test_a_restore_can_be_undone(olga: TestClient, alice: User, database: Database) -> None:
    remove(olga, alice)
    olga.post(undo_path(follow(olga, restore(olga, alice))))
    assert names(database) == []
    assert whats(get(olga, "/admin/user/trash")) == ["Alice"]


def test_a_unique_value_taken_meanwhile_is_named(
    olga: TestClient, alice: User, database: Database
) -> None:
    remove(olga, alice)
    add_user(database, "Bob", email="alice@example.org")
    page = follow(olga, restore(olga, alice))
    sentence = "The user “Alice” can't come back: another one has the same e-mail by now."
    assert page.alerts == [f"Nothing was restored. {sentence}"]
    assert names(database) == ["Bob"]


def test_a_row_whose_parent_is_gone_stays_in_the_trash(
    olga: TestClient, alice: User, database: Database
) -> None:
    post = add_post(database, alice, "Hello")
    remove(olga, alice)
    page = follow(olga, restore(olga, post, "post"))
    assert "what it refers to (author) is gone" in page.alerts[0]
    assert posts(database) == []


def test_a_restore_sent_twice_is_done_once(
    olga: TestClient, alice: User, database: Database
) -> None:
    remove(olga, alice)
    restore(olga, alice)
    assert "is there again" in follow(olga, restore(olga, alice)).alerts[-1]
    assert names(database) == ["Alice"]


@pytest.mark.parametrize("key", ["", "0", "99", "01", "x", "9" * 30, "\0"])
def test_a_key_that_was_never_deleted_is_a_404(
    olga: TestClient, alice: User, database: Database, key: str
) -> None:
    assert olga.post("/admin/user/trash", data={"pks": key}).status_code == 404
    assert names(database) == ["Alice"]


@pytest.mark.parametrize("cursor", ["x", "1", "0.1", "1.0", "9" * 30 + ".1", "1.1.1", "%00"])
def test_a_place_in_the_trash_that_makes_no_sense_is_a_400(olga: TestClient, cursor: str) -> None:
    assert olga.get(f"/admin/user/trash?before={cursor}").status_code == 400


def test_the_trash_is_read_page_by_page(
    olga: TestClient, alice: User, recorded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.kit.history.trash.PAGE", 2)
    rows = [add_user(recorded, f"User{number}") for number in range(3)]
    remove(olga, alice, *rows)
    first = get(olga, "/admin/user/trash")
    second = get(olga, first.links()["Older"])
    assert sorted(whats(first) + whats(second)) == ["Alice", "User0", "User1", "User2"]
    assert "Older" not in second.links()


def test_the_trash_is_only_for_those_who_may_create(
    olga: TestClient, vera: TestClient, alice: User
) -> None:
    remove(olga, alice)
    assert "Trash" in get(olga, "/admin/user/list").links()
    assert "Trash" not in get(vera, "/admin/user/list").links()
    assert vera.get("/admin/user/trash").status_code == 403
    assert restore(vera, alice).status_code == 403


# The front page and the menu


def test_the_front_page_shows_what_one_did_last(
    olga: TestClient, vera: TestClient, alice: User
) -> None:
    rename(olga, alice, "Alicia")
    (recent,) = get(olga, "/admin/").root.find("section", **{"class": "recent"})
    assert [link.text for link in recent.find("a")] == ["Changed “Alicia”"]
    assert not get(vera, "/admin/").root.find("section", **{"class": "recent"})


def test_the_menu_leads_to_the_history(olga: TestClient, mallory: TestClient) -> None:
    (menu,) = get(olga, HISTORY).root.find("nav", id="menu")
    (entry,) = [a for a in menu.find("a") if a.text == "History"]
    assert entry.attributes == {"href": HISTORY, "aria-current": "page"}
    assert mallory.get(HISTORY).status_code == 302


def test_every_link_of_these_pages_leads_somewhere(
    olga: TestClient, alice: User, database: Database
) -> None:
    post = add_post(database, alice, "Hello")
    rename(olga, alice, "Alicia")
    remove(olga, alice)
    last = change_sets(database)[-1].id
    starts = [HISTORY, f"{HISTORY}/{last}", f"/admin/user/history/{alice.id}"]
    for start in [*starts, f"/admin/post/history/{post.id}", "/admin/user/trash"]:
        for text, link in get(olga, start).links().items():
            if not link.startswith("#"):
                assert (
                    olga.get(
                        re.sub("#.*", "", link) if link[0] == "/" else start + link
                    ).status_code
                    == 200
                ), (start, text, link)


def test_the_trash_takes_the_same_statements_whatever_is_in_it(
    olga: TestClient, alice: User, recorded: Database, database: Database
) -> None:
    remove(olga, alice)
    get(olga, "/admin/user/trash")
    with statements(database) as few:
        get(olga, "/admin/user/trash")
    remove(olga, *(add_user(recorded, f"User{number}") for number in range(30)))
    get(olga, "/admin/user/trash")
    with statements(database) as many:
        assert len(whats(get(olga, "/admin/user/trash"))) == 31
    assert len(few) == len(many) <= 6


def test_an_object_takes_the_same_statements_however_much_happened(
    olga: TestClient, alice: User, database: Database
) -> None:
    rename(olga, alice, "Alicia")
    path = f"/admin/user/history/{alice.id}"
    get(olga, path)
    with statements(database) as few:
        get(olga, path)
    for number in range(5):
        rename(olga, alice, f"Alice {number}")
    with statements(database) as many:
        get(olga, path)
    assert len(few) == len(many) <= 5


def test_how_it_was_before_what_was_removed_is_not_guessed(
    olga: TestClient, alice: User, recorded: Database
) -> None:
    """Going back from now would end at the oldest kept change, and call that the version."""
    rename(olga, alice, "Alicia")
    numbers = [change_set.id for change_set in change_sets(recorded)]
    rename(olga, alice, "Ally")
    last = change_sets(recorded)[-1].id
    recorded.write(lambda session: prune(JOURNAL, session, utc_now()))
    path = f"/admin/user/history/{alice.id}?at="
    assert {olga.get(f"{path}{n}").status_code for n in numbers} == {404}
    assert olga.post(f"{path}{numbers[-1]}").status_code == 404
    assert get(olga, f"{path}{last}").heading == f"Ally after change {last}"


def test_what_was_typed_over_a_deletion_is_kept_until_it_is_restored(
    olga: TestClient, alice: User, database: Database
) -> None:
    edit = f"/admin/user/edit/{alice.id}"
    sent = get(olga, edit).fields() | {"name": "Alicia"}
    undo = undo_path(remove(olga, alice))
    answer = olga.post(edit, data=sent)
    assert answer.status_code == 404
    assert Page(answer).fields()["name"] == "Alicia"
    olga.post(undo)
    assert olga.post(edit, data=Page(answer).fields()).status_code == 302
    assert names(database) == ["Alicia"]


# Reasons


def test_why_something_was_changed_is_kept_and_shown(
    olga: TestClient, alice: User, database: Database
) -> None:
    edit = f"/admin/user/edit/{alice.id}"
    submit(olga, edit, name="Alicia", _reason=" Ticket 7\0 ")
    assert change_sets(database)[-1].reason == "Ticket 7\ufffd"
    assert "Ticket 7\ufffd" in get(olga, HISTORY).table[0]
    olga.post("/admin/user/delete", data={"pks": str(alice.id), "_reason": "x" * 600})
    assert change_sets(database)[-1].reason == "x" * 500


def test_a_reason_survives_a_mistake(olga: TestClient, alice: User) -> None:
    page = Page(submit(olga, f"/admin/user/edit/{alice.id}", name="", _reason="Ticket 7"))
    assert page.fields()["_reason"] == "Ticket 7"


def test_a_deletion_that_can_be_taken_back_says_so(olga: TestClient, alice: User) -> None:
    page = get(olga, f"/admin/user/delete?pks={alice.id}")
    assert "This goes to the trash:" in page.root.text
