"""Eligibility check: the answer of every offer to a merchant, an order, a draw or a coupon, with reasons."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from backoffice import answers
from backoffice.answers import Answer
from backoffice.rendering import has_permissions, render_page, staff_view
from campaigns.eligibility import explanations, merchant_status
from campaigns.models import Coupon, Decision, Grant, Offer
from campaigns.offers import published_offers
from core import clock
from core.facts import SUBJECTS, Label
from core.keys import normalize_key
from core.permissions import view_permission
from core.search import has_code, named
from merchants.models import Merchant
from rules.sentences import describe_known_facts

MOST_FOUND = 50
RECENT_CLAIMS = 8
NOT_CLAIMED = ("not_a_subject", "no_claim", "before_opening")


@dataclass(frozen=True)
class Found:
    """Record that the search leads to: `kind` is a word for subjects of offers, empty if nothing was found."""

    kind: str = ""
    key: str = ""
    coupon: Coupon | None = None
    merchants: list[Merchant] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)


@staff_view("view_decision", "merchants.view_merchant", methods=("GET", "HEAD"))
def explanation(request: HttpRequest) -> HttpResponse:
    """Show the answers of the offers to the number or code that is searched, or the records of that name.

    `offer` shows that of one offer alone; `as_of=now` evaluates as if claimed now.
    """
    at, sought = clock.now(), normalize_key(request.GET.get("q", ""))
    found = find(sought, with_coupons=has_permissions(request, "view_coupon"))
    chosen, anew = request.GET.get("offer", ""), request.GET.get("as_of") == "now"
    listed = _answers(found, at=at, anew=anew)
    full = [answer for answer in listed if (answer.code == chosen if chosen else _is_shown(found, answer))]
    return render_page(
        request,
        "explanation",
        title=_("Eligibility check"),
        sought=sought,
        found=found,
        chosen=chosen,
        anew=anew,
        full=full,
        others=[answer for answer in listed if answer not in full],
        offers=[(offer.code, offer.row.name) for offer in published_offers.published()],
        is_cut=len(found.merchants) > MOST_FOUND or len(found.offers) > MOST_FOUND,
        details=_details(found, at) if _may_view_subject(request, found) else [],
        **_beside(found, listed, full, at=at),
    )


def find(sought: str, *, with_coupons: bool) -> Found:
    """Return the coupon, merchant, order or draw with a code in any case; the only merchant of a name; or lists."""
    coupons = Coupon.objects.filter(has_code("code", sought)).select_related("grant", "offer")
    coupon = coupons.first() if with_coupons else None
    kind, key = _find_subject(coupon.grant.subject if coupon else sought)
    if kind or not sought:
        return Found(kind, key, coupon)
    merchants = list(named(Merchant, sought)[: MOST_FOUND + 1])
    offers = list(named(Offer, sought)[: MOST_FOUND + 1])
    if len(merchants) == 1 and not offers:
        return Found("merchant", merchants[0].pk)
    return Found(merchants=merchants, offers=offers)


def _find_subject(key: str) -> tuple[str, str]:
    """Return the kind and the exact key of the subject with a key in any case: merchant, order or draw."""
    for kind, collection in {"merchant": SUBJECTS["merchant"], **SUBJECTS}.items():
        found = collection.model._default_manager.filter(has_code("pk", key)).values_list("pk", flat=True).first()
        if found is not None:
            return kind, str(found)
    return "", ""


def _answers(found: Found, *, at: datetime, anew: bool) -> list[Answer]:
    if found.kind != "merchant":
        return explain_subject(found.kind, found.key, at=at, anew=anew) if found.kind else []
    merchant = Merchant.objects.get(pk=found.key)
    published = [offer for offer in published_offers.published() if offer.terms.subject != "merchant"]
    statuses = merchant_status.statuses(published, merchant, at=at)
    return [*explain_subject("merchant", found.key, at=at, anew=anew), *map(answers.of_status, statuses)]


def explain_subject(kind: str, subject: str, *, at: datetime, anew: bool = False) -> list[Answer]:
    """Explain a subject for each offer of its kind, decided offers first. One query per offer."""
    asked = [offer for offer in published_offers.published() if offer.terms.subject == kind]
    explained = [one for offer in asked for one in explanations.explain_all(offer, [subject], at=at, anew=anew)]
    ordered = sorted(explained, key=lambda each: (each.outcome in NOT_CLAIMED, each.offer))
    return [answers.of_explanation(each, anew=anew) for each in ordered]


def _is_shown(found: Found, answer: Answer) -> bool:
    """Return whether an answer is shown in full without being chosen: of an order, those of offers that apply."""
    return answer.applies and (found.kind != "merchant" or answer.explanation is not None)


def _beside(found: Found, listed: list[Answer], full: list[Answer], *, at: datetime) -> dict[str, Any]:
    """Return what stands beside the answers: the merchant, the source data, recent claims, the merchant's sentences."""
    explained = [answer.explanation for answer in listed if answer.explanation]
    code = found.key if found.kind == "merchant" else explained[0].merchant_code if explained else ""
    merchant = Merchant.objects.filter(pk=code).first() if code else None
    claims = Decision.objects.filter(merchant=merchant).order_by("-claimed_at", "-pk").select_related("offer")
    return {
        "merchant": merchant,
        "memberships": [row for row in merchant.memberships.all() if row.is_in_force(at)] if merchant else [],
        "claimed_at": next((each.claimed_at for each in explained if each.claimed_at), None),
        "recent": claims[:RECENT_CLAIMS] if found.kind == "merchant" else [],
        "held": _held(merchant, full[0]) if merchant and len(full) == 1 else 0,
        "told": _told(full[0], at) if len(full) == 1 else [],
    }


def _may_view_subject(request: HttpRequest, found: Found) -> bool:
    """Return whether the user may view the source data of the order or draw that is found."""
    if found.kind in ("", "merchant"):
        return False
    return has_permissions(request, view_permission(SUBJECTS[found.kind].model))


def _details(found: Found, at: datetime) -> list[tuple[Label, str]]:
    collection = SUBJECTS[found.kind]
    return list(describe_known_facts(collection, collection.model._default_manager.get(pk=found.key), at=at))


def _held(merchant: Merchant, answer: Answer) -> int:
    """Return the number of grants that the merchant holds of the offer."""
    return Grant.objects.filter(merchant=merchant, offer__code=answer.code, status__in=Grant.LIVE).count()


def _told(answer: Answer, at: datetime) -> list[tuple[str, str, list[str]]]:
    explained = answer.explanation
    if explained is None or explained.quarantined_since:
        return []
    offer = next(offer for offer in published_offers.published() if offer.code == answer.code)
    return answers.sentences(offer, explained.subject, at=at)
