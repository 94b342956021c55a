"""The pages on which operators set up, look at and remove their second factors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio.to_thread
from sqladmin.flash import FlashLevel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse

from admin.account.enrolment import forget_secret, pending_secret
from admin.auth.door import auth_of
from admin.auth.factors import backup_codes, held_by, passkeys, totp
from admin.auth.factors.codes import looks_like_code
from admin.auth.factors.recovery import end_other_sessions, forget_app
from admin.auth.granting import note_touch
from admin.auth.guessing import count_attempt, factor_guard, forgive
from admin.auth.operators import lock_operator
from admin.auth.passwords import LONGEST_PASSWORD, verify_password
from admin.auth.second_step import party, require_party
from admin.auth.sessions import go_on_with, renew_session
from admin.kit import Refused, messages
from admin.kit.csrf import SAFE_METHODS
from admin.kit.forms import posted
from admin.kit.history import note, origin
from admin.kit.languages import gettext
from admin.kit.once import stored_once
from admin.kit.routing import route
from admin.kit.templating import path_for
from models import Operator, Passkey
from models.base import utc_now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from admin.auth.factors import Held
    from admin.auth.sessions import SignedIn
    from admin.kit import AdminSite

    Page = Callable[[AdminSite, Request], Awaitable[Response]]

Result = TypeVar("Result")
FORM = ("GET", "POST")
# Below the account's page: what may be done before a factor that is due has been set up.
NEVER_HELD = ("two-factor", "confirm", "password")
ADDING = "new passkey"
LARGEST_KEY = 2**31 - 1


def routes(site: AdminSite) -> list[Route]:
    at = "/account/two-factor"
    return [
        route(at, site, show, "factors"),
        route(f"{at}/app", site, form(set_up_app), "factors_app", *FORM),
        route(f"{at}/app/remove", site, form(remove_app), "factors_app_remove", *FORM),
        route(f"{at}/codes", site, form(make_codes), "factors_codes", *FORM),
        route(f"{at}/passkeys/add", site, form(add_passkey), "factors_passkey_add", *FORM),
        route(f"{at}/passkeys/options", site, confirmed(options), "factors_options", "POST"),
        route(f"{at}/passkeys/{{id:int}}", site, form(change_passkey), "passkey", *FORM),
    ]


def confirmed(page: Page) -> Page:
    """Ask who is signed in to prove it once more, before the page is shown or does anything."""

    async def answer(site: AdminSite, request: Request) -> Response:
        asked = await site.authentication_backend.confirm(request)
        return await page(site, request) if asked is None else asked

    return answer


def form(page: Page) -> Page:
    """Do the same, and store what is sent once, however often it is sent."""

    async def answer(site: AdminSite, request: Request) -> Response:
        if request.method in SAFE_METHODS:
            return await page(site, request)
        answer, repeat = partial(page, site, request), partial(back, request)
        return await stored_once(site, request, answer, repeat)

    return confirmed(answer)


async def back(request: Request, _operation: UUID | None = None) -> Response:
    return RedirectResponse(path_for(request, "factors"), 302)


async def hold(site: AdminSite, request: Request) -> Response | None:
    """Lead operators to set up a second factor before anything else, if they must have one."""
    operator: SignedIn = request.state.operator
    # Who looks on as somebody else changes nothing, and can set up nothing before they stop.
    if operator.has_factor or operator.viewing_as or not is_required(site, request):
        return None
    account = site.authentication_backend.account_path(request)
    path = request.url.path
    if any(f"{path}/".startswith(f"{account}/{name}/") for name in NEVER_HELD):
        return None
    if "application/json" in request.headers.get("accept", ""):
        raise HTTPException(403)
    if request.method in SAFE_METHODS:
        return await back(request)
    sentence = gettext(
        "What you sent was not stored, because you must set up a second factor first. It is kept "
        "on this page: do that, in another tab, then send it again."
    )
    title = gettext("A second factor is missing")
    return await site.send_again_page(request, 403, title, sentence)


def is_required(site: AdminSite, request: Request) -> bool:
    operator: SignedIn = request.state.operator
    return operator.requires_second_factor or auth_of(site).settings.require_second_factor


# The overview


async def show(site: AdminSite, request: Request) -> Response:
    """Show which factors the operator has, and what can be done about them."""
    operator: SignedIn = request.state.operator
    held = await site.read(lambda session: held_by(session, operator.id))
    return await page(
        site,
        request,
        "account/factors.html",
        gettext("Two-factor sign-in"),
        held=held,
        is_required=is_required(site, request),
        offers_passkeys=party(site, request) is not None,
        few=backup_codes.FEW,
        most=passkeys.MOST_PASSKEYS,
    )


async def page(
    site: AdminSite, request: Request, template: str, title: str, **context: Any
) -> Response:
    status = 400 if context.get("error") else 200
    return await site.page(request, template, status, title=title, **context)


def done(request: Request, sentence: str) -> Response:
    """Go back to the overview and say what was done; there is no undo for what keeps others out."""
    messages.add(request, FlashLevel.success, sentence)
    return RedirectResponse(path_for(request, "factors"), 302)


# An authenticator app


async def set_up_app(site: AdminSite, request: Request) -> Response:
    """Show a new secret, and keep it once a code of the app proves that it has it."""
    operator: SignedIn = request.state.operator
    if operator.has_totp:
        return await back(request)
    codes, sent = auth_of(site).codes, await posted(request)
    secret, error = pending_secret(request, codes.sealer, operator.id), ""
    if request.method == "POST":
        code = totp.typed_code(str(sent.get("code", "")))
        step = totp.matching_step(secret, code, utc_now()) if totp.is_code(code) else None
        if step is not None:
            sealed = codes.sealer.seal(operator.id, secret)
            made = await write_anew(
                site, request, lambda session: keep_app(session, operator, sealed, step)
            )
            forget_secret(request)
            return await show_codes(site, request, made, gettext("The app is set up."))
        error = gettext("This code is not the one of the app right now. Is its clock right?")
    address = totp.address(secret, operator.username, auth_of(site).settings.title)
    return await page(
        site,
        request,
        "account/app.html",
        gettext("Set up an app"),
        secret=totp.in_groups(secret),
        picture=totp.picture(address),
        error=error,
    )


def keep_app(session: Session, operator: SignedIn, sealed: str, step: int) -> list[str]:
    """Store the secret, and return new backup codes if there were none; the code is used up."""
    stored = lock_operator(session, operator.id)
    if stored.totp_secret is not None:
        raise Refused(gettext("An app was set up meanwhile."), status=409)
    stored.totp_secret, stored.totp_step = sealed, step
    note(session, "set up app", operator.username)
    return first_codes(session, operator)


async def remove_app(site: AdminSite, request: Request) -> Response:
    """Forget the app's secret, for who has a code, or the password."""
    operator: SignedIn = request.state.operator
    if not operator.has_totp:
        return await back(request)
    sent, error = await posted(request), ""
    if request.method == "POST":
        # A refusal is recorded as well, but not as what this form stored.
        with origin(operation=None):
            is_known = await is_proven(site, operator.id, str(sent.get("password", "")))
        if is_known:
            await write_anew(site, request, lambda session: drop_app(site, request, session))
            return done(request, gettext("The app was removed."))
        error = gettext("This is neither a code that works now nor your password.")
    title = gettext("Remove the app")
    return await page(site, request, "account/app_remove.html", title, error=error)


