"""A browser's zone, and choosing another one."""

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from models import Post
from tests.browser.conftest import Site, opened_page, sign_in
from tests.browser.test_weight import REQUESTS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


def choose(page: Page, zone: str) -> None:
    page.get_by_role("banner").locator("summary").click()
    page.get_by_label("Time zone").fill(zone)
    page.get_by_role("button", name="Apply").click()


def test_a_browser_tells_its_zone_once(browser: Browser, site: Site) -> None:
    with opened_page(browser, site, timezone_id="Asia/Tokyo") as page:
        sign_in(page.context)
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - Playwright's wish
        page.goto("/admin/user/list", wait_until="networkidle")
        # It tells its zone, and that the list was looked at.
        assert len(asked) <= REQUESTS + 4
        page.goto("/admin/user/list", wait_until="networkidle")
        expect(page.locator(".zone-note")).to_have_text("Times in Asia/Tokyo")
        page.goto("/admin/post/list", wait_until="networkidle")
        told = [request.url for request in asked if request.url.endswith("/preferences")]
        assert told == [f"{site.url}/admin/preferences"]


def test_a_zone_is_chosen_without_scripts(plain_page: Page) -> None:
    sign_in(plain_page.context)
    plain_page.goto("/admin/user/list?search=alice")
    choose(plain_page, "America/New York")
    expect(plain_page.locator(".zone-note")).to_have_text("Times in America/New York")
    expect(plain_page.get_by_role("rowheader")).to_have_text("Alice")


def test_all_zones_are_offered_while_typing(olga: Page) -> None:
    olga.goto("/admin/")
    olga.get_by_role("banner").locator("summary").click()
    olga.get_by_label("Time zone").focus()
    expect(olga.locator("#timezones option[value='Europe/Berlin']")).to_have_count(1)


def test_a_form_takes_the_time_of_the_wall(browser: Browser, site: Site) -> None:
    with opened_page(browser, site, timezone_id="America/New_York") as page:
        sign_in(page.context)
        page.goto("/admin/", wait_until="networkidle")
        page.goto(f"/admin/post/edit/{site.post.id}")
        page.get_by_label("Published").fill("2026-07-01T08:00:00")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("status")).to_be_visible()
        stored = site.database.read(lambda session: session.get_one(Post, site.post.id))
        assert stored.published_at is not None
        assert stored.published_at.isoformat() == "2026-07-01T12:00:00+00:00"
