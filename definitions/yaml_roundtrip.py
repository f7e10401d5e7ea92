"""A definition's text, changed in places: comments and the writer's own layout stay as they are."""

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from definitions.errors import DefinitionError, Problem

TEXT = Tag(suffix="tag:yaml.org,2002:str")


class PlainResolver(VersionedResolver):
    """Every scalar is text, as for `definition.reading`: a date stays as it is written."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0] and value not in ("", "~", "null"):
            return TEXT
        return super().resolve(kind, value, implicit)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.Resolver = PlainResolver
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def load(source: str) -> Any:
    """The text as mappings and lists that remember how they were written. Raises DefinitionError."""
    try:
        found = _yaml().load(source)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise DefinitionError([Problem(line, "", f"not YAML: {getattr(error, 'problem', error)}")]) from error
    if not isinstance(found, dict):
        raise DefinitionError([Problem(1, "", "a campaign is a mapping: campaign, names, zone, offers")])
    return found


def dump(data: Any) -> str:
    """The text again."""
    out = StringIO()
    _yaml().dump(data, out)
    return out.getvalue()
