"""Plain data as YAML in flow style, with every value as the text that an operator writes."""

from typing import Any


def flow(value: Any) -> str:
    """Return mappings, lists and texts as one line of YAML."""
    match value:
        case dict():
            return "{" + ", ".join(f"{name}: {flow(part)}" for name, part in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(flow, value)) + "]"
        case _:
            return str(value)
