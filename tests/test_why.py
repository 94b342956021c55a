"""Why somebody may do something to an object: the answer is that of the real request."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth.operators import find_roles
from admin.auth.sessions import keep_sessions
from admin.views.posts import PostAdmin
from models import Operator, Role
from models.database import Database
from tests.pages import Page, get
from tests.personas import add_operator, sign_in
from tests.records import add_post, add_user


@pytest.fixture
def post(database: Database) -> int:
    return add_post(database, add_user(database, "Alice")).id


def why(client: TestClient, post: int, operator: str, right: str = "edit") -> Page:
    return get(client, f"/admin/post/why/{post}?operator={operator}&right={right}")


def answer(page: Page) -> bool:
    (heading,) = [h for h in page.root.find("h2") if h.text.startswith(("Yes", "No"))]
    return heading.text.startswith("Yes")


@pytest.mark.parametrize(
    ("roles", "right", "said"),
    [
        (["Editor"], "edit", "The role “Editor” allows “Edit” on “Posts” for all rows."),
        (["Owner"], "edit", "The role “Owner” allows “Edit” on “All screens” for all rows."),
        (["Viewer"], "edit", "The role “Viewer” does not allow “Edit” on “Posts”."),
        (["Viewer"], "action:publish", "The role “Viewer” does not allow “Publish” on “Posts”."),
        ([], "details", "ann has no role."),
    ],
)
def test_it_names_the_roles(
    olga: TestClient, database: Database, post: int, roles: list[str], right: str, said: str
) -> None:
    add_operator(database, "ann", *roles)
    page = why(olga, post, "ann", right)
    assert said in page.root.text
    assert answer(page) == (roles in (["Editor"], ["Owner"]))


def test_it_says_who_may_reveal(olga: TestClient, database: Database) -> None:
    ann = add_user(database, "Ann", phone="+44 20 7946 0123")
    for name, role in (("ed", "Editor"), ("own", "Owner")):
        add_operator(database, name, role)
        page = get(olga, f"/admin/user/why/{ann.id}?operator={name}&right=reveal")
        assert answer(page) == (role == "Owner")
        assert "“Reveal”" in page.root.text


def test_superusers_may_and_the_inactive_may_not(
    olga: TestClient, database: Database, post: int
) -> None:
    add_operator(database, "sue", is_superuser=True)
    add_operator(database, "ina", "Editor", is_active=False)
    assert "sue is a superuser" in why(olga, post, "sue").root.text
    assert answer(why(olga, post, "sue"))
    assert "ina is not active" in why(olga, post, "ina").root.text
    assert not answer(why(olga, post, "ina"))


def test_the_view_s_own_flags_and_rules_are_named(
    olga: TestClient, database: Database, post: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> bool:
        return False

    add_operator(database, "ed", "Editor")
    monkeypatch.setattr(PostAdmin, "check_can_edit", never)
    assert "own rule for this object refuses it (check_can_edit)" in why(olga, post, "ed").root.text
    monkeypatch.setattr(PostAdmin, "can_edit", False)
    assert not any(box for box in why(olga, post, "ed").root.find("option", value="edit"))


def test_rows_out_of_reach_are_named(
    olga: TestClient, database: Database, post: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_operator(database, "ed", "Editor")
    whole = PostAdmin.scope

    def scope(self: Any, stmt: Any, request: Any) -> Any:
        is_hers = request.state.operator_name == "olga"
        return whole(self, stmt, request) if is_hers else stmt.where(self.model.id < 0)

    monkeypatch.setattr(PostAdmin, "scope", scope)
    page = why(olga, post, "ed")
    assert not answer(page)
    assert "does not show this object to ed" in page.root.text


def test_an_unknown_operator_is_a_sentence_at_the_field(olga: TestClient, post: int) -> None:
    page = why(olga, post, "nobody%00")
    assert page.error("operator") == "There is no operator of this name."
    assert get(olga, f"/admin/post/why/{post}?right=fly").heading.startswith("Who may")


def test_objects_link_to_it_for_those_who_may_list_roles(
    olga: TestClient, vera: TestClient, post: int
) -> None:
    path = f"/admin/post/why/{post}"
    assert get(olga, f"/admin/post/details/{post}").links()["Who may?"] == path
    assert "Who may?" not in get(vera, f"/admin/post/details/{post}").links()
    assert vera.get(path).status_code == 403
    assert olga.get("/admin/post/why/999").status_code == 404
    assert olga.get("/admin/post/why/x").status_code == 404


# The same answer as the request

ACTIONS = ["list", "details", "create", "edit", "delete", "export", "action:publish", "*"]
RIGHT = st.fixed_dictionaries(
    {"may": st.lists(st.sampled_from(ACTIONS), max_size=3, unique=True)},
    optional={"scope": st.sampled_from(["", "nothing"])},
)
ROLES = st.lists(
    st.dictionaries(st.sampled_from(["post", "user", "*"]), RIGHT, max_size=2), max_size=2
)
REQUESTS = {
    "details": ("GET", "/admin/post/details/{}", {}),
    "edit": ("GET", "/admin/post/edit/{}", {}),
    "delete": ("GET", "/admin/post/delete?pks={}", {}),
    "export": ("GET", "/admin/post/export/csv", {}),
    "action:publish": ("POST", "/admin/post/action/publish", {"pks": "{}"}),
}


@pytest.fixture
def ann(app: Starlette, database: Database) -> Iterator[TestClient]:
    with sign_in(app, database, "ann") as client:
        yield client


@given(documents=ROLES)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_answer_is_that_of_the_request(
    documents: list[dict[str, Any]],
    olga: TestClient,
    ann: TestClient,
    database: Database,
    post: int,
) -> None:
    give(database, documents)
    for right, (method, path, data) in REQUESTS.items():
        sent = {name: value.format(post) for name, value in data.items()}
        page = ann.request(method, path.format(post), data=sent or None)
        is_done = page.status_code == 200 and (right != "export" or "Hello" in page.text)
        assert answer(why(olga, post, "ann", right)) == is_done, (right, documents)


def give(database: Database, documents: list[dict[str, Any]]) -> None:
    """Let Ann have roles of these rights, and no others."""

    def work(session: Any) -> None:
        keep_sessions(session)
        names = [f"Drawn {number}" for number in range(len(documents))]
        ann = session.scalars(select(Operator).where(Operator.username == "ann")).one()
        ann.roles = []
        session.flush()
        for role in session.scalars(select(Role).where(Role.name.startswith("Drawn"))).all():
            session.delete(role)
        session.flush()
        drawn = zip(names, documents, strict=True)
        session.add_all([Role(name=name, rights=rights) for name, rights in drawn])
        session.flush()
        ann.roles = find_roles(session, names)

    database.write(work)
