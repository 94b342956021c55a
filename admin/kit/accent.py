"""The colour of an application: of its buttons, its links, and of what is chosen."""

import re

from sqladmin.exceptions import ImproperlyConfigured

STYLESHEET = "accent.css"
HEX = re.compile(r"#[0-9a-f]{6}")
WHITE, LEAST = "#ffffff", 4.5  # the contrast of text with what is behind it (WCAG 2.2, 1.4.3)
# Behind links, in admin.css: pages, cards, and the row under the pointer.
LIGHT_GROUNDS, DARK_GROUNDS = ("#f7f8fa", WHITE, "#eef2f7"), ("#10151f", "#1a212e", "#253041")
CHOSEN = 0.12  # how much of the accent is in the ground of a row that is ticked
FAINT, WEIGHTS = 0.04045, (0.2126, 0.7152, 0.0722)  # of red, green and blue (WCAG, as below)
LIGHTEST_SHARE = 0.5  # how much of the accent is at most in the colour of links on dark pages


def accent_stylesheet(accent: str) -> str:
    """Return the stylesheet of an accent; raise `ImproperlyConfigured` if it can't be read.

    Dark pages have links in the same colour, with as much white as it takes.
    """
    color = accent.lower()
    if not HEX.fullmatch(color):
        raise ImproperlyConfigured(f"accent: {accent!r} is not a colour such as '#0969c3'.")
    least = min(contrast(color, ground) for ground in grounds(color, LIGHT_GROUNDS))
    if least < LEAST:
        raise ImproperlyConfigured(
            f"accent: {accent} is too light: as text on light pages, and behind white text, it has "
            f"a contrast of {least:.1f} where {LEAST} is needed. Choose a darker one."
        )
    on_dark = readable_on_dark(color)
    return f":root {{ --accent: {color}; --accent-text: light-dark({color}, {on_dark}); }}\n"


def readable_on_dark(color: str) -> str:
    """Mix in white until text of this colour can be read on every dark ground."""
    shares = (LIGHTEST_SHARE - step / 20 for step in range(10))
    mixed = (mix(color, WHITE, share) for share in shares)
    behind = grounds(color, DARK_GROUNDS)
    return next(text for text in mixed if min(contrast(text, g) for g in behind) >= LEAST)


def grounds(color: str, plain: tuple[str, ...]) -> list[str]:
    """Return what may be behind a link, the ticked row on a card included."""
    return [*plain, mix(color, plain[1], CHOSEN)]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    """Return how bright a colour looks, from 0 to 1 (WCAG, "relative luminance")."""
    parts = [part / 255 for part in bytes.fromhex(color[1:])]
    linear = [p / 12.92 if p <= FAINT else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip(WEIGHTS, linear, strict=True))


def mix(one: str, other: str, share: float) -> str:
    """Mix as `color-mix(in srgb)` does, with this share of the first."""
    pairs = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + bytes(round(a * share + b * (1 - share)) for a, b in pairs).hex()
