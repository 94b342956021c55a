"""Where one is signed in, and who tried to be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select
from starlette.responses import RedirectResponse

from admin.auth.door import auth_of
from admin.auth.sessions import end_sessions, is_open
from admin.auth.visitors import device_words
from admin.kit import messages
from admin.kit.forms import posted
from admin.kit.history import note
from admin.kit.history.timeline import WINDOW
from admin.kit.history.wording import SIGN_INS, action_word
from admin.kit.languages import gettext, ngettext
from admin.kit.once import stored_once
from admin.kit.templating import path_for
from models import OperatorSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response

    from admin.auth.sessions import SignedIn
    from admin.kit import AdminSite
    from admin.kit.history import Journal

MOST_SHOWN = 100
MOST_RECENT = 20
OTHERS = "others"


@dataclass(frozen=True)
class SignIn:
    """What happened, when, and from where; `device` is empty if the browser is unknown."""

    words: str
    at: datetime
    address: str
    device: str


async def sessions(site: AdminSite, request: Request) -> Response:
    return await (end(site, request) if request.method == "POST" else show(site, request))


async def show(site: AdminSite, request: Request) -> Response:
    """List the operator's own sessions, and what happened at the sign-in under their name."""
    operator: SignedIn = request.state.operator

    def work(session: Session) -> tuple[Sequence[OperatorSession], Sequence[SignIn]]:
        found = own_sessions(site, session, operator)
        return found, recent_sign_ins(site.recorded, session, operator.id, operator.username)

    found, recent = await site.read(work)
    return await site.page(
        request,
        "account/sessions.html",
        title=gettext("Where you are signed in"),
        sessions=[(mark(each), each, device_words(each.user_agent)) for each in found],
        current=operator.token_hash,
        recent=recent,
    )


def own_sessions(
    site: AdminSite, session: Session, operator: SignedIn
) -> Sequence[OperatorSession]:
    """Return the open sessions, this one first, then those used last."""
    auth = auth_of(site)
    is_own = OperatorSession.operator_id == operator.id
    is_here = OperatorSession.token_hash == operator.token_hash
    stmt = select(OperatorSession).where(is_own, is_open(auth.idle))
    stmt = stmt.where(OperatorSession.awaits_factor.is_(False))
    stmt = stmt.order_by(is_here.desc(), OperatorSession.used_at.desc())
    return session.scalars(stmt.limit(MOST_SHOWN)).all()


def mark(found: OperatorSession) -> str:
    """Return what a page calls a session: part of the hash of its token opens nothing."""
    return found.token_hash[:16]


def recent_sign_ins(
    journal: Journal, session: Session, operator_id: int, username: str
) -> list[SignIn]:
    """Return what last happened at the sign-in under an operator's name, from the history."""
    sets = journal.change_sets
    newest = select(func.max(sets.id)).scalar_subquery()
    written = (sets.summary.contains(f'["",{json.dumps(event)},') for event in SIGN_INS)
    stmt = select(sets.at, sets.summary, sets.label, sets.address).where(
        sets.id > newest - WINDOW,
        sets.operator_name == username,
        or_(sets.operator_id.is_(None), sets.operator_id == operator_id),
        or_(*written),
    )
    rows = session.execute(stmt.order_by(sets.id.desc()).limit(MOST_RECENT)).all()
    return [SignIn(said(row.summary), row.at, row.address, row.label) for row in rows]


def said(summary: str) -> str:
    events = [action for _, action, _ in json.loads(summary) if action in SIGN_INS]
    return gettext(", ").join(map(action_word, events))


async def end(site: AdminSite, request: Request) -> Response:
    """End one of the operator's other sessions, or all of them."""

    async def answer() -> Response:
        chosen = str((await posted(request)).get("end", ""))
        count = await site.write(partial(end_chosen, site, request.state.operator, chosen))
        if count:
            sentence = ngettext(
                "%(count)s session was ended.", "%(count)s sessions were ended.", count, count=count
            )
            messages.success(request, sentence)
        else:
            messages.warning(request, gettext("There was no such session any more."))
        return back(request)

    async def repeat(_operation: UUID) -> Response:
        return back(request)

    return await stored_once(site, request, answer, repeat)


def back(request: Request) -> Response:
    return RedirectResponse(path_for(request, "sessions"), 302)


def end_chosen(site: AdminSite, operator: SignedIn, chosen: str, session: Session) -> int:
    if chosen == OTHERS:
        return end_sessions(session, operator.id, operator.token_hash)
    ended = 0
    for found in own_sessions(site, session, operator):
        if mark(found) == chosen and found.token_hash != operator.token_hash:
            session.delete(found)
            note(session, "end session", device_words(found.user_agent))
            ended += 1
    return ended
