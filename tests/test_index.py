"""The front page, and what frames every page."""

from starlette.testclient import TestClient

from models.database import Database
from tests.pages import Page, get
from tests.records import add_user

CRUMBS = {"class": "breadcrumbs"}


def models(client: TestClient) -> list[tuple[str, str]]:
    """Return the links of the list of models, each with where it leads."""
    groups = get(client, "/admin/").root.find("section", **{"class": "models"})
    return [(link.text, link.attributes["href"]) for group in groups for link in group.find("a")]


def test_it_leads_to_every_list_and_form(olga: TestClient) -> None:
    assert get(olga, "/admin/").heading == "Admin"
    assert models(olga) == [
        ("Users", "/admin/user/list"),
        ("Add user", "/admin/user/create"),
        ("Posts", "/admin/post/list"),
        ("Add post", "/admin/post/create"),
        ("Operators", "/admin/operator/list"),
        ("Add operator", "/admin/operator/create"),
        ("Roles", "/admin/role/list"),
        ("Add role", "/admin/role/create"),
    ]


def test_it_offers_to_add_only_what_the_operator_may_add(vera: TestClient) -> None:
    links = get(vera, "/admin/").root.find("main")[0].find("a")
    assert [link.text for link in links] == ["Users", "Posts"]


def test_the_menu_marks_where_one_is(olga: TestClient) -> None:
    """A page below a list belongs to it, but is not it."""
    for path, name, how in (
        ("/admin/user/list", "Users", "page"),
        ("/admin/post/create", "Posts", "true"),
    ):
        (menu,) = get(olga, path).root.find("nav", id="menu")
        current = [a for a in menu.find("a") if "aria-current" in a.attributes]
        assert [(a.text, a.attributes["aria-current"]) for a in current] == [(name, how)]


def test_breadcrumbs_lead_up_and_keep_the_place_in_the_list(
    olga: TestClient, database: Database
) -> None:
    alice = add_user(database, "Alice")
    for page in (f"details/{alice.id}", f"edit/{alice.id}", "create"):
        crumbs = get(olga, f"/admin/user/{page}?search=ali").root.find("nav", **CRUMBS)[0]
        assert [(a.text, a.attributes["href"]) for a in crumbs.find("a")] == [
            ("Home", "/admin/"),
            ("Users", "/admin/user/list?search=ali"),
        ]
        assert crumbs.find("li", **{"aria-current": "page"})
    assert not get(olga, "/admin/").root.find("nav", **CRUMBS)


def test_pages_cells_and_fields_carry_classes_for_style_sheets(
    olga: TestClient, database: Database
) -> None:
    alice = add_user(database, "Alice")
    listed = get(olga, "/admin/user/list").root
    assert listed.find("body", **{"class": "model-user"})
    assert listed.find("body", **{"class": "page-list"})
    assert [head.text for head in listed.find("th", **{"class": "field-email"})] == ["E-mail"]
    opened = get(olga, f"/admin/user/edit/{alice.id}").root
    assert opened.find("body", **{"class": "page-form"})
    assert opened.find("div", **{"class": "field-email"})[0].find("input", name="email")


def test_every_page_names_the_operator_and_lets_them_out(
    olga: TestClient, vera: TestClient
) -> None:
    for client, name in ((olga, "olga"), (vera, "vera")):
        (header,) = get(client, "/admin/").root.find("header")
        assert header.find("summary")[0].text == name
        (form,) = header.find("form", method="post", action="/admin/logout")
        assert form.text == "Sign out"


def test_a_page_that_does_not_exist_says_so(olga: TestClient, mallory: TestClient) -> None:
    missing = olga.get("/admin/nothing")
    assert (missing.status_code, Page(missing).heading) == (404, "Error 404")
    asked = mallory.get("/admin/nothing").headers["location"]
    assert asked == "/admin/login?next=%2Fadmin%2Fnothing"
