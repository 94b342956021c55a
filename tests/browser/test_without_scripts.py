"""All an operator does, in a browser that runs no scripts, on a wide screen and on a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqladmin import action

from admin.views.posts import PostAdmin
from admin.views.users import UserAdmin
from models import User
from tests.browser.conftest import Site, opened_page, sign_in
from tests.personas import PASSWORD
from tests.records import add_post, add_user, posts, users

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]

REFUSED = "status of 400"
WIDE, PHONE = 1440, 360


class PausingUserAdmin(UserAdmin, model=User):
    @action("pause", "Pause", confirmation_message="Pause the chosen users?")
    async def pause(self, request: Any) -> None:
        def change(_session: Any, chosen: list[User]) -> None:
            for user in chosen:
                user.is_active = False

        await self.selected_objects(request, change)


@pytest.fixture
def pausing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the users an action that asks first."""
    monkeypatch.setattr("admin.site.VIEWS", [PausingUserAdmin, PostAdmin])


@pytest.fixture(params=[WIDE, PHONE])
def stranger(
    request: pytest.FixtureRequest, browser: Browser, pausing: None, site: Site
) -> Iterator[Page]:
    """Open a page at which nobody is signed in."""
    options = {"viewport": {"width": request.param, "height": 800}, "java_script_enabled": False}
    with opened_page(browser, site, expected=REFUSED, **options) as page:
        yield page


@pytest.fixture
def olga(stranger: Page) -> Page:
    sign_in(stranger.context)
    return stranger


def is_phone(page: Page) -> bool:
    return page.viewport_size is not None and page.viewport_size["width"] == PHONE


def unfold(page: Page) -> None:
    """Show what a phone folds away."""
    if is_phone(page):
        page.get_by_role("button", name="More", exact=True).click()


def open_filters(page: Page) -> None:
    page.get_by_role("button", name="Filters").click()
    expect(page.get_by_role("button", name="Apply filters")).to_be_visible()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def names(page: Page) -> list[str]:
    """Return the first cell of each row; whoever asks has waited for the page."""
    return page.get_by_role("rowheader").all_inner_texts()


def test_signing_in_leads_to_where_one_was_going(stranger: Page, site: Site) -> None:
    stranger.goto("/admin/user/list?search=ali")
    stranger.get_by_label("Username").fill("olga")
    stranger.get_by_label("Password").fill(PASSWORD)
    press(stranger, "Sign in")
    expect(stranger).to_have_url(f"{site.url}/admin/user/list?search=ali")
    assert names(stranger) == ["Alice"]


def test_a_refused_sign_in_keeps_the_name_and_where_one_was_going(
    stranger: Page, site: Site
) -> None:
    stranger.goto("/admin/user/list?search=ali")
    stranger.get_by_label("Username").fill("olga")
    stranger.get_by_label("Password").fill("wrong")
    press(stranger, "Sign in")
    expect(stranger.get_by_role("alert")).to_be_visible()
    expect(stranger.get_by_label("Username")).to_have_value("olga")
    stranger.get_by_label("Password").fill(PASSWORD)
    press(stranger, "Sign in")
    expect(stranger).to_have_url(f"{site.url}/admin/user/list?search=ali")


def test_the_menu_leads_to_every_list(olga: Page, site: Site) -> None:
    for name in ("Users", "Posts"):
        olga.goto("/admin/")
        menu = olga.get_by_role("navigation", name="Models")
        expect(menu).to_be_visible(visible=not is_phone(olga))
        if is_phone(olga):
            press(olga, "Menu")
        menu.get_by_role("link", name=name).click()
        expect(olga.get_by_role("heading", level=1)).to_have_text(name)


@pytest.mark.parametrize("stranger", [PHONE], indirect=True)
def test_the_phones_menu_closes_by_its_button(olga: Page, site: Site) -> None:
    olga.goto("/admin/")
    press(olga, "Menu")
    press(olga, "Close the menu")
    expect(olga.get_by_role("navigation", name="Models")).to_be_hidden()


def test_a_list_is_searched(olga: Page, site: Site) -> None:
    olga.goto("/admin/post/list")
    box = olga.get_by_role("searchbox", name="Search posts")
    box.fill("nothing like it")
    box.press("Enter")
    expect(olga.get_by_role("main")).to_contain_text("No posts match.")
    olga.get_by_role("link", name="Clear all filters").click()
    expect(olga.get_by_role("rowheader")).to_have_text(["Hello"])


