"""Which columns of a list an operator chose, in which order, and how many rows to a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqladmin import ModelView
from sqladmin.authorization import Action

from admin.kit.columns import is_declared, is_secret
from admin.kit.lists.kept import Kept
from admin.kit.scopes import opens_all_listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

COLUMNS = "_columns"
KEPT = "admin_kept"  # where a request carries what its operator keeps of the list


@dataclass(frozen=True)
class Choosable:
    """A column that may be shown."""

    name: str
    label: str
    is_chosen: bool


def chosen_columns(view: ModelAdmin, request: Request) -> list[str]:
    """Return the columns to show: the address's, else the operator's, else the declared ones.

    Whatever is asked for, only columns that this operator is offered are shown.
    """
    return permitted(view, request, asked_columns(request)) or list(view.list_names)


def asked_columns(request: Request) -> Sequence[str]:
    said = request.query_params.get(COLUMNS)
    return said.split(",") if said else kept_of(request).columns


def permitted(view: ModelAdmin, request: Request, names: Sequence[str]) -> list[str]:
    """Keep the columns that are offered, each once."""
    if not names:
        return []
    offered = set(offered_columns(view, request))
    return [name for name in dict.fromkeys(names) if name in offered]


def chosen_size(view: ModelAdmin, request: Request) -> int:
    """Return how many rows to show where the address doesn't say: the operator's number."""
    size = kept_of(request).page_size
    return size if size in view.page_size_options else view.page_size


def offered_columns(view: ModelAdmin, request: Request) -> list[str]:
    """Return the columns to choose from: the list's first.

    Those of the details page are for those who may open it. Where that depends on the object, the
    list can't know, so it offers none unless `column_choices` says which.
    """
    is_declared_here = is_declared(view, "column_choices")
    more = view.choice_names if is_declared_here or may_see_details(view, request) else []
    return list(dict.fromkeys([*view.list_names, *more]))


def may_see_details(view: ModelAdmin, request: Request) -> bool:
    is_for_all = type(view).check_can_view_details is ModelView.check_can_view_details
    # Where that is for some of the rows, the list would show it of all of them.
    may_see = view.can_view_details and view.has_permission(request, Action.DETAILS)
    return is_for_all and may_see and opens_all_listed(view, request)


def choice_names(view: ModelAdmin) -> list[str]:
    """Return the declared choices, else what the details page shows and is no secret."""
    if view.column_choices is not None:
        return [view._get_prop_name(column) for column in view.column_choices]  # noqa: SLF001
    return [name for name in view.details_names if not is_secret(view.mapper, name)]


def choosable(view: ModelAdmin, request: Request) -> list[Choosable]:
    """Return all that is offered: what is shown in its order, then the rest."""
    chosen = chosen_columns(view, request)
    others = [name for name in offered_columns(view, request) if name not in chosen]
    return [Choosable(name, view.label(name), name in chosen) for name in [*chosen, *others]]


def moved(names: Sequence[str], name: str, step: int) -> list[str]:
    """Return the columns with one of them moved up or down."""
    order = list(names)
    if name in order:
        place = order.index(name)
        order.insert(max(0, place + step), order.pop(place))
    return order


def kept_of(request: Request) -> Kept:
    kept: Kept = request.scope.get(KEPT) or Kept()
    return kept
