"""Undo, versions and the trash in a browser, with and without scripts."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, sign_in
from tests.records import users

pytestmark = pytest.mark.browser


def names(site: Site) -> list[str]:
    return [user.name for user in users(site.database)]


def rename(page: Page, site: Site, name: str) -> None:
    page.goto(f"/admin/user/edit/{site.alice.id}")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(f"The user “{name}” was changed.")


def test_an_edit_is_undone_and_done_again_without_scripts(plain_page: Page, site: Site) -> None:
    sign_in(plain_page.context)
    rename(plain_page, site, "Alicia")
    plain_page.get_by_role("button", name="Undo").click()
    expect(plain_page.get_by_role("status")).to_have_text("Undone: 1 row was put back.")
    assert names(site) == ["Alice", "Bob"]
    plain_page.locator("form.undo button").click()
    expect(plain_page.get_by_role("status")).to_have_text("Undone: 1 row was put back.")
    assert names(site) == ["Alicia", "Bob"]


def test_what_a_list_undoes_is_seen_in_the_list(plain_page: Page, site: Site) -> None:
    sign_in(plain_page.context)
    plain_page.goto("/admin/user/list?search=ali&sortBy=name")
    plain_page.get_by_role("link", name="Alice").click()
    plain_page.get_by_label("Name").fill("Alicia")
    plain_page.get_by_role("button", name="Save", exact=True).click()
    plain_page.get_by_role("button", name="Undo").click()
    expect(plain_page.get_by_role("status")).to_have_text("Undone: 1 row was put back.")
    expect(plain_page).to_have_url(f"{site.url}/admin/user/list?search=ali&sortBy=name")
    expect(plain_page.get_by_role("link", name="Alice")).to_be_visible()


def test_a_deletion_leaves_the_trash_without_scripts(plain_page: Page, site: Site) -> None:
    sign_in(plain_page.context)
    plain_page.goto(f"/admin/user/delete?pks={site.alice.id}")
    plain_page.get_by_role("button", name="Yes, delete").click()
    plain_page.get_by_role("link", name="Trash").click()
    plain_page.get_by_role("button", name="Restore Alice").click()
    status = plain_page.get_by_role("status")
    expect(status).to_have_text("The user “Alice” was restored, with 1 that went along.")
    assert names(site) == ["Alice", "Bob"]


def test_an_earlier_version_is_restored(olga: Page, site: Site) -> None:
    rename(olga, site, "Alicia")
    rename(olga, site, "Alina")
    olga.goto(f"/admin/user/edit/{site.alice.id}")
    olga.get_by_role("link", name="History").and_(olga.locator("main a")).click()
    olga.get_by_role("link", name="Version").nth(1).click()
    expect(olga.get_by_role("main")).to_contain_text("Alicia")
    olga.get_by_role("button", name="Restore this version").click()
    expect(olga.get_by_role("status")).to_contain_text("is as it was after change 2.")
    assert names(site) == ["Alicia", "Bob"]
