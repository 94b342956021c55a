"""What no database could hold is refused at its field, in words."""

import html
import re
from typing import Any

import pytest
from starlette.datastructures import FormData
from wtforms import Form
from wtforms.validators import Length

from admin.kit import EmailField
from admin.kit.choice_fields import CheckField
from models.database import Database
from tests.kit.app import make_app
from tests.kit.browser import form_on
from tests.kit.specimen import Specimen, SpecimenAdmin
from tests.personas import visit

WHOLE = "Enter a whole number."
NUMBER = "Enter a number, such as 12.5."
REQUIRED = "This field is required."
HIDDEN = "This contains a character that can't be stored."
REFUSED = [
    ("line", "", REQUIRED),
    ("line", " \t ", REQUIRED),
    ("line", "x" * 41, "Field cannot be longer than 40 characters."),
    ("line", "a\0b", HIDDEN),
    ("line", "a\x1bb", HIDDEN),
    ("text", "a\0b", HIDDEN),
    ("color", "PURPLE", "Choose one of the list."),
    ("rare", "perhaps", "Choose one of the list."),
    ("small", "32768", "Number must be between -32768 and 32767."),
    ("whole", str(2**31), "Number must be between -2147483648 and 2147483647."),
    ("big", str(2**63), "Number must be between -9223372036854775808 and 9223372036854775807."),
    ("whole", "1e3", WHOLE),
    ("whole", "9" * 5000, WHOLE),
    ("price", "NaN", NUMBER),
    ("price", "sNaN", NUMBER),
    ("price", "-Infinity", NUMBER),
    ("price", "1,5", NUMBER),
    ("price", "0.001", "Enter at most 2 decimal places."),
    ("price", "1000000", "Enter at most 6 digits before the point."),
    ("price", "1e999999", "Enter at most 6 digits before the point."),
    ("price", "1e9999999", "Enter at most 6 digits before the point."),
    ("price", "1e-9999999", "Enter at most 2 decimal places."),
    ("price", "999999.990000000000000000000000000000001", "Enter at most 2 decimal places."),
    ("weight", "nan", NUMBER),
    ("weight", "1e400", NUMBER),
    ("found_on", "2024-02-30", "Enter a date, such as 2024-12-31."),
    ("fed_at", "25:00", "Enter a time, such as 16:30."),
    ("seen_at", "soon", "Enter a date and time, such as 2024-12-31 16:30."),
    ("stored_at", "0001-01-01T00:00+02:00", "Enter a date and time, such as 2024-12-31 16:30."),
    ("stored_at", "0001-01-01T12:00", "Enter a date and time, such as 2024-12-31 16:30."),
    ("stored_at", "9999-12-31T12:00", "Enter a date and time, such as 2024-12-31 16:30."),
    ("age", "a while", "Enter a duration, such as 1 day 2:30:00."),
    ("age", "99999999999 days", "Enter a duration, such as 1 day 2:30:00."),
    ("code", "123", "Enter a UUID, such as 123e4567-e89b-12d3-a456-426614174000."),
    ("notes", "{", "Enter valid JSON."),
    ("notes", "NaN", "Enter valid JSON."),
    ("notes", "1e400", "Enter valid JSON."),
    ("notes", '"\\u0000"', "Enter valid JSON."),
    ("notes", '"\\ud800"', "Enter valid JSON."),
    ("notes", "[" * 100_000, "Enter valid JSON."),
    ("names", '"one"', 'Enter a list, such as ["one", "two"].'),
    ("names", "[1]", 'Enter a list, such as ["one", "two"].'),
]


@pytest.mark.parametrize(("name", "typed", "sentence"), REFUSED)
def test_it_refuses_what_a_column_can_not_hold(
    zoo: Database, name: str, typed: str, sentence: str
) -> None:
    """The sentence stands at the field, and nothing else is wrong."""
    client = visit(make_app(zoo, SpecimenAdmin))
    sent = {"line": "x", "must_color": "GREEN", name: typed}
    answer = client.post("/admin/specimen/create", data=sent)
    assert answer.status_code == 400
    assert errors(answer.text) == {name: sentence}


