"""A morning at the admin, through the web alone."""

from starlette.testclient import TestClient

from tests.pages import Page, follow, get, submit

PEOPLE = ["Charlie", "Alice", "Bob"]


def create(olga: TestClient, kind: str, **fields: str) -> str:
    """Create an object and return the path of its form, which the message links to."""
    page = follow(olga, submit(olga, f"/admin/{kind}/create", **fields))
    (label,) = [text for text in page.links() if text.startswith("“")]
    return page.links()[label]


def delete(olga: TestClient, form: str) -> Page:
    question = get(olga, form).links()["Delete"]
    path = question.partition("?")[0]
    return follow(olga, olga.post(path, data=get(olga, question).fields()))


def test_users_and_their_posts_come_change_and_go(olga: TestClient) -> None:
    forms = {}
    for name in PEOPLE:
        email = f"{name.lower()}@example.org"
        forms[name] = create(olga, "user", name=name, email=email)
        author = forms[name].rpartition("/")[2]
        forms[f"{name}'s post"] = create(
            olga, "post", title=f"{name}'s post", content="Words.", author=author
        )

    by_name = "/admin/user/list?sortBy=name&sort=asc"
    assert get(olga, by_name).names == ["Alice", "Bob", "Charlie"]
    assert get(olga, "/admin/user/list?search=alice").names == ["Alice"]
    alice = forms["Alice"].rpartition("/")[2]
    assert get(olga, f"/admin/post/list?author={alice}").names == ["Alice's post"]
    assert get(olga, "/admin/post/list?sortBy=author.name&sort=asc").names == [
        "Alice's post",
        "Bob's post",
        "Charlie's post",
    ]

    page = follow(olga, submit(olga, forms["Bob"], name="Robert"))
    assert page.alerts == ["The user “Robert” was changed."]
    assert get(olga, by_name).names == ["Alice", "Charlie", "Robert"]
    assert get(olga, "/admin/post/list?search=robert").names == ["Bob's post"]

    submit(olga, forms["Alice's post"], title="Hello", published_at="2026-03-04T12:00")
    assert get(olga, f"/admin/post/list?author={alice}").table == [
        ["Hello", "Alice", "2026-03-04 12:00 UTC"]
    ]

    submit(olga, forms["Charlie"], is_active="false")
    assert get(olga, "/admin/user/list?is_active=false").names == ["Charlie"]

    assert delete(olga, forms["Charlie"]).alerts == ["The user “Charlie” was deleted."]
    assert get(olga, by_name).names == ["Alice", "Robert"]
    assert get(olga, "/admin/post/list?sortBy=title").names == ["Bob's post", "Hello"]
    assert olga.get(forms["Charlie's post"]).status_code == 404
