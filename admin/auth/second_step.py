"""The second step of signing in, and signing in with a passkey instead of a password."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sqladmin.flash import FlashLevel
from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from admin.auth.door import asking, auth_of
from admin.auth.factors import Held, held_by, passkeys
from admin.auth.sessions import hash_token
from admin.kit import messages
from admin.kit.authentication import safe_next
from admin.kit.forms import posted
from admin.kit.languages import gettext
from admin.kit.templating import path_for
from models import Operator, OperatorSession
from models.base import utc_now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response

    from admin.auth.factors.passkeys import RelyingParty
    from admin.kit import AdminSite

SIGN_IN = "sign-in"


@dataclass(frozen=True)
class Awaiting:
    """Who showed a password, and has to show a factor yet."""

    id: int
    username: str
    held: Held


def routes(site: AdminSite) -> list[Route]:
    pages = [
        ("/login/second-step", show, "second_step", ["GET", "POST"]),
        ("/login/second-step/options", second_step_options, "second_step_options", ["POST"]),
        ("/login/passkey", sign_in_with_passkey, "login_passkey", ["POST"]),
        ("/login/passkey/options", sign_in_options, "login_passkey_options", ["POST"]),
    ]
    return [Route(at, partial(page, site), methods=how, name=name) for at, page, name, how in pages]


def path(request: Request, target: str) -> str:
    """Return where the second step is, which leads on to `target`."""
    return to(request, "second_step", target)


def to(request: Request, page: str, target: str) -> str:
    is_front = target == path_for(request, "index")
    return path_for(request, page) + ("" if is_front else f"?{urlencode({'next': target})}")


async def show(site: AdminSite, request: Request) -> Response:
    """Ask for a second factor, and let in who shows it."""
    sent = await posted(request) if request.method == "POST" else request.query_params
    target = safe_next(path_for(request, "index"), str(sent.get("next", "")))
    awaiting = await find_awaiting(site, request)
    if awaiting is None:
        sentence = gettext("This took too long. Enter your username and password again.")
        messages.add(request, FlashLevel.warning, sentence)
        return RedirectResponse(to(request, "login", target), 302)
    if request.method != "POST":
        return await ask(site, request, awaiting, target)
    token, error = await answered(site, request, awaiting)
    if token is None:
        return await ask(site, request, awaiting, target, error)
    return let_in(site, request, token, target)


async def ask(
    site: AdminSite, request: Request, awaiting: Awaiting, target: str, error: str = ""
) -> Response:
    context = {
        "title": gettext("Second step"),
        "next": target,
        "awaiting": awaiting,
        "has_passkeys": bool(awaiting.held.passkeys) and party(site, request) is not None,
        "error": error,
    }
    return await site.page(request, "account/second_step.html", 400 if error else 200, **context)


async def answered(site: AdminSite, request: Request, awaiting: Awaiting) -> tuple[str | None, str]:
    """Return the token of a session, or what is wrong with what was sent."""
    sent = await posted(request)
    if "credential" in sent:
        return await by_passkey(site, request, awaiting)
    code, old_token = str(sent.get("code", "")), request.session["token"]

    def work(session: Session) -> str | None:
        is_right = auth_of(site).verify_factor(session, awaiting.id, code)
        # The operator is locked by now: a new password may have ended this meanwhile.
        if not is_right or awaiting_with(session, old_token) is None:
            return None
        operator = session.get_one(Operator, awaiting.id)
        return auth_of(site).enter(session, request, operator, old_token)

    with asking(auth_of(site), request, awaiting.username):
        token = await site.write(work)
    return token, gettext("This code is wrong, or was used before.")


async def sign_in_with_passkey(site: AdminSite, request: Request) -> Response:
    """Let in whose passkey answers, without a password: the device asked who they are."""
    sent = await posted(request)
    target = safe_next(path_for(request, "index"), str(sent.get("next", "")))
    token, sentence = await by_passkey(site, request)
    if token is not None:
        return let_in(site, request, token, target)
    context = {"title": gettext("Sign in"), "next": target, "username": "", "error": ""}
    template = auth_of(site).login_template
    return await site.page(request, template, 400, passkey_error=sentence, **context)


async def by_passkey(
    site: AdminSite, request: Request, awaiting: Awaiting | None = None
) -> tuple[str | None, str]:
    """Return the token of a session, or what is wrong with the answer of a passkey."""
    answer = str((await posted(request)).get("credential", ""))
    known_as, old_token = require_party(site, request), request.session.get("token")
    only = awaiting.id if awaiting else None
    sentence = gettext("The passkey was not accepted. Try again, or use another way.")
    try:
        challenge = passkeys.take_challenge(request, purpose(awaiting))
    except passkeys.PasskeyError:
        return None, sentence

    def work(session: Session) -> str | None:
        operator = passkeys.use_passkey(session, known_as, challenge, answer, only)
        if operator is None or (awaiting and awaiting_with(session, old_token or "") is None):
            return None
        return auth_of(site).enter(session, request, operator, old_token)

    try:
        with asking(auth_of(site), request, awaiting.username if awaiting else ""):
            return await site.write(work), sentence
    except passkeys.PasskeyError:
        return None, sentence


async def second_step_options(site: AdminSite, request: Request) -> Response:
    """Answer a script that asks for a passkey of who showed a password."""
    awaiting = await find_awaiting(site, request)
    if awaiting is None:
        raise HTTPException(401)
    return options(site, request, awaiting)


async def sign_in_options(site: AdminSite, request: Request) -> Response:
    """Answer a script that asks for any passkey of this site."""
    return options(site, request, None)


def options(site: AdminSite, request: Request, awaiting: Awaiting | None) -> Response:
    known_as = require_party(site, request)
    challenge = passkeys.issue_challenge(request, purpose(awaiting))
    allowed = awaiting.held.passkeys if awaiting else ()
    return JSONResponse(passkeys.request_options(known_as, challenge, allowed))


def purpose(awaiting: Awaiting | None) -> str:
    return f"second step of {awaiting.id}" if awaiting else SIGN_IN


def let_in(site: AdminSite, request: Request, token: str, target: str) -> Response:
    """Go on under a token that nobody knew before."""
    request.session.clear()
    request.session["token"] = token
    response = RedirectResponse(target, 302)
    auth_of(site).welcome(request, response)
    return response


async def find_awaiting(site: AdminSite, request: Request) -> Awaiting | None:
    """Return whose session awaits a factor."""
    token = request.session.get("token")
    return token and await site.read(partial(awaiting_with, token=token))


def awaiting_with(session: Session, token: str) -> Awaiting | None:
    stmt = select(Operator.id, Operator.username).join(OperatorSession.operator)
    stmt = stmt.where(
        OperatorSession.token_hash == hash_token(token),
        OperatorSession.awaits_factor,
        OperatorSession.expires_at > utc_now(),
        Operator.is_active,
    )
    found = session.execute(stmt).one_or_none()
    return Awaiting(found.id, found.username, held_by(session, found.id)) if found else None


def party(site: AdminSite, request: Request) -> RelyingParty | None:
    return passkeys.relying_party(auth_of(site).settings, request)


def require_party(site: AdminSite, request: Request) -> RelyingParty:
    known_as = party(site, request)
    if known_as is None:
        raise HTTPException(404)
    return known_as
