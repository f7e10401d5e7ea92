"""Round trip of a definition's text: changed in places, with its comments and layout preserved."""

from io import StringIO
from typing import Any

from django.utils.translation import gettext as _
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from definitions.errors import DefinitionError, Problem
from definitions.yaml_text import BoundedComposer, check_length, not_yaml

TEXT = Tag(suffix="tag:yaml.org,2002:str")


class TextResolver(VersionedResolver):
    """Resolver for which every scalar but null is text, as in `definitions.yaml_text`: a date stays as written."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0] and value not in ("", "~", "null"):
            return TEXT
        return super().resolve(kind, value, implicit)


def load(source: str) -> Any:
    """Return the text as mappings and lists that remember their layout. Raises DefinitionError."""
    check_length(source)
    try:
        data = _yaml().load(source)
    except (YAMLError, ValueError, RecursionError) as error:
        raise not_yaml(error) from error
    if not isinstance(data, dict):
        raise DefinitionError([Problem(1, "", _("a campaign is a mapping: campaign, names, zone, offers"))])
    return data


def dump(data: object) -> str:
    """Return the text of loaded and changed mappings and lists."""
    return _text(_yaml(), data)


def dump_json(data: object) -> str:
    """Return the YAML text of plain data, such as stored terms."""
    yaml = YAML()
    yaml.width = 100
    return _text(yaml, data)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.Resolver = TextResolver
    yaml.Composer = BoundedComposer
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _text(yaml: YAML, data: object) -> str:
    text = StringIO()
    yaml.representer.ignore_aliases = lambda _part: True  # an alias would be refused when the text is read
    yaml.dump(data, text)
    return text.getvalue()
