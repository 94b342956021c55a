"""Actions on ticked rows: by POST only, after a page that asks, if the action wants one."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from sqladmin.authentication import login_required
from sqladmin.authorization import custom_action
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.kit import messages
from admin.kit.errors import require
from admin.kit.forms import posted
from admin.kit.history import origin
from admin.kit.keys import selected_keys
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin


def post_only(route: BaseRoute, action: Any, view: ModelAdmin) -> Route:
    """Return SQLAdmin's route for an action with our endpoint, which answers to POST alone."""
    assert isinstance(route, Route)  # noqa: S101 - SQLAdmin has just added it
    slug = action._slug  # noqa: SLF001 - where SQLAdmin's decorator keeps it
    endpoint = functools.partial(run, view, slug=slug, method=inspect.unwrap(action))
    return Route(route.path, endpoint, methods=["POST"], name=route.name)


@login_required
async def run(view: ModelAdmin, request: Request, *, slug: str, method: Any) -> Response:
    """Check, ask, run the action, and go back to the list unless it answers by itself."""
    require(view.is_accessible(request) and view.has_permission(request, custom_action(slug)))
    sent = await posted(request)
    keys, back = selected_keys(view.model, sent), str(sent.get("_back", ""))
    if not keys:
        messages.warning(request, gettext("Nothing was selected, so nothing was changed."))
        return view.site.back_to_list(request, view, back)
    if slug in view.action_questions and sent.get("confirmed") != "yes":
        return await view.site.page(
            request,
            "sqladmin/confirm.html",
            title=view.action_labels.get(slug, slug),
            view=view,
            question=view.action_questions[slug],
            keys=keys,
            back=back,
        )
    with origin(source="action", reason=str(view.action_labels.get(slug, slug))):
        result = await call(method, view, request)
    return result if isinstance(result, Response) else view.site.back_to_list(request, view, back)


async def call(method: Any, view: ModelAdmin, request: Request) -> Any:
    """Call the action; a plain function runs in a thread, not on the event loop."""
    if inspect.iscoroutinefunction(method):
        return await method(view, request)
    return await anyio.to_thread.run_sync(method, view, request)
