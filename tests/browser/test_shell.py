"""What frames every page: its colours, its menus, and how the keyboard gets through them."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, ViewportSize, expect
from sqladmin import BaseView, expose
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from admin.views import VIEWS
from tests.browser.conftest import Site, opened_page, sign_in
from tests.personas import add_operator
from tests.records import add_post, add_user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]

REFUSED = "status of 400"
PHONE: ViewportSize = {"width": 360, "height": 740}
DARK, LIGHT = "rgb(16, 21, 31)", "rgb(247, 248, 250)"
# What a keyboard's user sees of the element that has the focus: the width of its outline, and
# whether anything lies over its middle.
FOCUSED = """
    () => {
      const focused = document.activeElement;
      if (focused === document.body) return null;
      const { left, top, width, height } = focused.getBoundingClientRect();
      const shown = document.elementFromPoint(left + width / 2, top + height / 2);
      const name = focused.ariaLabel || focused.textContent.trim() || focused.name || focused.id;
      const isSeen = focused.contains(shown) || (shown && shown.contains(focused));
      return { name, outline: parseFloat(getComputedStyle(focused).outlineWidth), isSeen };
    }
"""
FROM_THE_START = """
    () => {
      document.body.tabIndex = -1;
      document.body.focus();
      document.body.removeAttribute("tabindex");
    }
"""


def report(number: int) -> type[BaseView]:
    """Return a page of its own, as an application may add."""

    class Report(BaseView):
        name, identity = f"Report {number}", f"report-{number}"

        @expose(f"/report/{number}", methods=["GET"], identity=f"report-{number}")
        async def show(self, request: Request) -> Response:
            return PlainTextResponse("Report")

    return Report


@pytest.fixture
def many_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put more into the menu than can be taken in at a glance."""
    monkeypatch.setattr("admin.site.VIEWS", [*VIEWS, *(report(number) for number in range(8))])


@pytest.fixture
def refused(browser: Browser, site: Site) -> Iterator[Page]:
    """Open a page at which Olga, signed in, sends a form that is refused."""
    with opened_page(browser, site, expected=REFUSED) as page:
        sign_in(page.context)
        yield page


def background(page: Page) -> str:
    color: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return color


def choose(page: Page, theme: str) -> None:
    page.get_by_role("banner").locator("summary").click()
    page.get_by_role("button", name=theme, exact=True).click()


# Colours


@pytest.mark.parametrize(("scheme", "color"), [("dark", DARK), ("light", LIGHT)])
def test_the_system_decides_without_scripts(
    plain_page: Page, site: Site, scheme: Literal["dark", "light"], color: str
) -> None:
    plain_page.emulate_media(color_scheme=scheme)
    plain_page.goto("/admin/login")
    assert background(plain_page) == color


@pytest.mark.parametrize(("theme", "color"), [("Dark", DARK), ("Light", LIGHT)])
def test_a_choice_beats_the_system_without_scripts(
    plain_page: Page, site: Site, theme: str, color: str
) -> None:
    sign_in(plain_page.context)
    plain_page.emulate_media(color_scheme="light" if theme == "Dark" else "dark")
    plain_page.goto("/admin/user/list?search=ali")
    choose(plain_page, theme)
    expect(plain_page).to_have_url(f"{site.url}/admin/user/list?search=ali")
    assert background(plain_page) == color


