"""The command palette, by keyboard: what it finds, does, remembers and says."""

import json
import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from sqlalchemy import delete

from models import Post
from tests.browser.conftest import Site, sign_in
from tests.personas import add_operator
from tests.records import add_user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


def open_palette(page: Page, path: str = "/admin/") -> Locator:
    """Open a page and the palette on it; return its box."""
    page.goto(path)
    page.keyboard.press("Control+k")
    box = page.get_by_role("dialog").get_by_role("combobox")
    expect(box).to_be_focused()
    return box


def chosen(page: Page) -> Locator:
    return page.locator("dialog [role=option][aria-selected=true]")


def group(page: Page, name: str) -> Locator:
    return page.get_by_role("dialog").get_by_role("group", name=name).get_by_role("option")


def test_a_row_is_found_and_opened(olga: Page, site: Site) -> None:
    box = open_palette(olga)
    olga.keyboard.type("bob")
    expect(group(olga, "Users")).to_have_text(["Bob bob@example.org"])
    expect(olga.get_by_role("dialog").get_by_role("status")).to_have_text("1 result")
    active = str(group(olga, "Users").get_attribute("id"))
    expect(box).to_have_attribute("aria-activedescendant", active)
    olga.keyboard.press("Enter")
    expect(olga).to_have_url(f"{site.url}/admin/user/edit/{site.bob.id}")


def test_every_permitted_model_is_searched(olga: Page, site: Site) -> None:
    open_palette(olga)
    olga.keyboard.type("alice")
    expect(group(olga, "Users")).to_have_text(["Alice alice@example.org"])
    expect(group(olga, "Posts")).to_have_text(["Hello Alice"])
    olga.keyboard.press("ArrowDown")
    olga.keyboard.press("Enter")
    expect(olga).to_have_url(f"{site.url}/admin/post/edit/{site.post.id}")


def test_arrows_go_around_and_home_and_end_to_the_ends(olga: Page, site: Site) -> None:
    open_palette(olga)
    everything = olga.get_by_role("dialog").get_by_role("option")
    first, last = everything.first.inner_text(), everything.last.inner_text()
    for key, text in (("ArrowUp", last), ("ArrowDown", first), ("End", last), ("Home", first)):
        olga.keyboard.press(key)
        expect(chosen(olga)).to_have_text(text)


@pytest.mark.parametrize(
    ("typed", "command", "path"),
    [
        ("new po", "New post", "/admin/post/create"),
        ("users", "Users", "/admin/user/list"),
        ("sign", "Sign out", "/admin/login"),
    ],
)
def test_commands_run(olga: Page, site: Site, typed: str, command: str, path: str) -> None:
    open_palette(olga)
    olga.keyboard.type(typed)
    expect(chosen(olga)).to_have_text(command)
    olga.keyboard.press("Enter")
    expect(olga).to_have_url(site.url + path)


