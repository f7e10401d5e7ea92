"""YAML of a column mapping as a tree in which every value is text and knows its line."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from core.similar_words import nearest_word

MAX_CHARACTERS = 64_000
MAX_LEVELS = 6


class MappingError(ValueError):
    """Raised for a mapping that cannot be used. `problems` are its errors, each with its line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Node:
    """A value: a text, a list, or the entries of a mapping as pairs of key and value. `line` starts at 1."""

    line: int
    value: "str | list[Node] | list[tuple[Node, Node]]"
    is_mapping: bool = False


def parse(text: str) -> Node:
    """Return the tree of a YAML text. Raises MappingError, also for an alias: aliases multiply a text without end."""
    if len(text) > MAX_CHARACTERS:
        raise MappingError([_("the mapping is longer than %d characters") % MAX_CHARACTERS])
    try:
        events = iter(list(YAML(typ="safe", pure=True).parse(text)))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MappingError([at(line, _("not YAML: %s") % error.problem)]) from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise MappingError([_("not YAML: %s") % str(error).partition("\n")[0]]) from error
    for event in events:
        if isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent | AliasEvent):
            return _node(event, events, level=1)
    raise MappingError([_("the mapping is empty")])


def at(line: int, problem: str) -> str:
    """Return a problem with its line."""
    return _("line %(line)d: %(problem)s") % {"line": line, "problem": problem}


def _node(event: Any, events: Iterator[Any], *, level: int) -> Node:
    line = event.start_mark.line + 1
    if isinstance(event, AliasEvent):
        raise MappingError([at(line, _("aliases (*) are not allowed"))])
    if level > MAX_LEVELS:
        raise MappingError([at(line, _("nested too deeply"))])
    if isinstance(event, ScalarEvent):
        return Node(line, event.value)
    is_mapping = isinstance(event, MappingStartEvent)
    children: list[Node] = []
    for child in events:
        if isinstance(child, MappingEndEvent | SequenceEndEvent):
            break
        children.append(_node(child, events, level=level + 1))
    if is_mapping:
        return Node(line, list(zip(children[::2], children[1::2], strict=True)), is_mapping=True)
    return Node(line, children)


def suggestion(name: str, known: Collection[str]) -> str:
    """Return the end of a message that proposes the most similar known name, if there is one."""
    by_lower = {word.lower(): word for word in known}
    similar = nearest_word(name.lower(), by_lower)
    return _("; is it “%s”?") % by_lower[similar] if similar else ""