async def is_proven(site: AdminSite, operator_id: int, proof: str) -> bool:
    """Say whether this is a code that works, or the operator's password; guesses are counted."""
    auth, guards = auth_of(site), [factor_guard(operator_id)]
    if not looks_like_code(proof):
        await site.write(lambda session: count_attempt(session, guards))
    elif await site.write(lambda session: auth.verify_factor(session, operator_id, proof)):
        return True
    stmt = select(Operator.password_hash).where(Operator.id == operator_id)
    password_hash = await site.read(lambda session: session.scalar(stmt))
    is_right = await anyio.to_thread.run_sync(
        verify_password, password_hash, proof[: LONGEST_PASSWORD + 1], limiter=auth.limiter
    )
    if is_right:
        await site.write(lambda session: forgive(session, guards))
    return is_right


def drop_app(site: AdminSite, request: Request, session: Session) -> None:
    operator = lock_operator(session, request.state.operator.id)
    require_rest(site, request, held_by(session, operator.id))
    forget_app(operator)
    note(session, "remove app", operator.username)
    tidy(session, request.state.operator)


# Backup codes


async def make_codes(site: AdminSite, request: Request) -> Response:
    """Ask whether to replace the backup codes, and show the new ones once."""
    operator: SignedIn = request.state.operator
    if not operator.has_factor:
        return await back(request)
    if request.method != "POST":
        held = await site.read(lambda session: held_by(session, operator.id))
        title = gettext("New backup codes")
        return await page(site, request, "account/codes_ask.html", title, left=held.codes_left)
    made = await site.write(lambda session: new_codes(session, operator))
    return await show_codes(site, request, made, gettext("The old codes work no more."))


async def show_codes(site: AdminSite, request: Request, made: list[str], sentence: str) -> Response:
    """Show codes on an answer that no address leads to again."""
    if not made:
        return done(request, sentence)
    title = gettext("Your backup codes")
    return await page(site, request, "account/codes.html", title, codes=made, sentence=sentence)


def new_codes(session: Session, operator: SignedIn) -> list[str]:
    lock_operator(session, operator.id)
    note_touch(session, "make backup codes", operator.id, operator.username)
    return backup_codes.replace_codes(session, operator.id)


def first_codes(session: Session, operator: SignedIn) -> list[str]:
    """Return backup codes for a first factor; other sessions, which showed none, end."""
    end_other_sessions(session, operator.id, operator.token_hash)
    if backup_codes.count_codes(session, operator.id):
        return []
    return new_codes(session, operator)


# Passkeys


