"""Parser of campaign files: YAML to a CampaignDefinition, with every error at its place in the text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, get_args

from django.utils.translation import gettext as _
from pydantic import Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails

from core.declared_facts import declaring
from core.facts import MERCHANT_PREFIX
from definitions import declared, error_texts, partial_checks
from definitions.allowances import AllowanceTerms
from definitions.declared import Declared
from definitions.documents import DocumentTerms
from definitions.entitlements import EntitlementTerms
from definitions.errors import DefinitionError, Problem
from definitions.offer_terms import OfferCode, OfferTerms
from definitions.quotas import with_limits
from definitions.rating_references import check_ratings
from definitions.scorecards import ScorecardTerms
from definitions.yaml_text import YamlText
from rules.base import Names, ValueList
from rules.comparisons import Code
from rules.errors import ErrorCollector, UnknownWordError
from rules.measures import Measure
from rules.time_windows import Window, Zone

MOST_DOCUMENTS = 200
"""Documents of one kind: pages show all of them to each merchant."""


class CampaignDefinition(Declared):
    """Campaign as written in a file: names, zone, what it declares, what its offers share, offers and documents.

    Each field that is a tuple of a subclass of `DocumentTerms` holds the documents of one kind.
    """

    campaign: OfferCode
    names: Names
    zone: Zone
    windows: dict[str, Window] = {}
    lists: dict[str, ValueList] = {}
    measures: dict[Code, Measure] = {}
    offers: tuple[OfferTerms, ...] = ()
    scorecards: tuple[ScorecardTerms, ...] = Field((), max_length=MOST_DOCUMENTS)
    allowances: tuple[AllowanceTerms, ...] = Field((), max_length=MOST_DOCUMENTS)
    entitlements: tuple[EntitlementTerms, ...] = Field((), max_length=MOST_DOCUMENTS)

    @model_validator(mode="after")
    def _codes_once(self) -> "CampaignDefinition":
        errors = ErrorCollector()
        _check_codes({kind: [part.code for part in getattr(self, kind)] for kind in _coded_parts()}, errors)
        errors.raise_collected("CampaignDefinition")
        return self

    @model_validator(mode="after")
    def _ratings_known(self) -> "CampaignDefinition":
        errors = ErrorCollector()
        check_ratings(self.scorecards, self, errors)
        errors.raise_collected("CampaignDefinition")
        return self

    @model_validator(mode="after")
    def _promises_something(self) -> "CampaignDefinition":
        errors = ErrorCollector()
        with errors.at("offers"):
            if not self.offers and not any(self.documents()):
                raise ValueError(_("a campaign has at least one offer or document"))
        errors.raise_collected("CampaignDefinition")
        return self

    def documents(self) -> Iterator[tuple[str, DocumentTerms]]:
        """Yield each document with its kind."""
        for kind in document_kinds():
            for terms in getattr(self, kind):
                yield kind, terms


@cache
def document_kinds() -> dict[str, type[DocumentTerms]]:
    """Return the terms of each kind of document: the fields of a campaign that hold documents."""
    held = ((name, get_args(field.annotation)) for name, field in CampaignDefinition.model_fields.items())
    return {name: of[0] for name, of in held if of and isinstance(of[0], type) and issubclass(of[0], DocumentTerms)}


def _coded_parts() -> list[str]:
    return ["offers", *document_kinds()]


def _check_codes(codes: Mapping[str, Sequence[object]], errors: ErrorCollector) -> None:
    """Collect an error at each offer or document whose code an earlier one has too; `codes` are those by kind."""
    seen: set[object] = set()
    for kind, of_kind in codes.items():
        for n, code in enumerate(of_kind):
            with errors.at(kind, n, "code"):
                if code in seen:
                    raise ValueError(_("two offers or documents are called %(code)s") % {"code": code})
            seen.add(code)


def read(source: str, quotas: Mapping[str, Mapping[str, int]] | None = None) -> CampaignDefinition:
    """Return the campaign that a YAML text describes.

    `quotas` replaces quotas for a trial, by offer code: `{"charter-5-off": {"limit": 14, "per_merchant": 3}}`, also
    where the text has none. Raises DefinitionError with every problem.
    """
    text = YamlText(source)
    if not isinstance(text.value, dict):
        raise DefinitionError([Problem(1, "", _("a campaign is a mapping: campaign, names, zone, offers"))])
    _set_quotas(text.value, quotas or {})
    # A zone with an error is reported once, not at every time without a zone of its own.
    context: dict[str, Any] = {"zone": _valid_zone(text.value.get("zone"))}
    context["raw_measures"] = text.value.get("measures")
    context["declared"] = declared.valid_part(text.value)
    context["scorecards"] = _scorecard_names(text.value.get("scorecards"))
    context |= {kind: _valid(adapter, text.value.get(kind), context) for kind, adapter in SHARED.items()}
    with declaring(context["declared"].facts):
        context["measures"] = _measures(text.value.get("measures"), context)
        try:
            campaign = CampaignDefinition.model_validate(text.value, context=context)
        except ValidationError as error:
            details = error.errors(include_url=False) + _between_parts(text.value, context)
            raise DefinitionError(_bounded([*text.problems, *_problems(text, details, context["declared"])])) from error
    if text.problems:
        raise DefinitionError(_bounded(text.problems))
    return campaign


def problems_at(source: str, errors: Iterable[tuple[tuple[str | int, ...], str]]) -> list[Problem]:
    """Return errors that are found after a text was read, given with their places, as problems of the text."""
    text = YamlText(source)
    placed = ((*text.place(place), message) for place, message in errors)
    return [Problem(mark.line, ".".join(map(str, path)), message, mark.column) for path, mark, message in placed]


def _scorecard_names(scorecards: object) -> dict[str, Any]:
    """Return the names of scorecards by code, as they are written, None where they have errors.

    Conditions on ratings name one of these, and are described by its names.
    """
    coded = [one for one in scorecards if isinstance(one, dict)] if isinstance(scorecards, list) else []
    named = ((one.get("code"), one["names"] if _is_named(one) else None) for one in coded)
    return {code: names for code, names in named if isinstance(code, str)}


def _is_named(part: dict[str, Any]) -> bool:
    try:
        Names.model_validate(part.get("names"))
    except ValidationError:
        return False
    return True


MOST_PROBLEMS = 200


def _bounded(problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems in the order of the text, without repetitions, and no more than an author can use."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column))
    more = len(ordered) - MOST_PROBLEMS
    last = [Problem(ordered[-1].line, "", _("%(n)d more errors") % {"n": more})] if more > 0 else []
    return ordered[:MOST_PROBLEMS] + last


def _valid_zone(zone: object) -> object:
    try:
        return TypeAdapter(Zone).validate_python(zone)
    except ValidationError:
        return "UTC"


def _between_parts(campaign: dict[str, Any], context: dict[str, Any]) -> list[ErrorDetails]:
    """Return the errors between parts, which the models find only in a campaign whose parts have none."""
    parts = {kind: part if isinstance(part := campaign.get(kind), list) else [] for kind in _coded_parts()}
    errors = ErrorCollector()
    codes = {kind: [_code(part, (kind, n)) for n, part in enumerate(of_kind)] for kind, of_kind in parts.items()}
    _check_codes(codes, errors)
    return errors.details("CampaignDefinition") + partial_checks.find_errors(parts["offers"], context)


def _code(part: object, otherwise: object) -> object:
    code = part.get("code") if isinstance(part, dict) else None
    return code if isinstance(code, str) else otherwise


SHARED: dict[str, TypeAdapter[Any]] = {"windows": TypeAdapter(Window), "lists": TypeAdapter(ValueList)}
MEASURE: TypeAdapter[Any] = TypeAdapter(Measure)


def _valid(adapter: TypeAdapter[Any], entries: object, context: dict[str, Any]) -> dict[str, Any]:
    """Return the entries without errors. Errors of the others are reported with those of the whole campaign."""
    valid: dict[str, Any] = {}
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        try:
            valid[name] = adapter.validate_python(entry, context=context)
        except ValidationError:
            continue
    return valid


def _measures(entries: object, context: dict[str, Any]) -> dict[str, Any]:
    """Return the measures without errors, each with its name as its code. A percentage names those of rows."""
    of_rows = _coded(_valid(MEASURE, entries, context))
    return of_rows | _coded(_valid(MEASURE, entries, {**context, "measures": of_rows}))


def _coded(measures: dict[str, Any]) -> dict[str, Any]:
    return {name: measure.model_copy(update={"code": measure.code or name}) for name, measure in measures.items()}


def _problems(text: YamlText, details: list[ErrorDetails], valid: Declared) -> list[Problem]:
    """Return every error of the text, without those that only follow from another one.

    `valid` are the declarations without errors.
    """
    above = {detail["loc"][:n] for detail in details for n in range(len(detail["loc"]))}
    broken = {
        name for kind in (*SHARED, "measures") if isinstance(entries := text.value.get(kind), dict) for name in entries
    }
    broken |= declared.broken(text.value, valid)
    first = [
        detail
        for detail in details[:MOST_DETAILS]
        # A list is too short only because its entries have errors.
        if not (detail["type"] == "too_short" and detail["loc"] in above)
        # A window, list or declared fact is unknown only because it has an error itself.
        if not (isinstance(cause := _cause(detail), UnknownWordError) and _own_word(cause) in broken - set(cause.known))
    ]
    # Percentages that name each other have no other error.
    return [_problem(text, detail) for detail in first or details[:MOST_DETAILS]]


def _own_word(error: UnknownWordError) -> str:
    """Return the word of an error; of a fact of the merchant, the name under which the merchant has it."""
    return error.word.removeprefix(MERCHANT_PREFIX)


MOST_DETAILS = 2 * MOST_PROBLEMS


def _problem(text: YamlText, detail: ErrorDetails) -> Problem:
    path, mark = text.place(detail["loc"])
    field, message = ".".join(map(str, path)), error_texts.text_of(detail)
    known, word = error_texts.expected_words(detail), str(detail["input"])
    if known:
        cause = UnknownWordError(_("no word %(word)s here") % {"word": error_texts.quote(word)}, word=word, known=known)
    elif isinstance(found := _cause(detail), UnknownWordError):
        cause = found
    else:
        return Problem(mark.line, field, message, mark.column)
    return Problem.of_unknown_word(
        str(cause),
        line=mark.line,
        column=mark.column,
        field=field,
        word=cause.word,
        known=cause.known,
        nearest=cause.nearest,
    )


def _cause(detail: ErrorDetails) -> object:
    return detail.get("ctx", {}).get("error")


def _set_quotas(campaign: dict[str, Any], quotas: Mapping[str, Mapping[str, int]]) -> None:
    offers = campaign.get("offers")
    mappings = [offer for offer in offers if isinstance(offer, dict)] if isinstance(offers, list) else []
    by_code = {str(offer.get("code")): offer for offer in mappings}
    unknown = [code for code in quotas if code not in by_code]
    if unknown:
        raise DefinitionError(
            [Problem(1, "", _("no offer %(codes)s to set a quota of") % {"codes": ", ".join(unknown)})]
        )
    for code, quota in quotas.items():
        by_code[code]["quota"] = with_limits(by_code[code].get("quota"), quota)
