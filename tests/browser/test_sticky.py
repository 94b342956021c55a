"""What of a list stays in view while it is scrolled."""

from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Site
from tests.records import add_user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]

WIDE: ViewportSize = {"width": 1280, "height": 700}
PHONE: ViewportSize = {"width": 360, "height": 740}
EDGES = "(of) => { const box = document.querySelector(of).getBoundingClientRect(); return box; }"


def edges(page: Page, selector: str) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(EDGES, selector)
    return found


def test_the_head_and_the_actions_stay_while_the_rows_pass(olga: Page, site: Site) -> None:
    for number in range(40):
        add_user(site.database, f"User{number}")
    olga.set_viewport_size(WIDE)
    olga.goto("/admin/user/list")
    olga.evaluate("scrollTo(0, 700)")
    topbar, head = edges(olga, ".topbar"), edges(olga, "thead th")
    assert head["top"] <= topbar["bottom"] < head["bottom"]
    assert edges(olga, "tbody tr")["bottom"] < 0
    assert abs(edges(olga, ".list-footer")["bottom"] - WIDE["height"]) <= 1


def test_the_actions_are_reached_without_leaving_the_rows(olga: Page, site: Site) -> None:
    for number in range(40):
        add_user(site.database, f"User{number}")
    olga.set_viewport_size(WIDE)
    olga.goto("/admin/user/list")
    olga.locator("tbody tr a").first.focus()
    expect(olga.locator("[data-shortcuts]:not([hidden])")).to_be_attached()
    olga.keyboard.press("a")
    expect(olga.get_by_role("button", name="Activate", exact=True)).to_be_focused()
    assert olga.evaluate("scrollY") == 0


def test_on_a_phone_the_first_column_stays_while_the_others_pass(olga: Page, site: Site) -> None:
    olga.set_viewport_size(PHONE)
    olga.goto("/admin/user/list")
    olga.evaluate("document.querySelector('.table-responsive').scrollLeft = 200")
    area, first = edges(olga, ".table-responsive"), edges(olga, "tbody th")
    assert abs(first["left"] - area["left"]) <= 1
    assert edges(olga, "tbody td:first-child")["left"] < area["left"]


def test_on_a_phone_the_footer_takes_a_third_of_the_screen_at_most(olga: Page, site: Site) -> None:
    for number in range(60):
        add_user(site.database, f"User{number}")
    olga.set_viewport_size(PHONE)
    olga.goto("/admin/user/list?sortBy=name&pageSize=25&page=2")
    footer = edges(olga, ".list-footer")
    assert footer["bottom"] - footer["top"] <= PHONE["height"] / 3


def test_nothing_of_the_footer_moves_while_rows_are_ticked(olga: Page, site: Site) -> None:
    for number in range(30):
        add_user(site.database, f"User{number}")
    olga.set_viewport_size(WIDE)
    olga.goto("/admin/user/list?pageSize=25")
    parts = (".list-footer", ".list-footer .buttons", ".paging")
    before = [edges(olga, part) for part in parts]
    olga.get_by_role("checkbox", name="Select all rows on this page").check()
    olga.get_by_label("Select all 32 users that match").check()
    assert [edges(olga, part) for part in parts] == before
