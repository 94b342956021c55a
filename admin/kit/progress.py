"""Long work: it goes on by itself, and a page that is still being sent says how far it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sqladmin.flash import get_flashed_messages
from starlette.responses import Response, StreamingResponse

from admin.kit.errors import http_error
from admin.kit.formats import write_number
from admin.kit.forms import posted
from admin.kit.history import current_origin
from admin.kit.languages import gettext
from admin.kit.once import OPERATION_FIELD, claim
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

# Seconds: what takes no longer is answered as ever, and how often the page hears of the rest.
PATIENCE, BEAT = 1.0, 0.5
PLACE = "<!-- steps -->"
# What the form is sent without, so that its page asks again.
ANSWERS = {OPERATION_FIELD, "confirmed", "_seen", "_going"}
Answer = Response | Exception


@dataclass
class Progress:
    """How far work is; the worker thread counts, pages read."""

    done: int = 0
    total: int | None = None

    def begin(self, total: int) -> None:
        """Start to count, again from nothing if the work is repeated."""
        self.done, self.total = 0, total

    @property
    def text(self) -> str:
        if self.total is None:
            return gettext("Looking for the rows…")
        if self.done >= self.total:
            return gettext("All rows are done; storing them…")
        done, total = write_number(self.done), write_number(self.total)
        return gettext("%(done)s of %(total)s rows are done.", done=done, total=total)


@dataclass
class Job:
    """Work that nobody has to wait for; its answer is what the request would have got."""

    request: Request
    progress: Progress
    is_watched: bool = False
    messages: list[Any] = field(default_factory=list)
    task: asyncio.Task[Answer] = field(init=False)

    async def run(self, work: Callable[[], Awaitable[Response]]) -> Answer:
        try:
            return await work()
        except Exception as error:  # noqa: BLE001 - it is raised, or said, by who waits
            return error if not self.is_watched else http_error(error, self.request_id)
        finally:
            if self.is_watched:
                self.messages = list(get_flashed_messages(self.request))

    async def is_done(self, seconds: float) -> bool:
        """Wait that long, without ending the work if the one who waits leaves."""
        await asyncio.wait([self.task], timeout=seconds)
        return self.task.done()

    @property
    def result(self) -> Answer:
        return self.task.result()

    @property
    def request_id(self) -> str:
        return str(self.request.state.request_id)


async def follow(
    view: ModelAdmin,
    request: Request,
    work: Callable[[], Awaitable[Response]],
    progress: Progress,
    title: str,
) -> Response:
    """Answer as `work` does; if that takes long, with a page that shows how far it is.

    The work goes on when nobody reads the page any more. Whoever sends the same again meanwhile
    sees the same work.
    """
    claim(request, await posted(request))
    jobs, key = view.site.jobs, (asyncio.get_running_loop(), current_origin().operation)
    others = jobs.get(key)
    job = others or start(Job(request, progress), work, key, jobs)
    if await job.is_done(PATIENCE):
        # Who sent the same again is answered by what is stored by now.
        return await work() if others else answer(job.result)
    job.is_watched = True
    return await stream(view, request, job, title)


def start(job: Job, work: Callable[[], Awaitable[Response]], key: Any, jobs: dict[Any, Job]) -> Job:
    # The loop itself keeps only weak references to what it runs.
    jobs[key] = job
    job.task = asyncio.create_task(job.run(work))
    job.task.add_done_callback(lambda _task: jobs.pop(key))
    return job


def answer(result: Answer) -> Response:
    if isinstance(result, Exception):
        raise result
    return result


async def stream(view: ModelAdmin, request: Request, job: Job, title: str) -> Response:
    """Send the page around the steps at once, then step after step; CSS shows the last one."""
    page = await view.site.page(request, "sqladmin/progress.html", title=title, view=view)
    head, _, tail = bytes(page.body).decode().partition(PLACE)
    sent = await posted(request)

    async def pieces() -> AsyncIterator[str]:
        yield head
        is_done = False
        while not is_done:
            yield render(view, request, "step", progress=job.progress)
            is_done = await job.is_done(BEAT)
        yield outcome(view, request, job, sent)
        yield tail

    # Proxies hand on each piece at once.
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(pieces(), media_type="text/html", headers=headers)


def outcome(view: ModelAdmin, request: Request, job: Job, sent: Any) -> str:
    """Say how it ended, as the page would have that the answer leads to."""
    result = job.result
    if isinstance(result, Exception):
        error: HTTPException = http_error(result, job.request_id)
        is_known = error.status_code != HTTPStatus.SERVICE_UNAVAILABLE
        return render(view, request, "failed", sentence=error.detail, is_known=is_known)
    changes = getattr(result, "context", {}).get("changes")
    if changes or result.status_code >= HTTPStatus.BAD_REQUEST:
        again = [(name, value) for name, value in sent.multi_items() if name not in ANSWERS]
        return render(view, request, "changed", changes=changes, again=again)
    path = result.headers.get("location") or path_for(request, "list", identity=view.identity)
    return render(view, request, "done", messages=job.messages, path=path)


def render(view: ModelAdmin, request: Request, step: str, **context: Any) -> str:
    template = view.site.templates.template("sqladmin/progress_step.html")
    return template.render(request=request, view=view, step=step, **context)
