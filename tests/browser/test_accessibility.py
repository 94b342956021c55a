"""Every page against the rules of axe-core: light and dark, narrow and wide, in both directions."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from sqladmin import action
from sqlalchemy import delete, update
from starlette.exceptions import HTTPException

from admin.auth.links import make_link
from admin.kit import AdminSite, read_pages
from admin.kit.errors import SENTENCES
from admin.views import VIEWS
from admin.views.posts import PostAdmin
from models import Post
from models.base import utc_now
from models.operator_session import OperatorSession
from tests.browser.conftest import Site, sign_in
from tests.personas import add_operator
from tests.records import add_post, add_user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]

Theme = Literal["light", "dark"]

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = (360, 1440)
# Every two of theme, width and direction meet; no rule asks for three at once.
LOOKS: list[tuple[Theme, int, str]] = [
    ("light", 360, "ltr"),
    ("light", 1440, "rtl"),
    ("dark", 1440, "ltr"),
    ("dark", 360, "rtl"),
]
RUN = """
    async (runOnly) => {
      const found = await axe.run({ runOnly, resultTypes: ["violations"], preload: false });
      return found.violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
      );
    }
"""


class AskingPostAdmin(PostAdmin, model=Post):
    @action("ask", "Ask first", confirmation_message="Publish the chosen posts?")
    async def ask(self, request: Any) -> None:
        pass


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the posts an action that asks first."""
    monkeypatch.setattr("admin.site.VIEWS", [VIEWS[0], AskingPostAdmin, *VIEWS[2:]])


@pytest.fixture
def page(browser: Browser, asking: None, site: Site) -> Iterator[Page]:
    """Open a page whose answers may be errors."""
    with browser.new_context(
        base_url=site.url, reduced_motion="reduce", timezone_id="UTC"
    ) as context:
        yield context.new_page()


def violations(page: Page) -> set[str]:
    """Return what breaks a rule on this page, in any of its looks."""
    found: set[str] = set()
    page.evaluate(AXE)
    for theme, width, direction in LOOKS:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("direction => { document.documentElement.dir = direction; }", direction)
        found |= {f"{theme} {width} {direction}: {what}" for what in page.evaluate(RUN, RULES)}
    return found


def sign_in_wrongly(page: Page, site: Site) -> None:
    page.goto("/admin/login")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


def index(page: Page, site: Site) -> None:
    page.goto("/admin/")


def index_with_cards(page: Page, site: Site) -> None:
    for number in range(6):
        author = add_user(site.database, f"Author {number}", email=f"{number}@example.org")
        add_post(site.database, author)
    index(page, site)  # It has the cards counted.
    page.wait_for_load_state("networkidle")
    index(page, site)
    expect(page.get_by_role("table", name="Most active authors")).to_be_visible()


def list_full(page: Page, site: Site) -> None:
    """Rules about tables leave small ones alone."""
    for number in range(25):
        add_user(site.database, f"User {number}", email=f"user{number}@example.org")
    page.goto("/admin/user/list")
    page.get_by_role("checkbox", name="Select User 20").check()


def list_nothing(page: Page, site: Site) -> None:
    page.goto("/admin/user/list?search=nobody")
    expect(page.get_by_role("main")).to_contain_text("No users match.")


def list_none(page: Page, site: Site) -> None:
    site.database.write(lambda session: session.execute(delete(Post)))
    page.goto("/admin/post/list")
    expect(page.get_by_role("main")).to_contain_text("There are no posts yet.")


def list_pages(page: Page, site: Site) -> None:
    add_user(site.database, "Carol", is_active=False)
    page.goto("/admin/user/list?pageSize=1&page=2&sortBy=name")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


def list_selected(page: Page, site: Site) -> None:
    page.goto("/admin/user/list?pageSize=1")
    page.get_by_role("checkbox", name="Select all rows on this page").check()
    expect(page.get_by_label("Select all 2 users that match")).to_be_visible()


def list_sorted_by_several(page: Page, site: Site) -> None:
    page.goto("/admin/user/list?sortBy=name")
    page.get_by_role("link", name="E-mail", exact=True).click()
    expect(page.get_by_role("columnheader", name="Sorted as number 2")).to_be_visible()


def list_of_a_year(page: Page, site: Site) -> None:
    add_user(site.database, "Carol", created_at=datetime(2020, 5, 1, tzinfo=UTC))
    page.goto("/admin/user/list")
    page.get_by_role("navigation", name="Created").get_by_role("link").first.click()
    expect(page.get_by_role("link", name="All dates")).to_be_visible()


