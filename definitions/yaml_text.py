"""YAML text as plain values with the place of each. Every scalar is text: the models convert it."""

from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from definitions.errors import DefinitionError, Path, Problem

MOST_CHARACTERS = 1_000_000
MOST_LEVELS = 40
NULL = "tag:yaml.org,2002:null"


class Mark(NamedTuple):
    """Place in a text; line and column count from 1."""

    line: int
    column: int


class YamlText:
    """Text of a definition: `value` as dicts, lists, texts and None, and the place of each key and entry.

    Raises DefinitionError if the text is not YAML, too long, too deep, or has a key twice.
    """

    def __init__(self, source: str) -> None:
        self.marks: dict[Path, Mark] = {}
        if len(source) > MOST_CHARACTERS:
            raise DefinitionError([Problem(1, "", f"longer than {MOST_CHARACTERS} characters")])
        node = compose(source)
        if node is None:
            raise DefinitionError([Problem(1, "", "the file is empty")])
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
        if len(path) > MOST_LEVELS:
            raise DefinitionError([Problem(mark.line, "", "nested too deeply", mark.column)])
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
                message = f"{key.value!r} is written twice" if isinstance(key, ScalarNode) else "a key must be text"
                raise DefinitionError([Problem(mark.line, ".".join(map(str, path)), message, mark.column)])
            plain[key.value] = self._plain(child, (*path, key.value))
            self.marks[*path, key.value] = mark
        return plain


def compose(source: str) -> Node | None:
    """Return the tree of nodes of a YAML text, None if it is empty. Raises DefinitionError if it is not YAML."""
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(source)
    except (YAMLError, ValueError) as error:
        raise not_yaml(error) from error
    except RecursionError as error:
        raise DefinitionError([Problem(1, "", "nested too deeply")]) from error
    return node


def not_yaml(error: Exception) -> DefinitionError:
    """Return the error of a text that is not YAML, at the place where its parser stopped."""
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return DefinitionError([Problem(line, "", f"not YAML: {getattr(error, 'problem', error)}", column)])


def _mark(node: Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)
