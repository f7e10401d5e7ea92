"""From YAML to a campaign: every error names its line and field."""

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from definitions.errors import DefinitionError, Path, Problem
from definitions.offer_terms import OfferCode, OfferTerms
from rules.base import DefinitionModel, Names, ValueList
from rules.time_windows import Window, Zone

MOST_CHARACTERS = 1_000_000


class Heading(DefinitionModel):
    """A campaign without its offers: its names, its zone, and the windows and lists its offers share."""

    campaign: OfferCode
    names: Names
    zone: Zone
    windows: dict[str, Window] = {}
    lists: dict[str, ValueList] = {}


class CampaignDefinition(Heading):
    """A campaign as written in a file."""

    offers: tuple[OfferTerms, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _codes_once(self) -> "CampaignDefinition":
        codes = [offer.code for offer in self.offers]
        twice = {code for code in codes if codes.count(code) > 1}
        if twice:
            raise ValueError(f"two offers are called {', '.join(sorted(twice))}")
        return self


class Text:
    """A YAML text as plain values, and the line on which each stands. Every scalar is text: types come later."""

    def __init__(self, source: str) -> None:
        self.lines: dict[Path, int] = {}
        if len(source) > MOST_CHARACTERS:
            raise DefinitionError([Problem(1, "", f"longer than {MOST_CHARACTERS} characters")])
        try:
            node = yaml.compose(source, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            raise DefinitionError([Problem(line, "", f"not YAML: {getattr(error, 'problem', error)}")]) from error
        except RecursionError as error:
            raise DefinitionError([Problem(1, "", "nested too deeply")]) from error
        if node is None:
            raise DefinitionError([Problem(1, "", "the file is empty")])
        self.value = self._plain(node, (), 0)

    def _plain(self, node: yaml.Node, path: Path, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines[path] = line
        if depth > 40:
            raise DefinitionError([Problem(line, "", "nested too deeply")])
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(child, (*path, n), depth + 1) for n, child in enumerate(node.value)]
        return None if node.tag == "tag:yaml.org,2002:null" else node.value

    def _mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in plain:
                what = f"{key.value!r} is written twice" if isinstance(key, yaml.ScalarNode) else "a key must be text"
                raise DefinitionError([Problem(key.start_mark.line + 1, ".".join(map(str, path)), what)])
            plain[key.value] = self._plain(child, (*path, key.value), depth + 1)
            self.lines[*path, key.value] = key.start_mark.line + 1
        return plain

    def problems(self, error: ValidationError, above: Path = ()) -> list[Problem]:
        """What pydantic found, each at the nearest line that stands in the text.

        Lists that are too short only because what stands in them is bad are not told of: that is.
        """
        details = error.errors()
        inside = {loc[:n] for loc in (detail["loc"] for detail in details) for n in range(len(loc))}
        told = [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in inside]
        return [self._problem((*above, *detail["loc"]), detail["msg"]) for detail in told]

    def _problem(self, loc: Path, message: str) -> Problem:
        path: Path = ()
        for part in loc:
            if (*path, part) in self.lines:
                path = (*path, part)
        missing = loc[-1] if loc and message == "Field required" else ""
        text = f"{missing} is missing" if missing else message.removeprefix("Value error, ")
        return Problem(self.lines[path], ".".join(map(str, path)), text)


def read(source: str, quotas: Mapping[str, Mapping[str, int]] | None = None) -> CampaignDefinition:
    """The campaign that a YAML text describes.

    `quotas` replaces limits for a trial, by offer code: `{"charter-5-off": {"limit": 14, "per_merchant": 3}}`, also
    where the text has none. Raises DefinitionError with every problem found.
    """
    text = Text(source)
    if not isinstance(text.value, dict):
        raise DefinitionError([Problem(1, "", "a campaign is a mapping: campaign, names, zone, offers")])
    _set_quotas(text, quotas or {})
    try:
        zone = {"zone": text.value.get("zone")}
        heading = {key: value for key, value in text.value.items() if key != "offers"}
        shared = Heading.model_validate(heading, context=zone)
    except ValidationError as error:
        raise DefinitionError(text.problems(error)) from error
    try:
        return CampaignDefinition.model_validate(
            text.value, context={**zone, "windows": shared.windows, "lists": shared.lists}
        )
    except ValidationError as error:
        raise DefinitionError(text.problems(error)) from error


def _set_quotas(text: Text, quotas: Mapping[str, Mapping[str, int]]) -> None:
    offers = text.value.get("offers")
    by_code = (
        {offer.get("code"): offer for offer in offers if isinstance(offer, dict)} if isinstance(offers, list) else {}
    )
    unknown = [code for code in quotas if code not in by_code]
    if unknown:
        raise DefinitionError([Problem(1, "", f"no offer {', '.join(unknown)} to set a quota of")])
    for code, quota in quotas.items():
        by_code[code]["quota"] = {**(by_code[code].get("quota") or {}), **{k: str(v) for k, v in quota.items()}}
