"""The matrix of rights in a browser: by keyboard, on a phone, with and without scripts."""

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from admin.auth.operators import find_roles
from models import Role
from tests.browser.conftest import Site, opened_page, sign_in
from tests.browser.test_accessibility import violations
from tests.personas import add_operator

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


def path(site: Site, name: str) -> str:
    stmt = select(Role.id).where(Role.name == name)
    return f"/admin/role/edit/{site.database.read(lambda session: session.scalars(stmt).one())}"


def rights(site: Site, name: str) -> dict[str, dict[str, list[str]]]:
    return site.database.read(lambda session: find_roles(session, [name])[0].rights)


def test_no_page_of_roles_breaks_a_rule(olga: Page, site: Site) -> None:
    add_operator(site.database, "ann", "Viewer")
    found = set()
    for page in (path(site, "Editor"), f"/admin/post/why/{site.post.id}?operator=ann"):
        olga.goto(page)
        found |= violations(olga)
    olga.goto(path(site, "Viewer"))
    olga.get_by_role("checkbox", name="Posts Edit", exact=True).check()
    olga.get_by_role("button", name="Save", exact=True).click()
    expect(olga.get_by_role("heading", level=1)).to_have_text("Who gains and loses what")
    assert not found | violations(olga)


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_matrix_fits_a_phone(olga: Page, site: Site, direction: str) -> None:
    olga.set_viewport_size({"width": 360, "height": 800})
    olga.goto(path(site, "Viewer"))
    olga.evaluate("direction => { document.documentElement.dir = direction; }", direction)
    assert olga.evaluate("document.documentElement.scrollWidth") <= 360
    box = olga.get_by_role("checkbox", name="Posts Edit", exact=True)
    expect(box.locator("xpath=..")).to_contain_text("Edit")
    box.check()
    expect(box).to_be_checked()


def test_boxes_are_ticked_by_keyboard(olga: Page, site: Site) -> None:
    olga.goto(path(site, "Viewer"))
    box = olga.get_by_role("checkbox", name="Users Edit", exact=True)
    box.focus()
    olga.keyboard.press("Space")
    olga.keyboard.press("Enter")
    olga.wait_for_url("**/admin/role/list*")
    assert "edit" in rights(site, "Viewer")["user"]["may"]


def test_a_script_ticks_rows_and_columns_but_not_everything(olga: Page, site: Site) -> None:
    olga.goto(path(site, "Viewer"))
    olga.get_by_role("button", name="All: Posts", exact=True).click()
    expect(olga.get_by_role("checkbox", name="Posts Delete", exact=True)).to_be_checked()
    expect(olga.get_by_role("checkbox", name="Posts Everything")).not_to_be_checked()
    olga.get_by_role("button", name="All: Export", exact=True).click()
    expect(olga.get_by_role("checkbox", name="Users Export", exact=True)).to_be_checked()
    expect(olga.get_by_role("checkbox", name="All screens Export")).not_to_be_checked()


def test_what_a_right_brings_along_is_shown_at_once(olga: Page, site: Site) -> None:
    olga.goto(path(site, "Viewer"))
    box = olga.get_by_role("checkbox", name="Roles Edit", exact=True)
    looked = olga.get_by_role("checkbox", name="Roles List", exact=True)
    expect(looked).not_to_have_accessible_description("included")
    box.check()
    expect(looked).to_have_accessible_description("included")
    box.uncheck()
    expect(looked).not_to_have_accessible_description("included")


def test_all_of_it_works_without_scripts(browser: Browser, site: Site) -> None:
    add_operator(site.database, "ann", "Viewer")
    with opened_page(browser, site, java_script_enabled=False) as page:
        sign_in(page.context)
        page.goto(path(site, "Viewer"))
        expect(page.get_by_role("button", name="All: Posts")).to_have_count(0)
        page.get_by_role("checkbox", name="Posts Edit", exact=True).check()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_url("**/admin/role/list*")
    assert "edit" in rights(site, "Viewer")["post"]["may"]


def test_looking_on_as_somebody_is_one_press_to_begin_and_one_to_end(
    olga: Page, site: Site
) -> None:
    ann = add_operator(site.database, "ann", "Viewer")
    olga.goto("/admin/")
    olga.evaluate(
        """id => {
          const form = document.createElement("form");
          form.method = "post";
          form.action = `/admin/view-as/${id}`;
          document.body.append(form);
          form.submit();
        }""",
        ann.id,
    )
    banner = olga.get_by_role("status").filter(has_text="You look on as ann")
    expect(banner).to_be_visible()
    assert not violations(olga)
    banner.get_by_role("button", name="Stop").click()
    olga.set_viewport_size({"width": 1440, "height": 800})
    expect(olga.locator("#menu").get_by_role("link", name="Roles")).to_be_visible()
    expect(banner).to_have_count(0)
