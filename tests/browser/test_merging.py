"""What collides is settled by keyboard, and without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, opened_page, sign_in
from tests.records import users

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def page(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """Sign in Olga; that an answer is a 409 is no fault of the page."""
    options = {"expected": "409", "java_script_enabled": request.param}
    with opened_page(browser, site, **options) as page:
        sign_in(page.context)
        yield page


def collide(page: Page, site: Site) -> None:
    """Type a name, and save it over someone else's."""
    path = f"/admin/user/edit/{site.alice.id}"
    page.goto(path)
    page.get_by_label("Name").fill("Mine")
    page.context.request.post(path, form={"name": "Theirs"})
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Name")).to_be_visible()


def names(site: Site) -> list[str]:
    return [user.name for user in users(site.database)]


def test_a_collision_is_settled_by_keyboard(page: Page, site: Site) -> None:
    collide(page, site)
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Mine")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("radio", name="Keep mine")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Keep what olga stored")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").last).to_have_text("The user “Theirs” stays as it was.")
    assert names(site) == ["Bob", "Theirs"]


def test_mine_can_still_be_edited_and_kept(page: Page, site: Site) -> None:
    collide(page, site)
    page.get_by_role("textbox", name="Name").fill("Both")
    page.get_by_role("radio", name="Keep mine").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").last).to_have_text("The user “Both” was changed.")
    assert names(site) == ["Bob", "Both"]


def test_a_choice_that_was_not_made_is_asked_for(page: Page, site: Site) -> None:
    collide(page, site)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("group", name="Name")).to_contain_text("Choose which one to keep.")
    assert names(site) == ["Bob", "Theirs"]
