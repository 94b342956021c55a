"""What names and columns are made of, and declarations that would tell of sensitive values."""

from typing import Any

import pytest
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import inspect, make_url
from starlette.requests import Request
from wtforms import Form, StringField

from admin.kit import ModelAdmin, RowScope, TextFilter
from admin.kit.permissions import Permissions, RoleRights, read_rights
from admin.kit.reading import names_read, reads
from admin.kit.scopes import scope_names
from models import Post, User
from models.database import connect
from tests.kit.app import make_app

NOWHERE = connect(make_url("sqlite://"))
EMAIL = {(User, "email")}


def by_branch(user: User) -> str:
    return user.name or user.email


def by_text(user: User) -> Any:
    return getattr(user, "liame"[::-1])


def by_other(user: User) -> str:
    return by_branch(user)


def by_relation(post: Post) -> str:
    return f"{post.title} by {post.author.email}"


def harmless(user: User) -> str:
    return user.name.upper()


@pytest.mark.parametrize("function", [by_branch, by_text, by_other, lambda user: user.email])
def test_whatever_branch_reads_it_counts(function: Any) -> None:
    assert reads(inspect(User), function, EMAIL)


def test_what_is_read_of_a_related_row_counts() -> None:
    assert reads(inspect(Post), by_relation, EMAIL)
    assert reads(inspect(Post), by_relation, (), frozenset({User}))


def test_what_reads_nothing_of_it_does_not() -> None:
    assert not reads(inspect(User), harmless, EMAIL)
    assert "name" in names_read(User, User.__str__)


class Plain(ModelAdmin, model=User):
    column_list = [User.name]
    form_columns = [User.name]


@pytest.mark.parametrize(
    ("attribute", "declared"),
    [
        ("column_sortable_list", [User.phone]),
        ("column_default_sort", [(User.phone, True)]),
        ("column_searchable_list", [User.phone]),
        ("column_filters", [TextFilter(User.phone)]),
        ("form", type("Own", (Form,), {"phone": StringField()})),
        ("row_scopes", {"No Word": RowScope("?", User.is_active)}),
        ("row_scopes", {"active": User.is_active}),
    ],
)
def test_what_would_tell_of_it_stops_the_start(attribute: str, declared: Any) -> None:
    view = type("Telling", (Plain,), {attribute: declared}, model=User)
    with pytest.raises(ImproperlyConfigured, match=attribute):
        make_app(NOWHERE, view)


@pytest.mark.parametrize(
    ("attribute", "declared"),
    [("column_searchable_list", ["=phone"]), ("column_filters", [User.phone])],
)
def test_it_may_be_asked_for_by_all_of_it(attribute: str, declared: Any) -> None:
    make_app(NOWHERE, type("Asking", (Plain,), {attribute: declared}, model=User))


def request_of(*roles: dict[str, Any]) -> Request:
    request = Request({"type": "http", "state": {}})
    if roles:
        rights = [RoleRights("", read_rights(role)) for role in roles]
        request.state.permissions = Permissions(rights)
    return request


def test_of_several_roles_and_actions_one_is_enough() -> None:
    (view,) = make_app(NOWHERE, Plain).state.site.model_views()
    some, other = {"may": ["edit"], "scope": "a"}, {"may": ["delete"], "scope": "b"}
    asked = request_of({"user": some}, {"user": other})
    assert scope_names(view, asked, "edit") == frozenset({"a"})
    assert scope_names(view, asked, ("edit", "delete")) == frozenset({"a", "b"})
    assert scope_names(view, asked, "list") == frozenset({"a", "b"})
    assert scope_names(view, request_of({"user": some}, {"user": {"may": ["*"]}}), "edit") is None


def test_without_roles_everything_is_allowed() -> None:
    (view,) = make_app(NOWHERE, Plain).state.site.model_views()
    assert scope_names(view, request_of(), "edit") is None
