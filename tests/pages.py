"""Pages as tests read them: headings, tables, buttons, forms and what they say."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from httpx2 import Response
from starlette.testclient import TestClient

VOID = {"input", "meta", "link", "br", "hr", "img"}
CELLS = {"td", "th"}  # they end where the next one begins, as rows do


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    children: "list[Element | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the text within, its blanks joined."""
        parts = (c if isinstance(c, str) else c.text for c in self.children)
        return " ".join(" ".join(parts).split())

    def find(self, tag: str, **attributes: str) -> "list[Element]":
        """Return the elements within, in order, whose attributes contain these words."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                words = {name: child.attributes.get(name, "").split() for name in attributes}
                if child.tag == tag and all(v in words[name] for name, v in attributes.items()):
                    found.append(child)
                found += child.find(tag, **attributes)
        return found


class Page(HTMLParser):
    """A page that was answered."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.path = response.url.path
        self.root = self.open = Element("", {})
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in CELLS or tag == "tr":
            self.end_cell()
        if tag == "tr":
            self.end_row()
        element = Element(tag, {name: value or "" for name, value in attrs}, self.open)
        self.open.children.append(element)
        if tag not in VOID:
            self.open = element

    def end_cell(self) -> None:
        if self.open.tag in CELLS and self.open.parent:
            self.open = self.open.parent

    def end_row(self) -> None:
        if self.open.tag == "tr" and self.open.parent:
            self.open = self.open.parent

    def handle_endtag(self, tag: str) -> None:
        if tag in ("tr", "tbody"):
            self.end_cell()
        if tag == "tbody":
            self.end_row()
        assert self.open.tag == tag, f"<{self.open.tag}> is closed by </{tag}>"
        assert self.open.parent is not None
        self.open = self.open.parent

    def handle_data(self, data: str) -> None:
        self.open.children.append(data)

    @property
    def heading(self) -> str:
        (h1,) = self.root.find("h1")
        return h1.text

    @property
    def table(self) -> list[list[str]]:
        """Return the rows of the list, without the column of boxes."""
        return [
            [cell.text for tag in ("th", "td") for cell in row.find(tag) if not is_box(cell)]
            for row in self.root.find("tr")[1:]
        ]

    @property
    def columns(self) -> list[str]:
        return [cell.text for cell in self.root.find("th", scope="col")]

    @property
    def names(self) -> list[str]:
        """Return the first column of the list."""
        return [row[0] for row in self.table]

    @property
    def alerts(self) -> list[str]:
        return [alert.text for alert in self.root.find("div", **{"class": "alert"})]

    @property
    def buttons(self) -> list[str]:
        """Return what can be pressed in the page's main part, and does more than unfold it."""
        return [element.text for element in self._pressed() if not is_folded(element)]

    @property
    def folded_buttons(self) -> list[str]:
        """Return what can be pressed once something is unfolded."""
        return [element.text for element in self._pressed() if is_folded(element)]

    def _pressed(self) -> list[Element]:
        (main,) = self.root.find("main")
        buttons = [b for b in main.find("button") if "popovertarget" not in b.attributes]
        return main.find("a", **{"class": "btn"}) + buttons

    def links(self) -> dict[str, str]:
        """Return where links lead, by their texts, from the root of the site as browsers do."""
        return {
            link.text: urljoin(self.path, link.attributes["href"]) for link in self.root.find("a")
        }

    def error(self, field_name: str) -> str:
        """Return the sentence at a field, or ""."""
        return " ".join(e.text for e in self.root.find("div", id=f"{field_name}-error"))

    @property
    def entered(self) -> dict[str, str]:
        """Return what the form holds that people see."""
        return {name: value for name, value in self.fields().items() if not name.startswith("_")}

    def fields(self) -> dict[str, str]:
        """Return what the page's main form holds, as a browser would send it."""
        (main,) = self.root.find("main")
        held = {t.attributes["name"]: t.text for t in main.find("textarea")}
        for element in main.find("input"):
            name, value = element.attributes.get("name", ""), element.attributes.get("value", "")
            is_off = element.attributes.get("type") in ("checkbox", "radio") and (
                "checked" not in element.attributes
            )
            if name and not is_off and name not in held:
                held[name] = value
        return held


def is_box(cell: Element) -> bool:
    return any(box.attributes.get("name") == "pks" for box in cell.find("input")) or (
        cell.attributes.get("class") == "tick"
    )


def is_folded(element: Element) -> bool:
    parent = element.parent
    return parent is not None and (parent.tag == "details" or is_folded(parent))


def get(client: TestClient, path: str) -> Page:
    """Open a page that must exist."""
    response = client.get(path)
    assert response.status_code == 200, response.text
    return Page(response)


def submit(client: TestClient, path: str, **changes: str) -> Response:
    """Open a form, change fields, and send all of it as a browser does."""
    return client.post(path, data={**get(client, path).fields(), **changes})


def follow(client: TestClient, response: Response) -> Page:
    """Open the page that a stored change leads to."""
    assert response.status_code == 302, Page(response).root.text
    return get(client, response.headers["location"])
