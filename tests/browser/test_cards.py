"""The front page's cards in a real browser: readable on a phone, in every theme, by keyboard."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, opened_page, sign_in

SMALLEST = """() => Math.min(...[...document.querySelectorAll(".cards :not(svg, svg *)")]
    .filter((element) => element.textContent.trim())
    .map((element) => parseFloat(getComputedStyle(element).fontSize)))"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


def open_cards(page: Page) -> None:
    """Open the front page, and once more when the cards have been counted."""
    sign_in(page.context)
    page.goto("/admin/")
    page.wait_for_load_state("networkidle")
    page.goto("/admin/")
    expect(page.get_by_role("img", name="Active users")).to_be_visible()


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"forced_colors": "active"}, {}])
def test_it_fits_a_phone_and_nothing_is_too_small_to_read(
    browser: Browser, site: Site, options: dict[str, Any]
) -> None:
    narrow = {"viewport": {"width": 360, "height": 640}, **options}
    with opened_page(browser, site, **narrow) as page:
        open_cards(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate(SMALLEST) >= 12


def test_charts_take_the_colours_that_are_forced(browser: Browser, site: Site) -> None:
    with opened_page(browser, site, forced_colors="active") as page:
        open_cards(page)
        text, chart = (
            page.locator(place).first.evaluate("(e) => getComputedStyle(e).color")
            for place in (".cards h2", ".cards .plot")
        )
        assert chart == text


def test_numbers_are_unfolded_by_keyboard(page: Page, site: Site) -> None:
    open_cards(page)
    table = page.get_by_role("table", name="Users joined, by month")
    expect(table).to_be_hidden()
    page.get_by_text("Show the numbers").first.focus()
    page.keyboard.press("Enter")
    expect(table.get_by_role("row")).to_have_count(12)
