"""What operators choose for a list, and views that can't be shown or saved."""

from collections.abc import Callable

import pytest
from httpx2 import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models import SavedView
from models.database import Database
from tests.databases import Sqlite, statements
from tests.list_views import CHOICES, LIST, VIEWS, active, choose, key_of, save, saved, tabs
from tests.pages import Page, follow, get
from tests.personas import sign_in
from tests.records import add_post, add_user

EVIL = "\"'><script>alert(1)</script>{{ 7*7 }}"


@pytest.fixture
def users(database: Database) -> None:
    for name, is_active in (("Alice", True), ("Bob", False), ("Carol", True)):
        add_user(database, name, is_active=is_active)


@pytest.fixture
def ed(app: Starlette, database: Database) -> TestClient:
    """Sign in Ed, who may look, as Vera may."""
    return sign_in(app, database, "ed", "Viewer")


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


# What a view asks for may be gone


@pytest.mark.parametrize("query", ["gone=1", "is_active=maybe", "sortBy=gone", "pageSize=x"])
def test_a_view_that_can_not_be_shown_is_no_dead_end(
    vera: TestClient, database: Database, users: None, query: str
) -> None:
    key = key_of(save(vera, "Old", default="1"))
    database.write(lambda s: setattr(s.get(SavedView, int(key)), "query", query))
    for path in (LIST, f"{LIST}?_view={key}"):
        page = get(vera, path)
        assert len(page.names) == 3
        assert page.alerts[-1].startswith("The view “Old” can't be shown:")
    assert "Delete view" in get(vera, f"{LIST}?_view={key}&_open=save").folded_buttons


def test_what_somebody_adds_to_a_view_is_theirs_to_mend(vera: TestClient, users: None) -> None:
    key = key_of(save(vera, "Here", "is_active=true"))
    assert vera.get(f"{LIST}?_view={key}&sortBy=gone").status_code == 400


@pytest.mark.parametrize("query", ["_view=9", "_view=1&_view=2&_tab=0", "%", "&&&=;", "_tab=9"])
def test_no_stored_query_is_trusted(vera: TestClient, database: Database, query: str) -> None:
    key = key_of(save(vera, "Odd"))
    database.write(lambda s: setattr(s.get(SavedView, int(key)), "query", query))
    assert active(get(vera, f"{LIST}?_view={key}")) == [("Odd", "page")]


# Columns and page size


def test_columns_are_chosen_ordered_and_remembered(
    vera: TestClient, ed: TestClient, users: None
) -> None:
    page = follow(vera, choose(vera, "search=a", choose="columns", column=["email", "id", "name"]))
    assert page.columns == ["E-mail", "Id", "Name"]
    assert page.table[0][0].endswith("@example.org")
    assert get(vera, LIST).columns == ["E-mail", "Id", "Name"]
    assert get(ed, LIST).columns[0] == "Name"


@pytest.mark.parametrize(
    ("button", "expected"), [("up", ["Id", "E-mail", "Name"]), ("down", ["E-mail", "Name", "Id"])]
)
def test_a_column_moves_without_scripts(
    vera: TestClient, button: str, expected: list[str], users: None
) -> None:
    columns = ["email", "id", "name"]
    page = follow(vera, choose(vera, choose="columns", column=columns, **{button: "id"}))
    assert page.columns == expected


def test_a_column_at_the_end_stays_there(vera: TestClient, users: None) -> None:
    for button, name in (("up", "name"), ("down", "email"), ("up", "unknown")):
        page = follow(
            vera, choose(vera, choose="columns", column=["name", "email"], **{button: name})
        )
        assert page.columns == ["Name", "E-mail"]


def test_columns_are_as_they_were_again(vera: TestClient, users: None) -> None:
    usual = get(vera, LIST).columns
    choose(vera, choose="columns", column=["id"], page_size="25")
    page = follow(vera, choose(vera, choose="columns", column=["id"], reset="1"))
    assert page.columns == usual


def test_only_columns_that_are_offered_are_shown(vera: TestClient, users: None) -> None:
    odd = ["password_hash", "posts", "__class__", "metadata", "version", "email", "email"]
    assert follow(vera, choose(vera, choose="columns", column=odd)).columns == ["E-mail"]
    assert choose(vera, choose="columns", column=odd[:4]).status_code == 400
    assert choose(vera, choose="columns").status_code == 400
    assert get(vera, f"{LIST}?_columns=version,posts.title").columns[0] == "Name"
    assert get(vera, f"{LIST}?_columns=name,metadata").columns == ["Name"]


def test_a_view_has_columns_of_its_own(vera: TestClient, users: None) -> None:
    choose(vera, choose="columns", column=["email"])
    key = key_of(save(vera, "Addresses"))
    choose(vera, choose="columns", column=["name"])
    assert get(vera, LIST).columns == ["Name"]
    assert get(vera, f"{LIST}?_view={key}").columns == ["E-mail"]
    sent = {"_back": f"_tab={key}&_columns=email", "choose": "columns", "column": ["email", "id"]}
    page = follow(vera, vera.post(CHOICES, data=sent))
    assert (page.columns, active(page)) == (["E-mail", "Id"], [("Addresses", "true")])
    assert get(vera, LIST).columns == ["Name"]


