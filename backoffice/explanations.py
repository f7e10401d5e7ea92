"""Eligibility check: the outcome of every offer for a merchant, an order, a draw or a coupon, with reasons."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from backoffice.rendering import render_page, staff_view
from campaigns.eligibility import explanations
from campaigns.eligibility.explanations import OUTCOMES, Explanation
from campaigns.models import Coupon, Decision, Offer
from campaigns.offers import published_offers
from core import clock
from core.facts import SUBJECTS
from core.keys import normalize_key
from core.search import has_code, named
from merchants.models import Merchant

MOST_FOUND = 50
NOT_CLAIMED = ("not_a_subject", "no_claim", "before_opening")
LABELS = {OUTCOMES[outcome]: outcome.label for outcome in Decision.Outcome}


@dataclass(frozen=True)
class Answer:
    """Explanation of one offer for a subject, with a label for the outcome."""

    explanation: Explanation

    @property
    def outcome(self) -> str:
        if self.explanation.quarantined_since:
            return _("claimed, in quarantine")
        others = {
            "pending": _("claimed, decision pending"),
            "before_opening": _("claimed before the offer opened"),
            "no_claim": _("not claimed"),
            "not_a_subject": _("not applicable"),
        }
        return others.get(self.explanation.outcome) or str(LABELS[self.explanation.outcome])


@staff_view("view_decision", methods=("GET", "HEAD"))
def explanation(request: HttpRequest) -> HttpResponse:
    """Show the explanations of every offer for the number or code that is searched, or the records of that name.

    Merchants and offers have pages of their own.
    """
    sought = normalize_key(request.GET.get("q", ""))
    coupon = Coupon.objects.filter(has_code("code", sought)).select_related("grant", "offer").first()
    kind, subject = _find_subject(coupon.grant.subject if coupon else sought)
    if kind == "merchant" and coupon is None:
        return redirect("backoffice:merchant", subject)
    merchants, offers = ([], []) if kind or not sought else _find_by_name(sought)
    if len(merchants) == 1 and not offers:
        return redirect("backoffice:merchant", merchants[0].pk)
    answers = explain_subject(kind, subject) if kind else []
    return render_page(
        request,
        "explanation",
        title=_("Eligibility check"),
        sought=sought,
        coupon=coupon,
        kind=kind,
        subject=subject,
        answers=answers,
        merchant=answers[0].explanation.merchant_code if answers else "",
        merchants=merchants[:MOST_FOUND],
        offers=offers[:MOST_FOUND],
        is_cut=len(merchants) > MOST_FOUND or len(offers) > MOST_FOUND,
    )


def _find_subject(key: str) -> tuple[str, str]:
    """Return the kind and the exact key of the subject with a key in any case: merchant, order or draw."""
    for kind, collection in {"merchant": SUBJECTS["merchant"], **SUBJECTS}.items():
        found = collection.model._default_manager.filter(has_code("pk", key)).values_list("pk", flat=True).first()
        if found is not None:
            return kind, str(found)
    return "", ""


def _find_by_name(text: str) -> tuple[list[Merchant], list[Offer]]:
    """Return the merchants and the offers with these words in a name, one more than are shown."""
    return list(named(Merchant, text)[: MOST_FOUND + 1]), list(named(Offer, text)[: MOST_FOUND + 1])


def explain_subject(kind: str, subject: str) -> list[Answer]:
    """Explain a subject for each offer of its kind, decided offers first. One query per offer."""
    at = clock.now()
    asked = [offer for offer in published_offers.published() if offer.terms.subject == kind]
    answers = [
        Answer(explanation) for offer in asked for explanation in explanations.explain_all(offer, [subject], at=at)
    ]
    return sorted(
        answers,
        key=lambda answer: (answer.explanation.outcome in NOT_CLAIMED, answer.explanation.offer),
    )