def test_a_list_is_filtered_by_a_choice(olga: Page, site: Site) -> None:
    add_user(site.database, "Carol", is_active=False)
    olga.goto("/admin/user/list?sortBy=name&sort=asc")
    open_filters(olga)
    olga.get_by_label("Yes", exact=True).check()
    press(olga, "Apply filters")
    expect(olga.get_by_role("rowheader")).to_have_text(["Alice", "Bob"])
    olga.get_by_role("link", name="Clear all").last.click()
    expect(olga.get_by_role("rowheader")).to_have_count(3)


def test_a_list_is_filtered_by_a_key(olga: Page, site: Site) -> None:
    add_post(site.database, site.bob, "By Bob")
    olga.goto("/admin/post/list")
    open_filters(olga)
    olga.get_by_role("textbox", name="Author").fill(str(site.bob.id))
    press(olga, "Apply filters")
    expect(olga.get_by_role("rowheader")).to_have_text(["By Bob"])


def test_a_list_obeys_conditions(olga: Page, site: Site) -> None:
    add_post(site.database, site.bob, "By Bob")
    olga.goto("/admin/post/list")
    olga.get_by_role("link", name="Conditions").click()
    olga.get_by_label("Field").select_option("Title")
    press(olga, "Update the fields")
    olga.get_by_label("Comparison").select_option("contains")
    olga.get_by_label("Value").fill("bob")
    olga.get_by_label("Value").press("Enter")
    expect(olga.get_by_role("rowheader")).to_have_text(["By Bob"])


