"""Actions on ticked rows: by POST only, after a page that asks, if the action wants one."""

from __future__ import annotations

import inspect
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from sqladmin.authentication import login_required
from sqladmin.authorization import custom_action
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.kit import messages
from admin.kit.errors import require
from admin.kit.forms import posted
from admin.kit.history import current_origin, origin
from admin.kit.keys import selected_keys
from admin.kit.languages import gettext, untranslated
from admin.kit.once import keep_key, stored_once
from admin.kit.saving import find_selected
from admin.kit.seen import ChangedSinceShown, Seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin


def post_only(route: BaseRoute, action: Any, view: ModelAdmin) -> Route:
    """Return SQLAdmin's route for an action with our endpoint, which answers to POST alone."""
    assert isinstance(route, Route)  # noqa: S101 - SQLAdmin has just added it
    slug = action._slug  # noqa: SLF001 - where SQLAdmin's decorator keeps it
    endpoint = partial(run, view, slug=slug, method=inspect.unwrap(action))
    return Route(route.path, endpoint, methods=["POST"], name=route.name)


@login_required
async def run(view: ModelAdmin, request: Request, *, slug: str, method: Any) -> Response:
    """Check, ask, run the action, and go back to the list unless it answers by itself."""
    require(view.is_accessible(request) and view.has_permission(request, custom_action(slug)))
    sent = await posted(request)
    keys = selected_keys(view.model, sent)
    if not keys:
        messages.warning(request, gettext("Nothing was selected, so nothing was changed."))
        return back_to_list(view, request, sent)
    if slug in view.action_questions and sent.get("confirmed") != "yes":
        keep_key(request, sent)
        return await ask(view, request, slug, keys)
    answer = partial(run_once, view, request, slug, method, keys)
    return await stored_once(view.site, request, answer, partial(done_before, view, request))


async def ask(
    view: ModelAdmin, request: Request, slug: str, keys: list[str], changes: Sequence[str] = ()
) -> Response:
    """Show the action's question; `changes` says what differs from the time before."""

    def work(session: Session) -> Seen:
        return Seen.of(view, find_selected(view, request, session, keys, lock=False))

    return await view.site.page(
        request,
        "sqladmin/confirm.html",
        HTTPStatus.CONFLICT if changes else HTTPStatus.OK,
        title=view.action_labels.get(slug, slug),
        view=view,
        question=view.action_questions[slug],
        keys=keys,
        back=str((await posted(request)).get("_back", "")),
        seen=await view.site.read(work),
        changes=changes,
    )


async def run_once(
    view: ModelAdmin, request: Request, slug: str, method: Any, keys: list[str]
) -> Response:
    """Run the action, unless the rows are no longer as they were when it asked."""
    sent = await posted(request)
    seen = Seen.read(sent) if slug in view.action_questions else None

    def look_again(session: Session) -> None:
        objects = find_selected(view, request, session, keys, lock=False)
        if seen is not None:
            seen.require_same(view, session, objects)

    try:
        if seen is not None:
            await view.site.read(look_again)
        label = untranslated(view.action_labels.get(slug, slug))
        with origin(source="action", reason=current_origin().reason or label):
            result = await call(method, view, request)
    except ChangedSinceShown as changed:
        return await ask(view, request, slug, keys, changed.changes)
    return result if isinstance(result, Response) else back_to_list(view, request, sent)


async def done_before(view: ModelAdmin, request: Request, _operation: UUID) -> Response:
    messages.warning(request, gettext("This was done before; it was not done again."))
    return back_to_list(view, request, await posted(request))


def back_to_list(view: ModelAdmin, request: Request, sent: FormData) -> Response:
    return view.site.back_to_list(request, view, str(sent.get("_back", "")))


async def call(method: Any, view: ModelAdmin, request: Request) -> Any:
    """Call the action; a plain function runs in a thread, not on the event loop."""
    if inspect.iscoroutinefunction(method):
        return await method(view, request)
    return await anyio.to_thread.run_sync(method, view, request)
