"""Answers of the eligibility check: what one offer says to a merchant or an order, requirement by requirement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.eligibility import explanations
from campaigns.eligibility.band_results import NAME as QUOTA
from campaigns.eligibility.condition_results import ConditionResult
from campaigns.eligibility.explanations import OUTCOMES, Explanation
from campaigns.eligibility.merchant_status import Kind, MerchantOfferStatus
from campaigns.models import Decision, Grant
from campaigns.offers.published_offers import PublishedOffer
from core.facts import Label
from core.formatting import format_money, join_and

TONES = {"granted": "ok", "pending": "info", "no_claim": "idle", "not_a_subject": "idle", "before_opening": "plan"}
OTHERS: dict[str, Label] = {
    "pending": gettext_lazy("claimed, decision pending"),
    "before_opening": gettext_lazy("claimed before the offer opened"),
    "no_claim": gettext_lazy("not claimed"),
    "not_a_subject": gettext_lazy("not applicable"),
}
LABELS: dict[str, Label] = {OUTCOMES[outcome]: outcome.label for outcome in Decision.Outcome} | OTHERS
LIMITS: dict[str, Label] = {
    "quota_exhausted": gettext_lazy("The quota was not used up"),
    "merchant_cap": gettext_lazy("The merchant was below its limit"),
    "holder_cap": gettext_lazy("The holder was below its limit"),
    "superseded": gettext_lazy("No other benefit reduced the same fee"),
    "stopped": gettext_lazy("The offer had not been stopped"),
}
"""What a claim lacked that met every condition and got nothing, by outcome."""
KINDS: dict[Kind, tuple[str, Label]] = {
    Kind.GRANTED: ("ok", gettext_lazy("Has it")),
    Kind.QUALIFIED: ("plan", gettext_lazy("Qualified")),
    Kind.ELIGIBLE: ("ok", gettext_lazy("Can claim")),
    Kind.RUNNING_OUT: ("warn", gettext_lazy("Can claim, few left")),
    Kind.SOON: ("plan", gettext_lazy("Not open yet")),
    Kind.NOT_ELIGIBLE: ("bad", gettext_lazy("Not eligible")),
    Kind.OVER: ("idle", gettext_lazy("Closed or used up")),
}


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One requirement and what was found. `state` is `ok`, `no`, or `wait` for what each order decides."""

    text: str
    state: str
    actual: str = ""
    margin: str = ""
    changed: str = ""

    @property
    def is_missed(self) -> bool:
        return self.state == "no"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Answer of one offer. `reason` says in a few words what decided it."""

    code: str
    name: str
    label: str
    tone: str
    headline: str
    requirements: tuple[Requirement, ...]
    reason: str = ""
    applies: bool = True
    explanation: Explanation | None = None

    @property
    def ordered(self) -> list[Requirement]:
        """Requirements, the missed ones first."""
        return sorted(self.requirements, key=lambda each: not each.is_missed)

    @property
    def met(self) -> int:
        return sum(each.state == "ok" for each in self.requirements)

    @property
    def decided(self) -> int:
        """Number of requirements that are met or missed."""
        return sum(each.state != "wait" for each in self.requirements)

    @property
    def status(self) -> str:
        """Label of the grant's status, empty without a grant."""
        status = self.explanation.status if self.explanation else ""
        return str(Grant.Status(status).label) if status else ""


def of_explanation(explanation: Explanation, *, anew: bool = False) -> Answer:
    """Return the answer to an order, draw or merchant; `anew` says that it is one as if claimed now."""
    outcome = explanation.outcome
    rows = tuple(map(_requirement, explanation.conditions))
    if outcome in LIMITS and not any(result.name == QUOTA for result in explanation.conditions):
        rows = (Requirement(text=str(LIMITS[outcome]), state="no", actual=_("no")), *rows)
    missed = [row for row in rows if row.is_missed]
    label = _("claimed, in quarantine") if explanation.quarantined_since else str(LABELS[outcome])
    tone = TONES.get(outcome, "bad")
    if anew and outcome == "no_claim":
        label, tone = (_("Not eligible"), "bad") if missed else (_("Eligible"), "ok")
    return Answer(
        code=explanation.offer,
        name=explanation.name,
        label=label,
        tone=tone,
        headline=_headline(explanation, missed, label, anew=anew),
        requirements=rows,
        reason=_reason(missed),
        applies=outcome != "not_a_subject",
        explanation=explanation,
    )


def of_status(status: MerchantOfferStatus) -> Answer:
    """Return the answer to a merchant: its own requirements, and those that each of its orders decides."""
    tone, label = KINDS[status.kind]
    counted = [status.progress] if status.progress else []
    asks = (Requirement(text=ask, state="wait", actual=_("checked on each order")) for ask in status.asks)
    rows = (*map(_requirement, (*status.reasons, *counted)), *asks)
    missed = [row for row in rows if row.is_missed]
    return Answer(
        code=status.code,
        name=str(status.offer.row.name),
        label=str(label),
        tone=tone,
        headline=str(label),
        requirements=rows,
        reason=_reason(missed) or _held(status),
    )


def _requirement(result: ConditionResult) -> Requirement:
    changed = "" if result.holds_now is None else _("met by now") if result.holds_now else _("no longer met")
    state = "ok" if result.passed else "no"
    actual = _("none") if result.passed and result.found in (None, "") else result.shown or "–"
    return Requirement(text=result.required, state=state, actual=actual, margin=result.margin, changed=changed)


def _reason(missed: Sequence[Requirement]) -> str:
    return join_and(row.margin or row.text for row in missed[:2]) if missed else ""


def _held(status: MerchantOfferStatus) -> str:
    held = (*status.grants, *status.coupons)
    return "; ".join(f"{each.count} {each.label}, {format_money(each.amount, each.currency)}" for each in held)


def _headline(explanation: Explanation, missed: Sequence[Requirement], label: str, *, anew: bool) -> str:
    if explanation.outcome == "granted":
        amount = format_money(explanation.amount or Decimal(0), explanation.currency)
        if explanation.benefit is None:
            return _("Granted: %(amount)s") % {"amount": amount}
        words = {"amount": amount, "benefit": format_money(explanation.benefit, explanation.currency)}
        return _("Granted: %(amount)s of %(benefit)s, all that was left of the budget") % words
    if explanation.outcome == "refused" or (anew and missed):
        margin = missed[0].margin if len(missed) == 1 else ""
        count = ngettext("%(n)d requirement is not met", "%(n)d requirements are not met", len(missed))
        why = margin or count % {"n": len(missed)}
        return (_("Not eligible now: %(why)s") if anew else _("Not granted: %(why)s")) % {"why": why}
    return label[:1].upper() + label[1:]


def sentences(offer: PublishedOffer, subject: str, *, at: datetime) -> list[tuple[str, str, list[str]]]:
    """Return what the merchant reads of one offer, in each language: its code, the outcome, and a line a requirement.

    One query for each language.
    """
    texts = []
    for language, tag in (("zh-hans", "zh-Hans"), ("en", "en")):
        with translation.override(language):
            for explanation in explanations.explain_all(offer, [subject], at=at):
                answer = of_explanation(explanation)
                texts.append((tag, f"{answer.name} · {subject}: {answer.headline}", _lines(explanation.conditions)))
    return texts


def _lines(conditions: Iterable[ConditionResult]) -> list[str]:
    rows = sorted(conditions, key=lambda each: each.passed)
    return [f"{'✓' if row.passed else '✗'} {row.required} · {row.finding}" for row in rows]
