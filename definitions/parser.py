"""Parser of campaign files: YAML to a CampaignDefinition, with every error at its place in the text."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from definitions.errors import DefinitionError, Problem
from definitions.offer_terms import OfferCode, OfferTerms
from definitions.yaml_text import YamlText
from rules.base import DefinitionModel, Names, ValueList
from rules.errors import UnknownWordError
from rules.time_windows import Window, Zone


class CampaignDefinition(DefinitionModel):
    """Campaign as written in a file: names, zone, the windows and lists that its offers share, and the offers."""

    campaign: OfferCode
    names: Names
    zone: Zone
    windows: dict[str, Window] = {}
    lists: dict[str, ValueList] = {}
    offers: tuple[OfferTerms, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _codes_once(self) -> "CampaignDefinition":
        codes = [offer.code for offer in self.offers]
        twice = {code for code in codes if codes.count(code) > 1}
        if twice:
            raise ValueError(f"two offers are called {', '.join(sorted(twice))}")
        return self


def read(source: str, quotas: Mapping[str, Mapping[str, int]] | None = None) -> CampaignDefinition:
    """Return the campaign that a YAML text describes.

    `quotas` replaces quotas for a trial, by offer code: `{"charter-5-off": {"limit": 14, "per_merchant": 3}}`, also
    where the text has none. Raises DefinitionError with every problem.
    """
    text = YamlText(source)
    if not isinstance(text.value, dict):
        raise DefinitionError([Problem(1, "", "a campaign is a mapping: campaign, names, zone, offers")])
    _set_quotas(text.value, quotas or {})
    context: dict[str, Any] = {"zone": text.value.get("zone")}
    shared = {kind: _valid(model, text.value.get(kind), context) for kind, model in SHARED.items()}
    try:
        return CampaignDefinition.model_validate(text.value, context={**context, **shared})
    except ValidationError as error:
        raise DefinitionError(_problems(text, error)) from error


SHARED: dict[str, type[DefinitionModel]] = {"windows": Window, "lists": ValueList}


def _valid(model: type[DefinitionModel], entries: Any, context: dict[str, Any]) -> dict[str, DefinitionModel]:
    """Return the entries without errors. Errors of the others are reported with those of the whole campaign."""
    valid: dict[str, DefinitionModel] = {}
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        try:
            valid[name] = model.model_validate(entry, context=context)
        except ValidationError:
            continue
    return valid


def _problems(text: YamlText, error: ValidationError) -> list[Problem]:
    """Return every error of the text, without those that only follow from another one."""
    details = error.errors(include_url=False)
    above = {detail["loc"][:n] for detail in details for n in range(len(detail["loc"]))}
    broken = {name for kind in SHARED if isinstance(entries := text.value.get(kind), dict) for name in entries}
    return [
        _problem(text, detail)
        for detail in details
        # A list is too short only because its entries have errors.
        if not (detail["type"] == "too_short" and detail["loc"] in above)
        # A window or list is unknown only because it has an error itself.
        if not (isinstance(cause := _cause(detail), UnknownWordError) and cause.word in broken - set(cause.known))
    ]


def _problem(text: YamlText, detail: ErrorDetails) -> Problem:
    path, mark = text.place(detail["loc"])
    field, message = ".".join(map(str, path)), detail["msg"].removeprefix("Value error, ")
    cause = _cause(detail)
    if isinstance(cause, UnknownWordError):
        return Problem.of_unknown_word(
            message, line=mark.line, column=mark.column, field=field, word=cause.word, known=cause.known
        )
    if detail["type"] == "missing":
        message = f"{detail['loc'][-1]} is missing"
    return Problem(mark.line, field, message, mark.column)


def _cause(detail: ErrorDetails) -> object:
    return detail.get("ctx", {}).get("error")


def _set_quotas(campaign: dict[str, Any], quotas: Mapping[str, Mapping[str, int]]) -> None:
    offers = campaign.get("offers")
    by_code = {o.get("code"): o for o in offers if isinstance(o, dict)} if isinstance(offers, list) else {}
    unknown = [code for code in quotas if code not in by_code]
    if unknown:
        raise DefinitionError([Problem(1, "", f"no offer {', '.join(unknown)} to set a quota of")])
    for code, quota in quotas.items():
        by_code[code]["quota"] = {**(by_code[code].get("quota") or {}), **{k: str(v) for k, v in quota.items()}}
