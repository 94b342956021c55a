"""Second factors in a real browser, which plays an authenticator for passkeys as well."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from admin.settings import Settings
from main import create_app
from models import Operator, Passkey
from models.database import Database
from tests.browser.conftest import Site, opened_page, served
from tests.browser.test_accessibility import violations
from tests.factors import OVERVIEW, add_app, add_codes, add_passkey, code_now
from tests.personas import PASSWORD, add_operator
from tests.records import add_post, add_user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def site(real_database: Database, real_settings: Settings) -> Iterator[Site]:
    """Serve by a name: browsers keep passkeys for no number."""
    add_operator(real_database, "olga", is_superuser=True)
    alice, bob = add_user(real_database, "Alice"), add_user(real_database, "Bob")
    post = add_post(real_database, alice, "Hello")
    settings = replace(real_settings, allowed_hosts=("localhost",))
    with served(create_app(settings, real_database)) as url:
        named = url.replace("127.0.0.1", "localhost")
        yield Site(named, real_database, alice, bob, post)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    # A wrong code is no complaint.
    with opened_page(browser, site, expected="400 (Bad Request)") as page:
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        yield page


def set_up(site: Site, settings: Settings) -> None:
    """Let Olga have all kinds of factors, but few codes."""
    find = select(Operator).where(Operator.username == "olga")
    olga = site.database.read(lambda session: session.scalars(find).one())
    add_app(site.database, settings, "olga")
    add_passkey(site.database, olga)
    add_codes(site.database, olga)


def enter_password(page: Page) -> None:
    page.goto("/admin/login")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_passkey_is_made_and_signs_in_with_and_without_the_password(
    page: Page, site: Site
) -> None:
    enter_password(page)
    page.goto("/admin/account/two-factor")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("This laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your backup codes")
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.get_by_role("link", name="I have them").click()
    expect(page.get_by_text("This laptop").first).to_be_visible()

    page.context.clear_cookies()
    page.goto("/admin/login?next=/admin/account")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{site.url}/admin/account")

    page.context.clear_cookies()
    enter_password(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second step")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{site.url}/admin/")
    used = site.database.read(lambda session: session.scalars(select(Passkey)).one())
    assert used.sign_count > 1


def test_a_key_is_copied_rather_than_typed(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    enter_password(page)
    page.goto(f"{OVERVIEW}/app")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("code").inner_text()


def test_where_a_browser_copies_nothing_the_key_is_selected(page: Page) -> None:
    enter_password(page)
    page.goto(f"{OVERVIEW}/app")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.get_by_role("button", name="Copy").click()
    page.wait_for_function(
        "String(getSelection()).trim() === document.querySelector('code').innerText"
    )


def test_a_device_without_a_passkey_is_said_to_have_none(page: Page) -> None:
    page.goto("/admin/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work.")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()


def sign_in_page(page: Page) -> None:
    page.goto("/admin/login")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()


def first_look(page: Page) -> None:
    enter_password(page)
    page.goto(OVERVIEW)


def setting_up(page: Page) -> None:
    enter_password(page)
    page.goto(f"{OVERVIEW}/app")
    picture = page.get_by_role("img", name="The key as a QR code")
    assert picture.evaluate("image => image.naturalWidth") > 0
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#code-error")).to_be_visible()


def naming(page: Page) -> None:
    enter_password(page)
    page.goto(f"{OVERVIEW}/passkeys/add")
    expect(page.get_by_label("Name")).to_be_visible()


@pytest.mark.parametrize("visit", [sign_in_page, first_look, setting_up, naming])
def test_a_page_without_factors_breaks_no_rule(
    page: Page, site: Site, visit: Callable[[Page], None]
) -> None:
    visit(page)
    assert violations(page) == set()


def second_step(page: Page) -> None:
    enter_password(page)
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("#code-error")).to_be_visible()


def all_factors(page: Page) -> None:
    open_with_a_code(page, OVERVIEW)


def removing(page: Page) -> None:
    open_with_a_code(page, f"{OVERVIEW}/app/remove")


def one_passkey(page: Page) -> None:
    open_with_a_code(page, OVERVIEW)
    page.get_by_role("link", name="Edit Key").click()


def new_codes(page: Page) -> None:
    open_with_a_code(page, f"{OVERVIEW}/codes")
    page.get_by_role("button", name="Make new codes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your backup codes")


def open_with_a_code(page: Page, path: str) -> None:
    enter_password(page)
    page.get_by_label("Code").fill(code_now())
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.goto(path)


@pytest.mark.parametrize("visit", [second_step, all_factors, removing, one_passkey, new_codes])
def test_a_page_with_factors_breaks_no_rule(
    page: Page, site: Site, real_settings: Settings, visit: Callable[[Page], None]
) -> None:
    set_up(site, real_settings)
    visit(page)
    assert violations(page) == set()
