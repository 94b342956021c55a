"""Shortcuts of the keyboard: what each does, and when they keep quiet."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site
from tests.records import users

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


def visit(page: Page, path: str) -> None:
    """Open a page and wait until it listens to keys."""
    page.goto(path)
    expect(page.locator("[data-shortcuts]")).not_to_have_attribute("hidden", "")


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True)


def test_a_question_mark_lists_them(olga: Page, site: Site) -> None:
    visit(olga, "/admin/")
    olga.keyboard.press("?")
    dialog = olga.get_by_role("dialog", name="Keyboard shortcuts")
    for key in ("?", "/", "c", "j", "x", "a", "Ctrl"):
        expect(dialog.get_by_text(key, exact=True).first).to_be_visible()
    olga.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_slash_leads_to_the_search_of_the_list(olga: Page, site: Site) -> None:
    visit(olga, "/admin/user/list?search=bo")
    olga.keyboard.press("/")
    box = olga.get_by_role("main").get_by_role("searchbox")
    expect(box).to_be_focused()
    olga.keyboard.type("x/c?")
    expect(box).to_have_value("x/c?")


@pytest.mark.parametrize(
    ("path", "keys", "leads_to"),
    [
        ("/admin/user/list", ["c"], "/admin/user/create"),
        ("/admin/user/list", ["g", "h"], "/admin/"),
        ("/admin/user/details/{bob}", ["e"], "/admin/user/edit/{bob}"),
        ("/admin/user/list", ["j", "o"], "/admin/user/edit/{bob}"),
        ("/admin/user/list", ["j", "j", "Enter"], "/admin/user/edit/{alice}"),
    ],
)
def test_keys_lead_to_pages(
    olga: Page, site: Site, path: str, keys: list[str], leads_to: str
) -> None:
    visit(olga, path.format(bob=site.bob.id))
    for key in keys:
        olga.keyboard.press(key)
    expect(olga).to_have_url(site.url + leads_to.format(bob=site.bob.id, alice=site.alice.id))


def test_keys_move_through_the_rows(olga: Page, site: Site) -> None:
    visit(olga, "/admin/user/list")
    steps = [("j", "Bob"), ("j", "Alice"), ("j", "Alice"), ("k", "Bob")]
    for key, name in [*steps, ("ArrowDown", "Alice"), ("ArrowUp", "Bob")]:
        olga.keyboard.press(key)
        expect(row(olga, name)).to_be_focused()


def test_arrows_scroll_as_long_as_no_row_has_the_focus(olga: Page, site: Site) -> None:
    visit(olga, "/admin/user/list")
    olga.keyboard.press("ArrowDown")
    expect(row(olga, "Bob")).not_to_be_focused()


def test_a_row_is_ticked_by_x_and_by_space(olga: Page, site: Site) -> None:
    visit(olga, "/admin/user/list")
    olga.keyboard.press("j")
    box = olga.get_by_role("checkbox", name="Select Bob")
    for key, is_ticked in (("x", True), ("x", False), ("Space", True), ("Space", False)):
        olga.keyboard.press(key)
        expect(box).to_be_checked(checked=is_ticked)


def test_a_leads_to_the_actions_and_presses_none(olga: Page, site: Site) -> None:
    visit(olga, "/admin/user/list")
    olga.keyboard.press("j")
    olga.keyboard.press("x")
    olga.keyboard.press("a")
    expect(olga.get_by_role("button", name="Activate", exact=True)).to_be_focused()
    expect(olga).to_have_url(f"{site.url}/admin/user/list")


def test_a_box_that_has_the_focus_is_ticked_once_and_enter_opens_its_row(
    olga: Page, site: Site
) -> None:
    visit(olga, "/admin/user/list")
    box = olga.get_by_role("checkbox", name="Select Bob")
    box.focus()
    olga.keyboard.press("Space")
    expect(box).to_be_checked()
    olga.keyboard.press("Enter")
    expect(olga).to_have_url(f"{site.url}/admin/user/edit/{site.bob.id}")


def test_a_form_is_saved_from_within_a_field(olga: Page, site: Site) -> None:
    visit(olga, f"/admin/user/edit/{site.bob.id}")
    olga.get_by_label("Name").fill("Robert")
    olga.keyboard.press("Control+s")
    expect(olga.get_by_role("status")).to_contain_text("was changed")
    assert [user.name for user in users(site.database)] == ["Alice", "Robert"]


@pytest.mark.parametrize("field", ["Title", "Content", "Author"])
def test_keys_typed_into_a_field_are_text(olga: Page, site: Site, field: str) -> None:
    visit(olga, f"/admin/post/edit/{site.post.id}")
    box = olga.get_by_label(field)
    box.fill("")
    olga.keyboard.type("?/cjkxeogh")
    expect(box).to_have_value("?/cjkxeogh")
    expect(olga.get_by_role("dialog")).to_have_count(0)
    expect(olga).to_have_url(re.compile("/admin/post/edit/"))


def test_keys_with_others_are_left_to_the_browser(olga: Page, site: Site) -> None:
    visit(olga, "/admin/user/list")
    for key in ("Alt+c", "Control+j", "Meta+c", "Control+Shift+s"):
        olga.keyboard.press(key)
    expect(row(olga, "Bob")).not_to_be_focused()
    expect(olga).to_have_url(f"{site.url}/admin/user/list")


def test_they_keep_quiet_while_a_dialog_is_open(olga: Page, site: Site) -> None:
    visit(olga, "/admin/user/list")
    olga.keyboard.press("?")
    expect(olga.get_by_role("dialog")).to_be_visible()
    olga.keyboard.press("c")
    olga.keyboard.press("Control+k")
    expect(olga.get_by_role("dialog")).to_have_count(1)
    expect(olga).to_have_url(f"{site.url}/admin/user/list")


def test_single_keys_can_be_switched_off_for_good(olga: Page, site: Site) -> None:
    visit(olga, "/admin/user/list")
    olga.keyboard.press("?")
    olga.get_by_label("Shortcuts of a single key").uncheck()
    olga.get_by_role("button", name="Close").click()
    visit(olga, "/admin/user/list")
    for key in ("?", "j", "c"):
        olga.keyboard.press(key)
    expect(olga.get_by_role("dialog")).to_have_count(0)
    expect(row(olga, "Bob")).not_to_be_focused()
    expect(olga).to_have_url(f"{site.url}/admin/user/list")


def test_they_are_switched_on_again_from_the_palette(olga: Page, site: Site) -> None:
    olga.add_init_script(
        "localStorage.getItem('admin:keys') ?? localStorage.setItem('admin:keys', 'off')"
    )
    visit(olga, "/admin/user/list")
    olga.keyboard.press("Control+k")
    expect(olga.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    olga.keyboard.type("shortcuts")
    olga.keyboard.press("Enter")
    olga.get_by_label("Shortcuts of a single key").check()
    olga.keyboard.press("Escape")
    olga.keyboard.press("j")
    expect(row(olga, "Bob")).to_be_focused()


def test_a_key_for_which_a_page_has_nothing_does_nothing(olga: Page, site: Site) -> None:
    visit(olga, f"/admin/user/edit/{site.bob.id}")
    olga.keyboard.press("c")
    olga.keyboard.press("e")
    expect(olga).to_have_url(f"{site.url}/admin/user/edit/{site.bob.id}")
