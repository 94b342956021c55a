"""The addresses outside the admin: what a load balancer asks, and the way in."""

import time
from collections.abc import Callable, Sequence

import anyio
import anyio.to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from models.database import Database

READY_FOR = 30  # seconds for which a good answer holds
ANSWER_WITHIN = 3  # seconds, less than a load balancer waits


class Readiness:
    """Ready means: the database answers, and its schema has all that this code needs."""

    def __init__(self, database: Database, pending: Callable[[Connection], Sequence[str]]) -> None:
        self.database = database
        self.pending = pending
        self.ready_until = 0.0
        self.limiter = anyio.CapacityLimiter(1)

    async def answer(self, request: Request) -> Response:
        """Answer 200 or 503."""
        if time.monotonic() < self.ready_until:
            return PlainTextResponse("ready")
        problem = "the database doesn't answer"
        with anyio.move_on_after(ANSWER_WITHIN):
            problem = await anyio.to_thread.run_sync(
                self.problem, abandon_on_cancel=True, limiter=self.limiter
            )
        if problem:
            return PlainTextResponse(problem, 503)
        self.ready_until = time.monotonic() + READY_FOR
        return PlainTextResponse("ready")

    def problem(self) -> str:
        """Return what is missing, or ""."""
        try:
            lacking = self.database.read(lambda session: self.pending(session.connection()))
        except SQLAlchemyError:
            return "the database can't be reached"
        return "the schema is not up to date" if lacking else ""


def health_routes(
    database: Database, pending: Callable[[Connection], Sequence[str]]
) -> list[Route]:
    """Return the routes; they answer to any host name."""
    return [
        Route("/", to_admin),
        Route("/admin", to_admin),
        Route("/healthz", alive),
        Route("/readyz", Readiness(database, pending).answer),
    ]


async def alive(_request: Request) -> Response:
    """Answer without asking the database."""
    return PlainTextResponse("ok")


async def to_admin(request: Request) -> Response:
    """Lead to the admin by a path alone, so that no Host header decides where."""
    return RedirectResponse(request.scope.get("root_path", "") + "/admin/", 302)
