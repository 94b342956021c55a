"""Light or dark: as the system has it, or as somebody chose in this browser."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

COOKIE = "admin_theme"
SYSTEM = "system"
THEMES = (SYSTEM, "light", "dark")
KEPT_FOR = 365 * 24 * 60 * 60  # seconds


def theme(request: Request) -> str:
    """Return the chosen theme; pages carry it from the start, so that none flashes."""
    chosen = request.cookies.get(COOKIE, SYSTEM)
    return chosen if chosen in THEMES else SYSTEM


def keep_theme(response: Response, chosen: str, *, path: str, https: bool) -> None:
    """Remember the theme for this browser; raise a 400 for one that doesn't exist."""
    if chosen not in THEMES:
        raise HTTPException(400, "There is no such appearance.")
    response.set_cookie(
        COOKIE, chosen, max_age=KEPT_FOR, path=path, secure=https, httponly=True, samesite="lax"
    )
