"""Handing out ways in: passwords and links that are shown once, or sent by e-mail."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from admin.auth.door import auth_of
from admin.auth.link_mail import hours, send_link
from admin.auth.links import LINK_LIFETIME, make_link
from admin.auth.mail import MailError
from admin.kit import messages
from admin.kit.errors import require_found
from admin.kit.languages import gettext
from admin.kit.templating import key_path
from models import Operator

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response

    from admin.kit import ModelAdmin


async def show_password(
    view: ModelAdmin, request: Request, operator: Operator, password: str
) -> Response:
    """Show a password that was made, once: it is kept nowhere."""
    return await show(view, request, operator, "password", password)


async def show(
    view: ModelAdmin, request: Request, operator: Operator, kind: str, secret: str
) -> Response:
    titles = {
        "password": gettext("Password of %(name)s", name=operator.username),
        "link": gettext("Link for %(name)s", name=operator.username),
    }
    return await view.site.page(
        request,
        "operators/secret.html",
        title=titles[kind],
        view=view,
        kind=kind,
        secret=secret,
        operator=operator,
        hours=hours(LINK_LIFETIME),
        back=key_path(request, "details", view.identity, str(operator.id)),
    )


async def hand_out(
    view: ModelAdmin, request: Request, operator_id: int, *, is_mailed: bool
) -> Response | None:
    """Make a link for an operator and send it, or show it; None if it was sent."""
    make = partial(make_recorded, operator_id, "send link" if is_mailed else "make link")
    operator, token = await view.site.write(make)
    auth = auth_of(view.site)
    if is_mailed and operator.email:
        try:
            await send_link(auth, operator, auth.link_url(request, token, is_mailed=True))
        except MailError:
            messages.warning(request, gettext("The message could not be sent; here is the link."))
        else:
            sentence = gettext("A link was sent to %(email)s.", email=operator.email)
            messages.success(request, sentence)
            return None
    return await show(view, request, operator, "link", auth.link_url(request, token))


def make_recorded(operator_id: int, event: str, session: Session) -> tuple[Operator, str]:
    """Make a link; the guard refuses one for somebody who may do more."""
    stmt = select(Operator).where(Operator.id == operator_id).with_for_update()
    operator = session.scalar(stmt)
    require_found(operator)
    assert operator is not None  # noqa: S101 - it has just been required
    return operator, make_link(session, operator, said=event)