async def add_passkey(site: AdminSite, request: Request) -> Response:
    """Ask a browser for a passkey, by a script, and keep what it made under a name."""
    require_party(site, request)
    sent = await posted(request)
    name, error = passkey_name(str(sent.get("name", ""))), ""
    if request.method == "POST":
        try:
            made = await keep_passkey(site, request, name, str(sent.get("credential", "")))
            return await show_codes(site, request, made, gettext("The passkey was added."))
        except passkeys.PasskeyError:
            error = gettext("This browser made no passkey that works here. Try again.")
        except Refused as refusal:
            error = refusal.sentence
    title = gettext("Add a passkey")
    return await page(site, request, "account/passkey_add.html", title, name=name, error=error)


async def keep_passkey(site: AdminSite, request: Request, name: str, answer: str) -> list[str]:
    operator: SignedIn = request.state.operator
    if not answer:
        raise Refused(gettext("Passkeys need scripts, which are off in this browser."))
    challenge = passkeys.take_challenge(request, f"{ADDING} {operator.id}")
    passkey = passkeys.read_new(require_party(site, request), challenge, answer)
    passkey.operator_id, passkey.name = operator.id, name

    def work(session: Session) -> list[str]:
        lock_operator(session, operator.id)
        if len(held_by(session, operator.id).passkeys) >= passkeys.MOST_PASSKEYS:
            raise Refused(gettext("There are enough passkeys: remove one first."))
        session.add(passkey)
        return first_codes(session, operator)

    try:
        return await write_anew(site, request, work)
    except IntegrityError:
        raise Refused(gettext("This passkey is in use already.")) from None


async def options(site: AdminSite, request: Request) -> Response:
    """Answer a script that asks for a new passkey."""
    operator: SignedIn = request.state.operator
    known_as = require_party(site, request)
    held = await site.read(lambda session: held_by(session, operator.id))
    challenge = passkeys.issue_challenge(request, f"{ADDING} {operator.id}")
    who = (operator.id, operator.username)
    return JSONResponse(passkeys.creation_options(known_as, challenge, who, held.passkeys))


async def change_passkey(site: AdminSite, request: Request) -> Response:
    """Give a passkey of the operator's another name, or remove it."""
    operator: SignedIn = request.state.operator
    key = request.path_params["id"]
    passkey = await site.read(lambda session: find_own(session, operator.id, key))
    if request.method != "POST":
        title = gettext("Passkey")
        return await page(site, request, "account/passkey.html", title, passkey=passkey)
    sent = await posted(request)
    if sent.get("do") == "remove":
        await write_anew(site, request, lambda session: drop_passkey(site, request, session, key))
        return done(request, gettext("The passkey was removed."))
    name = passkey_name(str(sent.get("name", "")))
    await site.write(lambda session: rename_passkey(session, operator.id, key, name))
    return done(request, gettext("The passkey was renamed."))


def rename_passkey(session: Session, operator_id: int, key: int, name: str) -> None:
    find_own(session, operator_id, key).name = name


def drop_passkey(site: AdminSite, request: Request, session: Session, key: int) -> None:
    operator: SignedIn = request.state.operator
    lock_operator(session, operator.id)
    passkey = find_own(session, operator.id, key)
    require_rest(site, request, held_by(session, operator.id))
    session.delete(passkey)
    session.flush()
    tidy(session, operator)


def find_own(session: Session, operator_id: int, key: int) -> Passkey:
    """Return a passkey of the operator's; anybody else's is a 404."""
    stmt = select(Passkey).where(Passkey.id == key, Passkey.operator_id == operator_id)
    passkey = session.scalar(stmt) if key <= LARGEST_KEY else None
    if passkey is None:
        raise HTTPException(404)
    return passkey


def passkey_name(text: str) -> str:
    """Return the name people see; what can't be seen is left out, and none is a name as well."""
    name = "".join(character for character in text if character.isprintable()).strip()
    return name[: passkeys.LONGEST_NAME] or gettext("Passkey")


# What several of them do


async def write_anew(
    site: AdminSite, request: Request, work: Callable[[Session], Result]
) -> Result:
    """Write, and go on under a new token: no copy of the cookie outlives a change of factors."""
    token_hash = request.state.operator.token_hash
    result, token = await site.write(
        lambda session: (work(session), renew_session(session, token_hash))
    )
    if token is not None:
        go_on_with(request, token)
    return result


def require_rest(site: AdminSite, request: Request, held: Held) -> None:
    """Refuse to remove the last factor of who must have one."""
    if held.count == 1 and is_required(site, request):
        sentence = gettext(
            "You must have a second factor: set up another one before you remove this one."
        )
        raise Refused(sentence, status=409)


def tidy(session: Session, operator: SignedIn) -> None:
    """End other sessions; backup codes stand in for a factor, so they go with the last one."""
    end_other_sessions(session, operator.id, operator.token_hash)
    session.flush()
    if not held_by(session, operator.id).has_any:
        backup_codes.delete_codes(session, operator.id)
