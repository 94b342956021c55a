"""What roles allow: more roles never allow less, and nobody gives away what they lack."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from admin.kit.permissions import IMPLIED, Permissions, RoleRights, read_rights
from admin.kit.roles.document import boxes_of, document_of

ACTIONS = ["list", "details", "create", "edit", "delete", "export", "action:x", "reveal", "*"]
SCREENS = ["post", "user", "*"]
NAMES = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True)
RIGHT = st.fixed_dictionaries(
    {"may": st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique=True)},
    optional={"scope": st.sampled_from(["mine", "new"]), "hidden": NAMES, "readonly": NAMES},
)
DOCUMENTS = st.dictionaries(st.sampled_from(SCREENS), RIGHT, max_size=3)
ROLES = st.lists(DOCUMENTS, max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["post", "may", "scope", "hidden", "*"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)
SUPERUSER = Permissions([], is_superuser=True)
EVERYTHING = Permissions([RoleRights("Owner", read_rights({"*": {"may": ["*"]}}))])


def permissions(documents: list[Any], *, is_superuser: bool = False) -> Permissions:
    roles = [RoleRights(str(n), read_rights(d)) for n, d in enumerate(documents)]
    return Permissions(roles, is_superuser)


def reach(allowed: Permissions) -> dict[tuple[str, str], Any]:
    """Return for each screen and action the rows, None for all, or nothing at all."""
    return {
        (screen, action): allowed.scopes(screen, action)
        for screen in SCREENS
        for action in ACTIONS
        if allowed.allows(screen, action)
    }


def is_within(less: Permissions, more: Permissions) -> bool:
    wide = reach(more)
    return all(
        key in wide and (wide[key] is None or (rows is not None and rows <= wide[key]))
        for key, rows in reach(less).items()
    )


@given(ROLES, DOCUMENTS)
def test_more_roles_never_allow_less(roles: list[Any], another: Any) -> None:
    before, after = permissions(roles), permissions([*roles, another])
    assert is_within(before, after)
    for screen, action in [(screen, action) for screen in SCREENS for action in ("list", "edit")]:
        for rows in before.scopes(screen, action) or [""] if before.allows(screen, action) else ():
            if action == "list":
                assert after.hidden(screen, rows) <= before.hidden(screen, rows)
            else:
                assert after.readonly(screen, scope=rows) <= before.readonly(screen, scope=rows)


@given(ROLES)
def test_a_page_shows_no_column_of_which_any_of_its_rows_is_withheld(roles: list[Any]) -> None:
    allowed = permissions(roles)
    for screen in SCREENS:
        for rows in allowed.scopes(screen, "list") or [""]:
            assert allowed.hidden(screen, rows) <= allowed.hidden(screen)
        for rows in allowed.scopes(screen, "edit") or [""]:
            assert allowed.readonly(screen, scope=rows) <= allowed.readonly(screen)


@given(ROLES, DOCUMENTS)
def test_a_union_allows_what_one_of_its_roles_allows(roles: list[Any], another: Any) -> None:
    both = reach(permissions([*roles, another]))
    assert both.keys() == reach(permissions(roles)).keys() | reach(permissions([another])).keys()


@given(ROLES)
def test_what_is_implied_is_allowed(roles: list[Any]) -> None:
    allowed = permissions(roles)
    for screen in SCREENS:
        for action, implied in IMPLIED.items():
            if allowed.allows(screen, action):
                assert all(allowed.allows(screen, other) for other in implied)
        if allowed.allows(screen, "action:x"):
            assert allowed.allows(screen, "list")


@given(ROLES)
def test_a_superuser_may_whatever_the_roles(roles: list[Any]) -> None:
    boss = permissions(roles, is_superuser=True)
    assert boss.is_owner
    assert all(boss.scopes(screen, action) is None for screen in SCREENS for action in ACTIONS)
    assert not any(boss.hidden(screen) | boss.readonly(screen) for screen in SCREENS)


@given(ROLES, ROLES)
@settings(max_examples=300)
def test_whoever_lacks_nothing_may_as_much(mine: list[Any], theirs: list[Any]) -> None:
    """So what one lacks nothing of can be given away, and nobody gets more by it."""
    me, them = permissions(mine), permissions(theirs)
    if not me.lacks(them):
        assert is_within(them, me)
        together = permissions([*mine, *theirs])
        assert reach(together) == reach(me)
        for screen in SCREENS:
            assert together.hidden(screen) == me.hidden(screen) or not me.allows(screen, "list")


@given(ROLES)
@example([{"user": {"may": ["create"]}, "*": {"may": ["list"], "hidden": ["a"]}}])
def test_nobody_lacks_what_they_have_alone(roles: list[Any]) -> None:
    for document in roles:
        assert not permissions([document]).lacks(permissions([document]))
    assert not EVERYTHING.lacks(permissions(roles))


@given(ROLES)
@example([{"*": {"may": ["*"], "readonly": ["a"]}}, {"*": {"may": ["edit"]}}])
def test_only_an_owner_lacks_nothing_of_everything(roles: list[Any]) -> None:
    allowed = permissions(roles)
    assert bool(allowed.lacks(EVERYTHING)) != allowed.is_owner


@given(ROLES)
def test_a_superuser_has_what_no_role_gives(roles: list[Any]) -> None:
    assert permissions(roles).lacks(SUPERUSER)
    assert not SUPERUSER.lacks(permissions(roles, is_superuser=True))


@given(JSON)
def test_any_document_can_be_read(document: Any) -> None:
    """What can't be made sense of allows nothing."""
    allowed = permissions([document])
    assert not allowed.lacks(EVERYTHING) or not allowed.is_owner
    assert document_of(boxes_of(document), document) is not None


@given(DOCUMENTS)
def test_a_matrix_that_is_sent_back_says_the_same(document: Any) -> None:
    again = document_of(boxes_of(document), document)
    assert read_rights(again) == read_rights(document)


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_name_is_taken_for_another_box(screen: str, name: str) -> None:
    document = {screen: {"may": [name]}}
    assert document_of(boxes_of(document)) == document