def test_the_appearance_is_a_command(olga: Page, site: Site) -> None:
    open_palette(olga)
    olga.keyboard.type("dark")
    olga.keyboard.press("Enter")
    expect(olga.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(olga.get_by_role("dialog")).to_have_count(0)


def test_an_object_brings_its_own_commands(olga: Page, site: Site) -> None:
    open_palette(olga, f"/admin/user/details/{site.bob.id}")
    expect(group(olga, "Commands").filter(has_text=re.compile("^(Edit|Delete)$"))).to_have_count(2)
    olga.keyboard.type("delete")
    olga.keyboard.press("Enter")
    expect(olga.get_by_role("main")).to_contain_text("This goes to the trash")


def test_a_form_is_saved_by_command(olga: Page, site: Site) -> None:
    olga.goto(f"/admin/user/edit/{site.bob.id}")
    olga.get_by_label("Name").fill("Robert")
    olga.keyboard.press("Control+k")
    olga.keyboard.type("save")
    expect(chosen(olga)).to_have_text("Save")
    olga.keyboard.press("Enter")
    expect(olga.get_by_role("status")).to_contain_text("was changed")


def test_a_command_can_be_opened_in_a_new_tab(olga: Page, site: Site) -> None:
    open_palette(olga)
    olga.keyboard.type("new user")
    with olga.context.expect_page() as opened:
        olga.keyboard.press("Control+Enter")
    expect(opened.value).to_have_url(f"{site.url}/admin/user/create")
    expect(olga).to_have_url(f"{site.url}/admin/")


def test_what_was_opened_last_comes_first(olga: Page, site: Site) -> None:
    olga.goto(f"/admin/user/edit/{site.alice.id}?search=a")
    olga.goto(f"/admin/user/details/{site.bob.id}")
    open_palette(olga)
    expect(group(olga, "Recent")).to_have_text(["Bob User", "Alice User"])
    expect(chosen(olga)).to_have_text("Bob User")
    olga.keyboard.type("ali")
    expect(group(olga, "Posts")).to_have_text(["Hello Alice"])
    expect(group(olga, "Users")).to_have_count(0)
    expect(chosen(olga)).to_have_text("Alice User")
    olga.keyboard.press("Enter")
    expect(olga).to_have_url(f"{site.url}/admin/user/edit/{site.alice.id}")


def test_the_page_itself_is_not_recent(olga: Page, site: Site) -> None:
    open_palette(olga, f"/admin/user/edit/{site.alice.id}")
    expect(group(olga, "Commands").first).to_be_visible()
    expect(group(olga, "Recent")).to_have_count(0)


def test_signing_out_forgets_what_was_opened(olga: Page, site: Site) -> None:
    olga.goto(f"/admin/user/edit/{site.alice.id}")
    assert "Alice" in str(olga.evaluate("JSON.stringify(localStorage)"))
    open_palette(olga)
    olga.keyboard.type("sign out")
    olga.keyboard.press("Enter")
    expect(olga.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "Alice" not in str(olga.evaluate("JSON.stringify(localStorage)"))
    sign_in(olga.context)
    open_palette(olga)
    expect(group(olga, "Commands").first).to_be_visible()
    expect(group(olga, "Recent")).to_have_count(0)


def test_escape_closes_and_gives_the_focus_back(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list")
    link = olga.get_by_role("link", name="Alice")
    link.focus()
    olga.keyboard.press("Control+k")
    expect(olga.get_by_role("dialog")).to_be_visible()
    olga.keyboard.type("x")
    olga.keyboard.press("Escape")
    expect(olga.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_shortcuts_work_again_once_it_is_closed(olga: Page, site: Site) -> None:
    open_palette(olga, "/admin/user/list")
    olga.keyboard.press("Escape")
    expect(olga.locator("body")).to_be_focused()
    olga.keyboard.press("?")
    expect(olga.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_what_the_page_offers_comes_before_the_rest(olga: Page, site: Site) -> None:
    open_palette(olga, f"/admin/user/details/{site.bob.id}")
    expect(group(olga, "Commands").first).to_have_text("History")
    expect(group(olga, "Commands").last).to_have_text("Sign out")


def test_it_opens_while_typing_in_a_form_and_loses_nothing(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/create")
    olga.get_by_label("Name").fill("Half a na")
    olga.keyboard.press("Control+k")
    olga.keyboard.press("Escape")
    expect(olga.get_by_label("Name")).to_be_focused()
    expect(olga.get_by_label("Name")).to_have_value("Half a na")


def test_escape_takes_it_back_before_it_is_there(olga: Page, site: Site) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    olga.route("**/palette*.js", hold)
    olga.goto("/admin/user/create")
    with olga.expect_request("**/palette*.js"):
        olga.keyboard.press("Control+k")
    olga.keyboard.press("Escape")
    with olga.expect_response("**/palette*.js"):
        held[0].continue_()
    olga.keyboard.type("Ann")
    expect(olga.get_by_label("Name")).to_have_value("Ann")
    expect(olga.get_by_role("dialog")).to_have_count(0)


def test_what_is_typed_before_it_is_there_reaches_it(olga: Page, site: Site) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    olga.route("**/palette*.js", hold)
    olga.goto("/admin/user/create")
    olga.get_by_label("Name").fill("Half a na")
    with olga.expect_request("**/palette*.js"):
        olga.keyboard.press("Control+k")
    olga.keyboard.type("bo")
    held[0].continue_()
    box = olga.get_by_role("dialog").get_by_role("combobox")
    expect(box).to_be_focused()
    olga.keyboard.type("b")
    expect(box).to_have_value("bob")
    expect(olga.locator("#name")).to_have_value("Half a na")


def test_the_button_in_the_top_bar_opens_it(olga: Page, site: Site) -> None:
    olga.goto("/admin/")
    button = olga.get_by_role("banner").get_by_role("button", name="Search")
    button.click()
    expect(olga.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    olga.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_nothing_found_is_said(olga: Page, site: Site) -> None:
    open_palette(olga)
    status = olga.get_by_role("dialog").get_by_role("status")
    olga.keyboard.type("zzz")
    expect(status).to_have_text("Nothing found")
    expect(olga.get_by_role("dialog").get_by_role("option")).to_have_count(0)


def test_a_name_is_text_whatever_it_holds(olga: Page, site: Site) -> None:
    add_user(site.database, "<b>Mallory</b>", email="m@example.org")
    open_palette(olga)
    olga.keyboard.type("mallory")
    expect(group(olga, "Users")).to_have_text(["<b>Mallory</b> m@example.org"])


def test_an_answer_that_comes_late_is_not_shown(olga: Page, site: Site) -> None:
    """The first one is held back until the second one is there."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    olga.route("**/admin/search?q=alice", hold)
    open_palette(olga)
    with olga.expect_request("**/admin/search?q=alice"):
        olga.keyboard.type("alice")
    expect(olga.get_by_role("dialog").get_by_role("status")).to_have_text("Searching…")
    olga.get_by_role("dialog").get_by_role("combobox").fill("bob")
    expect(group(olga, "Users")).to_have_text(["Bob bob@example.org"])
    held[0].continue_()
    olga.wait_for_load_state("networkidle")
    expect(group(olga, "Users")).to_have_text(["Bob bob@example.org"])


def test_typing_fast_asks_once(olga: Page, site: Site) -> None:
    asked: list[str] = []
    open_palette(olga)
    olga.on("request", lambda request: asked.append(request.url))
    olga.keyboard.type("alice")
    expect(group(olga, "Users")).to_have_count(1)
    assert asked == [f"{site.url}/admin/search?q=alice"]


def test_a_session_that_ended_is_said(browser: Browser, site: Site) -> None:
    with browser.new_context(base_url=site.url) as context:
        sign_in(context)
        page = context.new_page()
        open_palette(page)
        context.clear_cookies()
        page.keyboard.type("alice")
        status = page.get_by_role("dialog").get_by_role("status")
        expect(status).to_have_text("You are signed out: reload the page.")


def test_a_server_that_is_away_is_said(browser: Browser, site: Site) -> None:
    with browser.new_context(base_url=site.url) as context:
        sign_in(context)
        page = context.new_page()
        open_palette(page)
        context.set_offline(offline=True)
        page.keyboard.type("alice")
        status = page.get_by_role("dialog").get_by_role("status")
        expect(status).to_contain_text("The search can't be reached")
        context.set_offline(offline=False)
        page.keyboard.press("Backspace")
        expect(group(page, "Users")).to_have_count(1)


def test_a_part_of_a_word_runs_no_command(olga: Page, site: Site) -> None:
    """Whoever types a name and presses Enter must not sign out by "sIGN"."""
    open_palette(olga)
    olga.keyboard.type("ign")
    expect(olga.get_by_role("dialog").get_by_role("status")).to_have_text("Nothing found")
    expect(group(olga, "Commands")).to_have_count(0)


RECENT = "admin:recent:olga"


def put(page: Page, value: str, name: str = RECENT) -> None:
    """Leave something in the browser's storage, as an older visit may have."""
    page.goto("/admin/")
    page.evaluate("([name, value]) => localStorage.setItem(name, value)", [name, value])


def test_only_what_the_menu_still_leads_to_is_offered(olga: Page, site: Site) -> None:
    """Rights change, and other programs may write into the storage."""
    urls = ["/admin/invoice/edit/1", "javascript:alert(1)", "//evil.example/", "/admin/user/edit/0"]
    put(olga, json.dumps([{"label": f"to {url}", "detail": "", "url": url} for url in urls]))
    open_palette(olga)
    expect(group(olga, "Recent")).to_have_text(["to /admin/user/edit/0"])


@pytest.mark.parametrize(("label", "typed"), [("المستخدمون", "مستخدم"), ("新しい投稿", "投稿")])
def test_languages_that_join_words_are_found_by_any_of_them(
    olga: Page, site: Site, label: str, typed: str
) -> None:
    put(olga, json.dumps([{"label": label, "detail": "", "url": "/admin/user/edit/0"}]))
    open_palette(olga)
    olga.keyboard.insert_text(typed)
    expect(group(olga, "Recent")).to_have_text([label])


@pytest.mark.parametrize("kept", ["{}", "null", "[null]", "no JSON", '"text"', "[1]"])
def test_a_storage_that_holds_something_else_breaks_nothing(
    olga: Page, site: Site, kept: str
) -> None:
    put(olga, kept)
    olga.goto(f"/admin/user/edit/{site.bob.id}")
    open_palette(olga)
    expect(group(olga, "Recent")).to_have_text(["Bob User"])
    olga.keyboard.type("sign out")
    olga.keyboard.press("Enter")
    expect(olga.get_by_role("heading", name="Sign in")).to_be_visible()
    assert olga.evaluate("Object.keys(localStorage)") == []


def test_the_next_operator_finds_nothing_of_the_one_before(olga: Page, site: Site) -> None:
    """Olga's session ends by itself, and Vera sits down at the same browser."""
    add_operator(site.database, "vera", "Viewer")
    olga.goto(f"/admin/user/edit/{site.alice.id}")
    olga.context.clear_cookies()
    sign_in(olga.context, "vera")
    open_palette(olga)
    expect(group(olga, "Recent")).to_have_count(0)
    assert "Alice" not in str(olga.evaluate("JSON.stringify(localStorage)"))


def test_what_turned_out_to_be_gone_is_forgotten(browser: Browser, site: Site) -> None:
    with browser.new_context(base_url=site.url) as context:
        sign_in(context)
        page = context.new_page()
        page.goto(f"/admin/post/edit/{site.post.id}")
        page.goto(f"/admin/user/edit/{site.bob.id}")
        site.database.write(lambda session: session.execute(delete(Post)))
        open_palette(page)
        expect(group(page, "Recent")).to_have_text(["Bob User", "Hello Post"])
        page.keyboard.type("hello")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Error 404")
        open_palette(page)
        expect(group(page, "Recent")).to_have_text(["Bob User"])


def test_an_endless_paste_is_cut_and_searched(olga: Page, site: Site) -> None:
    box = open_palette(olga)
    olga.keyboard.insert_text("x" * 5000)
    expect(box).to_have_value("x" * 200)
    expect(olga.get_by_role("dialog").get_by_role("status")).to_have_text("Nothing found")


def test_a_name_turns_nothing_beside_it_around(olga: Page, site: Site) -> None:
    """U+202E writes what follows backwards, up to the end of what is isolated."""
    add_user(site.database, "Mallory \u202e", email="m@example.org")
    for path in ("/admin/", "/admin/search?q=mallory"):
        open_palette(olga, path)
        olga.keyboard.type("mallory")
        expect(group(olga, "Users")).to_have_count(1)
        for shown in olga.locator("[role=option] span, .found li > *").all():
            expect(shown).to_have_css("unicode-bidi", "isolate")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_it_fits_a_small_screen_in_both_colours(
    olga: Page, site: Site, scheme: Literal["dark", "light"]
) -> None:
    olga.emulate_media(color_scheme=scheme)
    olga.set_viewport_size({"width": 360, "height": 640})
    add_user(site.database, "x" * 50, email=f"{'y' * 80}@example.org")
    open_palette(olga, "/admin/user/list")
    olga.keyboard.type("xxx")
    expect(group(olga, "Users")).to_have_count(1)
    dialog = olga.get_by_role("dialog")
    box = dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert dialog.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert olga.evaluate("document.documentElement.scrollWidth") <= 360
    background = dialog.evaluate("e => getComputedStyle(e).backgroundColor")
    is_bright = sum(map(int, re.findall(r"\d+", background)[:3])) > 384
    assert is_bright is (scheme == "light")


def test_without_scripts_the_box_leads_to_a_page(plain_page: Page, site: Site) -> None:
    sign_in(plain_page.context)
    plain_page.goto("/admin/")
    plain_page.get_by_role("banner").get_by_role("searchbox").fill("bob")
    plain_page.keyboard.press("Enter")
    expect(plain_page).to_have_url(f"{site.url}/admin/search?q=bob")
    plain_page.get_by_role("main").get_by_role("link", name="Bob").click()
    expect(plain_page).to_have_url(f"{site.url}/admin/user/edit/{site.bob.id}")
