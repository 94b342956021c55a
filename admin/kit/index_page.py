"""The front page: what the operator may open, and the cards about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqladmin.exceptions import ImproperlyConfigured
from starlette.background import BackgroundTask

from admin.kit.model_admin import ModelAdmin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from admin.kit.cards import Card
    from admin.kit.site import AdminSite


async def show(site: AdminSite, request: Request) -> Response:
    """Answer with the numbers there are; what is stale is counted after the answer."""
    cards = [card for card in site.board.cards if await may_see(site, request, card)]
    known = await site.read(site.board.load) if cards else {}
    response = await site.page(
        request,
        "sqladmin/index.html",
        title=site.index_title or site.title,
        panels=[site.board.panel(card, known) for card in cards],
    )
    if cards and site.board.due(known):
        response.background = BackgroundTask(site.board.refresh, site.database)
    return response


async def may_see(site: AdminSite, request: Request, card: Card) -> bool:
    """Say whether the operator may list what the card tells about."""
    views = [view for view in model_views(site) if view.identity == card.view]
    return any([v.is_accessible(request) and await v.check_can_list(request) for v in views])


def model_views(site: AdminSite) -> list[ModelAdmin]:
    return [view for view in site.views if isinstance(view, ModelAdmin)]


def check_scope(cards: Sequence[Card], view: type[ModelAdmin]) -> None:
    """Raise `ImproperlyConfigured` if a card would tell of rows that the view's scope hides."""
    is_scoped = (view.scope, view.list_query) != (ModelAdmin.scope, ModelAdmin.list_query)
    for card in cards:
        if card.view == view.identity and is_scoped and not card.ignores_scope:
            raise ImproperlyConfigured(
                f"The card {card.name} counts rows that {view.__name__}'s scope hides: move it to "
                "another view, or set ignores_scope."
            )
