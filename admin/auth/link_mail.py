"""The message by which an operator gets a link to choose a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from admin.auth.links import LINK_LIFETIME
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from datetime import timedelta

    from admin.auth.backend import OperatorAuth
    from models import Operator


async def send_link(
    auth: OperatorAuth, operator: Operator, url: str, lifetime: timedelta = LINK_LIFETIME
) -> None:
    """Send a link in the language of the request, or raise `MailError`."""
    assert auth.mailer is not None  # noqa: S101 - nobody is offered it without one
    assert operator.email  # noqa: S101 - as above
    title = auth.settings.title
    subject = gettext("Choose your password for %(title)s", title=title)
    text = gettext(
        "Hello %(name)s,\n\n"
        "by this link you choose your password for %(title)s. It works once, "
        "within %(hours)s hours:\n\n%(url)s\n\n"
        "If you did not expect this message, there is nothing to do.\n",
        name=operator.username,
        title=title,
        hours=hours(lifetime),
        url=url,
    )
    await anyio.to_thread.run_sync(auth.mailer.send, operator.email, subject, text)


def hours(lifetime: timedelta) -> int:
    return round(lifetime.total_seconds() / 3600)
