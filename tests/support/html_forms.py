"""Forms of a page as a browser sends them."""

from html.parser import HTMLParser
from typing import Any

from django.http import QueryDict


class FormReader(HTMLParser):
    """Collect the names and values of all inputs, selects and text areas of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.data = QueryDict(mutable=True)
        self._select = self._area = ""
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, value = found.get("name") or "", found.get("value") or ""
        match tag:
            case "input" if name and (found.get("type") not in ("checkbox", "radio", "submit") or "checked" in found):
                if found.get("type") == "datetime-local" and value.endswith(":00") and len(value) > 16:
                    value = value.removesuffix(":00")  # a browser leaves out seconds that are zero
                self.data.appendlist(name, value)
            case "select":
                self._select, self._options = name, []
            case "option":
                self._options.append((value, "selected" in found))
            case "textarea":
                self._area = name
                self.data[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._options:
            chosen = [value for value, selected in self._options if selected]
            self.data.appendlist(self._select, chosen[0] if chosen else self._options[0][0])
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.data[self._area] = (str(self.data[self._area]) + data).removeprefix("\n").replace("\n", "\r\n")


def form_data(html: str, **changes: Any) -> QueryDict:
    """Return what a browser would send of the page's forms, with some values changed; None takes a value out."""
    reader = FormReader()
    reader.feed(html)
    for name, value in changes.items():
        if value is None:
            reader.data.pop(name, None)
        else:
            reader.data.setlist(name, value if isinstance(value, list) else [value])
    return reader.data
