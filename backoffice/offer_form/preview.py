"""Side panel of the builder: the offer as merchants read it, its YAML with marked lines, and warnings."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.offer_form.offer import OfferForm
from definitions import offer_sentences, parser, yaml_roundtrip
from definitions.errors import DefinitionError, Problem
from definitions.offer_terms import OfferTerms
from definitions.yaml_text import YamlText

MOST_REPAIRS = 4
PLACEHOLDERS: dict[str, Any] = {
    "code": "offer",
    "names": {"en": "…", "zh": "…"},
    "carriers": [],
    "where": "all",
    "conditions": "everyone",
    "quota": {},
    "funded_by": None,
    "settlement": {},
    "decided_at": None,
    "settling_hours": "0",
}
"""Stand-ins for the parts of an offer that are not complete, so that the others can be shown."""


@dataclass
class MerchantView:
    """Terms as merchants read them, in one language. Parts that are not complete are marked as missing."""

    name: str = ""
    benefit: str = ""
    lines: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def merchant_view(document: Any, number: int, form: OfferForm, language: str, right: OfferTerms | None) -> MerchantView:
    """Return the merchant view of an offer of a draft; `right` are its terms if the draft has no errors."""
    with translation.override("zh-hans" if language == "zh" else "en"):
        terms, left_out = (right, list[str]()) if right else _readable(document, number)
        names = form.basics.text_of(f"names_{language}")
        view = MerchantView(name=names or _("Name missing"))
        view.missing = list(dict.fromkeys(_titles(left_out)))
        if terms is None:
            return view
        said = offer_sentences.describe_terms(terms)
        parts = {"claim": [said.claim], "conditions": said.conditions, "quota": [said.quota]}
        parts |= {"settlement": said.settlement, "funded_by": [said.funding] if said.funding else []}
        view.benefit = "" if "benefit" in left_out else said.benefit
        view.lines = [line for part, lines in parts.items() if part not in left_out for line in lines]
        return view


def _titles(parts: Sequence[str]) -> list[str]:
    titles = {
        "names": _("Name"),
        "code": _("Code"),
        "subject": _("Applies to each"),
        "claim": _("Claim"),
        "benefit": _("Benefit"),
        "condition": _("a condition"),
        "quota": _("Quota"),
        "funded_by": _("Paid for by"),
        "settlement": _("Settlement"),
    }
    return [str(titles.get(part, part)) for part in parts]


def _readable(document: Any, number: int) -> tuple[OfferTerms | None, list[str]]:
    """Return the terms of the offer, without the parts that have errors, and the names of those."""
    plain = _plain(document)
    offers = plain.get("offers") or []
    candidate = {**plain, "offers": [offers[number]]} if number < len(offers) else plain
    left_out: list[str] = []
    for _attempt in range(MOST_REPAIRS):
        try:
            return parser.read(yaml_roundtrip.dump(candidate)).offers[0], left_out
        except DefinitionError as error:
            if not _repair(candidate, error.problems, left_out):
                break
    return None, left_out


def _repair(candidate: dict[str, Any], problems: Sequence[Problem], left_out: list[str]) -> bool:
    """Take the parts with errors out of the only offer; return whether anything was changed."""
    offer: Any = candidate["offers"][0]
    rows: set[tuple[str, int]] = set()
    before = deepcopy(candidate)
    for problem in problems:
        match problem.field.split("."):
            case ["offers", "0", "where" | "conditions" as word, row, *_rest] if row.isdecimal():
                rows.add((word, int(row)))
                left_out.append("condition")
            case ["offers", "0", "benefit", *_rest]:
                offer["benefit"] = _some_benefit(str(offer.get("subject")))
                left_out.append("benefit")
            case ["offers", "0", "claim", *_rest]:
                offer["claim"] = {
                    "at": {"trade_order": "drafted_at", "financing_draw": "drawn_at"}.get(
                        str(offer.get("subject")), "paid_at"
                    )
                }
                left_out.append("claim")
            case ["offers", "0", word, *_rest] if word in PLACEHOLDERS:
                offer[word] = PLACEHOLDERS[word]
                left_out.append(word)
            case ["names" | "campaign" | "windows" | "lists" | "measures" as word, *_rest]:
                candidate |= {word: {"names": PLACEHOLDERS["names"], "campaign": "campaign"}.get(word, {})}
    for word, number in sorted(rows, reverse=True):
        del offer[word][number]
        offer[word] = offer[word] or PLACEHOLDERS[word]
    for word in [word for word, value in offer.items() if value is None]:
        del offer[word]
    return candidate != before


def _some_benefit(subject: str) -> dict[str, Any]:
    fees = {"freight_order": "freight", "trade_order": "service_fee", "financing_draw": "financing_fee"}
    if subject in fees:
        return {"fee": fees[subject], "percent": "1"}
    valid = {"from": "2022-01-01 00:00:00", "to": "2190-01-01 00:00:00"}
    where = [{"fact": "service", "is": "express"}]
    return {"coupons": {"count": "1", "value": "1", "currency": "CNY", "valid": valid, "where": where}}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class YamlLine:
    """Line of the YAML of an offer, with its colours, and the errors at it."""

    number: int
    html: SafeString
    errors: list[str]


def yaml_lines(source: str, problems: Sequence[Problem], path: str) -> list[YamlLine]:
    """Return the lines of an offer's YAML; each problem below `path` stands at its line."""
    errors: dict[int, list[str]] = {}
    text = YamlText(source)
    for problem in problems:
        if f"{problem.field}.".startswith(f"{path}."):
            below = problem.field.removeprefix(path).strip(".").split(".")
            location = tuple(int(part) if part.isdecimal() else part for part in below if part)
            errors.setdefault(text.place(location)[1].line if location else 1, []).append(problem.message)
    return [YamlLine(n, _coloured(line), errors.get(n, [])) for n, line in enumerate(source.splitlines(), 1)]


def _coloured(line: str) -> SafeString:
    """Return a line with its key marked and its empty values marked as missing."""
    body = line.lstrip(" -")
    indent, (key, colon, rest) = line[: len(line) - len(body)], body.partition(":")
    if not colon or "{" in key or '"' in key:
        return _marked(line)
    return format_html('{}<span class="k">{}:</span>{}', indent, key, _marked(rest))


def _marked(text: str) -> SafeString:
    missing = format_html('<span class="e">{}</span>', _("missing"))
    return format_html_join(missing, "{}", ((part,) for part in text.split("null")))
