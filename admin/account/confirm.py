"""Asking operators to prove once more who they are, before something dangerous.

What was sent waits on the page that asks. Its form leads to the same address with the same fields
and the answer beside them, so that nothing has to be kept on the server and no address to go on to
is taken from anybody. Where a page was only to be opened, the answer goes to an address of its own,
because a password belongs in no address, and from there back to that page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from admin.auth.door import auth_of
from admin.auth.guessing import (
    TooManyAttempts,
    count_attempt,
    forgive,
    guards_of,
    session_guard,
)
from admin.auth.passwords import LONGEST_PASSWORD, verify_password
from admin.auth.sessions import end_where, go_on_with, renew_session
from admin.kit import once
from admin.kit.authentication import safe_next
from admin.kit.csrf import SAFE_METHODS
from admin.kit.forms import posted
from admin.kit.history import forget_recorded, note
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.once import PROOF
from admin.kit.templating import path_for
from models import Operator, OperatorSession
from models.base import utc_now
from models.operator import UNUSABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response

    from admin.auth.backend import OperatorAuth
    from admin.auth.guessing import Guard
    from admin.auth.sessions import SignedIn
    from admin.auth.visitors import Visitor
    from admin.kit import AdminSite
    from models.database import Database


@dataclass(frozen=True)
class Proof:
    """A way to prove who one is, by what is typed into a field; its name begins with `PROOF`.

    `check` gets the database, the operator's key and what was typed; it runs in a worker thread.
    """

    name: str
    label: Any
    check: Callable[[Database, int, str], bool]
    type: str = "password"
    autocomplete: str = "current-password"
    inputmode: str = "text"


def is_password_of(database: Database, operator_id: int, password: str) -> bool:
    operator = database.read(lambda session: session.get_one(Operator, operator_id))
    is_usable = operator.password_hash != UNUSABLE
    return verify_password(operator.password_hash if is_usable else None, password)


PASSWORD = Proof(f"{PROOF}_password", lazy_gettext("Password"), is_password_of)


def code_proof(check: Callable[[Database, int, str], bool]) -> Proof:
    """Return the proof by a code of the second factor."""
    label = lazy_gettext("Or a code of your second factor")
    return Proof(f"{PROOF}_code", label, check, "text", "one-time-code")


@dataclass(frozen=True)
class Question:
    """The page that asks: where its form leads, and with what; `forgets` is about passwords."""

    action: str
    fields: Sequence[tuple[str, Any]]
    forgets: bool = False

    @classmethod
    def to_open(cls, request: Request, target: str) -> Question:
        return cls(path_for(request, "confirm"), [("next", target)])

    @classmethod
    def to_send(cls, request: Request, sent: FormData) -> Question:
        once.keep_key(request, sent)
        is_asked_again = any(name.startswith(PROOF) for name in sent)
        forgets = not is_asked_again and any(map(once.is_password, sent))
        return cls("", once.to_send_again(sent), forgets)


async def confirm(auth: OperatorAuth, request: Request) -> Response | None:
    """Return None if the operator proved who they are of late, or does so now; else ask."""
    if is_confirmed(request.state.operator, auth.confirmed_for):
        await leave_out_proofs(request)
        return None
    if "application/json" in request.headers.get("accept", ""):
        raise HTTPException(403, gettext("Reload the page, and confirm that it is you."))
    if request.method in SAFE_METHODS:
        query = f"?{request.url.query}" if request.url.query else ""
        return await ask(auth, request, Question.to_open(request, f"{request.url.path}{query}"))
    sent = await posted(request)
    question = Question.to_send(request, sent)
    if not any(name.startswith(PROOF) for name in sent):
        return await ask(auth, request, question)
    return await judge(auth, request, question)


async def show(site: AdminSite, request: Request) -> Response:
    """Ask, and go on to the page that was to be opened."""
    auth = auth_of(site)
    sent = request.query_params if request.method in SAFE_METHODS else await posted(request)
    target = safe_next(path_for(request, "index"), str(sent.get("next", "")))
    question = Question.to_open(request, target)
    answer = None
    if not is_confirmed(request.state.operator, auth.confirmed_for):
        if request.method in SAFE_METHODS:
            return await ask(auth, request, question, status=200)
        answer = await judge(auth, request, question)
    return answer or RedirectResponse(target, 302)


def is_confirmed(operator: SignedIn, lasts: timedelta) -> bool:
    at = operator.confirmed_at
    return at is not None and at > utc_now() - lasts


async def leave_out_proofs(request: Request) -> None:
    """Let the page go on with exactly what was sent at first."""
    if request.method not in SAFE_METHODS:
        kept = [pair for pair in (await posted(request)).multi_items() if is_no_proof(*pair)]
        request._form = FormData(kept)  # noqa: SLF001 - where Starlette keeps what it has read


def is_no_proof(name: str, _value: object) -> bool:
    return not name.startswith(PROOF)


async def ask(
    auth: OperatorAuth, request: Request, question: Question, error: str = "", status: int = 403
) -> Response:
    """Show the page that asks, with all that was sent but passwords."""
    proofs, title = auth.proofs(request.state.operator), gettext("Confirm that it is you")
    context = {"title": title, "question": question, "proofs": proofs, "error": error}
    return await auth.site.page(request, "account/confirm.html", status, **context)


async def judge(auth: OperatorAuth, request: Request, question: Question) -> Response | None:
    """Return None for who proves who they are; guesses are counted as at the sign-in.

    Who can't in five attempts is signed out: it may be somebody else at an open browser.
    """
    operator: SignedIn = request.state.operator
    visitor = auth.doorman.visitor(request)
    own = session_guard(operator.id, operator.token_hash)
    guards = [own, *guards_of(operator.id, "", visitor)]
    try:
        waits = await auth.site.write(lambda session: count_attempt(session, guards))
        is_right = await is_proved(auth, request)
    except TooManyAttempts as refused:
        page = await ask(auth, request, question, refused.detail, 429)
        page.headers.update(refused.headers or {})
        return page
    if not is_right:
        return await refuse(auth, request, question, is_over=own.key in waits)
    token = await auth.site.write(lambda session: note_proof(session, operator, guards, visitor))
    forget_recorded()  # It is nothing to undo.
    if token is None:
        return await lead_to_sign_in(auth, request, question)
    go_on_with(request, token)
    await leave_out_proofs(request)
    return None


async def is_proved(auth: OperatorAuth, request: Request) -> bool:
    """Say whether one of the answers is right; no answer takes the time of a wrong one."""
    operator, sent = request.state.operator, await posted(request)
    offered = auth.proofs(operator)
    for proof in [proof for proof in offered if sent.get(proof.name)] or offered[:1]:
        text = str(sent.get(proof.name, ""))[: LONGEST_PASSWORD + 1]
        if await auth.in_thread(proof.check, auth.database, operator.id, text):
            return True
    return False


def note_proof(
    session: Session, operator: SignedIn, guards: Sequence[Guard], visitor: Visitor
) -> str | None:
    forgive(session, guards)
    note(session, "confirm", visitor.words)
    return renew_session(session, operator.token_hash)


async def refuse(
    auth: OperatorAuth, request: Request, question: Question, *, is_over: bool
) -> Response:
    """Ask again, or sign out who guessed too often."""
    device = auth.doorman.visitor(request).words
    is_this = OperatorSession.token_hash == request.state.operator.token_hash

    def work(session: Session) -> None:
        note(session, "refuse confirm", device)
        if is_over:
            end_where(session, is_this, device)

    await auth.site.write(work)
    forget_recorded()
    if is_over:
        request.session.clear()
        return await lead_to_sign_in(auth, request, question)
    return await ask(auth, request, question, gettext("This is not right. Try again."))


async def lead_to_sign_in(auth: OperatorAuth, request: Request, question: Question) -> Response:
    """Answer who is signed out by now; what was sent is kept for whoever signs in next.

    The cookie stays as it is: where a proof is sent twice at once, the other answer renews it.
    """
    if not question.action:
        return await auth.offer_to_send_again(request)
    query = urlencode(question.fields)
    return RedirectResponse(f"{path_for(request, 'login')}?{query}", 302)
