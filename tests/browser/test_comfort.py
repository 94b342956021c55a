"""What scripts and styles add: the picker, ticking, one answer to two clicks, small and dark."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site
from tests.records import add_user, posts

NUMBER = re.compile(r"[\d.]+")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


def open_picker(page: Page, site: Site) -> Locator:
    """Open the form of the post and return the box in which its author is picked."""
    page.goto(f"/admin/post/edit/{site.post.id}")
    box = page.get_by_role("combobox", name="Author")
    expect(box).to_have_value("Alice")
    return box


def key(page: Page) -> str:
    return page.locator("input[name=author]").input_value()


def save(page: Page, said: str = "was changed") -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(said)


def test_an_author_is_picked_by_mouse(olga: Page, site: Site) -> None:
    box = open_picker(olga, site)
    box.click()
    expect(olga.get_by_role("option")).to_have_text(["Alice", "Bob"])
    olga.get_by_role("option", name="Bob").click()
    expect(box).to_have_value("Bob")
    expect(olga.get_by_role("listbox")).to_be_hidden()
    save(olga)
    assert [post.user_id for post in posts(site.database)] == [site.bob.id]


def test_an_author_is_picked_by_keyboard(olga: Page, site: Site) -> None:
    box = open_picker(olga, site)
    box.focus()
    olga.keyboard.type("bo")
    expect(olga.get_by_role("option")).to_have_text(["Bob"])
    olga.keyboard.press("ArrowDown")
    expect(olga.get_by_role("option")).to_have_attribute("aria-selected", "true")
    active = olga.get_by_role("option").get_attribute("id")
    expect(box).to_have_attribute("aria-activedescendant", str(active))
    olga.keyboard.press("Enter")
    expect(box).to_have_value("Bob")
    expect(box).to_have_attribute("aria-expanded", "false")
    assert key(olga) == str(site.bob.id)
    olga.keyboard.press("Enter")
    expect(olga.get_by_role("status")).to_contain_text("was changed")
    assert [post.user_id for post in posts(site.database)] == [site.bob.id]


def test_arrows_go_around(olga: Page, site: Site) -> None:
    open_picker(olga, site).focus()
    expect(olga.get_by_role("option")).to_have_text(["Alice", "Bob"])
    for pressed, name in (("ArrowUp", "Bob"), ("ArrowDown", "Alice"), ("ArrowDown", "Bob")):
        olga.keyboard.press(pressed)
        expect(olga.locator("[role=option][aria-selected=true]")).to_have_text(name)


def test_escape_closes_the_choices_and_changes_nothing(olga: Page, site: Site) -> None:
    box = open_picker(olga, site)
    box.focus()
    expect(olga.get_by_role("option")).to_have_count(2)
    olga.keyboard.press("ArrowDown")
    olga.keyboard.press("Escape")
    expect(olga.get_by_role("listbox")).to_be_hidden()
    expect(box).to_have_value("Alice")
    assert key(olga) == str(site.alice.id)


@pytest.mark.parametrize("typed", ["bo", "Bob", "nobody"])
def test_what_is_typed_but_not_chosen_changes_nothing(olga: Page, site: Site, typed: str) -> None:
    box = open_picker(olga, site)
    box.fill(typed)
    expect(olga.get_by_role("listbox")).to_be_visible()
    olga.keyboard.press("Tab")
    expect(box).to_have_value("Alice")
    assert key(olga) == str(site.alice.id)
    save(olga, "stays as it was")
    assert [post.user_id for post in posts(site.database)] == [site.alice.id]


def test_nothing_found_is_said(olga: Page, site: Site) -> None:
    open_picker(olga, site).fill("nobody")
    expect(olga.get_by_role("option")).to_have_text(["Nothing found"])
    olga.keyboard.press("ArrowDown")
    olga.keyboard.press("Escape")


def test_an_emptied_box_is_no_author(olga: Page, site: Site) -> None:
    box = open_picker(olga, site)
    box.fill("")
    olga.keyboard.press("Tab")
    expect(box).to_have_value("")
    assert key(olga) == ""


def test_a_name_is_text_whatever_it_holds(olga: Page, site: Site) -> None:
    add_user(site.database, "<b>Mallory</b>", email="m@example.org")
    open_picker(olga, site).fill("mallory")
    expect(olga.get_by_role("option")).to_have_text(["<b>Mallory</b>"])


def test_the_filter_picks_an_author_by_name(olga: Page, site: Site) -> None:
    olga.goto("/admin/post/list")
    olga.get_by_role("button", name="Filters").click()
    box = olga.get_by_role("combobox", name="Author")
    for name in ("Alice", "Bob"):
        box.fill(name.lower())
        olga.get_by_role("option", name=name).click()
    olga.get_by_role("checkbox", name="Bob").uncheck()
    olga.get_by_role("button", name="Apply filters").click()
    expect(olga).to_have_url(f"{site.url}/admin/post/list?author={site.alice.id}")
    expect(olga.get_by_role("link", name="Remove Author: Alice")).to_be_visible()
    expect(olga.get_by_role("rowheader")).to_have_text(["Hello"])


def test_a_filter_stays_folded_in_the_tab(olga: Page, site: Site) -> None:
    olga.goto("/admin/post/list")
    olga.get_by_role("button", name="Filters").click()
    author = olga.locator("details[data-filter=author]")
    author.locator("summary").click()
    expect(author.get_by_role("combobox")).to_be_hidden()
    olga.goto("/admin/post/list?search=x")
    olga.get_by_role("button", name="Filters").click()
    expect(author.get_by_role("combobox")).to_be_hidden()
    expect(olga.get_by_role("radio", name="Today")).to_be_visible()


def test_counts_leave_the_filters_open(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list")
    olga.get_by_role("button", name="Filters").click()
    olga.get_by_role("link", name="Show counts").click()
    expect(olga.locator(".form-check", has_text="Yes")).to_have_text("Yes 2")
    expect(olga.get_by_role("radio", name="Yes")).to_be_visible()


def test_conditions_are_built_without_loading_the_page(olga: Page, site: Site) -> None:
    olga.goto("/admin/post/list")
    olga.evaluate("window.still = true")
    olga.get_by_role("link", name="Conditions").click()
    olga.get_by_label("Field").select_option("Title")
    olga.get_by_label("Comparison").select_option("begins with")
    olga.get_by_label("Value").fill("He")
    olga.get_by_role("button", name="And", exact=True).click()
    expect(olga.get_by_label("Field").last).to_be_focused()
    olga.get_by_label("Field").last.select_option("Author")
    olga.get_by_role("combobox", name="Value").fill("ali")
    olga.get_by_role("option", name="Alice").click()
    assert olga.evaluate("window.still") is True
    olga.get_by_role("button", name="Apply conditions").last.click()
    chip = olga.get_by_role("link", name="Remove Title begins with “He” and Author: Alice")
    expect(chip).to_be_visible()
    expect(olga.get_by_role("rowheader")).to_have_text(["Hello"])
    chip.click()
    expect(olga).to_have_url(f"{site.url}/admin/post/list")


def test_two_clicks_store_once(olga: Page, site: Site) -> None:
    """The second one comes while the first one is still on its way."""
    olga.goto("/admin/post/create")
    olga.get_by_label("Title").fill("Twice?")
    olga.get_by_label("Content").fill("Words.")
    olga.get_by_role("combobox", name="Author").click()
    olga.get_by_role("option", name="Bob").click()
    box = olga.get_by_role("button", name="Save", exact=True).bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    with site.database.writer.begin():  # the server waits for this lock, and so does the answer
        with olga.expect_request(lambda request: request.method == "POST"):
            olga.mouse.click(*middle)
        olga.mouse.click(*middle)
    expect(olga.get_by_role("status")).to_contain_text("was added")
    assert [post.title for post in posts(site.database)] == ["Hello", "Twice?"]


def test_a_form_can_be_sent_again_after_going_back(olga: Page, site: Site) -> None:
    path = f"/admin/post/edit/{site.post.id}"
    olga.goto(path)
    olga.get_by_role("button", name="Save and continue editing").click()
    expect(olga.get_by_role("status")).to_be_visible()
    olga.go_back()
    olga.get_by_label("Title").fill("Again")
    save(olga)
    assert [post.title for post in posts(site.database)] == ["Again"]


def test_one_box_ticks_the_page(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list")
    everything = olga.get_by_role("checkbox", name="Select all rows on this page")
    everything.check()
    for name in ("Alice", "Bob"):
        expect(olga.get_by_role("checkbox", name=f"Select {name}")).to_be_checked()
    everything.uncheck()
    expect(olga.get_by_role("checkbox", name="Select Bob")).not_to_be_checked()
    everything.check()
    olga.get_by_role("button", name="Delete selected…").click()
    expect(olga.get_by_role("main")).to_contain_text("2 users")


def luminance(page: Page, element: str, style: str) -> float:
    """Return how bright a colour looks, from 0 to 1 (WCAG, "relative luminance")."""
    color = page.locator(element).first.evaluate("(e, style) => getComputedStyle(e)[style]", style)
    parts = [
        float(part) / (1 if color.startswith("color") else 255) for part in NUMBER.findall(color)
    ]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("scheme", "is_dark"), [("dark", True), ("light", False)])
def test_pages_follow_the_system_and_links_can_be_read(
    olga: Page, site: Site, scheme: Literal["dark", "light"], is_dark: bool
) -> None:
    olga.goto("/admin/user/list")
    for follows in ("light" if is_dark else "dark", scheme):
        olga.emulate_media(color_scheme=follows)
    card = luminance(olga, "form.card", "backgroundColor")
    link = luminance(olga, "tbody a", "color")
    assert (card < 0.1) is is_dark
    assert (max(card, link) + 0.05) / (min(card, link) + 0.05) >= 4.5


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_what_can_be_used_stands_out(
    olga: Page, site: Site, scheme: Literal["dark", "light"]
) -> None:
    olga.emulate_media(color_scheme=scheme)
    olga.goto(f"/admin/user/edit/{site.alice.id}")
    card = luminance(olga, "form.card", "backgroundColor")
    parts = [("main a.btn-outline-danger", "color", 4.5), ("main a.btn-link", "color", 4.5)]
    for element, style, least in [*parts, ("[name=name]", "borderTopColor", 3.0)]:
        part = luminance(olga, element, style)
        assert (max(card, part) + 0.05) / (min(card, part) + 0.05) >= least, element
    olga.get_by_role("link", name="Details").focus()
    olga.keyboard.press("Tab")
    expect(olga.get_by_role("link", name="Delete")).to_have_css("outline-style", "solid")


def test_the_first_mistake_is_where_typing_goes(olga: Page, site: Site) -> None:
    # The browser would complain about the status of the page with the mistake.
    olga.route("**/create", lambda route: route.fulfill(response=route.fetch(), status=200))
    olga.goto("/admin/post/create")
    expect(olga.get_by_label("Title")).to_be_focused()
    olga.keyboard.type("Hello")
    olga.get_by_label("Content").fill("Text")
    olga.get_by_role("button", name="Save", exact=True).click()
    expect(olga.get_by_role("main")).to_contain_text("This field is required.")
    expect(olga.get_by_role("combobox", name="Author")).to_be_focused()


def test_the_keyboard_reaches_the_content_first(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list")
    olga.keyboard.press("Tab")
    expect(olga.get_by_role("link", name="Skip to main content")).to_be_focused()
    olga.keyboard.press("Enter")
    expect(olga.get_by_role("main")).to_be_focused()
