"""One's own password: the old one is asked for, and no other session outlives it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from admin.account import attempts
from admin.account.forms import OwnPasswordForm
from admin.auth.door import auth_of
from admin.auth.operators import change_password, lock_operator
from admin.auth.sessions import go_on_with, renew_session
from admin.kit import messages
from admin.kit.forms import posted
from admin.kit.history import note
from admin.kit.languages import gettext
from admin.kit.once import stored_once
from admin.kit.routing import route
from admin.kit.templating import path_for
from models import Operator

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from admin.auth.sessions import SignedIn
    from admin.kit import AdminSite


def routes(site: AdminSite) -> list[Route]:
    return [route("/account/password", site, page, "account_password", "GET", "POST")]


def hold(request: Request) -> Response | None:
    """Lead every page to this one, while the password has to be changed first."""
    operator: SignedIn = request.state.operator
    own = path_for(request, "account_password")
    if not operator.must_change_password or operator.viewing_as or request.url.path == own:
        return None
    if "application/json" in request.headers.get("accept", ""):
        raise HTTPException(403, gettext("Change your password first."))
    return RedirectResponse(own, 302)


async def page(site: AdminSite, request: Request) -> Response:
    """Show the form, and store what is typed into it."""
    if request.method != "POST":
        return await show(site, request, OwnPasswordForm())
    store = partial(answer, site, request)
    return await stored_once(site, request, store, partial(repeat, request))


async def answer(site: AdminSite, request: Request) -> Response:
    """Store the new password, or say everything that is wrong."""
    signed_in: SignedIn = request.state.operator
    stored = await site.read(partial(find, signed_in.id))
    form = OwnPasswordForm(await posted(request), names=(stored.username, stored.email))
    is_valid = form.validate()
    if form.old_password.data and not await is_right(site, request, stored, form):
        form.old_password.errors = [gettext("This is not your password.")]
        is_valid = False
    if not is_valid:
        return await show(site, request, form, 400)
    auth = auth_of(site)
    password_hash = await auth.hash(form.new_password.data or "")
    token = await site.write(partial(change, signed_in, stored.password_hash, password_hash))
    if token is None:
        form.old_password.errors = [gettext("This is not your password.")]
        return await show(site, request, form, 400)
    go_on_with(request, token)
    sentence = gettext("Your password was changed. You are signed out everywhere else.")
    messages.success(request, sentence)
    return back(request)


async def is_right(
    site: AdminSite, request: Request, stored: Operator, form: OwnPasswordForm
) -> bool:
    """Check the old password, and count the attempt as one to sign in: it may be as well."""
    await attempts.count(site, request, stored.id)
    auth = auth_of(site)
    if await auth.verify(stored.password_hash, form.old_password.data or ""):
        await attempts.forget(site, request, stored.id)
        return True
    await attempts.apart(site, lambda session: note(session, "refuse password", stored.username))
    return False


def find(operator_id: int, session: Session) -> Operator:
    return session.get_one(Operator, operator_id)


def change(signed_in: SignedIn, old_hash: str, password_hash: str, session: Session) -> str | None:
    """Store the new password, unless another one was stored since the old one was checked.

    Returns a new token for this session, so that no copy of its cookie outlives the old password.
    """
    operator = lock_operator(session, signed_in.id)
    if operator.password_hash != old_hash:
        return None
    change_password(session, operator, password_hash)
    # Ended meanwhile, it has none: nobody's token is empty.
    return renew_session(session, signed_in.token_hash) or ""


async def show(
    site: AdminSite, request: Request, form: OwnPasswordForm, status: int = 200
) -> Response:
    title = gettext("Change your password")
    operator: SignedIn = request.state.operator
    context: dict[str, Any] = {"title": title, "form": form, "operator": operator}
    return await site.page(request, "account/password.html", status, **context)


async def repeat(request: Request, _operation: UUID) -> Response:
    return back(request)


def back(request: Request) -> Response:
    """Go back without touching the session: another answer may have renewed its token."""
    return RedirectResponse(path_for(request, "account"), 302)
