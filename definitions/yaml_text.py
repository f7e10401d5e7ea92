"""YAML text as plain values with the place of each. Every scalar is text: the models convert it."""

from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import StreamMark, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from definitions.errors import DefinitionError, Path, Problem

MOST_CHARACTERS = 300_000
MOST_NODES = 20_000
MOST_LEVELS = 40
NULL = "tag:yaml.org,2002:null"


class Mark(NamedTuple):
    """Place in a text; line and column count from 1."""

    line: int
    column: int


class BoundedComposer(Composer):
    """Composer of trees whose size is bounded by that of the text.

    An alias repeats a part of the text, so that a few lines can stand for millions of values: it is refused, as are an
    anchor, too many values and too many levels. Raises DefinitionError.
    """

    nodes = 0

    def compose_node(self, parent: object, index: object) -> Any:
        event = self.parser.peek_event()
        self.nodes += 1
        message = ""
        if getattr(event, "tag", None) is not None:
            message = _("tags (!name) are not allowed")
        elif isinstance(event, AliasEvent) or event.anchor is not None:
            message = _("anchors (&name) and aliases (*name) are not allowed: write the value out, or share a list")
        elif self.depth >= MOST_LEVELS:
            message = _("nested too deeply")
        elif self.nodes > MOST_NODES:
            message = _("more than %(most)d values") % {"most": MOST_NODES}
        if message:
            mark = _mark(event)
            raise DefinitionError([Problem(mark.line, "", message, mark.column)])
        return super().compose_node(parent, index)


class YamlText:
    """Text of a definition: `value` as dicts, lists, texts and None, and the place of each key and entry.

    `problems` are the keys that are no text or written twice. Raises DefinitionError if the text is not YAML, too
    long or too deep, or has an alias.
    """

    def __init__(self, source: str) -> None:
        self.marks: dict[Path, Mark] = {}
        self.problems: list[Problem] = []
        node = compose(source)
        if node is None:
            raise DefinitionError([Problem(1, "", _("the file is empty"))])
        self.value = self._plain(node, ())

    def place(self, location: Path) -> tuple[Path, Mark]:
        """Return the path of the nearest part of the text that a location of pydantic names, and its mark.

        A location also has the names of models and fields that the text does not have; they are passed over.
        """
        path: Path = ()
        for part in location:
            if (*path, part) in self.marks:
                path = (*path, part)
        return path, self.marks[path]

    def _plain(self, node: Node, path: Path) -> Any:
        mark = _mark(node)
        self.marks[path] = mark
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._plain(child, (*path, n)) for n, child in enumerate(node.value)]
        return None if str(node.tag) == NULL else node.value

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, child in node.value:
            mark = _mark(key)
            if not isinstance(key, ScalarNode) or key.value in plain:
                message = (
                    _("%(key)r is written twice") % {"key": key.value}
                    if isinstance(key, ScalarNode)
                    else _("a key must be text")
                )
                self.problems.append(Problem(mark.line, ".".join(map(str, path)), message, mark.column))
                continue
            plain[key.value] = self._plain(child, (*path, key.value))
            self.marks[*path, key.value] = mark
        return plain


@lru_cache(maxsize=4)
def compose(source: str) -> Node | None:
    """Return the tree of nodes of a YAML text, None if it is empty. Raises DefinitionError if it is not YAML.

    One request reads the text of a draft several times, for its errors, terms and warnings: it is composed once. Nobody
    changes the tree.
    """
    check_length(source)
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = BoundedComposer
    try:
        node: Node | None = yaml.compose(source)
    except (YAMLError, ValueError, RecursionError) as error:
        raise not_yaml(error) from error
    return node


def check_length(source: str) -> None:
    """Raise DefinitionError if the text is longer than a definition can be."""
    if len(source) > MOST_CHARACTERS:
        message = _("longer than %(most)d characters") % {"most": MOST_CHARACTERS}
        raise DefinitionError([Problem(1, "", message)])


def not_yaml(error: Exception) -> DefinitionError:
    """Return the error of a text that is not YAML, at the place where its parser stopped."""
    if isinstance(error, RecursionError):
        return DefinitionError([Problem(1, "", _("nested too deeply"))])
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message = _("not YAML: %(problem)s") % {"problem": getattr(error, "problem", error)}
    return DefinitionError([Problem(line, "", message, column)])


def _mark(part: Any) -> Mark:
    start: StreamMark = part.start_mark
    return Mark(start.line + 1, start.column + 1)
