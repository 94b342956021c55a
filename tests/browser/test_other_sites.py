"""What other sites can make a signed-in operator's browser do: nothing."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, sign_in
from tests.records import users
from tests.test_permissions import TABLE, filled

# `localhost` is another site; another port of the same host is another origin of the same site,
# as a neighbouring subdomain is: it is sent the cookie.
OTHERS = ["localhost", "127.0.0.1"]

# All that anybody can post to, with what the forms ask for.
KEYS = dict.fromkeys(("user", "post", "operator", "change", "shared", "private"), 1)
FORMS = {
    path.format_map(defaultdict(lambda: 1)): filled(KEYS, path)
    for method, path in TABLE
    if method == "POST"
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def other_origin() -> Iterator[int]:
    """Serve an empty page and yield its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(params=OTHERS)
def attacked(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """Open a page of another origin in a browser in which Olga is signed in."""
    with other_origin() as port, browser.new_context(base_url=site.url) as context:
        page = context.new_page()
        sign_in(context)
        page.goto(f"http://{request.param}:{port}/")
        yield page


def assert_untouched(page: Page, site: Site) -> None:
    assert [user.name for user in users(site.database)] == ["Alice", "Bob"]
    page.goto(f"{site.url}/admin/")
    expect(page.get_by_role("banner").locator("summary")).to_have_text("olga")


def test_a_form_of_another_origin_changes_nothing(attacked: Page, site: Site) -> None:
    start = attacked.url
    for path, fields in FORMS.items():
        attacked.goto(start)
        with attacked.expect_navigation() as navigation:
            attacked.evaluate(
                """([action, fields]) => {
                    const form = document.createElement("form");
                    Object.assign(form, { action, method: "post" });
                    for (const [name, value] of Object.entries(fields)) {
                      const input = document.createElement("input");
                      form.append(Object.assign(input, { name, value }));
                    }
                    document.body.append(form);
                    form.submit();
                }""",
                [f"{site.url}{path}", fields],
            )
        answer = navigation.value
        assert answer is not None
        assert answer.status == 403
    assert_untouched(attacked, site)


def test_a_script_of_another_origin_changes_nothing(attacked: Page, site: Site) -> None:
    paths = ["/admin/user/delete?pks=1", *FORMS]
    for method in ("POST", "HEAD", "GET"):
        attacked.evaluate(
            """async ([urls, method]) => {
                const body = method === "POST" ? "pks=1&name=Eve" : null;
                const headers = { "Content-Type": "application/x-www-form-urlencoded" };
                const options = { method, body, headers, mode: "no-cors", credentials: "include" };
                for (const url of urls) await fetch(url, options).catch(() => {});
            }""",
            [[f"{site.url}{path}" for path in paths], method],
        )
    assert_untouched(attacked, site)


def test_a_script_of_another_origin_can_not_read(attacked: Page, site: Site) -> None:
    answer = attacked.evaluate(
        "url => fetch(url, { credentials: 'include' }).then(() => 'read', () => 'refused')",
        f"{site.url}/admin/user/list",
    )
    assert answer == "refused"


def test_another_origin_can_not_frame_a_page(attacked: Page, site: Site) -> None:
    attacked.evaluate(
        """url => new Promise((loaded) => {
            const frame = Object.assign(document.createElement("iframe"), { src: url });
            frame.addEventListener("load", loaded);
            document.body.append(frame);
        })""",
        f"{site.url}/admin/user/list",
    )
    assert "Alice" not in [f.locator("body").inner_text() for f in attacked.frames][-1]


def test_a_link_of_another_site_still_opens_a_page(attacked: Page, site: Site) -> None:
    attacked.evaluate("url => location.assign(url)", f"{site.url}/admin/user/list")
    expect(attacked.get_by_role("heading", level=1)).to_have_text("Users")