def list_with_open_filters(page: Page, site: Site) -> None:
    page.goto("/admin/user/list")
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("link", name="Show counts").click()
    expect(page.get_by_role("link", name="Hide counts")).to_be_visible()


def change_fields(page: Page, site: Site) -> None:
    page.goto("/admin/user/list")
    page.get_by_role("checkbox", name="Select Alice").check()
    page.get_by_role("button", name="Change fields…").click()
    page.get_by_role("textbox", name="Name").fill("Alicia")
    page.get_by_role("button", name="Show what will be changed").click()
    expect(page.get_by_role("table", name="What will be changed")).to_be_visible()


def open_cell(page: Page, site: Site) -> None:
    page.goto("/admin/user/list")
    page.locator("table").hover()
    page.get_by_role("button", name="Edit Name of Alice").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Name of Alice")).to_be_focused()


def list_with_a_wrong_cell(page: Page, site: Site) -> None:
    open_cell(page, site)
    page.get_by_role("textbox", name="Name of Alice").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


def list_with_a_collision(page: Page, site: Site) -> None:
    open_cell(page, site)
    page.get_by_role("textbox", name="Name of Alice").fill("Mine")
    page.context.request.post(f"/admin/user/edit/{site.alice.id}", form={"name": "Theirs"})
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio")).to_have_count(2)


def list_with_a_stored_cell(page: Page, site: Site) -> None:
    open_cell(page, site)
    page.get_by_role("textbox", name="Name of Alice").fill("Alicia")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def cells_with_errors(page: Page, site: Site) -> None:
    page.goto("/admin/post/list?_edit=1")
    page.get_by_role("textbox", name="Title of Hello").fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_visible()


def list_filtered(page: Page, site: Site) -> None:
    page.goto(f"/admin/post/list?search=hello&author={site.alice.id}&published_at=any")
    expect(page.get_by_role("link", name="Clear all")).to_be_visible()


def list_conditions(page: Page, site: Site) -> None:
    page.goto(
        "/admin/post/list?_build=open&_where=title%3Dx%26author%3D1&_where=published_at=today"
    )
    expect(page.get_by_role("heading", name="Conditions")).to_be_visible()


def create_with_errors(page: Page, site: Site) -> None:
    page.goto("/admin/post/create")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


def edit(page: Page, site: Site) -> None:
    page.goto(f"/admin/post/edit/{site.post.id}")


def details(page: Page, site: Site) -> None:
    page.goto(f"/admin/user/details/{site.alice.id}")


def delete_page(page: Page, site: Site) -> None:
    page.goto(f"/admin/user/delete?pks={site.alice.id}")


def save_with_a_message(page: Page, site: Site) -> None:
    edit(page, site)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("status")).to_be_visible()


def collide(page: Page, site: Site) -> None:
    """Save a title and an author over those of someone else."""
    edit(page, site)
    page.get_by_label("Title").fill("Mine")
    change: dict[str, str | float | bool] = {"title": "Theirs", "content": "Theirs"}
    page.context.request.post(f"/admin/post/edit/{site.post.id}", form=change)
    page.get_by_label("Content").fill("Mine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("radio")).to_have_count(6)


def delete_what_changed(page: Page, site: Site) -> None:
    delete_page(page, site)
    page.context.request.post(f"/admin/user/edit/{site.alice.id}", form={"name": "Alicia"})
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.get_by_role("alert")).to_contain_text("changed by olga: Name.")


def confirm(page: Page, site: Site) -> None:
    page.goto("/admin/post/list")
    page.get_by_role("checkbox", name="Select Hello").check()
    page.get_by_role("button", name="Ask first").click()
    expect(page.get_by_role("main")).to_contain_text("Publish the chosen posts?")


def send_again(page: Page, site: Site) -> None:
    page.goto("/admin/user/create")
    site.database.write(lambda session: session.execute(delete(OperatorSession)))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Send again")).to_be_visible()


def list_with_open_menus(page: Page, site: Site) -> None:
    page.goto("/admin/user/list")
    page.get_by_role("banner").locator("summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def list_unfolded(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/admin/user/list")
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_role("link", name="Trash")).to_be_visible()


def list_with_views_to_save(page: Page, site: Site) -> None:
    page.goto("/admin/user/list")
    page.locator("summary").filter(has_text="Save view").click()
    expect(page.get_by_role("button", name="Save as a new view")).to_be_visible()


