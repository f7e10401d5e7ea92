"""Lookups of quarantine: which undecided subjects of an offer are left out, and what may hold them back."""

from collections.abc import Sequence

from django.db.models import Q

from campaigns.eligibility import claims
from campaigns.models import Decision, Issuance, QuarantineEntry
from campaigns.offers.published_offers import PublishedOffer
from core.facts import FEES

Kind, Stage = QuarantineEntry.Kind, QuarantineEntry.Stage
FREIGHT = "claims: freight"


def claims_step(offer: PublishedOffer) -> str:
    """Return the name of the step of the tick that decides the claims of an offer and of those it competes with."""
    return f"claims: {offer.terms.fee or offer.code}"


def may_give_coupons(entry: QuarantineEntry) -> bool:
    """Return whether a coupon may come of what is held back: it would take the fee of a freight order."""
    kind, _, what = entry.step.partition(": ")
    if kind == "offer":  # its terms cannot be read, but only offers of coupons issue any
        return Issuance.objects.filter(offer__code=what).exists()
    return kind in ("coupons", "coupons used") or (kind == "claims" and what not in FEES)


def waiting(offer: PublishedOffer, subjects: Sequence[str]) -> dict[str, QuarantineEntry]:
    """Return the entry for which each undecided subject waits, by subject. No query, unless the offer is marked."""
    if not offer.row.has_quarantined:
        return {}
    step = claims_step(offer)
    entries = list(QuarantineEntry.objects.exclude(stage__in=[Stage.WAIT, Stage.FOLLOW]).order_by("pk"))
    mine = {(entry.kind, entry.key): entry for entry in entries if entry.step == step}
    coupons = [entry for entry in entries if may_give_coupons(entry)] if step == FREIGHT else []
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
