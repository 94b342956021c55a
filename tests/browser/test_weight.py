"""What a visit costs the operator's connection, and whether pages hold still while they load."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Site, opened_page, sign_in
from tests.records import add_user

BYTES, REQUESTS = 100_000, 8
LATER_BYTES = 10_000
SHIFT = 0.0001  # Lighthouse calls a hundred times as much good.
OBSERVE_SHIFTS = """
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
NOTE_FIRST_PAINT = """
    new PerformanceObserver(() => {
      window.painted ??= getComputedStyle(document.body).backgroundColor;
    }).observe({ type: "paint", buffered: true });
"""
BLOCKING = """
    performance.getEntriesByType("resource")
      .filter((entry) => entry.renderBlockingStatus === "blocking")
      .map((entry) => entry.name.split(".").pop())
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


@dataclass
class Traffic:
    """What went over the wire, headers included, as Chromium counts it."""

    bytes: int = 0
    kinds: list[str] = field(default_factory=list)
    _waiting: dict[str, str] = field(default_factory=dict)

    def answered(self, event: dict[str, Any]) -> None:
        if not event["response"].get("fromDiskCache"):
            self._waiting[event["requestId"]] = event["type"]

    def finished(self, event: dict[str, Any]) -> None:
        # Of what comes from the browser's memory, nothing is transferred.
        if event["requestId"] in self._waiting and event["encodedDataLength"]:
            self.kinds.append(self._waiting[event["requestId"]])
            self.bytes += int(event["encodedDataLength"])


def watch(page: Page) -> Traffic:
    traffic, session = Traffic(), page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.responseReceived", traffic.answered)
    session.on("Network.loadingFinished", traffic.finished)
    return traffic


@pytest.fixture
def fresh(browser: Browser, site: Site) -> Iterator[Page]:
    """Open a browser that has never been here, at a full list, as Olga."""
    for number in range(100):
        add_user(site.database, f"User {number}")
    with opened_page(browser, site) as page:
        sign_in(page.context)
        yield page


PAGES = {
    "sign-in": "/admin/login",
    "index": "/admin/",
    "list": "/admin/user/list?pageSize=100",
    "details": "/admin/post/details/{post}",
    "edit": "/admin/post/edit/{post}",
    "delete": "/admin/user/delete?pks={alice}",
}


def visit(page: Page, site: Site, name: str) -> Traffic:
    """Open one of the pages, and return what it cost."""
    traffic = watch(page)
    path = PAGES[name].format(alice=site.alice.id, post=site.post.id)
    page.goto(path, wait_until="networkidle")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    print(f"{name}: {traffic.bytes:,} bytes, {len(traffic.kinds)} requests")  # noqa: T201 - see the docs
    return traffic


@pytest.mark.parametrize("name", PAGES)
def test_a_first_visit_is_light(fresh: Page, site: Site, name: str) -> None:
    traffic = visit(fresh, site, name)
    assert {"Document", "Stylesheet", "Script"} <= set(traffic.kinds)
    assert traffic.bytes <= BYTES
    assert len(traffic.kinds) <= REQUESTS


def test_later_pages_are_html_and_nothing_else(fresh: Page, site: Site) -> None:
    fresh.goto("/admin/user/list?page=2", wait_until="networkidle")
    for name in PAGES:
        traffic = visit(fresh, site, name)
        # Beside a list, the numbers of its views.
        assert traffic.kinds == ["Document", *(["Fetch"] if name == "list" else [])], name
        assert traffic.bytes <= LATER_BYTES


def late(route: Route) -> None:
    """Let the page be painted before its script arrives."""
    time.sleep(0.3)
    route.continue_()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    "path",
    [
        "/admin/login",
        "/admin/",
        "/admin/user/list",
        "/admin/post/list?author={alice}",
        "/admin/user/delete?pks={alice}",
        "/admin/post/details/{post}",
        "/admin/post/edit/{post}",
        "/admin/user/edit/{alice}",
    ],
)
def test_nothing_moves_while_a_page_loads(olga: Page, site: Site, path: str, width: int) -> None:
    olga.set_viewport_size({"width": width, "height": 700})
    olga.add_init_script(OBSERVE_SHIFTS)
    olga.route("**/admin.*.js", late)
    olga.goto(path.format(alice=site.alice.id, post=site.post.id), wait_until="networkidle")
    expect(olga.get_by_role("heading", level=1)).to_be_visible()
    assert olga.evaluate("performance.getEntriesByName('first-paint').length")
    assert olga.evaluate("window.shift") < SHIFT


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_paint_has_the_right_colours(browser: Browser, site: Site, scheme: Any) -> None:
    """Whether the system asks for them, or the operator chose them against the system."""
    for system, chosen in ((scheme, "system"), ("light", scheme), ("dark", scheme)):
        with opened_page(browser, site, color_scheme=system) as page:
            page.context.request.post("/admin/preferences", form={"theme": chosen})
            page.add_init_script(NOTE_FIRST_PAINT)
            page.goto("/admin/login", wait_until="networkidle")
            page.wait_for_function("window.painted")
            (red,) = re.findall(r"^rgb\((\d+)", page.evaluate("window.painted"))
            assert (int(red) < 128) == (scheme == "dark")


def test_stylesheets_alone_hold_up_the_first_paint(olga: Page, site: Site) -> None:
    olga.goto("/admin/", wait_until="networkidle")
    assert olga.evaluate(BLOCKING) == ["css", "css"]
