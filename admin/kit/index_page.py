"""The front page: what the operator may open, and the cards about it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqladmin.exceptions import ImproperlyConfigured
from starlette.background import BackgroundTask

from admin.kit.history.sight import Sight
from admin.kit.history.timeline import Timeline
from admin.kit.model_admin import ModelAdmin
from admin.kit.withheld import withheld_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response

    from admin.kit.cards import Card
    from admin.kit.site import AdminSite


async def show(site: AdminSite, request: Request) -> Response:
    """Answer with the numbers there are; what is stale is counted after the answer."""
    cards = [card for card in site.board.cards if await may_see(site, request, card)]
    remember = await recent_actions(site, request)

    def work(session: Session) -> tuple[Any, Any]:
        return (site.board.load(session) if cards else {}), (remember(session) if remember else ())

    known, recent = await site.read(work) if cards or remember else ({}, ())
    response = await site.page(
        request,
        "sqladmin/index.html",
        title=site.index_title or site.title,
        recent=recent,
        panels=[site.board.panel(card, known) for card in cards],
    )
    if cards and site.board.due(known):
        response.background = BackgroundTask(site.board.refresh, site.database)
    return response


async def recent_actions(site: AdminSite, request: Request) -> Callable[[Session], Any] | None:
    """Return the work that reads what this operator did last, or None where nothing is kept."""
    sight = await Sight.of(site, request) if site.journal is not None else None
    if sight is None or not sight.whole:
        return None
    operator_id = getattr(request.state, "operator_id", None)
    name = request.state.operator_name
    return partial(Timeline(site, sight).recent, operator_id=operator_id, name=name)


async def may_see(site: AdminSite, request: Request, card: Card) -> bool:
    """Say whether the operator may list what the card tells about: all of it.

    The numbers of a card are the same for everyone, so it is not for those whose roles withhold
    rows or columns of the model it leads to, or of those that are related to it.
    """
    views = [view for view in model_views(site) if view.identity == card.view]
    return any(
        [
            v.is_accessible(request)
            and await v.check_can_list(request)
            and shows_all_around(v, request)
            for v in views
        ]
    )


def shows_all_around(view: ModelAdmin, request: Request) -> bool:
    """Say whether nothing of the view's model, and of those related to it, is withheld."""
    withheld = withheld_from(view.site, request)
    around = {view.model, *(mapper.class_ for mapper in view.related_mappers)}
    return around.isdisjoint(withheld.limited | {model for model, _ in withheld.hidden})


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
