"""The page that shows what a role's change does, until the operator agrees to just that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from admin.kit import Refused
from admin.kit.forms import posted
from admin.kit.languages import gettext
from admin.kit.once import OPERATION_FIELD, keep_key

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from admin.auth.effects import Effects
    from admin.kit import ModelAdmin

EDIT_FIELD, SEEN_FIELD = "_edit", "_seen"


async def show_effects(view: ModelAdmin, request: Request, role: Any, effects: Effects) -> Response:
    """Show who gains and loses what; a page that was shown before is no longer true."""
    sent = await posted(request)
    keep_key(request, sent)
    is_changed, hidden = SEEN_FIELD in sent, {SEEN_FIELD, OPERATION_FIELD}
    return await view.site.page(
        request,
        "roles/effects.html",
        409 if is_changed else 200,
        title=gettext("Who gains and loses what"),
        view=view,
        role=role,
        effects=effects,
        is_changed=is_changed,
        sent=[(name, value) for name, value in sent.multi_items() if name not in hidden],
    )


def refuse_to_store(sent: FormData) -> None:
    """Lead back to the form who would rather change it than agree."""
    if EDIT_FIELD in sent:
        sentence = gettext("Nothing is stored yet: change what you like, then save.")
        raise Refused(sentence, status=200)
