"""Views of a list in a browser: tabs that are counted afterwards, and columns that move."""

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import Site, opened_page, sign_in
from tests.records import add_post, add_user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]

LIST = "/admin/post/list"


def tab(page: Page, name: str) -> Locator:
    return (
        page.get_by_role("navigation", name="Views").get_by_role("listitem").filter(has_text=name)
    )


def look(page: Page, view: str) -> None:
    """Open a view and wait until it is known that somebody looked."""
    with page.expect_response("**/choices"):
        page.goto(f"{LIST}?_view={view}")


def unfold(page: Page, name: str) -> None:
    page.locator("summary").filter(has_text=name).click()


def test_tabs_get_their_numbers_after_the_page(olga: Page, site: Site) -> None:
    add_post(site.database, site.alice, "Draft", published_at=None)
    look(olga, "drafts")
    expect(tab(olga, "Drafts")).to_have_text("Drafts 1")
    expect(tab(olga, "All")).to_have_text("All 2")


def test_what_is_new_is_shown_until_one_looks(olga: Page, site: Site) -> None:
    look(olga, "drafts")
    add_post(site.database, site.alice, "Draft", published_at=None)
    olga.goto(LIST)
    tab(olga, "Drafts").get_by_role("link", name="1 new").click()
    expect(olga.get_by_role("row")).to_contain_text(["Title", "Draft"])
    olga.get_by_role("link", name="Show all of it").click()
    expect(tab(olga, "Drafts")).to_have_text("Drafts 1")


def test_a_view_is_saved_by_keyboard(olga: Page, site: Site) -> None:
    add_user(site.database, "Zoe")
    olga.goto("/admin/user/list?search=zoe")
    olga.locator("summary").filter(has_text="Save view").press("Enter")
    olga.get_by_role("textbox", name="Name", exact=True).fill("Zoes")
    olga.keyboard.press("Enter")
    expect(olga.get_by_role("link", name="Zoes")).to_have_attribute("aria-current", "page")
    expect(olga.get_by_role("searchbox", name="Search users")).to_have_value("zoe")


def test_columns_move_without_a_request(olga: Page) -> None:
    olga.goto(LIST)
    unfold(olga, "Display")
    olga.get_by_role("button", name="Move Published up").click()
    olga.get_by_role("button", name="Move Published up").click()
    expect(olga.get_by_role("button", name="Move Published down")).to_be_focused()
    olga.get_by_role("checkbox", name="Author").uncheck()
    olga.get_by_role("button", name="Apply").last.click()
    expect(olga.get_by_role("columnheader")).to_contain_text(["Select", "Published", "Title"])


def test_choices_come_once_when_they_are_opened(olga: Page) -> None:
    asked: list[str] = []
    olga.on("request", lambda request: asked.append(request.url))
    olga.goto(f"{LIST}?search=hello")
    assert not [url for url in asked if "_part" in url]
    for _ in range(3):
        unfold(olga, "Display")
        expect(olga.locator("[data-order]")).to_be_attached()
    parts = [url.partition("?")[2] for url in asked if "_part" in url]
    assert parts == ["search=hello&_open=display&_part=display"]
    assert "_part" not in olga.content()
    assert "_open=display" not in olga.content()


def test_opening_leaves_the_focus_where_it_is(olga: Page) -> None:
    olga.goto(LIST)
    summary = olga.locator("summary").filter(has_text="Display")
    summary.press("Enter")
    expect(olga.get_by_role("group", name="Columns")).to_be_visible()
    expect(summary).to_be_focused()


def test_the_focus_of_the_link_goes_to_what_replaces_it(olga: Page) -> None:
    waiting: list[Route] = []
    olga.route("**/*_part=save", lambda route: waiting.append(route))  # noqa: PLW0108
    olga.goto(LIST)
    with olga.expect_request("**/*_part=save"):
        unfold(olga, "Save view")
    olga.keyboard.press("Tab")
    waiting[0].continue_()
    expect(olga.get_by_role("textbox", name="Name", exact=True)).to_be_focused()


def test_choices_that_do_not_come_say_so_and_are_asked_for_again(
    browser: Browser, site: Site
) -> None:
    with opened_page(browser, site, expected="ERR_FAILED") as page:
        sign_in(page.context)
        page.route("**/*_part=display", lambda route: route.abort(), times=1)
        page.goto(LIST)
        unfold(page, "Display")
        expect(page.locator(".views [role=alert]")).to_have_text("The choices can't be loaded")
        expect(page.get_by_role("link", name="Show the choices")).to_be_visible()
        unfold(page, "Display")
        unfold(page, "Display")
        expect(page.get_by_role("group", name="Columns")).to_be_visible()


def test_a_form_that_came_later_is_sent_once(olga: Page) -> None:
    olga.goto(LIST)
    unfold(olga, "Save view")
    olga.get_by_role("textbox", name="Name", exact=True).fill("Once")
    form = olga.locator("form").filter(has=olga.get_by_role("button", name="Save as a new view"))
    stopped = form.evaluate("""(form) => [1, 2].map(() => {
      form.addEventListener("submit", (event) => event.preventDefault(), { once: true });
      const event = new SubmitEvent("submit", { bubbles: true, cancelable: true });
      form.dispatchEvent(event);
      return form.dataset.sent;
    })""")
    assert stopped == ["yes", "yes"]


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_panels_stay_on_the_screen(olga: Page, width: int, language: str) -> None:
    olga.set_viewport_size({"width": width, "height": 740})
    olga.context.request.post("/admin/preferences", form={"language": language})
    for place in (0, 1):
        olga.goto(LIST)
        olga.locator(".views summary").nth(place).click()
        expect(olga.locator(".views details[open] form").first).to_be_visible()
        box = olga.locator(".views details[open] .dropdown-panel").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_rows_become_compact(olga: Page) -> None:
    olga.goto(LIST)
    row = olga.get_by_role("row").nth(1)
    before = row.bounding_box()
    unfold(olga, "Display")
    olga.get_by_role("button", name="Compact").click()
    expect(olga.locator("html")).to_have_attribute("data-density", "compact")
    after = row.bounding_box()
    assert before
    assert after
    assert after["height"] < before["height"]


def test_without_scripts_views_are_saved_and_columns_moved(plain_page: Page, site: Site) -> None:
    sign_in(plain_page.context)
    plain_page.goto(f"{LIST}?search=hello")
    unfold(plain_page, "Save view")
    plain_page.get_by_role("link", name="Show the choices").click()
    plain_page.get_by_label("Name", exact=True).fill("Greetings")
    plain_page.get_by_role("button", name="Save as a new view").click()
    expect(plain_page.get_by_role("link", name="Greetings")).to_have_attribute(
        "aria-current", "page"
    )
    unfold(plain_page, "Display")
    plain_page.get_by_role("link", name="Show the choices").click()
    plain_page.get_by_role("button", name="Move Author up").click()
    expect(plain_page.get_by_role("columnheader")).to_contain_text(["Author", "Title"])
    plain_page.get_by_role("link", name="Show counts").click()
    expect(tab(plain_page, "All")).to_contain_text("All 1")