def test_the_page_size_is_remembered(vera: TestClient, database: Database) -> None:
    for number in range(30):
        add_user(database, f"User{number}")
    page = follow(
        vera, choose(vera, "page=2&pageSize=50", choose="columns", column=["name"], page_size="25")
    )
    assert len(page.names) == 25
    assert len(get(vera, f"{LIST}?pageSize=50").names) == 30
    choose(vera, choose="columns", column=["name"], page_size="7")
    assert len(get(vera, LIST).names) == 30


def test_the_export_has_its_own_columns(olga: TestClient, users: None) -> None:
    choose(olga, choose="columns", column=["email"])
    first = olga.get("/admin/user/export/csv?_columns=email").text.splitlines()[0]
    assert first.count(",") == 5


# Dropdowns, whose contents come when they are opened


def test_a_closed_dropdown_costs_a_page_a_link(
    vera: TestClient, users: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.kit.lists.views.choosable", None)
    page = get(vera, f"{LIST}?search=a")
    links = [link.attributes for link in page.root.find("a")]
    paths = [link["href"] for link in links if "data-later" in link]
    assert paths == ["?search=a&_open=save", "?search=a&_open=display"]
    assert page.folded_buttons == []


@pytest.mark.parametrize(
    ("name", "label", "button"),
    [("save", "Save view", "Save as a new view"), ("display", "Display", "Move E-mail up")],
)
def test_a_link_opens_the_dropdown_and_nothing_repeats_it(
    vera: TestClient, users: None, name: str, label: str, button: str
) -> None:
    answer = vera.get(f"{LIST}?search=a&_open={name}&_part=x")
    dropdowns = Page(answer).root.find("details", **{"class": "dropdown"})
    opened = [found.text for found in dropdowns if "open" in found.attributes]
    assert [text.startswith(label) for text in opened] == [True]
    assert button in answer.text
    assert f"_open={name}" not in answer.text
    assert "_part" not in answer.text


def test_scripts_get_what_a_dropdown_holds_and_no_rows(
    vera: TestClient, database: Database, users: None
) -> None:
    with statements(database) as executed:
        part = vera.get(f"{LIST}?search=a&_open=display&_part=display").text
    assert not any("users.name" in statement for statement in executed)
    assert "Move E-mail up" in part
    assert 'name="_back" value="search=a"' in part
    assert "<table" not in part
    assert "<html" not in part


def test_an_open_dropdown_is_no_part_of_a_view(vera: TestClient, database: Database) -> None:
    key = key_of(save(vera, "Mine", "search=a&_open=save&_part=save", default="1"))
    assert saved(database)[0].query == "search=a"
    for path in (f"{LIST}?_open=save", f"{LIST}?_view={key}&_open=save"):
        assert active(get(vera, path)) == [("Mine", "page")]


def test_the_way_back_to_a_list_leaves_its_dropdowns_closed(vera: TestClient, users: None) -> None:
    came_from = f"http://testserver{LIST}?search=a&_open=display"
    answer = vera.get("/admin/user/details/1", headers={"Referer": came_from})
    assert answer.headers["location"] == "/admin/user/details/1?search=a"


# What is refused


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_view_needs_a_name_that_fits(vera: TestClient, database: Database, name: str) -> None:
    assert save(vera, name).status_code == 400
    assert saved(database) == []


def test_a_name_is_never_markup(vera: TestClient, database: Database) -> None:
    page = vera.get(save(vera, EVIL, f"search={EVIL}").headers["location"])
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "49" not in tabs(Page(page))


def test_a_query_of_any_length_is_not_kept(vera: TestClient, database: Database) -> None:
    for query in ("search=" + "x" * 3000, "&".join(f"a{n}=1" for n in range(300))):
        assert save(vera, "Long", query).status_code == 400
    assert saved(database) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda client: save(client, "Here"),
        lambda client: client.post(f"{VIEWS}/1", data={"do": "delete"}),
        lambda client: choose(client, choose="columns", column=["name"]),
    ],
)
def test_another_site_can_not_act(vera: TestClient, act: Callable[[TestClient], Response]) -> None:
    vera.headers["Sec-Fetch-Site"] = "cross-site"
    assert act(vera).status_code == 403


@pytest.mark.parametrize("do", ["", "drop", "__class__"])
def test_what_is_not_offered_is_not_done(vera: TestClient, do: str) -> None:
    key = key_of(save(vera, "Here"))
    assert vera.post(f"{VIEWS}/{key}", data={"do": do}).status_code == 400
    assert choose(vera, choose=do).status_code == 400


def test_posts_have_tabs_of_their_own(vera: TestClient, database: Database) -> None:
    author = add_user(database, "Alice")
    add_post(database, author, "Draft", published_at=None)
    add_post(database, author, "Out")
    assert tabs(get(vera, "/admin/post/list")) == ["All", "Drafts"]
    assert get(vera, "/admin/post/list?_view=drafts").names == ["Draft"]
