"""Views that operators save of a list, and what else they choose for it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, func, select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.settings import Settings
from main import create_app
from models import ChangeSet, ListChoice, Operator, SavedView
from models.database import Database
from tests.databases import statements
from tests.list_views import LIST, VIEWS, active, choose, key_of, save, saved, tabs
from tests.pages import Page, follow, get
from tests.personas import sign_in
from tests.records import add_user


@pytest.fixture
def users(database: Database) -> None:
    for name, is_active in (("Alice", True), ("Bob", False), ("Carol", True)):
        add_user(database, name, is_active=is_active)


@pytest.fixture
def ed(app: Starlette, database: Database) -> TestClient:
    """Sign in Ed, who may look, as Vera may."""
    return sign_in(app, database, "ed", "Viewer")


# Saving and opening


def test_a_view_shows_again_what_was_saved(vera: TestClient, users: None) -> None:
    page = follow(vera, save(vera, "Here", "is_active=true&sortBy=name&sort=desc&page=1"))
    assert page.names == ["Carol", "Alice"]
    assert active(page) == [("Here", "page")]
    assert page.alerts == ["The view “Here” was saved."]


def test_a_view_keeps_columns_and_page_size_but_no_place(
    vera: TestClient, database: Database
) -> None:
    choose(vera, choose="columns", column=["email", "name"], page_size="100")
    save(vera, "Mine", "search=a&page=3&_facets=1&_tab=x")
    assert saved(database)[0].query == "_columns=email%2Cname&pageSize=100&search=a"


def test_other_parameters_refine_a_view_and_it_says_so(vera: TestClient, users: None) -> None:
    path = save(vera, "Here", "is_active=true").headers["location"]
    page = get(vera, f"{path}&search=carol")
    assert page.names == ["Carol"]
    assert active(page) == [("Here", "true")]
    assert page.links()["Reset"] == path
    assert "“Here”, changed" in page.root.text


def test_the_links_of_a_page_say_all_that_its_view_asks_for(vera: TestClient, users: None) -> None:
    """So a filter of the view can be taken back like any other."""
    key = key_of(save(vera, "Here", "is_active=true&search=a"))
    page = get(vera, f"{LIST}?_view={key}")
    assert page.links()["Name"].startswith(f"{LIST}?_tab={key}&is_active=true&search=a")
    assert sorted(get(vera, f"{LIST}?_tab={key}&search=a").names) == ["Alice"]
    assert sorted(get(vera, f"{LIST}?_tab={key}").names) == ["Alice", "Bob", "Carol"]


def test_a_changed_view_is_saved_with_what_is_shown(
    vera: TestClient, database: Database, users: None
) -> None:
    key = key_of(save(vera, "Here", "is_active=true"))
    back = {"_back": f"_tab={key}&is_active=false", "do": "overwrite"}
    page = follow(vera, vera.post(f"{VIEWS}/{key}", data=back))
    assert (page.names, active(page)) == (["Bob"], [("Here", "page")])
    assert saved(database)[0].query == "is_active=false"


def test_a_view_is_renamed_and_deleted(vera: TestClient, database: Database) -> None:
    path = f"{VIEWS}/{key_of(save(vera, 'Here'))}"
    page = follow(vera, vera.post(path, data={"do": "rename", "name": " Their \n view "}))
    assert "Their view" in tabs(page)
    page = follow(vera, vera.post(path, data={"do": "delete"}))
    assert (saved(database), active(page)) == ([], [("All", "page")])
    assert page.alerts == ["The view “Their view” was deleted."]


def test_saving_twice_saves_once(vera: TestClient, database: Database) -> None:
    first, second = (save(vera, "Here", "search=a") for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert len(saved(database)) == 1


def test_a_name_that_is_taken_is_refused(vera: TestClient, ed: TestClient) -> None:
    save(vera, "Here", "search=a")
    answer = save(vera, "Here", "search=b")
    assert (answer.status_code, "“Here” already" in answer.text) == (400, True)
    key = key_of(save(vera, "There"))
    rename = vera.post(f"{VIEWS}/{key}", data={"do": "rename", "name": "Here"})
    assert (rename.status_code, "“Here” already" in rename.text) == (400, True)
    assert save(ed, "Here").status_code == 302


def test_what_no_text_of_a_database_holds_is_no_error(vera: TestClient) -> None:
    answer = save(vera, "a\0b", "search=%00%ff&x=%zz")
    assert vera.get(answer.headers["location"]).status_code == 200


def test_an_operator_has_fifty_views_of_a_list(vera: TestClient, database: Database) -> None:
    owner = database.read(lambda s: s.scalar(select(Operator.id)))
    full = [{"owner_id": owner, "private_to": owner, "name": f"v{n}"} for n in range(50)]
    rows = [SavedView(list_name="user", query="", **values) for values in full]
    database.write(lambda session: session.add_all(rows))
    answer = save(vera, "One more")
    assert (answer.status_code, "You have 50 views" in answer.text) == (400, True)
    assert vera.post("/admin/post/views", data={"name": "Another list"}).status_code == 302


# Whose they are


def test_a_private_view_is_nobody_elses(vera: TestClient, ed: TestClient, olga: TestClient) -> None:
    key = key_of(save(vera, "Private"))
    for other in (ed, olga):
        assert "Private" not in other.get(LIST).text
        assert other.get(f"{LIST}?_view={key}").status_code == 404
        for do in ("rename", "overwrite", "delete"):
            answer = other.post(f"{VIEWS}/{key}", data={"do": do, "name": "Taken"})
            assert answer.status_code == 404
        assert choose(other, choose="default", view=key).status_code == 404
    assert "Private" in tabs(get(vera, LIST))


def test_a_shared_view_is_seen_by_all_and_changed_by_its_owner(
    vera: TestClient, ed: TestClient, database: Database
) -> None:
    key = key_of(save(vera, "Ours", "is_active=true", shared="1"))
    page = get(ed, f"{LIST}?_view={key}&_open=save")
    assert active(page) == [("Ours", "page")]
    assert "Save as a new view" in page.folded_buttons
    assert "Delete view" not in page.folded_buttons
    for do in ("rename", "overwrite", "delete"):
        assert ed.post(f"{VIEWS}/{key}", data={"do": do, "name": "Mine"}).status_code == 403
    assert [(view.name, view.query) for view in saved(database)] == [("Ours", "is_active=true")]


def test_a_superuser_looks_after_all_shared_views(
    vera: TestClient, olga: TestClient, database: Database
) -> None:
    key = key_of(save(vera, "Ours", shared="1"))
    assert "Delete view" in get(olga, f"{LIST}?_view={key}&_open=save").folded_buttons
    olga.post(f"{VIEWS}/{key}", data={"do": "rename", "name": "Theirs"})
    assert [(view.name, view.private_to) for view in saved(database)] == [("Theirs", None)]
    assert olga.post(f"{VIEWS}/{key}", data={"do": "delete"}).status_code == 302
    assert vera.get(f"{LIST}?_view={key}").status_code == 404


def test_a_view_that_is_no_longer_shared_is_its_owners_alone(
    vera: TestClient, ed: TestClient
) -> None:
    key = key_of(save(vera, "Ours", shared="1"))
    choose(ed, choose="default", view=key)
    vera.post(f"{VIEWS}/{key}", data={"do": "rename", "name": "Mine"})
    assert active(get(ed, LIST)) == [("All", "page")]
    assert ed.get(f"{LIST}?_view={key}").status_code == 404
    assert "Mine" in tabs(get(vera, LIST))


def test_an_operators_views_go_with_them_but_for_the_shared_ones(
    vera: TestClient, olga: TestClient, database: Database
) -> None:
    key = key_of(save(vera, "Ours", shared="1"))
    choose(vera, choose="default", view=key_of(save(vera, "Private")))
    gone = delete(Operator).where(Operator.username == "vera")
    database.write(lambda session: session.execute(gone))
    assert [(view.name, view.owner_id) for view in saved(database)] == [("Ours", None)]
    assert database.read(lambda s: s.scalar(select(func.count()).select_from(ListChoice))) == 0
    assert "Ours" in tabs(get(olga, LIST))
    assert olga.post(f"{VIEWS}/{key}", data={"do": "delete"}).status_code == 302


def test_a_view_is_of_one_list(vera: TestClient) -> None:
    key = key_of(save(vera, "Here"))
    assert vera.get(f"/admin/post/list?_view={key}").status_code == 404
    assert vera.post(f"/admin/post/views/{key}", data={"do": "delete"}).status_code == 404


@pytest.mark.parametrize("key", ["99", "x", "-1", "1e9", "99999999999999999999", "%00"])
def test_a_view_that_is_not_there_is_a_sentence(vera: TestClient, key: str) -> None:
    answer = vera.get(f"{LIST}?_view={key}")
    assert (answer.status_code, "There is no such view" in answer.text) == (404, True)
    assert vera.post(f"{VIEWS}/{key}", data={"do": "delete"}).status_code == 404


def test_views_and_choices_leave_no_trace_in_the_history(
    olga: TestClient, database: Database
) -> None:
    count = select(func.count()).select_from(ChangeSet)
    before = database.read(lambda session: session.scalar(count))
    save(olga, "Here", shared="1")
    choose(olga, choose="columns", column=["name"])
    assert database.read(lambda session: session.scalar(count)) == before


# The view that opens by itself


def test_a_default_view_opens_where_the_address_asks_for_none(
    vera: TestClient, ed: TestClient, users: None
) -> None:
    save(vera, "Here", "is_active=true&sortBy=name", default="1")
    assert get(vera, LIST).names == ["Alice", "Carol"]
    assert len(get(ed, LIST).names) == 3


def test_the_plain_list_is_still_there(vera: TestClient, users: None) -> None:
    save(vera, "Here", "is_active=true", default="1")
    page = get(vera, LIST)
    assert page.links()["All"] == f"{LIST}?_view="
    assert page.links()["Clear all"] == f"{LIST}?_view="
    page = get(vera, f"{LIST}?_view=")
    assert (len(page.names), active(page)) == (3, [("All", "page")])
    assert page.links()["Name"].startswith(f"{LIST}?_tab=")


def test_an_address_with_parameters_means_what_it_says(vera: TestClient, users: None) -> None:
    save(vera, "Here", "is_active=true", default="1")
    assert get(vera, f"{LIST}?is_active=false").names == ["Bob"]


def test_a_view_of_the_code_opens_by_itself_too(vera: TestClient, users: None) -> None:
    choose(vera, choose="default", view="not-active")
    assert get(vera, LIST).names == ["Bob"]
    choose(vera, choose="default", view="")
    assert len(get(vera, LIST).names) == 3


# What is new


def look(client: TestClient, view: str = "", path: str = LIST) -> Page:
    """Open a view as a browser with scripts does: it asks for the numbers, and marks it seen."""
    page = get(client, f"{path}?_view={view}")
    (nav,) = page.root.find("nav", **{"class": "tabs"})
    numbers = client.get(nav.attributes["data-counts"]).json()["views"]
    behind = {number["id"]: number["is_behind"] for number in numbers}
    if behind[view] and "data-seen" in nav.attributes:
        sent = {"choose": "seen", "view": view, "through": nav.attributes["data-through"]}
        answer = client.post(
            nav.attributes["data-seen"], data=sent, headers={"Accept": "application/json"}
        )
        assert answer.status_code == 204
    return page


def numbers(client: TestClient) -> dict[str, tuple[str, str]]:
    answer = client.get(f"{VIEWS}/counts").json()["views"]
    return {view["id"]: (view["count"], view["new"]) for view in answer}


def test_tabs_are_counted(vera: TestClient, users: None) -> None:
    key = key_of(save(vera, "Here", "is_active=true"))
    assert numbers(vera) == {"": ("3", ""), "not-active": ("1", ""), key: ("2", "")}


def test_what_came_since_one_looked_is_new_by_view(
    vera: TestClient, ed: TestClient, database: Database, users: None
) -> None:
    look(vera)
    look(vera, "not-active")
    add_user(database, "Dave", is_active=False)
    add_user(database, "Erin")
    assert numbers(vera) == {"": ("5", "2 new"), "not-active": ("2", "1 new")}
    assert numbers(ed)[""] == ("5", "")


def test_the_link_shows_just_what_is_new(vera: TestClient, database: Database, users: None) -> None:
    look(vera, "not-active")
    add_user(database, "Dave", is_active=False)
    add_user(database, "Erin")
    url = vera.get(f"{VIEWS}/counts").json()["views"][1]["new_url"]
    page = get(vera, url)
    assert (page.names, active(page)) == (["Dave"], [("Not active", "true")])
    assert page.links()["Show all of it"] == f"{LIST}?_view=not-active"


def test_looking_marks_a_view_seen_and_only_then(
    vera: TestClient, database: Database, users: None
) -> None:
    look(vera)
    add_user(database, "Dave")
    get(vera, LIST)
    assert numbers(vera)[""] == ("4", "1 new")
    look(vera)
    assert numbers(vera)[""] == ("4", "")


def test_a_look_at_nothing_new_writes_nothing(vera: TestClient, users: None) -> None:
    look(vera)
    assert [v["is_behind"] for v in vera.get(f"{VIEWS}/counts").json()["views"]] == [False, True]


def test_what_came_while_one_looked_is_still_new(
    vera: TestClient, database: Database, users: None
) -> None:
    look(vera)
    page = get(vera, LIST)
    (nav,) = page.root.find("nav", **{"class": "tabs"})
    add_user(database, "Dave")
    choose(vera, choose="seen", view="", through=nav.attributes["data-through"])
    assert numbers(vera)[""] == ("4", "1 new")


@pytest.mark.parametrize("through", ["", "x", "-1", "9" * 19, "9" * 30, "1.5", "٣"])
def test_a_mark_is_a_key_that_was_there(
    vera: TestClient, database: Database, users: None, through: str
) -> None:
    assert choose(vera, choose="seen", view="", through=through).status_code in (302, 400)
    add_user(database, "Dave")
    assert numbers(vera)[""] in {("4", ""), ("4", "1 new")}
    assert vera.get(LIST, params={"_new": through}).status_code in (200, 400)


def test_nothing_seen_becomes_new_again(vera: TestClient, users: None) -> None:
    look(vera)
    choose(vera, choose="seen", view="", through="1")
    assert numbers(vera)[""] == ("3", "")


def test_without_scripts_counts_are_a_link_away(
    vera: TestClient, database: Database, users: None
) -> None:
    look(vera)
    add_user(database, "Dave")
    page = get(vera, f"{LIST}?_counts=1")
    assert tabs(page) == ["All 4 1 new", "Not active 1"]
    assert "Mark as seen" in page.buttons
    page = follow(vera, choose(vera, choose="seen", view="", through="999999"))
    assert numbers(vera)[""] == ("4", "")


# What it costs


def test_views_and_choices_take_one_statement(
    vera: TestClient, database: Database, users: None
) -> None:
    get(vera, LIST)
    with statements(database) as executed:
        get(vera, LIST)
    assert len(executed) == 3
    for number in range(5):
        save(vera, f"View {number}", "is_active=true", shared="1", default="1")
    choose(vera, choose="columns", column=["email"], page_size="25")
    with statements(database) as executed:
        get(vera, LIST)
    assert len(executed) == 3


def test_all_tabs_are_counted_in_one_statement(
    vera: TestClient, database: Database, users: None
) -> None:
    for number in range(5):
        save(vera, f"View {number}", f"search={number}")
    with statements(database) as executed:
        assert len(numbers(vera)) == 7
    assert len(executed) == 3


def test_a_view_that_can_not_be_shown_is_not_counted(vera: TestClient, database: Database) -> None:
    key = key_of(save(vera, "Old"))
    database.write(lambda s: setattr(s.get(SavedView, int(key)), "query", "is_active=maybe"))
    assert numbers(vera).keys() == {"", "not-active"}


def test_counting_stops_at_a_thousand(
    vera: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch, users: None
) -> None:
    monkeypatch.setattr("admin.kit.lists.counts.MOST", 2)
    assert numbers(vera) == {"": ("2+", ""), "not-active": ("1", "")}


# Two tabs


def test_two_tabs_at_once_save_one_view_and_lose_no_look(
    real_database: Database, real_settings: Settings
) -> None:
    add_user(real_database, "Alice")
    app = create_app(real_settings, real_database)
    with sign_in(app, real_database, "vera", "Viewer") as vera, ThreadPoolExecutor(8) as pool:
        saving = [pool.submit(save, vera, "Here", "search=a", default="1") for _ in range(4)]
        looking = [
            pool.submit(choose, vera, choose="seen", view=view, through="1")
            for view in ("", "not-active")
        ]
        assert {answer.result().status_code for answer in [*saving, *looking]} == {302}
    assert [view.name for view in saved(real_database)] == ["Here"]
    (choice,) = real_database.read(lambda s: s.scalars(select(ListChoice)).all())
    assert choice.seen == {"": 1, "not-active": 1}
