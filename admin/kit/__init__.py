"""A hardened SQLAdmin: `AdminSite` mounts it, `ModelAdmin` declares a screen.

The kit imports no model and no view; it takes classes and a database as arguments.
"""

from admin.kit.actions import Action, BulkEdit, SetValues, Work, action
from admin.kit.authentication import Authentication
from admin.kit.board import Board
from admin.kit.cards import Card, Figures, Number, Part, Ranking, Series, Share, parts
from admin.kit.computed import display
from admin.kit.errors import Refused
from admin.kit.fields import EmailField
from admin.kit.filters import (
    BooleanFilter,
    Choice,
    ChoiceFilter,
    EmptyFilter,
    ExactFilter,
    Filter,
    NumberFilter,
    PeriodFilter,
    RelatedFilter,
    RelatedOnlyFilter,
    TextFilter,
    ValuesFilter,
)
from admin.kit.lists.views import ListView
from admin.kit.model_admin import ModelAdmin
from admin.kit.periods import per_day, per_month, per_week
from admin.kit.permissions import Permissions, RoleAuthorization
from admin.kit.scopes import RowScope
from admin.kit.site import AdminSite

__all__ = [
    "Action",
    "AdminSite",
    "Authentication",
    "Board",
    "BooleanFilter",
    "BulkEdit",
    "Card",
    "Choice",
    "ChoiceFilter",
    "EmailField",
    "EmptyFilter",
    "ExactFilter",
    "Figures",
    "Filter",
    "ListView",
    "ModelAdmin",
    "Number",
    "NumberFilter",
    "Part",
    "PeriodFilter",
    "Permissions",
    "Ranking",
    "Refused",
    "RelatedFilter",
    "RelatedOnlyFilter",
    "RoleAuthorization",
    "RowScope",
    "Series",
    "SetValues",
    "Share",
    "TextFilter",
    "ValuesFilter",
    "Work",
    "action",
    "display",
    "parts",
    "per_day",
    "per_month",
    "per_week",
]
