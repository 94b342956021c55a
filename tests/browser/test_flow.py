"""A visit from the sign-in page to the way out, on both databases."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.personas import PASSWORD
from tests.records import posts, users

pytestmark = pytest.mark.browser


def test_a_visit_from_the_first_page_to_the_last(page: Page, site: Site) -> None:
    page.goto("/admin/user/list?search=ali")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Users")
    expect(page.get_by_role("searchbox", name="Search users")).to_have_value("ali")

    page.get_by_role("rowheader").get_by_role("link", name="Alice").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Alice")
    page.get_by_label("Name").fill("Alicia")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("The user “Alicia” was changed.")
    assert [user.name for user in users(site.database)] == ["Alicia", "Bob"]

    page.get_by_role("link", name="“Alicia”").click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("main")).to_contain_text("Hello")
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.get_by_role("status")).to_have_text("The user “Alicia” was deleted.")
    assert [user.name for user in users(site.database)] == ["Bob"]
    assert not posts(site.database)

    page.get_by_role("banner").locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Admin")
    page.goto("/admin/")
    expect(page).to_have_url(f"{site.url}/admin/login")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_same_visit_without_scripts(plain_page: Page, site: Site) -> None:
    page = plain_page
    page.goto("/admin/post/list")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("searchbox", name="Search posts").fill("hello")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Hello", exact=True).click()
    expect(page.get_by_label("Author")).to_have_value(str(site.alice.id))
    page.get_by_label("Author").fill(str(site.bob.id))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("The post “Hello” was changed.")
    assert [post.user_id for post in posts(site.database)] == [site.bob.id]

    page.goto("/admin/user/list")
    page.get_by_role("checkbox", name="Select Alice").check()
    page.get_by_role("checkbox", name="Select Bob").check()
    page.get_by_role("button", name="Delete selected…").click()
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.get_by_role("status")).to_have_text("2 users were deleted.")
    assert not users(site.database)
    page.get_by_role("banner").locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
