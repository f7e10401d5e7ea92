"""Why not? One box for a merchant, an order, a draw or a coupon, and everything that was decided of it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from backoffice.rendering import render_page, staff_view
from campaigns.eligibility import explanations
from campaigns.eligibility.explanations import OUTCOMES, Explanation
from campaigns.models import Coupon, Decision
from campaigns.offers import published_offers
from core import clock
from core.facts import SUBJECTS
from merchants.models import Merchant

UNDECIDED_OUTCOMES = ("not_a_subject", "no_claim")
LABELS = {OUTCOMES[outcome]: outcome.label for outcome in Decision.Outcome}


@dataclass(frozen=True)
class Answer:
    """What one offer says to a subject, with the words for its outcome."""

    explanation: Explanation

    @property
    def outcome(self) -> str:
        others = {
            "pending": _("claimed, not decided yet"),
            "no_claim": _("has not claimed"),
            "not_a_subject": _("is not what the offer is about"),
        }
        return others.get(self.explanation.outcome) or str(LABELS[self.explanation.outcome])


@staff_view("view_decision", methods=("GET", "HEAD"))
def explanation(request: HttpRequest) -> HttpResponse:
    """The answers of every offer to what was typed; a merchant has a page of its own."""
    sought = request.GET.get("q", "").strip()
    coupon = Coupon.objects.filter(code=sought.upper()).select_related("grant", "offer").first() if sought else None
    subject = coupon.grant.subject if coupon else sought
    kind = _subject_kind(subject) if subject else ""
    if kind == "merchant" and coupon is None:
        return redirect("backoffice:merchant", subject)
    answers = explain_subject(kind, subject) if kind else []
    return render_page(
        request,
        "explanation",
        title=_("Why not?"),
        sought=sought,
        coupon=coupon,
        kind=kind,
        subject=subject,
        answers=answers,
        merchant=answers[0].explanation.merchant_code if answers else "",
    )


def _subject_kind(key: str) -> str:
    """What a key is the key of: a merchant, an order, a draw; empty where nothing has it."""
    if Merchant.objects.filter(pk=key).exists():
        return "merchant"
    return next((kind for kind, rows in SUBJECTS.items() if rows.model._default_manager.filter(pk=key).exists()), "")


def explain_subject(kind: str, subject: str) -> list[Answer]:
    """What each offer that is about such subjects says, those that were decided first. A query an offer."""
    at = clock.now()
    asked = [offer for offer in published_offers.published() if offer.terms.subject == kind]
    found = [
        Answer(explanation) for offer in asked for explanation in explanations.explain_all(offer, [subject], at=at)
    ]
    return sorted(
        found, key=lambda one: (one.explanation.outcome in ("not_a_subject", "no_claim"), one.explanation.offer)
    )
