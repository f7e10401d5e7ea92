"""Lookups of quarantine: which undecided subjects of an offer are left out, and what may hold them back."""

from collections.abc import Sequence

from django.db.models import Q

from campaigns.eligibility import claims
from campaigns.models import Decision, Issuance, QuarantineEntry
from campaigns.offers.published_offers import PublishedOffer
from core.facts import COUPON_FEES, FEES

Kind, Stage = QuarantineEntry.Kind, QuarantineEntry.Stage


def claims_step(offer: PublishedOffer) -> str:
    """Return the name of the step of the tick that decides the claims of an offer and of those it competes with."""
    return step_of_fee(offer.terms.fee or offer.code)


def step_of_fee(fee: str) -> str:
    """Return the name of the step of the tick that decides the claims of the offers on a fee."""
    return f"claims: {fee}"


def waits_for_coupons(step: str) -> bool:
    """Return whether a step decides claims on a fee that coupons reduce too."""
    return any(step == step_of_fee(fee.name) for fee in COUPON_FEES.values())


def may_give_coupons(entry: QuarantineEntry) -> bool:
    """Return whether a coupon may come of what is held back: it would take the fee of an order."""
    kind, _, what = entry.step.partition(": ")
    if kind in ("offer", "periods"):  # its terms may be unreadable, but only offers of coupons issue any
        return Issuance.objects.filter(offer__code=what).exists()
    return kind in ("coupons", "coupons used") or (kind == "claims" and what not in FEES)


def waiting(offer: PublishedOffer, subjects: Sequence[str]) -> dict[str, QuarantineEntry]:
    """Return the entry for which each undecided subject waits, by subject. No query, unless the offer is marked."""
    if not offer.row.has_quarantined:
        return {}
    step = claims_step(offer)
    entries = list(QuarantineEntry.objects.exclude(stage__in=[Stage.WAIT, Stage.FOLLOW]).order_by("pk"))
    mine = {(entry.kind, entry.key): entry for entry in entries if entry.step == step}
    coupons = [entry for entry in entries if may_give_coupons(entry)] if waits_for_coupons(step) else []
    decided = set(Decision.objects.filter(offer=offer.id, subject__in=subjects).values_list("subject", flat=True))
    asking = _asking(offer, subjects) if coupons else set()
    found: dict[str, QuarantineEntry] = {}
    for subject, merchant in claims.owners(offer, subjects).items():
        keys = ((Kind.SUBJECT, subject), (Kind.MERCHANT, merchant), (Kind.OFFER, offer.code))
        reasons = [mine[key] for key in keys if key in mine]
        reasons += [entry for entry in coupons if subject in asking and entry.merchant_id in (merchant, None)]
        if reasons and subject not in decided:
            found[subject] = reasons[0]
    return found


def _asking(offer: PublishedOffer, subjects: Sequence[str]) -> set[str]:
    """Return the orders that ask for a coupon."""
    return set(claims.all_rows(offer).filter(Q(use_coupon=True), pk__in=subjects).values_list("pk", flat=True))
