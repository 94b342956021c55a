"""Signing in and out: sessions are rows, so that they end when we say so."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from starlette.middleware import Middleware

from admin.account import confirm as confirming
from admin.account import factors as account_factors
from admin.account import pages as account
from admin.account import password as own_password
from admin.account import recovery
from admin.auth import second_step, viewing, why
from admin.auth.door import asking
from admin.auth.factors import Codes
from admin.auth.factors.passkeys import relying_party
from admin.auth.links import LINK_PATH
from admin.auth.mail import Mailer
from admin.auth.operators import normalize_username
from admin.auth.passwords import LONGEST_PASSWORD, hash_password, verify_password
from admin.auth.sessions import SignedIn, act_in, end_session, find_signed_in
from admin.auth.signed_cookie import SignedSessions
from admin.auth.signing_in import Knock, enter, sign_in
from admin.auth.visitors import Doorman
from admin.auth.visits import Visits
from admin.kit import Authentication
from admin.kit.forms import posted
from admin.kit.history import note
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from admin.account.confirm import Proof
    from admin.kit import ModelAdmin
    from admin.kit.authentication import ObjectLink, Viewing
    from admin.settings import Settings
    from models import Operator
    from models.database import Database

# The cookie outlives the session, so that a form sent too late is recognised and kept.
COOKIE_LIFETIME = timedelta(days=7)
# Each hash takes 19 MiB while it runs.
MOST_HASHES_AT_ONCE = 4
Result = TypeVar("Result")


class OperatorAuth(Authentication):
    """Knows operators by a random token: its hash is in the table, itself in a signed cookie."""

    login_template = "account/sign_in.html"

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.codes = Codes(settings.secret_keys)
        self.mailer = (
            Mailer.at(settings.smtp_url, settings.mail_from) if settings.smtp_url else None
        )
        self.limiter = anyio.CapacityLimiter(MOST_HASHES_AT_ONCE)
        self.idle = timedelta(minutes=settings.session_idle_minutes)
        self.lifetime = timedelta(hours=settings.session_hours)
        self.confirmed_for = timedelta(minutes=settings.confirm_minutes)
        self.doorman = Doorman(settings.secret_keys, https=settings.is_production)
        self.middlewares = [
            Middleware(
                SignedSessions,
                secret_keys=settings.secret_keys,
                session_cookie="__Host-admin" if settings.is_production else "admin",
                max_age=int(COOKIE_LIFETIME.total_seconds()),
                https_only=settings.is_production,
            ),
            Middleware(Visits, self),
        ]

    async def login(self, request: Request) -> bool:
        """Open a session under a new token; raise a 429 after too many failures."""
        sent = await posted(request)
        # No database text holds a NUL, so no operator's name does.
        username = normalize_username(str(sent.get("username", "")).replace("\0", "\ufffd"))
        visitor = self.doorman.visitor(request)
        knock = Knock(
            username,
            # One character more than any password has: cut to their length, it might become right.
            str(sent.get("password", ""))[: LONGEST_PASSWORD + 1],
            self.doorman.hashed(username),
            visitor,
            request.session.get("token"),
        )
        with asking(self, request):
            opened = await self.in_thread(sign_in, self.database, knock, self.lifetime)
        if opened is None:
            return False
        request.session.clear()
        request.session["token"] = opened.token
        request.state.awaits_factor = opened.awaits_factor
        request.state.signed_in_id = opened.operator_id
        return True

    def offers_passkeys(self, request: Request) -> bool:
        """Say whether browsers have a name for this site under which passkeys are kept."""
        return relying_party(self.settings, request) is not None

    def after_login(self, request: Request, target: str) -> str:
        return second_step.path(request, target) if request.state.awaits_factor else target

    def welcome(self, request: Request, response: Response) -> None:
        """Let the browser of who has just signed in be known, once they have shown all."""
        if not request.state.awaits_factor:
            self.doorman.remember(response, request.state.signed_in_id)

    def enter(
        self, session: Session, request: Request, operator: Operator, old_token: str | None
    ) -> str:
        """Open the session of an operator who has shown all that it takes; return its token."""
        request.state.awaits_factor, request.state.signed_in_id = False, operator.id
        visitor = self.doorman.visitor(request)
        return enter(session, operator, old_token, visitor, self.lifetime)

    def verify_factor(self, session: Session, operator_id: int, code: str) -> bool:
        """Say whether the operator may show this code now; see `Codes.verify`."""
        return self.codes.verify(session, operator_id, code)

    async def in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run what hashes a password in a worker thread, not too many at once."""
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self.limiter)

    async def logout(self, request: Request) -> bool:
        """End the session for every copy of the cookie."""
        token = request.session.get("token")
        if token:
            is_in, visitor = await self.identify(request), self.doorman.visitor(request)
            if is_in:
                self.set_origin(request)

            def work(session: Session) -> None:
                end_session(session, token)
                if is_in:
                    note(session, "sign out", visitor.words)

            await self.site.write(work)
        request.session.clear()
        return True

    async def identify(self, request: Request) -> bool:
        is_known = await super().identify(request)
        if is_known:
            # Not in `recognise`: what a worker thread says of a context is lost.
            act_in(request.state.operator.token_hash)
        return is_known

    def recognise(self, request: Request, session: Session) -> bool:
        """Look up the session; its operator is on `request.state` from here on."""
        operator = find_signed_in(session, request.session["token"], self.idle)
        if operator is None:
            return False
        request.state.operator = operator
        request.state.permissions = operator.permissions
        request.state.operator_id = operator.id
        request.state.operator_name = operator.username
        return True

    async def confirm(self, request: Request) -> Response | None:
        return await confirming.confirm(self, request)

    def proofs(self, operator: SignedIn) -> Sequence[Proof]:
        """Return the ways in which an operator may prove who they are once more; any one does."""
        code = confirming.code_proof(self.is_code_of)
        return [confirming.PASSWORD, code] if operator.has_totp else [confirming.PASSWORD]

    def is_code_of(self, database: Database, operator_id: int, code: str) -> bool:
        return database.write(lambda session: self.verify_factor(session, operator_id, code))

    def routes(self) -> list[Route]:
        return [
            *account.routes(self.site),
            *account_factors.routes(self.site),
            *second_step.routes(self.site),
            *recovery.routes(self.site),
            *why.routes(self.site),
            *viewing.routes(self.site),
        ]

    def object_links(self, request: Request, view: ModelAdmin, obj: Any) -> list[ObjectLink]:
        return [*why.links(view, request, obj), *viewing.links(request, obj)]

    def viewing(self, request: Request) -> Viewing | None:
        return viewing.viewing(request)

    def account_path(self, request: Request) -> str:
        return path_for(request, "account")

    def recovery_path(self, request: Request) -> str:
        return path_for(request, "forgot") if self.mailer else ""

    async def hold(self, request: Request) -> Response | None:
        """Refuse changes while looking on, and lead to what has to be done first."""
        viewing.refuse_changes(request)
        first = own_password.hold(request)
        return first or await account_factors.hold(self.site, request)

    async def hash(self, password: str) -> str:
        """Hash a password, a few at once at most."""
        return await self.in_thread(hash_password, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Say whether a password is right, a few at once at most."""
        return await self.in_thread(verify_password, password_hash, password)

    def link_url(self, request: Request, token: str, *, is_mailed: bool = False) -> str:
        """Return the whole address of a link to choose a password.

        In a message it never depends on the request, which might name any host. Who is shown a
        link is where the link leads, unless the settings say otherwise.
        """
        settings = self.settings
        here = (
            f"{request.url.scheme}://{request.url.netloc}{request.scope.get('app_root_path', '')}"
        )
        base = settings.public_url or (settings.public_address if is_mailed else here)
        return f"{base}{LINK_PATH}{token}"

    def had_session(self, request: Request) -> bool:
        return "token" in request.session

    async def get_user_id(self, request: Request) -> int:
        operator: SignedIn = request.state.operator
        return operator.id
