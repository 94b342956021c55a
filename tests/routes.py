"""The routes that an application has mounted."""

from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.routing import Match, Mount, Route

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def routes(app: Starlette) -> Iterator[tuple[str, Route | Mount]]:
    """Yield each route with the prefix under which it is mounted."""
    for route in app.routes:
        inner = getattr(route, "routes", None)
        if isinstance(route, Mount) and inner:
            yield from ((route.path, below) for below in inner)
        elif isinstance(route, Route | Mount):
            yield "", route


def answers(route: Route | Mount, prefix: str, method: str, path: str) -> bool:
    """Say whether a route takes a request for this path, by this method."""
    if not path.startswith(f"{prefix}/"):
        return False
    scope = {"type": "http", "method": method, "path": path.removeprefix(prefix).split("?")[0]}
    return route.matches(scope)[0] is Match.FULL


def methods_of(route: Route | Mount) -> set[str]:
    return getattr(route, "methods", None) or {"GET", "HEAD"}