def list_with_display(page: Page, site: Site) -> None:
    page.goto("/admin/user/list")
    page.locator("summary").filter(has_text="Display").click()
    expect(page.get_by_role("group", name="Columns")).to_be_visible()


def edit_with_open_choices(page: Page, site: Site) -> None:
    edit(page, site)
    page.get_by_role("combobox", name="Author").click()
    expect(page.get_by_role("option", name="Bob")).to_be_visible()


def search(page: Page, site: Site) -> None:
    page.goto("/admin/search?q=alice")
    expect(page.get_by_role("main").get_by_role("link", name="Hello")).to_be_visible()


def search_nothing(page: Page, site: Site) -> None:
    page.goto("/admin/search?q=nobody")


def palette(page: Page, site: Site) -> None:
    page.goto(f"/admin/user/details/{site.bob.id}")
    page.goto("/admin/user/list")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("group", name="Recent")).to_be_visible()
    page.keyboard.type("alice")
    expect(page.get_by_role("option", name="Hello")).to_be_visible()


def shortcuts(page: Page, site: Site) -> None:
    page.goto("/admin/user/list")
    expect(page.locator("[data-shortcuts]")).not_to_have_attribute("hidden", "")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def rename(page: Page, site: Site, name: str) -> None:
    page.goto(f"/admin/user/edit/{site.alice.id}")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("status")).to_be_visible()


def message_with_undo(page: Page, site: Site) -> None:
    rename(page, site, "Alicia")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def history(page: Page, site: Site) -> None:
    rename(page, site, "Alicia")
    page.get_by_role("button", name="Undo").click()
    page.goto("/admin/history?operator=olga")
    expect(page.get_by_role("link", name="Clear all")).to_be_visible()


def sessions(page: Page, site: Site) -> None:
    assert page.context.browser
    sign_in(page.context.browser.new_context(base_url=site.url))
    page.goto("/admin/account/sessions")
    expect(page.get_by_role("button", name="End all others")).to_be_visible()


def prove_it_again(page: Page, site: Site) -> None:
    """Open what asks, and answer wrongly."""
    past = update(OperatorSession).values(confirmed_at=utc_now() - timedelta(hours=1))
    site.database.write(lambda session: session.execute(past))
    page.goto("/admin/account/confirm")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_be_visible()


def history_of_a_change(page: Page, site: Site) -> None:
    rename(page, site, "Alicia")
    page.goto("/admin/history/2")
    expect(page.get_by_role("rowheader", name="Alicia")).to_be_visible()


def history_with_collisions(page: Page, site: Site) -> None:
    rename(page, site, "Alicia")
    rename(page, site, "Alina")
    page.goto("/admin/history/2")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("main")).to_contain_text("was changed since (name).")


def history_of_an_object(page: Page, site: Site) -> None:
    page.goto(f"/admin/post/edit/{site.post.id}")
    page.get_by_label("Content").fill("Some words, and more of them than before.")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("status")).to_be_visible()
    page.goto(f"/admin/post/history/{site.post.id}")
    expect(page.locator("ins")).to_have_count(1)


def version_of_an_object(page: Page, site: Site) -> None:
    rename(page, site, "Alicia")
    rename(page, site, "Alina")
    page.goto(f"/admin/user/history/{site.alice.id}?at=2")
    expect(page.get_by_role("button", name="Restore this version")).to_be_visible()


def trash(page: Page, site: Site) -> None:
    delete_page(page, site)
    page.get_by_role("button", name="Yes, delete").click()
    page.goto("/admin/user/trash")
    expect(page.get_by_role("button", name="Restore Alice")).to_be_visible()


def index_with_recent_actions(page: Page, site: Site) -> None:
    rename(page, site, "Alicia")
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Recent actions")).to_be_visible()


def new_operator(page: Page, site: Site) -> None:
    page.goto("/admin/operator/create")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("group", name="Roles")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_visible()


def password_for_an_operator(page: Page, site: Site) -> None:
    vera = add_operator(site.database, "vera", "Viewer")
    page.goto(f"/admin/operator/details/{vera.id}")
    page.get_by_role("button", name="Set password…").click()
    page.get_by_label("New password", exact=True).fill("vera")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("A password has at least")).to_be_visible()


