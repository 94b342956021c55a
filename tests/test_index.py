"""The front page, and what frames every page."""

from starlette.testclient import TestClient

from tests.pages import Page, get


def models(client: TestClient) -> list[tuple[str, str]]:
    """Return the links of the list of models, each with where it leads."""
    (found,) = get(client, "/admin/").root.find("ul", **{"class": "models"})
    return [(link.text, link.attributes["href"]) for link in found.find("a")]


def test_it_leads_to_every_list_and_form(olga: TestClient) -> None:
    assert get(olga, "/admin/").heading == "Admin"
    assert models(olga) == [
        ("Users", "/admin/user/list"),
        ("New user", "/admin/user/create"),
        ("Posts", "/admin/post/list"),
        ("New post", "/admin/post/create"),
    ]


def test_it_offers_a_viewer_no_form(vera: TestClient) -> None:
    assert models(vera) == [("Users", "/admin/user/list"), ("Posts", "/admin/post/list")]


def test_the_menu_marks_where_one_is(olga: TestClient) -> None:
    for path, name in (("/admin/user/list", "Users"), ("/admin/post/create", "Posts")):
        current = get(olga, path).root.find("a", **{"aria-current": "page"})
        assert [link.text for link in current] == [name]


def test_every_page_names_the_operator_and_lets_them_out(
    olga: TestClient, vera: TestClient
) -> None:
    for client, name in ((olga, "olga"), (vera, "vera")):
        (form,) = get(client, "/admin/").root.find("form", method="post")
        assert form.attributes["action"] == "/admin/logout"
        assert form.text == f"{name} Sign out"


def test_a_page_that_does_not_exist_says_so(olga: TestClient, mallory: TestClient) -> None:
    missing = olga.get("/admin/nothing")
    assert (missing.status_code, Page(missing).heading) == (404, "Error 404")
    asked = mallory.get("/admin/nothing").headers["location"]
    assert asked == "/admin/login?next=%2Fadmin%2Fnothing"
