"""A hardened SQLAdmin: `AdminSite` mounts it, `ModelAdmin` declares a screen.

The kit imports no model and no view; it takes classes and a database as arguments.
"""

from sqladmin import action

from admin.kit.authentication import Authentication
from admin.kit.board import Board
from admin.kit.cards import Card, Figures, Number, Part, Ranking, Series, Share, parts
from admin.kit.errors import Refused
from admin.kit.fields import EmailField
from admin.kit.filters import BooleanFilter, EmptyFilter, Filter, PeriodFilter, RelatedFilter
from admin.kit.model_admin import ModelAdmin
from admin.kit.periods import per_day, per_month, per_week
from admin.kit.site import AdminSite

__all__ = [
    "AdminSite",
    "Authentication",
    "Board",
    "BooleanFilter",
    "Card",
    "EmailField",
    "EmptyFilter",
    "Figures",
    "Filter",
    "ModelAdmin",
    "Number",
    "Part",
    "PeriodFilter",
    "Ranking",
    "Refused",
    "RelatedFilter",
    "Series",
    "Share",
    "action",
    "parts",
    "per_day",
    "per_month",
    "per_week",
]
