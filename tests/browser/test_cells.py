"""Cells that are edited in the list: by mouse, by keyboard, by touch, and without scripts."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect
from sqlalchemy import delete

from admin.views import VIEWS
from admin.views.posts import PostAdmin
from models import Post, User
from models.operator_session import OperatorSession
from tests.browser.conftest import Site, held, opened_page, sign_in
from tests.records import posts, users

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]

LIST = "/admin/user/list?sortBy=name"


class WithAuthorAdmin(PostAdmin, model=Post):
    column_editable_list = [Post.title, Post.author]


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """Sign in Olga; that an answer is a refusal, or the network away, is no fault of the page."""
    with opened_page(browser, site, expected="Failed to load resource") as page:
        sign_in(page.context)
        yield page


def cell(page: Page, row: str, column: str) -> Locator:
    """Return the cell of a row, once its script has come."""
    page.locator("table").hover()
    found = page.locator("tbody tr", has_text=row).locator(f"[data-edit={column}]")
    expect(found.locator(".cell-button")).to_be_attached()
    return found


def open_name(page: Page, row: str = "Alice") -> Locator:
    """Open the cell with the name of a user; return its input."""
    page.goto(LIST)
    cell(page, row, "name").get_by_role("button", name=f"Edit Name of {row}").click()
    box = page.get_by_role("textbox", name=f"Name of {row}")
    expect(box).to_be_focused()
    return box


def open_title(page: Page) -> Locator:
    page.goto("/admin/post/list")
    cell(page, "Hello", "title").get_by_role("button").click()
    return page.get_by_role("textbox", name="Title of Hello")


def names(site: Site) -> list[str]:
    return [user.name for user in users(site.database)]


def test_enter_saves_and_the_message_undoes(page: Page, site: Site) -> None:
    open_name(page).fill("Alicia")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Alicia", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Edit Name of Alice")).to_be_focused()
    expect(page.locator(".said")).to_contain_text("The user “Alicia” was changed.")
    assert names(site) == ["Alicia", "Bob"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone: 1 row was put back.")
    assert names(site) == ["Alice", "Bob"]


def test_escape_cancels(page: Page, site: Site) -> None:
    open_name(page).fill("Alicia")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Alice", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Name of Alice")).to_have_count(0)
    assert names(site) == ["Alice", "Bob"]


def test_tab_saves_and_goes_on_through_the_rows(page: Page, site: Site) -> None:
    open_name(page).fill("Alicia")
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="Active of Alicia")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="Name of Bob")).to_be_focused()
    page.keyboard.type("Bert")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("checkbox", name="Active of Alicia")).to_be_focused()
    assert names(site) == ["Alicia", "Bert"]


def test_a_box_is_ticked_and_saved_by_one_key(page: Page, site: Site) -> None:
    page.goto(LIST)
    for mark in ("✗ No", "✓ Yes"):
        cell(page, "Alice", "is_active").click()
        expect(page.get_by_role("checkbox", name="Active of Alice")).to_be_focused()
        page.keyboard.press("Space")
        expect(cell(page, "Alice", "is_active")).to_have_text(mark[2:])
        assert users(site.database)[0].is_active == (mark == "✓ Yes")


def test_a_click_that_comes_before_the_script_is_not_lost(page: Page) -> None:
    waiting = held(page, "**/cells*.js")
    page.goto(LIST)
    with page.expect_request("**/cells*.js"):
        page.locator("tbody tr", has_text="Alice").get_by_text("Yes").click()
    waiting[0].continue_()
    expect(page.get_by_role("checkbox", name="Active of Alice")).to_be_focused()


@pytest.mark.parametrize("key", ["F2", "Enter"])
def test_a_cell_is_opened_by_keyboard(page: Page, site: Site, key: str) -> None:
    page.goto(LIST)
    button = cell(page, "Bob", "is_active").get_by_role("button")
    button.focus()
    expect(button).to_have_css("opacity", "1")
    page.keyboard.press(key)
    expect(page.get_by_role("checkbox", name="Active of Bob")).to_be_focused()


def test_f2_on_a_row_opens_its_first_cell(page: Page, site: Site) -> None:
    page.goto(LIST)
    cell(page, "Bob", "name")
    page.get_by_role("link", name="Bob", exact=True).focus()
    page.keyboard.press("F2")
    expect(page.get_by_role("textbox", name="Name of Bob")).to_be_focused()


def test_an_error_stays_at_the_cell(page: Page, site: Site) -> None:
    box = open_name(page)
    box.fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This field is required.")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_accessible_description("This field is required.")
    expect(box).to_be_focused()
    box.fill("Alicia")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Alicia", exact=True)).to_be_visible()
    assert names(site) == ["Alicia", "Bob"]


@pytest.mark.parametrize(("choice", "name"), [("Keep mine", "Mine"), ("Keep what", "Theirs")])
def test_a_collision_is_settled_at_the_cell(page: Page, site: Site, choice: str, name: str) -> None:
    box = open_name(page)
    box.fill("Mine")
    page.context.request.post(f"/admin/user/edit/{site.alice.id}", form={"name": "Theirs"})
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Name of Theirs")).to_contain_text("Theirs")
    page.keyboard.press("Tab")
    page.get_by_role("radio", name=choice).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert names(site) == sorted(["Bob", name])


def test_a_row_that_is_gone_says_so_and_keeps_what_was_typed(page: Page, site: Site) -> None:
    box = open_name(page, "Bob")
    box.fill("Bert")
    site.database.write(lambda session: session.delete(session.get_one(User, site.bob.id)))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This row is gone.")
    expect(page.locator(".cell-editor input[type=text]")).to_have_value("Bert")


def test_a_lost_connection_is_said_and_the_cell_stays_open(page: Page, site: Site) -> None:
    box = open_name(page)
    box.fill("Alicia")
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The server can't be reached.")
    expect(box).to_have_value("Alicia")
    page.context.set_offline(False)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Alicia", exact=True)).to_be_visible()


def test_an_answer_that_is_lost_stores_nothing_twice(page: Page, site: Site) -> None:
    box = open_name(page)
    page.route("**/cell/*", lambda route: (route.fetch(), route.abort()), times=1)
    box.fill("Alicia")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The server can't be reached.")
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("This was stored before")
    assert users(site.database)[0].version == 2


def test_who_is_signed_out_is_told_at_the_cell(page: Page, site: Site) -> None:
    box = open_name(page)
    box.fill("Alicia")
    site.database.write(lambda session: session.execute(delete(OperatorSession)))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
    sign_in(page.context)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Alicia", exact=True)).to_be_visible()


def test_leaving_asks_first(page: Page, site: Site) -> None:
    said: list[str] = []

    def stay(dialog: Dialog) -> None:
        said.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    open_name(page).fill("Alicia")
    page.get_by_role("link", name="Posts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Users")
    page.get_by_role("checkbox", name="Select Bob").check()
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_role("textbox", name="Name of Alice")).to_have_value("Alicia")
    assert said == ["beforeunload", "confirm"]
    page.remove_listener("dialog", stay)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Are you sure?")
    assert "name=" not in page.url


def test_a_cell_that_was_only_opened_is_not_in_the_way(page: Page, site: Site) -> None:
    open_name(page)
    cell(page, "Bob", "is_active").click()
    expect(page.get_by_role("textbox", name="Name of Alice")).to_have_count(0)
    page.get_by_role("link", name="Posts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Posts")


def test_a_date_is_edited(page: Page, site: Site) -> None:
    page.goto("/admin/post/list")
    cell(page, "Hello", "published_at").click()
    page.get_by_label("Published of Hello", exact=True).fill("2026-05-06T07:08:09")
    page.keyboard.press("Enter")
    expect(cell(page, "Hello", "published_at")).to_contain_text("2026-05-06 07:08")


@pytest.fixture
def with_author(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.site.VIEWS", [VIEWS[0], WithAuthorAdmin])


def test_a_relation_is_picked(with_author: None, page: Page, site: Site) -> None:
    page.goto("/admin/post/list")
    button = cell(page, "Hello", "author").get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Author of Hello")).to_be_focused()
    page.get_by_role("option", name="Bob").click()
    page.keyboard.press("Enter")
    expect(cell(page, "Hello", "author").get_by_role("link")).to_have_text("Bob")
    assert posts(site.database)[0].user_id == site.bob.id


def test_on_a_phone_the_pencil_is_there_to_be_tapped(browser: Browser, site: Site) -> None:
    options: dict[str, Any] = {
        "viewport": {"width": 360, "height": 740},
        "has_touch": True,
        "is_mobile": True,
    }
    with opened_page(browser, site, **options) as page:
        sign_in(page.context)
        page.goto(LIST)
        button = cell(page, "Alice", "name").get_by_role("button")
        expect(button).to_have_css("opacity", "1")
        button.tap()
        page.get_by_role("textbox", name="Name of Alice").fill("Alicia")
        page.get_by_role("button", name="Save").tap()
        expect(page.get_by_role("link", name="Alicia", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_page_of_rows_is_one_form(browser: Browser, site: Site, has_scripts: bool) -> None:
    options: dict[str, Any] = {"expected": "400", "java_script_enabled": has_scripts}
    with opened_page(browser, site, **options) as page:
        sign_in(page.context)
        page.goto(LIST)
        page.get_by_role("link", name="Edit in the list").click()
        page.get_by_role("textbox", name="Name of Alice").fill("Alicia")
        page.get_by_role("textbox", name="Name of Bob").fill("")
        page.get_by_role("checkbox", name="Active of Bob").uncheck()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("textbox", name="Name of Bob")).to_be_focused()
        page.get_by_role("textbox", name="Name of Bob").fill("Bert")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("status")).to_have_text("2 users were changed.")
        assert page.url.endswith(LIST)
        assert [(u.name, u.is_active) for u in users(site.database)] == [
            ("Alicia", True),
            ("Bert", False),
        ]
        page.get_by_role("button", name="Undo").click()
        assert names(site) == ["Alice", "Bob"]


def test_a_form_that_was_changed_asks_before_one_leaves(page: Page, site: Site) -> None:
    said: list[str] = []

    def stay(dialog: Dialog) -> None:
        said.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto(f"{LIST}&_edit=1")
    page.get_by_role("textbox", name="Name of Alice").fill("Alicia")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("textbox", name="Name of Alice")).to_have_value("Alicia")
    assert said == ["beforeunload"]
