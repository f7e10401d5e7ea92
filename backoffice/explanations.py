"""Eligibility check: the outcome of every offer for a merchant, an order, a draw or a coupon, with reasons."""

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

LABELS = {OUTCOMES[outcome]: outcome.label for outcome in Decision.Outcome}


@dataclass(frozen=True)
class Answer:
    """Explanation of one offer for a subject, with a label for the outcome."""

    explanation: Explanation

    @property
    def outcome(self) -> str:
        others = {
            "pending": _("claimed, decision pending"),
            "no_claim": _("not claimed"),
            "not_a_subject": _("not applicable"),
        }
        return others.get(self.explanation.outcome) or str(LABELS[self.explanation.outcome])


@staff_view("view_decision", methods=("GET", "HEAD"))
def explanation(request: HttpRequest) -> HttpResponse:
    """Show the explanations of every offer for the searched number or code; merchants have a page of their own."""
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
        title=_("Eligibility check"),
        sought=sought,
        coupon=coupon,
        kind=kind,
        subject=subject,
        answers=answers,
        merchant=answers[0].explanation.merchant_code if answers else "",
    )


def _subject_kind(key: str) -> str:
    """Return the kind of subject that has a key: merchant, order or draw; empty when none has it."""
    if Merchant.objects.filter(pk=key).exists():
        return "merchant"
    return next((kind for kind, rows in SUBJECTS.items() if rows.model._default_manager.filter(pk=key).exists()), "")


def explain_subject(kind: str, subject: str) -> list[Answer]:
    """Explain a subject for each offer of its kind, decided offers first. One query per offer."""
    at = clock.now()
    asked = [offer for offer in published_offers.published() if offer.terms.subject == kind]
    answers = [
        Answer(explanation) for offer in asked for explanation in explanations.explain_all(offer, [subject], at=at)
    ]
    return sorted(
        answers,
        key=lambda answer: (answer.explanation.outcome in ("not_a_subject", "no_claim"), answer.explanation.offer),
    )
