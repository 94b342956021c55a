"""Two texts as one: nothing is lost, nothing is markup, and nothing takes long."""

import re
import time
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.kit.history.diff import CONTEXT, LONGEST, MOST_WORDS, Differ

TEXTS = st.text("ab c.\n<&é", max_size=40)


def side(html: str, mark: str, other: str) -> str:
    """Return the text of one side."""
    html = re.sub(rf"<{other}>.*?</{other}>", "", html, flags=re.DOTALL)
    html = re.sub(r'<span class="visually-hidden">.*?</span>', "", html)
    return unescape(re.sub(f"</?{mark}>", "", html))


@given(TEXTS, TEXTS)
def test_both_texts_are_in_it(old: str, new: str) -> None:
    html = str(Differ().compare(old, new))
    assert side(html, "del", "ins") == old
    assert side(html, "ins", "del") == new


def test_whole_words_are_marked() -> None:
    html = Differ().compare("Users of the admin", "Use of the admins")
    assert re.findall(r"</span>(\w+)</(?:del|ins)>", html) == ["Users", "Use", "admin", "admins"]


def test_what_is_the_same_is_cut_around_the_change() -> None:
    same = "word " * 1000
    html = Differ().compare(f"{same}old {same}", f"{same}new {same}")
    assert len(html) < 4 * CONTEXT + 200
    assert re.findall(r"</span>(\w+)</(?:del|ins)>", html) == ["old", "new"]


def test_markup_is_text() -> None:
    html = Differ().compare("<b>old</b>", "<i>new</i>")
    assert not re.search("<[bi]>", html)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a " * 1_000_000, "b " * 1_000_000),
        ("x" * 2_000_000, "y" * 2_000_000),
        ("a b " * MOST_WORDS * 9, "b a a " * MOST_WORDS * 9),
        (" " * 1_000_000 + "a", " " * 1_000_000 + "b"),
    ],
)
def test_huge_texts_take_moments(old: str, new: str) -> None:
    started = time.perf_counter()
    assert len(Differ().compare(old, new)) < 2 * LONGEST + 2 * CONTEXT + 500
    assert time.perf_counter() - started < 2


def test_a_page_of_awkward_texts_takes_moments() -> None:
    differ, started = Differ(), time.perf_counter()
    for _ in range(100):
        differ.compare("x " * (MOST_WORDS // 2 - 1), "x y " * (MOST_WORDS // 4) + "z")
    assert time.perf_counter() - started < 4
