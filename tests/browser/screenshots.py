"""Photographs the pages for the README: `make screenshots`."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import URL

from admin.settings import Settings
from main import create_app
from migrations.schema import upgrade
from models.database import connect
from seed import seed
from tests.browser.conftest import launch, served, sign_in
from tests.personas import add_operator
from tests.project import ROOT

FOLDER = ROOT / "docs/screenshots"
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


def main() -> None:
    """Write all pictures; the same data makes the same pictures on the same machine."""
    FOLDER.mkdir(exist_ok=True)
    with demo() as url, sync_playwright() as playwright, launch(playwright) as browser:
        photograph(browser, url)


@contextmanager
def demo() -> Iterator[str]:
    """Serve the demo data from a database that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        url = URL.create("sqlite", database=str(Path(folder, "demo.db")))
        settings = Settings(
            secret_key="only for the pictures, nobody else sees it",
            database_url=url,
            database_url_unpooled=url,
        )
        upgrade(settings)
        database = connect(url)
        seed(database)
        add_operator(database, "olga", is_superuser=True)
        with served(create_app(settings, database)) as address:
            yield address
        database.dispose()


def photograph(browser: Browser, url: str) -> None:
    with opened(browser, url, viewport=WIDE, color_scheme="light") as page:
        take(page, "sign-in", "/admin/login")
        sign_in(page.context)
        count_cards(page)
        take(page, "index", "/admin/")
        take(page, "list", "/admin/post/list?pageSize=10")
        take(page, "edit", "/admin/post/edit/12")
        take(page, "delete", "/admin/user/delete?pks=1")
    with opened(browser, url, viewport=WIDE, color_scheme="dark") as page:
        sign_in(page.context)
        take(page, "list-dark", "/admin/user/list?pageSize=10")
    with opened(browser, url, viewport=PHONE, color_scheme="light") as page:
        sign_in(page.context)
        take(page, "phone-list", "/admin/user/list")
        page.get_by_role("button", name="Menu", exact=True).click()
        take(page, "phone-menu")


def count_cards(page: Page) -> None:
    """Have the cards of the front page counted, which happens behind its back."""
    page.goto("/admin/")
    while page.get_by_text("Being counted").count():
        page.wait_for_timeout(200)
        page.reload()


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    with browser.new_context(base_url=url, **options) as context:
        yield context.new_page()


def take(page: Page, name: str, path: str | None = None) -> None:
    if path is not None:
        page.goto(path)
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide")


if __name__ == "__main__":
    main()
