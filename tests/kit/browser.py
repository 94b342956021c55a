"""A browser without scripts, as far as forms go: what it reads of a page, and what it sends."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any


def form_on(page: str) -> dict[str, list[str]]:
    """Return what the page's last form sends by its first button, untouched."""
    reader = FormReader()
    reader.feed(page.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd"))
    reader.close()
    sent: dict[str, list[str]] = {}
    for name, value in reader.fields:
        sent.setdefault(name, []).append(value.replace("\n", "\r\n"))
    return sent


class FormReader(HTMLParser):
    """Collects the name and the value of each input, as the HTML standard reads them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: list[tuple[str, str]] = []
        self.textarea: str | None = None
        self.text = ""
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes: dict[str, Any] = dict(attrs)
        name = attributes.get("name")
        if tag == "form":
            self.fields = []
        elif tag == "textarea":
            self.textarea, self.text = name, ""
        elif tag == "select":
            self.select, self.options = name, []
        elif tag == "option":
            self.options.append((attributes["value"], "selected" in attributes))
        elif tag == "input" and name and self.sends(attributes):
            self.fields.append((name, sanitized(attributes)))

    def sends(self, attributes: dict[str, Any]) -> bool:
        return attributes.get("type") not in ("checkbox", "radio") or "checked" in attributes

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.textarea:
            # The first newline belongs to the tag.
            self.fields.append((self.textarea, self.text.removeprefix("\n")))
            self.textarea = None
        elif tag == "select" and self.select:
            chosen = [value for value, is_chosen in self.options if is_chosen]
            first = [value for value, _ in self.options[:1]]
            self.fields += [(self.select, value) for value in (chosen or first)[-1:]]


def sanitized(attributes: dict[str, Any]) -> str:
    """Return the value of an input as its type allows; what it can't show is lost."""
    value, kind = attributes.get("value") or "", attributes.get("type", "text")
    if kind == "number":
        return value if re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", value) else ""
    if kind == "date":
        return value if re.fullmatch(r"\d{4,}-\d\d-\d\d", value) else ""
    if kind == "time":
        return value.removesuffix(":00") if re.fullmatch(r"\d\d:\d\d(:\d\d)?", value) else ""
    if kind == "datetime-local":
        date, _, time = value.partition("T")
        time = time.removesuffix(":00") if len(time) == len("00:00:00") else time
        return f"{date}T{time}" if re.fullmatch(r"\d{4,}-\d\d-\d\d", date) else ""
    if kind == "hidden":
        return value
    value = value.replace("\n", "")
    return value.strip(" \t\f") if kind == "email" else value