def link_for_an_operator(page: Page, site: Site) -> None:
    vera = add_operator(site.database, "vera", "Viewer")
    page.goto(f"/admin/operator/details/{vera.id}")
    page.get_by_role("button", name="Reset link…").click()
    page.get_by_role("button", name="Reset link").click()
    expect(page.get_by_text("/admin/login/link/")).to_be_visible()


def own_password_with_errors(page: Page, site: Site) -> None:
    page.goto("/admin/account")
    page.get_by_role("link", name="Password").click()
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert").first).to_be_visible()


PAGES: list[Callable[[Page, Site], None]] = [
    index,
    index_with_cards,
    list_full,
    list_none,
    list_nothing,
    list_pages,
    list_selected,
    list_sorted_by_several,
    list_of_a_year,
    list_with_open_filters,
    change_fields,
    open_cell,
    list_with_a_wrong_cell,
    list_with_a_collision,
    list_with_a_stored_cell,
    cells_with_errors,
    list_filtered,
    list_conditions,
    list_with_open_menus,
    list_unfolded,
    list_with_views_to_save,
    list_with_display,
    details,
    create_with_errors,
    edit,
    edit_with_open_choices,
    save_with_a_message,
    collide,
    delete_page,
    delete_what_changed,
    confirm,
    send_again,
    search,
    search_nothing,
    palette,
    shortcuts,
    message_with_undo,
    history,
    sessions,
    prove_it_again,
    history_of_a_change,
    history_with_collisions,
    history_of_an_object,
    version_of_an_object,
    trash,
    index_with_recent_actions,
    new_operator,
    password_for_an_operator,
    link_for_an_operator,
    own_password_with_errors,
]


@pytest.mark.parametrize("visit", PAGES, ids=lambda visit: visit.__name__)
def test_a_page_breaks_no_rule(page: Page, site: Site, visit: Callable[..., None]) -> None:
    sign_in(page.context)
    visit(page, site)
    assert violations(page) == set()


@pytest.fixture
def accent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the site another colour, before it is made."""
    monkeypatch.setattr("admin.site.AdminSite", partial(AdminSite, accent=request.param))


@pytest.mark.parametrize("visit", [list_full, edit_with_open_choices, palette])
@pytest.mark.parametrize("accent", ["#000000", "#b34700"], indirect=True)
def test_pages_of_another_colour_break_no_rule(
    accent: None, page: Page, site: Site, visit: Callable[..., None]
) -> None:
    sign_in(page.context)
    visit(page, site)
    assert violations(page) == set()


def test_the_sign_in_page_breaks_no_rule(page: Page, site: Site) -> None:
    page.goto("/admin/login")
    assert violations(page) == set()
    sign_in_wrongly(page, site)
    assert violations(page) == set()


def test_the_pages_of_a_link_break_no_rule(page: Page, site: Site) -> None:
    page.goto("/admin/login/password")
    assert violations(page) == set()
    vera = add_operator(site.database, "vera", "Viewer")
    token = site.database.write(lambda session: make_link(session, vera))
    page.goto(f"/admin/login/link/{token}")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    assert violations(page) == set()


@pytest.mark.parametrize("status", sorted(SENTENCES))
def test_an_error_page_breaks_no_rule_and_says_its_sentence(
    page: Page, site: Site, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_asked: object) -> None:
        raise HTTPException(status)

    monkeypatch.setattr(read_pages, "load_page", fail)
    sign_in(page.context)
    answer = page.goto("/admin/user/list")
    assert answer is not None
    assert answer.status == status
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Error {status}")
    expect(page.get_by_role("main")).to_contain_text(str(SENTENCES[status]))
    assert violations(page) == set()


def test_a_page_for_those_who_may_only_look_breaks_no_rule(page: Page, site: Site) -> None:
    add_operator(site.database, "vera", "Viewer")
    sign_in(page.context, "vera")
    page.goto("/admin/user/list")
    expect(page.get_by_role("rowheader", name="Alice")).to_be_visible()
    assert violations(page) == set()
    page.goto("/admin/user/create")
    expect(page.get_by_role("heading", level=1)).to_have_text("Error 403")


@pytest.mark.parametrize("name", ["Menu", "Filters"])
def test_what_opens_on_a_phone_breaks_no_rule(page: Page, site: Site, name: str) -> None:
    sign_in(page.context)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/admin/post/list")
    page.evaluate(AXE)
    page.get_by_role("button", name=name).click()
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        assert page.evaluate(RUN, RULES) == []
