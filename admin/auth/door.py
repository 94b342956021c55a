"""What pages share on which people come in: the authentication, and whom the history names."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from admin.kit.history import origin

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from starlette.requests import Request

    from admin.auth.backend import OperatorAuth
    from admin.kit import AdminSite


def auth_of(site: AdminSite) -> OperatorAuth:
    """Return the site's authentication, by what it is here."""
    return cast("OperatorAuth", site.authentication_backend)


def asking(
    auth: OperatorAuth, request: Request, username: str = "", operator_id: int | None = None
) -> AbstractContextManager[None]:
    """Let the history know who asks to come in, as far as that is known."""
    return origin(
        operator_id=operator_id,
        operator_name=username,
        source="form",
        address=auth.doorman.visitor(request).address,
        request_id=request.state.request_id,
    )
