"""Results of offers for an order: outcome, tone and reasons, as pages show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.eligibility.band_results import NAME as QUOTA
from campaigns.eligibility.condition_results import ConditionResult
from campaigns.eligibility.explanations import Explanation
from campaigns.eligibility.merchant_status import depends_on_merchant
from campaigns.models import Grant
from campaigns.offers import schedule
from campaigns.offers.published_offers import PublishedOffer
from core.facts import Label
from core.formatting import format_money
from dashboard.offer_lines import PENDING
from definitions.claim_terms import ClaimNth
from definitions.offer_terms import OfferTerms
from rules.sentences import NamedValues, list_values
from rules.time_windows import Bound

MAX_REASONS_IN_LIST = 2
MAX_ORDERS_OF_A_LIMIT = 50
OUTCOMES: dict[str, Label] = {
    "granted": gettext_lazy("granted"),
    "pending": gettext_lazy("claimed, awaiting decision"),
    "no_claim": gettext_lazy("not claimed yet"),
    "superseded": gettext_lazy("another benefit reduces the same fee"),
    "merchant_cap": gettext_lazy("limit per merchant reached"),
    "holder_cap": gettext_lazy("limit of its holder reached"),
    "quota_exhausted": gettext_lazy("quota used up"),
    "stopped": gettext_lazy("offer stopped"),
    "before_opening": gettext_lazy("before the offer opened"),
    "refused": gettext_lazy("requirement not met"),
    "over": gettext_lazy("offer ended for this order"),
    "excluded": gettext_lazy("not applicable to your company"),
    "not_a_subject": gettext_lazy("does not apply to this order"),
}
"""Outcomes of explanations, and of claims that cannot be made any more: `over`, `excluded`."""


TONES = {
    "pending": "info",
    "no_claim": "idle",
    "superseded": "idle",
    "merchant_cap": "warn",
    "holder_cap": "warn",
    "quota_exhausted": "warn",
    "stopped": "warn",
    "before_opening": "idle",
    "refused": "bad",
    "over": "idle",
    "excluded": "idle",
    "not_a_subject": "idle",
}
GRANT_TONES = {
    Grant.Status.RESERVED: "info",
    Grant.Status.LOCKED: "info",
    Grant.Status.SETTLED: "ok",
    Grant.Status.RELEASED: "idle",
    Grant.Status.FORFEITED: "bad",
    Grant.Status.REVOKED: "bad",
}


@dataclass(frozen=True)
class OfferResult:
    """Outcome of one offer for one order, with the texts for pages."""

    explanation: Explanation
    offer: PublishedOffer

    @property
    def bounds(self) -> tuple[Bound, ...]:
        return self.offer.terms.bounds

    @property
    def is_excluded(self) -> bool:
        """Return whether the merchant itself fails a condition, so that none of its orders can have the benefit."""
        terms = self.offer.terms
        about_merchant = {each.name for each in (*terms.scope, *terms.asked) if depends_on_merchant(each)}
        return not self.explanation.status and any(result.name in about_merchant for result in self.missing)

    @property
    def state(self) -> str:
        """The outcome, a word of `OUTCOMES`: a claim that was not made may be impossible by now."""
        outcome = self.explanation.outcome
        if outcome != "no_claim":
            return outcome
        if self.is_excluded:
            return "excluded"
        is_late = self._is_closed or any(is_over(each, self.explanation.as_of) for each in self.missing)
        return "over" if is_late else outcome

    @property
    def _is_closed(self) -> bool:
        closes = schedule.closes(self.offer.terms)
        return bool(self.offer.row.stopped_at or (closes and self.explanation.as_of >= closes.after))

    @property
    def rank(self) -> int:
        """Place among the results of an order: what it has, what it may get, what it missed."""
        return list(OUTCOMES).index(self.state)

    @property
    def outcome(self) -> str:
        if self.explanation.quarantined_since:
            return _("being checked by the marketplace; you need not do anything, and nothing is lost")
        return capfirst(str(OUTCOMES[self.state]))

    @property
    def status(self) -> str:
        """Label of the grant's status as merchants read it, empty without a grant."""
        if self.explanation.status in PENDING:
            return _("On its way")
        return str(capfirst(Grant.Status(self.explanation.status).label)) if self.explanation.status else ""

    @property
    def tone(self) -> str:
        """Tone of the pill: how well it went."""
        if self.is_granted:
            return GRANT_TONES[Grant.Status(self.explanation.status)]
        return TONES[self.state]

    @property
    def is_granted(self) -> bool:
        return self.explanation.outcome == "granted"

    @property
    def is_applicable(self) -> bool:
        return self.explanation.outcome != "not_a_subject"

    @property
    def missing(self) -> list[ConditionResult]:
        """Conditions that the order does not meet."""
        return [condition for condition in self.explanation.conditions if not condition.passed]

    @property
    def unfit(self) -> list[ConditionResult]:
        """Conditions for which the order is none that the offer is about."""
        scope = {condition.name for condition in self.offer.terms.scope}
        return [] if self.is_applicable else [condition for condition in self.missing if condition.name in scope]

    @property
    def queue_position(self) -> int | None:
        """The place in line of a claim that was not refused."""
        return self.explanation.place if self.explanation.outcome in ("granted", "pending") else None

    @property
    def band(self) -> ConditionResult | None:
        """The limit that refused the claim, where the quota has several."""
        return next((condition for condition in self.missing if condition.name == QUOTA), None)

    @property
    def in_part(self) -> str:
        """Amount of the whole benefit where the budget had less left, in words; otherwise empty."""
        if self.explanation.benefit is None:
            return ""
        benefit = format_money(self.explanation.benefit, self.explanation.currency)
        return _("of %(benefit)s, all that was left of the budget") % {"benefit": benefit}

    @property
    def limit_use(self) -> list[str]:
        """The orders that used up the merchant's limit before this one claimed, the first one first. One query."""
        if self.explanation.outcome != "merchant_cap":
            return []
        grants = Grant.objects.filter(offer=self.offer.id, merchant=self.explanation.merchant_code)
        earlier = grants.filter(claimed_at__lte=self.explanation.claimed_at).exclude(status=Grant.Status.RELEASED)
        return list(earlier.order_by("claimed_at", "pk").values_list("subject", flat=True)[:MAX_ORDERS_OF_A_LIMIT])

    @property
    def checks(self) -> list[tuple[ConditionResult, list[NamedValues]]]:
        """The conditions with the values of the lists that they name; nothing of the lists of an earlier version."""
        version = self.offer.row.version
        is_current = version is not None and version.number == self.explanation.version
        lists = named_lists(self.offer.terms) if is_current else {}
        return [(condition, lists.get(condition.name, [])) for condition in self.explanation.conditions]

    @property
    def main_reasons(self) -> list[ConditionResult]:
        """Missing conditions that a list shows: those that refused the claim, or the threshold it waits for."""
        if self.explanation.outcome == "refused":
            return self.missing[:MAX_REASONS_IN_LIST]
        if self.band is not None:
            return [self.band]
        if self.state == "no_claim":
            return [condition for condition in self.missing if condition.name == "threshold"]
        return []

    @property
    def has_more_reasons(self) -> bool:
        """True if the list shows only some of the missing conditions."""
        return len(self.missing) > len(self.main_reasons) > 0


def named_lists(terms: OfferTerms) -> dict[str, list[NamedValues]]:
    """Return the lists that the conditions of an offer name, by condition; those of the rows counted under `number`."""
    lists = {each.name: list(list_values(each, terms.row)) for each in (*terms.scope, *terms.asked)}
    if isinstance(terms.claim, ClaimNth):
        nth = terms.claim.nth
        lists["number"] = [each for condition in nth.where for each in list_values(condition, nth.row)]
    return lists


def is_over(condition: ConditionResult, at: datetime) -> bool:
    """Return whether an instant has not happened by `at` and is too late from now on."""
    if condition.passed or condition.found is not None:
        return False
    end = latest(condition.asked.operator, condition.asked.value)
    return end is not None and at >= end


def latest(operator: str, value: Any) -> datetime | None:
    """Return the first instant that is too late for a comparison with an instant; None if none is."""
    end = value[1] if operator == "within" and isinstance(value, tuple) else value if operator == "by" else None
    return end if isinstance(end, datetime) else None
