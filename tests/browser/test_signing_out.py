"""Who comes to a browser after somebody signed out finds nothing in it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


def test_going_back_shows_no_page_of_before(olga: Page, site: Site) -> None:
    olga.goto("/admin/user/list")
    expect(olga.get_by_role("table")).to_contain_text("Alice")
    olga.get_by_role("banner").locator("summary").click()
    olga.get_by_role("button", name="Sign out").click()
    expect(olga.get_by_label("Password")).to_be_visible()
    olga.go_back()
    expect(olga.get_by_label("Password")).to_be_visible()
    assert "Alice" not in olga.content()
