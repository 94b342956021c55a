"""Choosing a password by a link, and asking for such a link by e-mail; nobody is signed in here."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Route

from admin.account import attempts
from admin.account.forms import ChosenPasswordForm, ForgotForm
from admin.auth.door import asking, auth_of
from admin.auth.link_mail import send_link
from admin.auth.links import (
    LONGEST_TOKEN,
    MAILED_LINK_LIFETIME,
    find_link,
    make_link,
    use_link,
    was_just_made,
)
from admin.auth.operators import change_password, normalize_email
from admin.kit import messages
from admin.kit.forms import posted
from admin.kit.languages import gettext
from admin.kit.once import stored_once
from admin.kit.templating import path_for
from models import Operator

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response

    from admin.auth.backend import OperatorAuth
    from admin.kit import AdminSite

log = logging.getLogger("admin")

FORM = ["GET", "POST"]


def routes(site: AdminSite) -> list[Route]:
    opened, chosen, forgotten = (partial(page, site) for page in (open_link, choose, forgot))
    return [
        Route("/login/link/{token}", opened, name="open_link"),
        Route("/login/password", chosen, methods=FORM, name="choose_password"),
        Route("/login/forgot", forgotten, methods=FORM, name="forgot"),
    ]


async def open_link(_site: AdminSite, request: Request) -> Response:
    """Take the token out of the address, which browsers keep and hand on, and go on without it."""
    request.session["link"] = request.path_params["token"][:LONGEST_TOKEN]
    return RedirectResponse(path_for(request, "choose_password"), 302)


# Choosing


async def choose(site: AdminSite, request: Request) -> Response:
    """Show the form to whoever has opened a good link, and store the password."""
    token = str(request.session.get("link", ""))
    operator = await site.read(lambda session: find_link(session, token))
    if request.method != "POST":
        form = ChosenPasswordForm()
        return await (show(site, request, form, operator) if operator else show_bad(site, request))
    # The same before and after the link is used, by which a form that is sent twice is known.
    request.state.operator_name = ""
    who = (operator.username, operator.id) if operator else ()
    with asking(auth_of(site), request, *who):
        store = partial(answer, site, request, token, operator)
        return await stored_once(site, request, store, partial(repeat, request))


async def answer(
    site: AdminSite, request: Request, token: str, operator: Operator | None
) -> Response:
    """Store the password and end the link, or say everything that is wrong."""
    if operator is None:
        await attempts.count(site, request)
        return await show_bad(site, request)
    names = (operator.username, operator.email)
    form = ChosenPasswordForm(await posted(request), names=names)
    if not form.validate():
        return await show(site, request, form, operator, 400)
    auth = auth_of(site)
    password_hash = await auth.hash(form.new_password.data or "")
    if not await site.write(partial(store_by_link, token, password_hash)):
        return await show_bad(site, request)
    return done(request)


def store_by_link(token: str, password_hash: str, session: Session) -> bool:
    """Store the password if the link is still good; it isn't any more then."""
    operator = use_link(session, token)
    if operator is None:
        return False
    change_password(session, operator, password_hash)
    return True


def done(request: Request) -> Response:
    """Lead to the sign-in page: a link replaces the password, not a second factor."""
    request.session.pop("link", None)
    messages.success(request, gettext("Your password is set. Sign in with it."))
    return RedirectResponse(path_for(request, "login"), 302)


async def repeat(request: Request, _operation: UUID) -> Response:
    return done(request)


async def show(
    site: AdminSite,
    request: Request,
    form: ChosenPasswordForm,
    operator: Operator,
    status: int = 200,
) -> Response:
    title = gettext("Choose your password")
    return await site.page(
        request, "account/choose.html", status, title=title, form=form, operator=operator
    )


async def show_bad(site: AdminSite, request: Request) -> Response:
    """Say that a link is no good: the same for one that was used, is too old, or never was."""
    title = gettext("This link does not work")
    return await site.page(request, "account/bad_link.html", 404, title=title)


# Asking


async def forgot(site: AdminSite, request: Request) -> Response:
    """Ask for an e-mail address, and answer the same whether it is known or not."""
    auth = auth_of(site)
    if auth.mailer is None:
        raise HTTPException(404)
    sent = await posted(request) if request.method == "POST" else None
    form = ForgotForm(sent)
    title = gettext("Forgot your password?")
    if sent is None or not form.validate():
        status = 200 if sent is None else 400
        return await site.page(request, "account/forgot.html", status, title=title, form=form)
    email = normalize_email(form.email.data or "").replace("\0", "\ufffd")
    with asking(auth, request):
        await attempts.count(site, request)
    response = await site.page(request, "account/forgotten.html", title=title)
    # Whoever waits for the answer can't tell by the time whether a message is sent.
    response.background = BackgroundTask(send_to, auth, request, email)
    return response


async def send_to(auth: OperatorAuth, request: Request, email: str) -> None:
    """Send a link to the operator with this address, if there is one; the log says what failed."""
    try:
        with asking(auth, request):
            found = await auth.site.write(partial(make_for, email))
        if found:
            operator, token = found
            url = auth.link_url(request, token, is_mailed=True)
            await send_link(auth, operator, url, MAILED_LINK_LIFETIME)
    except Exception as error:  # noqa: BLE001 - the answer was given, and nobody waits for another
        log.warning("A link was not sent: %s", type(error).__name__)


def make_for(email: str, session: Session) -> tuple[Operator, str] | None:
    """Make a link for the operator with this address, unless one was made a moment ago."""
    is_known = (Operator.email == email) & Operator.is_active
    operator = session.scalar(select(Operator).where(is_known).with_for_update())
    if operator is None or was_just_made(session, operator):
        return None
    return operator, make_link(session, operator, MAILED_LINK_LIFETIME, said="send link")
