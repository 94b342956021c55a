"""The links and forms of pages: what a browser would ask for next."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit


@dataclass
class FoundForm:
    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Tell forms of one kind from others, whatever row they are about."""
        names = sorted({name for name, _ in self.fields})
        return f"{self.method} {re.sub('[0-9a-f-]+', '', urlsplit(self.action).path)} {names}"


class Reader(HTMLParser):
    """Reads a page, also one that is not well-formed."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.forms: dict[str, FoundForm] = {}
        self.current: FoundForm | None = None
        self.select = ""
        self.area = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in said:
            self.links.append(self.resolved(said["href"]))
        elif tag == "form":
            self.current = FoundForm(said.get("method", "get").upper(), self.resolved(said))
            self.forms[said.get("id") or f"form {len(self.forms)}"] = self.current
        else:
            self.handle_field(tag, said)

    def handle_field(self, tag: str, said: dict[str, str]) -> None:
        form = self.forms.get(said.get("form", ""), self.current)
        name, value = said.get("name", ""), said.get("value", "")
        if form is None:
            return
        if tag == "button" and "formaction" in said:
            other = FoundForm(form.method, self.resolved(said["formaction"]), form.fields)
            self.forms[f"form {len(self.forms)}"] = other
        if tag == "button" and name:
            form.buttons.append((name, value))
        elif tag == "input" and name and is_sent(said):
            form.fields.append((name, value or "on" if "checked" in said else value))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in said or value):
            form.fields = [f for f in form.fields if f[0] != self.select or "selected" not in said]
            if all(f[0] != self.select for f in form.fields):
                form.fields.append((self.select, value))
        elif tag == "textarea" and name:
            self.area = name
            form.fields.append((name, ""))

    def handle_data(self, data: str) -> None:
        if self.area and self.current and self.current.fields[-1:]:
            self.current.fields[-1] = (self.area, data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.current = None
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""

    def resolved(self, said: str | dict[str, str]) -> str:
        address = said if isinstance(said, str) else said.get("action", "")
        return urljoin(self.path, address) if address else self.path


def is_sent(said: dict[str, str]) -> bool:
    if said.get("type") in ("checkbox", "radio"):
        return "checked" in said or said.get("name") == "pks"
    return said.get("type") not in ("submit", "file")


def read(path: str, text: str) -> tuple[list[str], list[FoundForm]]:
    """Return what leads on within the same site."""
    page = Reader(path, text)
    links = [link for link in page.links if urlsplit(link).path.startswith("/admin")]
    return links, [f for f in page.forms.values() if f.action.startswith("/admin")]
