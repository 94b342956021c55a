"""Pages and scripts in other languages, and choosing between them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, opened_page, sign_in
from tests.browser.test_accessibility import AXE, RULES, RUN, THEMES, WIDTHS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


@contextmanager
def speaking(browser: Browser, site: Site, language: str) -> Iterator[Page]:
    """Open a page in a browser of someone who speaks this language."""
    with opened_page(browser, site, locale=language) as page:
        sign_in(page.context)
        yield page


@pytest.mark.parametrize(
    "path",
    ["/admin/login", "/admin/", "/admin/user/list?search=a", "/admin/post/edit/{post}"],
)
def test_an_arabic_page_breaks_no_rule(browser: Browser, site: Site, path: str) -> None:
    with speaking(browser, site, "ar") as page:
        page.goto(path.format(post=site.post.id))
        expect(page.locator("html[lang=ar][dir=rtl]")).to_be_visible()
        page.evaluate(AXE)
        for theme in THEMES:
            for width in WIDTHS:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate(RUN, RULES) == []
                wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
                assert not page.evaluate(wide)


def test_the_language_is_chosen_in_the_operators_menu_without_scripts(plain_page: Page) -> None:
    sign_in(plain_page.context)
    plain_page.goto("/admin/user/list?search=alice")
    plain_page.get_by_role("banner").locator("summary").click()
    plain_page.get_by_role("button", name="Deutsch").click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("Benutzer")
    expect(plain_page.get_by_role("rowheader")).to_have_text("Alice")
    plain_page.get_by_role("banner").locator("summary").click()
    chosen = plain_page.get_by_role("button", name="Deutsch")
    expect(chosen).to_have_attribute("aria-pressed", "true")


def test_a_stranger_chooses_on_the_sign_in_page(page: Page) -> None:
    page.goto("/admin/login")
    page.get_by_role("button", name="العربية").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("تسجيل الدخول إلى Admin")


def test_the_palette_speaks_german(browser: Browser, site: Site) -> None:
    with speaking(browser, site, "de-AT") as page:
        page.goto("/admin/user/list")
        page.keyboard.press("Control+k")
        dialog = page.get_by_role("dialog", name="Überall suchen")
        page.keyboard.type("bob")
        expect(dialog.get_by_role("status")).to_have_text("1 Ergebnis")
        page.keyboard.type("xyz")
        expect(dialog.get_by_role("status")).to_have_text("Nichts gefunden")
        expect(dialog.get_by_role("listbox")).to_be_hidden()


def test_the_palette_counts_as_arabic_does(browser: Browser, site: Site) -> None:
    with speaking(browser, site, "ar") as page:
        page.goto("/admin/")
        page.keyboard.press("Control+k")
        page.keyboard.type("bob")
        expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("نتيجة واحدة")


def test_the_list_of_keys_is_translated(browser: Browser, site: Site) -> None:
    with speaking(browser, site, "de") as page:
        page.goto("/admin/user/list", wait_until="networkidle")
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Tastenkürzel")
        expect(dialog.get_by_text("Nächste Zeile, vorherige Zeile")).to_be_visible()
        dialog.get_by_role("button", name="Schließen").click()


def test_a_picker_says_that_it_found_nothing(browser: Browser, site: Site) -> None:
    with speaking(browser, site, "de") as page:
        page.goto("/admin/post/create")
        page.get_by_role("combobox", name="Autor").fill("nobody")
        expect(page.get_by_role("option", name="Nichts gefunden")).to_be_visible()
