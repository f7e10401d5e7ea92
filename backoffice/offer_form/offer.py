"""The whole offer form: its sections, their checks, and the place of each error of the definition."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http import QueryDict
from django.utils.functional import cached_property

from backoffice.offer_form.benefit import BenefitForm, initial_benefit
from backoffice.offer_form.conditions import condition_formset
from backoffice.offer_form.context import CampaignContext, FieldProblem, Part
from backoffice.offer_form.declarations_form import LookupsForm, initial_lookups
from backoffice.offer_form.forms import ABSENT, SectionForm
from backoffice.offer_form.funding import PayerFormSet, initial_funding
from backoffice.offer_form.moments import MomentForm
from backoffice.offer_form.quota import QuotaForm, initial_quota
from backoffice.offer_form.rows import RowFormSet
from backoffice.offer_form.sections import (
    BasicsForm,
    ClaimForm,
    NamesFormSet,
    initial_basics,
    initial_claim,
)
from backoffice.offer_form.settlement import SettlementForm, initial_settlement
from backoffice.offer_form.times import TimeForm
from core.facts import SUBJECTS
from logistics.facts import FREIGHT_ORDERS
from rules.offer_facts import BENEFIT, OFFER_FACTS


class OfferForm:
    """All forms of one offer, bound where `data` was sent."""

    def __init__(self, offer: Any, campaign: CampaignContext, data: QueryDict | None = None) -> None:
        self.campaign = campaign
        self.other_errors: list[str] = []
        shared: dict[str, Any] = {"campaign": campaign}
        self.basics = BasicsForm(data, prefix="basics", initial=initial_basics(offer), **shared)
        self.lookups = LookupsForm(data, prefix="lookups", initial=initial_lookups(offer), **shared)
        plain = campaign.rows(SUBJECTS.get(self.basics.text_of("subject"), FREIGHT_ORDERS))
        collection = self.lookups.rows_with(plain)
        self.collection = replace(collection, facts={**collection.facts, BENEFIT: OFFER_FACTS[BENEFIT]})
        claim, benefit = initial_claim(offer, campaign.zone), initial_benefit(offer.get("benefit") or {}, campaign.zone)
        self.claim = ClaimForm(data, prefix="claim", collection=collection, initial=claim, **shared)
        self.benefit = BenefitForm(data, prefix="benefit", collection=collection, initial=benefit, **shared)
        quota = initial_quota(offer.get("quota"))
        self.quota = QuotaForm(data, prefix="quota", collection=collection, initial=quota, **shared)
        settlement = initial_settlement(offer.get("settlement") or {})
        self.settlement = SettlementForm(data, prefix="settlement", collection=collection, initial=settlement, **shared)
        rows: dict[str, Any] = {**shared, "collection": self.collection}
        self.where = condition_formset("where", data, offer.get("where"), simple=True, **rows)
        self.conditions = condition_formset("conditions", data, offer.get("conditions"), **rows)
        payers = initial_funding(offer.get("funded_by"))
        self.funding = PayerFormSet(data, prefix="funding", initial=payers, form_kwargs=shared)
        carriers = list(offer.get("carriers") or ())
        self.carriers = NamesFormSet(data, prefix="carriers", initial=carriers, form_kwargs=shared)

    @property
    def parts(self) -> list[Part]:
        """Return the parts in the order of the page."""
        return [
            self.basics,
            self.lookups,
            self.claim,
            self.where,
            self.conditions,
            self.benefit,
            self.funding,
            self.quota,
            self.settlement,
            self.carriers,
        ]

    @cached_property
    def is_right(self) -> bool:
        """Return whether every part is complete and right; all of them are checked, so that each has its errors."""
        valid = [part.is_valid() for part in self.parts]
        return all(valid)

    @property
    def missing(self) -> int:
        """Return the number of values that are still to be entered."""
        return sum(part.missing for part in self.parts)

    def problems(self) -> Iterator[FieldProblem]:
        """Yield the errors of all fields, for the summary."""
        for part in self.parts:
            yield from part.problems()
        for message in self.other_errors:
            yield FieldProblem("", "", message)

    def to_offer(self) -> dict[str, Any]:
        """Return the words of the offer as the form says them, complete or not. The form has been checked."""
        assert self.is_right in (True, False)
        words = {**self.basics.to_offer(), "carriers": self.carriers.write() or ABSENT}
        for part in (self.lookups, self.claim, self.benefit, self.funding, self.quota, self.settlement):
            words |= part.to_offer()
        return {**words, "where": self.where.write() or "all", "conditions": self.conditions.write() or "everyone"}

    def report(self, path: str, message: str) -> None:
        """Show an error of the definition at the field of `path`, a dotted path below the offer."""
        form, name = self._locate(path.split("."))
        if form is None:
            self.other_errors.append(message)
        else:
            form.report(name, message)

    def _locate(self, path: list[str]) -> tuple[SectionForm | None, str]:  # noqa: PLR0911  one return for each part
        match path:
            case ["names", language, *_rest]:
                return self.basics, f"names_{language}"
            case ["code" | "subject" as name, *_rest]:
                return self.basics, name
            case ["lookups", *_rest]:
                return self.lookups, "lookups"
            case ["claim", "nth" | "over_threshold", "where", number, *rest]:
                return _row(self.claim.parts.get("rows"), number, rest)
            case ["claim", "nth" | "over_threshold", *rest]:
                return self.claim, {"at": "nth_at"}.get(rest[0], rest[0]) if rest else ""
            case ["claim" | "decided_at" | "settling_hours" as name, *_rest]:
                places = {"decided_at": (self.claim.parts["decided"], "at"), "claim": (self.claim, "kind")}
                return places.get(name, (self.claim, name))  # type: ignore[return-value]  # the part is a form
            case ["where" | "conditions" | "carriers" as name, number, *rest]:
                return _row(getattr(self, name), number, rest)
            case ["benefit", *rest]:
                return self._locate_benefit(rest)
            case ["funded_by", payer, *_rest]:
                return self.funding.form_of(payer), "number"
            case ["quota", number, *rest] if number.isdecimal():
                return _row(self.quota.bands, number, rest)
            case ["quota", *rest]:
                return self.quota, rest[0] if rest else ""
            case ["settlement", *rest]:
                return self._locate_settlement(rest)
        return None, ""

    def _locate_benefit(self, path: list[str]) -> tuple[SectionForm | None, str]:
        match path:
            case ["tiers" | "slices" as name, number, *rest]:
                return _row(getattr(self.benefit, name), number, rest)
            case ["percent" | "amount", "fact", *_rest]:
                return self.benefit, "fact"
            case ["coupons", "where", number, *rest]:
                return _row(self.benefit.where, number, rest)
            case ["coupons", "valid", end, *_rest]:
                return self.benefit.parts[end], "at"  # type: ignore[return-value]  # the part is a form
            case ["coupons", name, *_rest] | [name, *_rest]:
                return self.benefit, name
        return self.benefit, ""

    def _locate_settlement(self, path: list[str]) -> tuple[SectionForm | None, str]:
        match path:
            case ["requires", number, *rest]:
                return _row(self.settlement.requires, number, rest)
            case ["at", *_rest]:
                return self.settlement.at, "kind"
            case ["fulfilled_at", *_rest]:
                return self.settlement.fulfilled, "kind"
            case ["deadline", *_rest]:
                return self.settlement.deadline, "at"
        return self.settlement, path[0] if path else ""


def _row(rows: Part | None, number: str, path: list[str]) -> tuple[SectionForm | None, str]:
    """Return the form of a row of the definition, and the field that holds the value at `path` in the row."""
    form = rows.form_of_row(int(number)) if isinstance(rows, RowFormSet) and number.isdecimal() else None
    if form is None:
        return None, ""
    match path:
        case ["any" | "where", nested, *rest]:
            return _row(form.parts.get("rows"), nested, rest)
        case ["within", "from" | "to" as end, *_rest]:
            return _part(form, {"from": "start", "to": "end"}[end])
        case ["from" | "by" | "not_before", *_rest] if "time" in form.visible_parts():
            return _part(form, "time")
        case [word, *_rest] if (name := {"in": "period", "from": "start"}.get(word, word)) in form.fields:
            return form, name
    names = [name for name in form.visible_names() if name not in ("code", "at_fact")]
    return form, names[-1] if names else ""


def _part(form: SectionForm, name: str) -> tuple[SectionForm | None, str]:
    part = form.parts.get(name)
    return (part, "at") if isinstance(part, TimeForm | MomentForm) else (form, "")
