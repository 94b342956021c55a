"""The colour of an application: any that can be read, on light pages and on dark ones."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import make_url

from admin.kit.accent import (
    DARK_GROUNDS,
    LIGHT_GROUNDS,
    accent_stylesheet,
    contrast,
    grounds,
)
from admin.kit.static_files import StaticFiles
from models.database import connect
from tests.kit.app import make_app
from tests.personas import visit

NOWHERE = connect(make_url("sqlite://"))


def stylesheets(accent: str) -> list[str]:
    client = visit(make_app(NOWHERE, accent=accent))
    page = client.get("/admin/login").text
    links = re.findall(r'<link rel="stylesheet" href="(.*?)">', page)
    return [client.get(link).text for link in links]


def test_the_accent_is_a_stylesheet_after_the_others() -> None:
    assert stylesheets("#7A3E9D")[2:] == [
        ":root { --accent: #7a3e9d; --accent-text: light-dark(#7a3e9d, #bc9ece); }\n"
    ]


def test_without_one_there_is_no_further_stylesheet() -> None:
    assert len(stylesheets("")) == 2


def test_another_accent_has_another_name_so_browsers_take_it_at_once() -> None:
    names = {
        StaticFiles((), {"accent.css": accent_stylesheet(accent)}).hashed_path("accent.css")
        for accent in ("#7a3e9d", "#0b5d3b")
    }
    assert len(names) == 2


@pytest.mark.parametrize(
    "accent", ["red", "#fff", "7a3e9d", "#7a3e9d;} body{", "#7a3e9d\n", "#gg0000"]
)
def test_what_is_no_colour_stops_the_start(accent: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"accent: .* is not a colour such as '#0969c3'"):
        make_app(NOWHERE, accent=accent)


@pytest.mark.parametrize(("accent", "seen"), [("#ffcc00", "1.3"), ("#ff0000", "3.2")])
def test_a_colour_that_can_not_be_read_stops_the_start(accent: str, seen: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{accent} is too light.* contrast of {seen}"):
        make_app(NOWHERE, accent=accent)


@given(st.binary(min_size=3, max_size=3))
def test_whatever_is_accepted_can_be_read_everywhere(color: bytes) -> None:
    try:
        style = accent_stylesheet(f"#{color.hex()}")
    except ImproperlyConfigured:
        return
    accent, on_light, on_dark = re.findall(r"#\w{6}", style)
    assert contrast("#ffffff", accent) >= 4.5
    assert min(contrast(on_light, ground) for ground in grounds(accent, LIGHT_GROUNDS)) >= 4.5
    assert min(contrast(on_dark, ground) for ground in grounds(accent, DARK_GROUNDS)) >= 4.5


def test_the_grounds_are_those_of_the_stylesheet() -> None:
    css = StaticFiles().files["admin.css"].body.decode().replace("#fff,", "#ffffff,")
    names = ("body-bg", "bg-surface", "active-bg")
    for name, light, dark in zip(names, LIGHT_GROUNDS, DARK_GROUNDS, strict=True):
        assert f"--tblr-{name}: light-dark({light}, {dark});" in css


def test_the_accent_of_the_stylesheet_would_be_accepted() -> None:
    (accent,) = re.findall(r"--accent: (#\w+);", StaticFiles().files["admin.css"].body.decode())
    accent_stylesheet(accent)