def errors(page: str) -> dict[str, str]:
    """Return the sentence at each field of a page."""
    found = re.findall(r'id="(\w+)-error">(.*?)</div>', page)
    return {name: html.unescape(sentence) for name, sentence in found}


def test_browsers_are_told_the_limits(zoo: Database) -> None:
    """A browser can warn before anything is sent."""
    page = visit(make_app(zoo, SpecimenAdmin)).get("/admin/specimen/create").text
    inputs = {name: tag for tag, name in re.findall(r'(<\w+ [^>]*name="(\w+)"[^>]*>)', page)}
    assert 'maxlength="40"' in inputs["line"]
    assert "required" in inputs["line"]
    assert 'max="32767" min="-32768"' in inputs["small"]
    assert 'inputmode="decimal"' in inputs["price"]
    kinds = {name: re.findall(r'type="([a-z-]+)"', tag) for name, tag in inputs.items()}
    assert kinds["found_on"] == ["date"]
    assert kinds["fed_at"] == ["time"]
    assert kinds["seen_at"] == kinds["stored_at"] == ["datetime-local"]


def test_choices_read_as_words(zoo: Database) -> None:
    """An enum is a select with an empty choice where there may be none; so is yes or no."""
    page = visit(make_app(zoo, SpecimenAdmin)).get("/admin/specimen/create").text
    assert options(page, "color") == ["", "Dark red", "Green"]
    assert options(page, "must_color") == ["Dark red", "Green"]
    assert options(page, "rare") == ["", "Yes", "No"]


def options(page: str, name: str) -> list[str]:
    select = re.search(rf'<select [^>]*name="{name}".*?</select>', page, re.DOTALL)
    return re.findall(r"<option[^>]*>(.*?)</option>", select.group() if select else "")


def test_an_unticked_box_means_no(zoo: Database) -> None:
    """A box that was emptied differs from one that was not sent."""
    client = visit(make_app(zoo, SpecimenAdmin))
    sent = form_on(client.get("/admin/specimen/create").text)
    assert sent["alive"] == ["y", "false"]
    client.post("/admin/specimen/create", data={**sent, "line": "unticked", "alive": "false"})
    row = zoo.read(lambda s: s.query(Specimen).filter_by(line="unticked").one())
    assert row.alive is False


def test_an_empty_box_that_is_shown_again_can_be_ticked() -> None:
    """What was sent for an empty box must not become what a ticked one sends."""

    class Boxes(Form):
        box = CheckField()

    assert 'value="y"' in str(Boxes(FormData([("box", "false")]))["box"]())


@pytest.mark.parametrize(
    "typed", ["ann", "ann@", "@example.org", "a b@example.org", "ann@localhost"]
)
def test_an_email_address_has_a_name_and_a_domain(zoo: Database, typed: str) -> None:
    class WithEmail(SpecimenAdmin, model=Specimen):
        form_overrides = {"line": EmailField}

    client = visit(make_app(zoo, WithEmail))
    answer = client.post("/admin/specimen/create", data={"line": typed, "must_color": "GREEN"})
    assert errors(answer.text) == {"line": "Enter an e-mail address, such as ann@example.org."}


def test_declared_validators_do_not_pile_up(zoo: Database) -> None:
    """The view's own list is not appended to, however many pages are shown."""
    declared: list[Any] = [Length(min=2)]

    class Strict(SpecimenAdmin, model=Specimen):
        form_args = {"line": {"validators": declared}}

    client = visit(make_app(zoo, Strict))
    for _ in range(50):
        client.get("/admin/specimen/create")
    answer = client.post("/admin/specimen/create", data={"line": "x", "must_color": "GREEN"})
    assert errors(answer.text) == {"line": "Field must be at least 2 characters long."}
    assert len(declared) == 1
