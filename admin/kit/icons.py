"""The icons of pages, as SVG within them: a path each, in a square of sixteen."""

from markupsafe import Markup

SVG = Markup(
    '<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
    '<path d="{}"/></svg>'
)
PATHS = {
    "add": "M8 3v10M3 8h10",
    "close": "M4 4l8 8M12 4l-8 8",
    "delete": "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5",
    "download": "M8 2.5v7M5 7l3 3 3-3M3 13h10",
    "edit": "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.3 4.5l2.2 2.2",
    "filter": "M2.5 4h11M4.5 8h7M6.5 12h3",
    "menu": "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
    "next": "M6 3l5 5-5 5",
    "person": "M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.5-2.5 2.5-4 5-4s4.5 1.5 5 4",
    "previous": "M10 3L5 8l5 5",
    "search": "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3L14 14",
}
ICONS = {name: SVG.format(path) for name, path in PATHS.items()}


def icon(name: str) -> Markup:
    """Return an icon, which says nothing to those who don't see it."""
    return ICONS[name]