def test_a_dark_page_is_dark_before_any_script_has_run(page: Page, site: Site) -> None:
    """The script is held back for ever, so what is painted is the page's own doing."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    sign_in(page.context)
    page.context.request.post("/admin/preferences", form={"theme": "dark"})
    page.route("**/*.js", hold)
    page.emulate_media(color_scheme="light")
    page.goto("/admin/", wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert background(page) == DARK
    assert held
    for route in held:
        route.continue_()


def test_choosing_keeps_what_was_typed(olga: Page, site: Site) -> None:
    olga.emulate_media(color_scheme="light")
    olga.goto("/admin/user/create")
    olga.get_by_label("Name").fill("Carol")
    choose(olga, "Dark")
    expect(olga.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(olga.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    expect(olga.get_by_label("Name")).to_have_value("Carol")
    assert background(olga) == DARK
    olga.get_by_label("E-mail").fill("carol@example.org")
    olga.get_by_role("button", name="Save", exact=True).click()
    expect(olga.get_by_role("status")).to_be_visible()
    assert background(olga) == DARK


def test_a_theme_can_be_changed_again_and_again(olga: Page, site: Site) -> None:
    olga.emulate_media(color_scheme="dark")
    olga.goto("/admin/")
    choose(olga, "Light")
    expect(olga.locator("html")).to_have_attribute("data-bs-theme", "light")
    olga.get_by_role("button", name="System").click()
    expect(olga.locator("html")).not_to_have_attribute("data-bs-theme", re.compile(""))
    expect(olga.locator("body")).to_have_css("background-color", DARK)


# Menus


def test_a_phone_opens_the_menu_without_scripts(plain_page: Page, site: Site) -> None:
    sign_in(plain_page.context)
    plain_page.set_viewport_size(PHONE)
    plain_page.goto("/admin/user/list")
    menu = plain_page.get_by_role("navigation", name="Models")
    expect(menu).to_be_hidden()
    plain_page.get_by_role("button", name="Menu", exact=True).click()
    expect(menu.get_by_role("link")).to_have_text(
        ["Users", "Posts", "Operators", "Roles", "History"]
    )
    menu.get_by_role("link", name="Posts").click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("Posts")


def test_a_phone_folds_what_a_wide_screen_shows_beside(plain_page: Page, site: Site) -> None:
    """One row of buttons leaves the room to the rows; nothing is there twice."""
    sign_in(plain_page.context)
    plain_page.goto("/admin/user/list")
    header = plain_page.locator(".content-header")
    wide = header.get_by_role("link").all_inner_texts()
    expect(header.get_by_role("button")).to_have_count(0)
    plain_page.set_viewport_size(PHONE)
    expect(header.get_by_role("link")).to_have_text(["New user"])
    box = header.bounding_box()
    assert box is not None
    assert box["height"] < 50
    header.get_by_role("button", name="More", exact=True).click()
    assert header.get_by_role("link").all_inner_texts() == wide
    header.get_by_role("link", name="Trash").click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("Deleted users")


def test_what_a_phone_unfolds_closes_by_escape(olga: Page, site: Site) -> None:
    olga.set_viewport_size(PHONE)
    olga.goto(f"/admin/user/edit/{site.alice.id}")
    more, details = (
        olga.get_by_role("button", name="More"),
        olga.get_by_role("link", name="Details"),
    )
    more.press("Enter")
    expect(details).to_be_in_viewport()
    olga.keyboard.press("Tab")
    olga.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(more).to_be_focused()


def test_a_single_button_is_not_folded(page: Page, site: Site) -> None:
    add_operator(site.database, "vera", "Viewer")
    sign_in(page.context, "vera")
    page.set_viewport_size(PHONE)
    page.goto(f"/admin/user/details/{site.alice.id}")
    expect(page.get_by_role("main").get_by_role("link", name="History")).to_be_visible()
    expect(page.locator(".more-button")).to_be_hidden()


def test_the_phones_menu_closes_by_escape_and_by_its_button(olga: Page, site: Site) -> None:
    olga.set_viewport_size(PHONE)
    olga.goto("/admin/user/list")
    menu, button = (
        olga.get_by_role("navigation", name="Models"),
        olga.get_by_label("Menu", exact=True),
    )
    button.click()
    expect(menu).to_be_visible()
    olga.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    olga.get_by_label("Close the menu").click()
    expect(menu).to_be_hidden()


def test_a_phone_filters_without_scripts(plain_page: Page, site: Site) -> None:
    add_user(site.database, "Carol", is_active=False)
    sign_in(plain_page.context)
    plain_page.set_viewport_size(PHONE)
    plain_page.goto("/admin/user/list")
    expect(plain_page.get_by_role("group", name="Active")).to_be_hidden()
    plain_page.get_by_role("button", name="Filters").click()
    plain_page.get_by_role("group", name="Active").last.get_by_label("No").check()
    plain_page.get_by_role("button", name="Apply filters").click()
    expect(plain_page.get_by_role("rowheader")).to_have_text(["Carol"])
    expect(plain_page.get_by_role("button", name="Filters")).to_have_text("Filters 1")


def test_the_operators_menu_closes_by_escape_and_by_a_click_elsewhere(
    olga: Page, site: Site
) -> None:
    olga.goto("/admin/")
    opener, way_out = (
        olga.get_by_role("banner").locator("summary"),
        olga.get_by_role("button", name="Sign out"),
    )
    opener.click()
    expect(way_out).to_be_visible()
    olga.keyboard.press("Escape")
    expect(way_out).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    olga.get_by_role("heading", level=1).click()
    expect(way_out).to_be_hidden()


def test_a_long_menu_can_be_filtered_and_remembers_by_what(
    browser: Browser, many_views: None, site: Site
) -> None:
    with opened_page(browser, site) as page:
        sign_in(page.context)
        page.goto("/admin/")
        menu = page.get_by_role("navigation", name="Models")
        box = menu.get_by_role("searchbox", name="Filter the menu")
        box.fill("report 3")
        expect(menu.get_by_role("link")).to_have_text(["Report 3"])
        page.goto("/admin/user/list")
        expect(box).to_have_value("report 3")
        expect(menu.get_by_role("link")).to_have_text(["Report 3"])
        box.press("Escape")
        expect(menu.get_by_role("link")).to_have_count(len(VIEWS) + 9)


def test_a_short_menu_has_no_filter(olga: Page, site: Site) -> None:
    olga.goto("/admin/")
    expect(olga.get_by_label("Filter the menu")).to_be_hidden()


# Unsaved changes


def leaves_after_asking(page: Page) -> bool:
    """Go elsewhere, agreeing to whatever is asked, and say whether anything was."""
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Admin")
    return asked == ["beforeunload"]


def test_leaving_a_changed_form_asks_first(olga: Page, site: Site) -> None:
    olga.goto(f"/admin/post/edit/{site.post.id}")
    olga.get_by_label("Title").fill("Hello again")
    assert leaves_after_asking(olga)


def test_leaving_an_untouched_form_does_not_ask(olga: Page, site: Site) -> None:
    olga.goto(f"/admin/post/edit/{site.post.id}")
    olga.get_by_label("Title").click()
    assert not leaves_after_asking(olga)


def test_leaving_a_form_that_was_refused_asks_first(refused: Page, site: Site) -> None:
    """What was typed is on the page and nowhere else, though nobody has touched it since."""
    refused.goto(f"/admin/user/edit/{site.alice.id}")
    refused.get_by_label("E-mail").fill("bob@example.org")
    refused.get_by_role("button", name="Save", exact=True).click()
    expect(refused.get_by_label("E-mail")).to_be_focused()
    refused.get_by_label("Name").click()  # browsers only ask where something was touched
    assert leaves_after_asking(refused)


# The keyboard


@pytest.mark.parametrize(
    ("path", "label"),
    [("/admin/login", "Username"), ("/admin/user/create", "Name"), ("/admin/post/create", "Title")],
)
def test_an_empty_form_has_the_caret_in_its_first_field(
    olga: Page, site: Site, path: str, label: str
) -> None:
    olga.goto(path)
    expect(olga.get_by_label(label)).to_be_focused()


def test_the_first_wrong_field_gets_the_focus_and_its_error_is_read_out(
    refused: Page, site: Site
) -> None:
    refused.goto(f"/admin/user/edit/{site.alice.id}")
    expect(refused.get_by_label("Name")).not_to_be_focused()
    refused.get_by_label("E-mail").fill("bob@example.org")
    refused.get_by_role("button", name="Save", exact=True).click()
    wrong = refused.get_by_label("E-mail")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_accessible_description("A user with this e-mail already exists.")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(refused).to_have_title(re.compile("^Error: "))
    expect(refused.get_by_role("alert")).to_have_text("Please correct the errors below.")


def test_a_wrong_choice_gets_the_focus_in_its_picker(refused: Page, site: Site) -> None:
    refused.goto("/admin/post/create")
    refused.get_by_label("Title").fill("Hello")
    refused.get_by_label("Content").fill("Words.")
    refused.get_by_role("button", name="Save", exact=True).click()
    expect(refused.get_by_role("combobox", name="Author")).to_be_focused()


def test_a_refused_sign_in_is_announced(browser: Browser, site: Site) -> None:
    with opened_page(browser, site, expected=REFUSED, java_script_enabled=False) as page:
        page.goto("/admin/login")
        page.get_by_label("Username").fill("olga")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page).to_have_title(re.compile("^Error: "))
        expect(page.get_by_label("Username")).to_have_value("olga")


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/user/list", "/admin/post/create", "/admin/post/edit/{post}"]
)
def test_the_focus_can_always_be_seen(olga: Page, site: Site, path: str) -> None:
    """Bars that stay in view cover nothing that has the focus."""
    for number in range(12):
        add_user(site.database, f"User{number}")
    olga.set_viewport_size({"width": 1000, "height": 500})
    olga.goto(path.format(post=site.post.id))
    olga.evaluate(FROM_THE_START)
    seen: list[dict[str, Any]] = []
    while len(seen) < 60:
        olga.keyboard.press("Tab")
        focused = olga.evaluate(FOCUSED)
        if focused is None:
            break
        seen.append(focused)
    assert seen[0]["name"] == "Skip to main content"
    assert len(seen) > 8
    assert [s["name"] for s in seen if s["outline"] < 2 or not s["isSeen"]] == []


@pytest.mark.parametrize("bar", [".topbar", ".list-footer"])
def test_the_bars_of_a_long_list_stay_in_view(olga: Page, site: Site, bar: str) -> None:
    for number in range(60):
        add_user(site.database, f"User{number}")
    olga.goto("/admin/user/list?pageSize=100")
    for way in ("scrollTo(0, 1000)", "scrollTo(0, 0)"):
        olga.evaluate(way)
        box = olga.locator(bar).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720


def test_a_low_window_has_no_bars_that_stay(olga: Page, site: Site) -> None:
    olga.set_viewport_size({"width": 320, "height": 256})
    for path, bars in {
        "/admin/user/list": (".topbar", ".list-footer"),
        f"/admin/post/edit/{site.post.id}": (".topbar", ".form-footer"),
    }.items():
        olga.goto(path)
        for bar in bars:
            expect(olga.locator(bar)).to_have_css("position", re.compile("static|relative"))


def test_forced_colors_still_show_the_focus_and_the_current_page(olga: Page, site: Site) -> None:
    olga.emulate_media(forced_colors="active")
    olga.goto("/admin/user/list")
    olga.get_by_role("searchbox").focus()
    for shown in (":focus", "nav [aria-current]"):
        outline = olga.locator(shown).first.evaluate("e => getComputedStyle(e).outlineStyle")
        assert outline == "solid", shown


def test_nothing_moves_for_those_who_asked_for_stillness(browser: Browser, site: Site) -> None:
    with opened_page(browser, site, reduced_motion="reduce") as page:
        sign_in(page.context)
        page.goto("/admin/user/create")
        moving = """() => [...document.querySelectorAll("*")].filter(
            (e) => getComputedStyle(e).transitionProperty !== "none"
        ).map((e) => e.outerHTML)"""
        assert page.evaluate(moving) == []


# Space


@pytest.mark.parametrize(
    ("width", "height"), [(320, 256), (360, 740)], ids=["400 percent", "phone"]
)
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_pages_scroll_in_one_direction_only(
    olga: Page, site: Site, width: int, height: int, direction: str
) -> None:
    add_user(site.database, "x" * 50, email=f"{'y' * 80}@example.org")
    olga.set_viewport_size({"width": width, "height": height})
    for path in (
        "/admin/",
        "/admin/login",
        "/admin/user/list",
        "/admin/user/list?pageSize=1&page=2",
        "/admin/post/list?search=nothing",
        "/admin/post/list?_edit=1",
        "/admin/user/create",
        f"/admin/post/edit/{site.post.id}",
        f"/admin/user/details/{site.alice.id}",
        f"/admin/user/delete?pks={site.alice.id}",
    ):
        olga.goto(path)
        olga.evaluate("direction => { document.documentElement.dir = direction; }", direction)
        beyond = olga.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert beyond <= 0, path


@pytest.mark.parametrize("width", [320, 360, 768])
def test_the_top_bar_cuts_nothing_off(olga: Page, site: Site, width: int) -> None:
    """What has no room is left out, rather than shown as a sliver."""
    olga.set_viewport_size({"width": width, "height": 740})
    post = add_post(site.database, site.alice, "A title that is longer than a phone is wide")
    olga.goto(f"/admin/post/history/{post.id}")
    for shown in (".brand span", ".environment", ".breadcrumbs li:nth-child(2)"):
        box = olga.locator(shown)
        is_cut = box.evaluate("e => e.scrollWidth > e.clientWidth && getComputedStyle(e).clipPath")
        assert is_cut in (False, "inset(50%)"), shown
    crumbs = [crumb.bounding_box() for crumb in olga.locator(".breadcrumbs li").all()]
    assert len({(crumb["y"], crumb["height"]) for crumb in crumbs if crumb}) == 1


def test_right_to_left_mirrors_the_page(olga: Page, site: Site) -> None:
    olga.set_viewport_size({"width": 1280, "height": 800})
    olga.goto("/admin/user/list")
    menu, main = olga.get_by_role("navigation", name="Models"), olga.get_by_role("main")
    for direction, menu_is_left in (("ltr", True), ("rtl", False)):
        olga.evaluate("direction => { document.documentElement.dir = direction; }", direction)
        left, right = menu.bounding_box(), main.bounding_box()
        assert left
        assert right
        assert (left["x"] < right["x"]) is menu_is_left


def test_paper_shows_the_rows_and_nothing_to_press(olga: Page, site: Site) -> None:
    olga.emulate_media(media="print", color_scheme="dark")
    olga.goto("/admin/user/list")
    expect(olga.get_by_role("rowheader", name="Alice")).to_be_visible()
    for path in ("/admin/user/list", "/admin/"):
        olga.goto(path)
        for role in ("navigation", "button", "checkbox", "searchbox", "banner"):
            assert [e for e in olga.get_by_role(role).all() if e.is_visible()] == [], role
        assert [e for e in olga.locator(".btn").all() if e.is_visible()] == []
