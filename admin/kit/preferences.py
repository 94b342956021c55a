"""What somebody chose for this browser: how pages look, their language, and the time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from admin.kit.languages import Languages, gettext, lazy_gettext, set_language
from admin.kit.zones import UNIVERSAL, find_zone, set_zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

THEME_COOKIE, LANGUAGE_COOKIE = "admin_theme", "admin_language"
DENSITY_COOKIE = "admin_density"
ZONE_COOKIE, BROWSER_ZONE_COOKIE = "admin_timezone", "admin_browser_timezone"
SYSTEM = "system"
THEMES = (SYSTEM, "light", "dark")
COMFORTABLE = "comfortable"
DENSITIES = (COMFORTABLE, "compact")
LOOKS = {
    "theme": (THEME_COOKIE, THEMES, lazy_gettext("There is no such appearance.")),
    "density": (DENSITY_COOKIE, DENSITIES, lazy_gettext("There is no such density.")),
}
# Over TLS, so that no other host and no plain connection can set them.
HOST_PREFIX = "__Host-"
KEPT_FOR = 365 * 24 * 60 * 60  # seconds


class Preferences:
    """Sets the language and the zone for all that a request calls, error pages included.

    A cookie decides, then what the browser asks for, then the first language of the site, and UTC.
    There is no address for it, so a link never changes what somebody chose.
    """

    def __init__(self, app: ASGIApp, languages: Languages) -> None:
        self.app = app
        self.languages = languages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked = HTTPConnection(scope)
            header = ",".join(asked.headers.getlist("accept-language"))
            chosen = kept_in(asked, LANGUAGE_COOKIE)
            set_language(self.languages.choose(chosen, header))
            set_zone(zone_of(asked))
        await self.app(scope, receive, send)


def theme(request: HTTPConnection) -> str:
    """Return the chosen theme; pages carry it from the start, so that none flashes."""
    chosen = kept_in(request, THEME_COOKIE) or SYSTEM
    return chosen if chosen in THEMES else SYSTEM


def density(request: HTTPConnection) -> str:
    """Return how much room the rows of lists have."""
    chosen = kept_in(request, DENSITY_COOKIE) or COMFORTABLE
    return chosen if chosen in DENSITIES else COMFORTABLE


def zone_of(request: HTTPConnection) -> ZoneInfo:
    """Return the zone that was chosen, else the browser's; names that mean nothing are ignored."""
    names = (chosen_zone(request), browser_zone(request))
    return next((zone for zone in map(find_zone, names) if zone), UNIVERSAL)


def chosen_zone(request: HTTPConnection) -> str:
    return kept_in(request, ZONE_COOKIE)


def browser_zone(request: HTTPConnection) -> str:
    """Return what the browser said last, for its script to know whether that still holds."""
    return kept_in(request, BROWSER_ZONE_COOKIE)


def kept_in(request: HTTPConnection, cookie: str) -> str:
    """Return what a cookie holds; what was kept under the plain name is not forgotten."""
    cookies = request.cookies
    return cookies.get(HOST_PREFIX + cookie) or cookies.get(cookie, "")


def chosen_preferences(sent: Mapping[str, object], languages: Languages) -> dict[str, str]:
    """Return what was chosen, by cookie; raise a 400 for what is not offered, or for nothing."""
    chosen = {}
    for name, (cookie, offered, refusal) in LOOKS.items():
        if name in sent:
            chosen[cookie] = str(sent[name])
            if chosen[cookie] not in offered:
                raise HTTPException(400, str(refusal))
    if "language" in sent:
        chosen[LANGUAGE_COOKIE] = str(sent["language"])
        if chosen[LANGUAGE_COOKIE] not in languages.by_code:
            raise HTTPException(400, gettext("There is no such language."))
    if "timezone" in sent:
        # None is as good as any: then the browser's holds.
        chosen[ZONE_COOKIE] = str(sent["timezone"]).strip().replace(" ", "_")
        if chosen[ZONE_COOKIE] and not find_zone(chosen[ZONE_COOKIE]):
            raise HTTPException(400, gettext("There is no such time zone."))
    if find_zone(str(sent.get("browser_timezone", ""))):
        chosen[BROWSER_ZONE_COOKIE] = str(sent["browser_timezone"])
    if not chosen and "browser_timezone" not in sent:
        raise HTTPException(400, gettext("Nothing was chosen."))
    return chosen


def keep(response: Response, chosen: Mapping[str, str], *, path: str, https: bool) -> None:
    """Remember the choices for this browser; no script can read them."""
    prefix, path = (HOST_PREFIX, "/") if https else ("", path)
    options: Any = {"path": path, "secure": https, "httponly": True, "samesite": "lax"}
    for cookie, value in chosen.items():
        response.set_cookie(prefix + cookie, value, max_age=KEPT_FOR, **options)
