"""Selecting rows and doing something to them, as Chromium sees it, with scripts and without."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, held, opened_page, sign_in
from tests.records import add_user, users

LIST = "/admin/user/list?sortBy=name&pageSize=25"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


@pytest.fixture
def listed(olga: Page, site: Site) -> Page:
    """Open the first of two pages of users, as Olga."""
    for number in range(30):
        add_user(site.database, f"User{number:02}")
    olga.goto(LIST)
    olga.locator("table").hover()
    expect(olga.locator(".selection[data-ready]")).to_be_visible()
    return olga


@pytest.fixture
def plain(browser: Browser, site: Site) -> Iterator[Page]:
    """Open the same list without scripts."""
    for number in range(30):
        add_user(site.database, f"User{number:02}")
    with opened_page(browser, site, java_script_enabled=False) as page:
        sign_in(page.context)
        page.goto(LIST)
        page.locator("table").hover()
        yield page


def box(page: Page, name: str) -> None:
    page.get_by_role("checkbox", name=f"Select {name}", exact=True).click()


def active(site: Site) -> int:
    return sum(user.is_active for user in users(site.database))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_shift_selects_a_range_and_the_counter_follows(listed: Page) -> None:
    box(listed, "Bob")
    listed.keyboard.down("Shift")
    box(listed, "User03")
    listed.keyboard.up("Shift")
    expect(listed.get_by_text("5 of 25 selected")).to_be_visible()
    press(listed, "Clear selection")
    expect(listed.get_by_text("0 of 25 selected")).to_be_visible()
    expect(listed.get_by_role("button", name="Clear selection")).to_be_hidden()


def test_a_range_may_begin_before_its_script_has_come(olga: Page, site: Site) -> None:
    for number in range(30):
        add_user(site.database, f"User{number:02}")
    waiting = held(olga, "**/selection*.js")
    olga.goto(LIST)
    expect(olga.locator("[data-selected]")).to_have_css("opacity", "1")
    with olga.expect_request("**/selection*.js"):
        box(olga, "Bob")
    waiting[0].continue_()
    expect(olga.get_by_text("1 of 25 selected")).to_be_visible()
    olga.keyboard.down("Shift")
    box(olga, "User03")
    olga.keyboard.up("Shift")
    expect(olga.get_by_text("5 of 25 selected")).to_be_visible()


def test_shift_works_by_keyboard_and_backwards(listed: Page) -> None:
    box(listed, "User03")
    listed.get_by_role("checkbox", name="Select Bob", exact=True).focus()
    listed.keyboard.press("Shift+Space")
    expect(listed.get_by_text("5 of 25 selected")).to_be_visible()


def test_the_whole_page_leads_to_all_that_match(listed: Page, site: Site) -> None:
    everything = listed.get_by_label("Select all 32 users that match")
    expect(everything).to_be_hidden()
    listed.get_by_role("checkbox", name="Select all rows on this page").check()
    everything.check()
    box(listed, "Bob")
    expect(everything).to_be_hidden()
    expect(listed.get_by_text("24 of 25 selected")).to_be_visible()
    listed.get_by_role("checkbox", name="Select all rows on this page").check()
    everything.check()
    press(listed, "Deactivate")
    expect(listed.get_by_role("main")).to_contain_text("32 users")
    press(listed, "Deactivate")
    expect(listed.get_by_role("status").first).to_contain_text("32 users were changed.")
    assert active(site) == 0


def test_the_counter_is_right_after_the_back_button(listed: Page) -> None:
    box(listed, "Alice")
    box(listed, "Bob")
    press(listed, "Deactivate")
    expect(listed.get_by_role("heading", level=1)).to_have_text("Deactivate")
    listed.go_back()
    ticked = listed.locator("[name=pks]:checked")
    expect(listed.locator(".selection[data-ready]")).to_be_visible()
    expect(listed.get_by_text(f"{ticked.count()} of 25 selected")).to_be_visible()


def test_unsaved_edits_are_warned_about(listed: Page, site: Site) -> None:
    """Whoever edits in the list marks the form; an action asks before it leaves the page."""
    box(listed, "Alice")
    listed.evaluate("document.querySelector('.toolbar').dataset.unsaved = ''")
    with listed.expect_event("dialog") as asked:
        listed.once("dialog", lambda dialog: dialog.dismiss())
        press(listed, "Deactivate")
    said = "What you typed into the list is not saved yet. Go on without it?"
    assert asked.value.message == said
    expect(listed).to_have_url(f"{site.url}{LIST}")
    listed.once("dialog", lambda dialog: dialog.accept())
    press(listed, "Deactivate")
    expect(listed.get_by_role("heading", level=1)).to_have_text("Deactivate")


def test_typing_into_a_field_means_to_change_it(listed: Page, site: Site) -> None:
    box(listed, "Alice")
    press(listed, "Change fields…")
    listed.get_by_label("Name", exact=True).fill("Renamed")
    expect(listed.get_by_role("checkbox", name="Change Name")).to_be_checked()
    press(listed, "Show what will be changed")
    expect(listed.get_by_role("table")).to_contain_text("Renamed")
    press(listed, "Change the fields")
    assert "Renamed" in [user.name for user in users(site.database)]


def test_all_that_match_can_be_meant_without_scripts(plain: Page, site: Site) -> None:
    plain.get_by_label("Select all 32 users that match").check()
    press(plain, "Deactivate")
    press(plain, "Deactivate")
    expect(plain.get_by_role("status").first).to_contain_text("32 users were changed.")
    assert active(site) == 0


def test_fields_are_changed_without_scripts(plain: Page, site: Site) -> None:
    plain.get_by_role("checkbox", name="Select Alice").check()
    press(plain, "Change fields…")
    plain.get_by_role("checkbox", name="Change Name").check()
    plain.get_by_label("Name", exact=True).fill("Renamed")
    press(plain, "Show what will be changed")
    press(plain, "Change the fields")
    assert "Renamed" in [user.name for user in users(site.database)]


def test_progress_is_shown_while_the_work_goes_on(
    plain: Page, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without scripts: the page grows, and shows the last step alone."""
    monkeypatch.setattr("admin.kit.progress.PATIENCE", 0.0)
    plain.get_by_label("Select all 32 users that match").check()
    press(plain, "Deactivate")
    press(plain, "Deactivate")
    expect(plain.get_by_text("32 users were changed.")).to_be_visible()
    assert plain.locator(".steps > :visible").count() == 1
    plain.get_by_role("link", name="Back", exact=True).click()
    expect(plain).to_have_url(f"{site.url}{LIST}")