def test_a_list_is_sorted_both_ways(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list")
    heading = olga.get_by_role("columnheader", name="Name")
    for order, expected in (("ascending", ["Alice", "Bob"]), ("descending", ["Bob", "Alice"])):
        heading.get_by_role("link").first.click()
        expect(heading).to_have_attribute("aria-sort", order)
        assert names(olga) == expected


def test_pages_follow_each_other_and_keep_what_was_asked(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list?pageSize=1&sortBy=name&sort=asc")
    pages = olga.get_by_role("navigation", name="Pages")
    for name, expected in (("Next", "Bob"), ("Previous", "Alice")):
        pages.get_by_role("link", name=name).click()
        expect(olga.get_by_role("rowheader")).to_have_text([expected])


def test_a_user_is_added(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list")
    olga.get_by_role("link", name="New user").click()
    olga.get_by_label("Name").fill("Carol")
    olga.get_by_label("E-mail").fill("carol@example.org")
    press(olga, "Save")
    expect(olga.get_by_role("status")).to_have_text("The user “Carol” was added.")
    assert [user.name for user in users(site.database)] == ["Alice", "Bob", "Carol"]


def test_what_was_typed_outlives_a_mistake(olga: Page, site: Site) -> None:
    olga.goto(f"/admin/post/edit/{site.post.id}")
    olga.get_by_label("Title").fill("Hello again")
    olga.get_by_label("Content").fill("")
    olga.get_by_label("Author").fill("no such author")
    press(olga, "Save")
    expect(olga.get_by_role("alert")).to_have_text("Please correct the errors below.")
    expect(olga.get_by_label("Content")).to_have_accessible_description("This field is required.")
    expect(olga.get_by_label("Title")).to_have_value("Hello again")
    expect(olga.get_by_label("Author")).to_have_value("no such author")
    olga.get_by_label("Content").fill("Words.")
    olga.get_by_label("Author").fill(str(site.bob.id))
    press(olga, "Save")
    expect(olga.get_by_role("status")).to_have_text("The post “Hello again” was changed.")
    assert [post.user_id for post in posts(site.database)] == [site.bob.id]


def test_details_lead_to_the_form(olga: Page, site: Site) -> None:
    olga.goto(f"/admin/user/details/{site.alice.id}")
    olga.get_by_role("main").get_by_role("link", name="Edit").click()
    expect(olga).to_have_url(f"{site.url}/admin/user/edit/{site.alice.id}")
    unfold(olga)
    olga.get_by_role("link", name="Details").click()
    expect(olga).to_have_url(f"{site.url}/admin/user/details/{site.alice.id}")


def test_deleting_says_what_goes_and_asks(olga: Page, site: Site) -> None:
    for answer, left in (("No, take me back", ["Alice", "Bob"]), ("Yes, delete", ["Bob"])):
        olga.goto(f"/admin/user/details/{site.alice.id}")
        olga.get_by_role("link", name="Delete").click()
        expect(olga.get_by_role("main")).to_contain_text("Hello")
        olga.get_by_text(answer).click()
        expect(olga.get_by_role("heading", level=1)).to_have_text("Users")
        assert [user.name for user in users(site.database)] == left


def test_ticked_rows_are_deleted_at_once(olga: Page, site: Site) -> None:
    add_user(site.database, "Carol")
    olga.goto("/admin/user/list")
    for name in ("Alice", "Bob"):
        olga.get_by_role("checkbox", name=f"Select {name}").check()
    press(olga, "Delete selected…")
    press(olga, "Yes, delete")
    expect(olga.get_by_role("status")).to_have_text("2 users were deleted.")
    assert [user.name for user in users(site.database)] == ["Carol"]


def test_an_action_changes_ticked_rows_after_asking(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list?search=b")
    olga.get_by_role("checkbox", name="Select Bob").check()
    press(olga, "Pause")
    expect(olga.get_by_role("main")).to_contain_text("Pause the chosen users?")
    press(olga, "Pause")
    expect(olga).to_have_url(f"{site.url}/admin/user/list?search=b")
    assert [user.is_active for user in users(site.database)] == [True, False]


@pytest.mark.parametrize(("kind", "begins"), [("CSV", "id,name,"), ("JSON", "[")])
def test_what_the_list_shows_is_exported(olga: Page, site: Site, kind: str, begins: str) -> None:
    olga.goto("/admin/user/list?search=ali")
    unfold(olga)
    with olga.expect_download() as download:
        olga.get_by_role("link", name=f"Export {kind}").click()
    text = Path(download.value.path()).read_text("utf-8")
    assert text.startswith(begins)
    assert "alice@example.org" in text
    assert "bob@example.org" not in text


def test_everything_is_searched(olga: Page, site: Site) -> None:
    olga.goto("/admin/")
    banner = olga.get_by_role("banner")
    if not is_phone(olga):
        banner.get_by_role("searchbox").fill("alice")
    banner.get_by_role("button", name="Search").click()
    if is_phone(olga):
        olga.get_by_role("main").get_by_role("searchbox").fill("alice")
        olga.get_by_role("main").get_by_role("button", name="Search").click()
    expect(olga).to_have_url(f"{site.url}/admin/search?q=alice")
    expect(olga.get_by_role("main").get_by_role("link")).to_have_text(["Home", "Alice", "Hello"])


def test_the_appearance_is_chosen(olga: Page, site: Site) -> None:
    olga.emulate_media(color_scheme="light")
    olga.goto("/admin/user/list?search=ali")
    olga.get_by_role("banner").locator("summary").click()
    press(olga, "Dark")
    expect(olga).to_have_url(f"{site.url}/admin/user/list?search=ali")
    expect(olga.locator("html")).to_have_css("color-scheme", "dark")


def test_signing_out_shuts_the_door(olga: Page, site: Site) -> None:
    olga.goto("/admin/")
    olga.get_by_role("banner").locator("summary").click()
    press(olga, "Sign out")
    expect(olga.get_by_role("heading", level=1)).to_have_text("Sign in to Admin")
    olga.goto("/admin/user/list")
    expect(olga.get_by_role("heading", level=1)).to_have_text("Sign in to Admin")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element of this name has the focus."""
    wanted = page.locator(":focus").and_(
        page.get_by_role("link", name=name, exact=True)
        .or_(page.get_by_role("button", name=name, exact=True))
        .or_(page.get_by_role("checkbox", name=name, exact=True))
        .or_(page.locator("summary", has_text=name))
    )
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.count():
            return
    pytest.fail(f"Tab doesn't lead to {name!r}.")


def enter(page: Page, *values: str) -> None:
    """Type into one field after the other, from the one that has the focus, and send the form."""
    for value in values:
        page.keyboard.type(value)
        page.keyboard.press("Enter" if value == values[-1] else "Tab")


def test_the_keyboard_is_enough(stranger: Page, site: Site) -> None:
    page = stranger
    page.goto("/admin/login")
    expect(page.get_by_label("Username")).to_be_focused()
    enter(page, "olga", PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Admin")
    for name in ["Menu", "Users"] if is_phone(page) else ["Users"]:
        tab_to(page, name)
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Users")
    tab_to(page, "Select Bob")
    page.keyboard.press("Space")
    for name in ("Delete selected…", "Yes, delete"):
        tab_to(page, name)
        page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The user “Bob” was deleted.")
    tab_to(page, "New user")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    enter(page, "Carol", "carol@example.org")
    expect(page.get_by_role("status")).to_have_text("The user “Carol” was added.")
    for name in ("olga", "Sign out"):
        tab_to(page, name)
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Admin")
