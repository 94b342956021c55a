"""The merge of three versions: nothing that anybody changed is lost, whatever it is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from admin.kit.merging import merge, same

NAMES = ["name", "email", "author"]
FEW: st.SearchStrategy[Any] = st.sampled_from([None, "", "a", "b", 0, 1, True, False, 1.0, [1]])
VALUES = FEW | st.floats() | st.text(max_size=3)
ROWS = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))


@given(base=ROWS, theirs=ROWS, mine=ROWS)
def test_every_value_that_was_typed_is_stored_or_asked_about(
    base: Any, theirs: Any, mine: Any
) -> None:
    merged = merge(base, theirs, mine)
    for name in NAMES:
        if not same(mine[name], base[name]):
            is_stored = same({**theirs, **merged.mine}[name], mine[name])
            assert is_stored != (name in merged.collisions)


@given(base=ROWS, theirs=ROWS, mine=ROWS)
def test_nothing_of_theirs_is_overwritten_unasked(base: Any, theirs: Any, mine: Any) -> None:
    merged = merge(base, theirs, mine)
    for name in merged.mine:
        assert same(theirs[name], base[name])
        assert name not in merged.collisions
    for name in merged.theirs:
        assert same(mine[name], base[name])
        assert not same(theirs[name], base[name])


@given(base=ROWS, one=ROWS, other=ROWS)
def test_it_does_not_matter_who_was_first(base: Any, one: Any, other: Any) -> None:
    forth, back = merge(base, one, other), merge(base, other, one)
    assert set(forth.collisions) == set(back.collisions)
    for name in set(NAMES) - set(forth.collisions):
        assert same({**one, **forth.mine}[name], {**other, **back.mine}[name])


@given(base=ROWS, mine=ROWS)
def test_alone_one_never_collides(base: Any, mine: Any) -> None:
    merged = merge(base, base, mine)
    assert not merged.collisions
    assert not merged.theirs
    assert all(same({**base, **merged.mine}[name], mine[name]) for name in NAMES)


@given(base=ROWS, both=ROWS)
def test_agreeing_is_no_collision(base: Any, both: Any) -> None:
    merged = merge(base, both, both)
    assert (merged.mine, merged.collisions) == ({}, [])


@given(base=ROWS, theirs=ROWS)
def test_who_typed_nothing_takes_theirs(base: Any, theirs: Any) -> None:
    assert merge(base, theirs, base).mine == {}
    assert merge(base, theirs, {}).theirs == []


def test_values_that_python_takes_for_the_same_are_told_apart() -> None:
    assert not same(1, True)
    assert not same([1], [True])
    assert not same(0.0, False)
    assert same(float("nan"), float("nan"))
