"""Warnings: likely mistakes in a definition, in the language in force. They do not prevent publishing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from django.utils.translation import gettext as _

from core.facts import COLLECTIONS, FEES
from core.formatting import format_exact_instant
from core.money import CENT
from definitions.benefits import CouponBundle, Discount
from definitions.claim_terms import ClaimNth
from definitions.contradictions import claim_contradiction, find_contradiction, separates
from definitions.funding import MERCHANT
from definitions.offer_terms import OfferTerms
from definitions.parser import CampaignDefinition
from rules.base import DefinitionModel
from rules.conditions import AnyOf, Comparison, Condition, Counting, Measured
from rules.measures import RowMeasure
from rules.offer_facts import BENEFIT
from rules.periods import outline
from rules.query_row import QueryRow
from rules.time_windows import Window, bounds_in


def find_warnings(campaign: CampaignDefinition) -> list[str]:
    """Return the warnings that an operator should read before publishing, each with its offer and place."""
    warnings = [f"{offer.code}: {warning}" for offer in campaign.offers for warning in _of_offer(offer)]
    for name, window in campaign.windows.items():
        warnings += [f"windows.{name}: {warning}" for warning in _twins(window)]
    warnings += _shared_fees(campaign.offers)
    return list(dict.fromkeys(warnings))


def _of_offer(offer: OfferTerms) -> Iterator[str]:
    yield from _twins(offer)
    yield from _contradictions(offer)
    yield from _caps(offer)
    if offer.funded_by.keys() == {MERCHANT}:
        yield "funded_by: " + _("the merchant pays for its own benefit")
    limit, per_merchant, bands = offer.limits
    if per_merchant is not None and limit is not None and per_merchant > limit:
        words = {"each": per_merchant, "limit": limit}
        yield "quota: " + _("%(each)d per merchant is more than the limit of %(limit)d") % words
    takes_places = any(not band.is_amount for band in bands)
    if (takes_places or per_merchant is not None or limit is not None) and _can_be_worthless(offer):
        yield "quota: " + _(
            "a benefit of 0.00 can take a place; the condition {fact: benefit, more_than: 0.00} refuses such claims"
        )
    deadline = offer.settlement.deadline
    for window in _windows(offer.asked):
        if deadline is not None and deadline.after <= window.start:
            yield "settlement.deadline: " + _("%(deadline)s is before the first claim") % {"deadline": deadline.at}


def _contradictions(offer: OfferTerms) -> Iterator[str]:
    """Yield a warning for each list of conditions that nothing can meet, with what follows from it."""
    if fact := claim_contradiction(offer):
        yield "conditions: " + _contradict(fact, _("nobody can claim"))
    if fact := _uncounted(offer):
        yield "claim: " + _contradict(fact, _("nothing is ever counted"))
    for condition in _counting((*offer.asked, *offer.settlement.requires)):
        if fact := find_contradiction(condition.where, offer.row_of(COLLECTIONS[condition.count])):
            yield f"{condition.name}: " + _contradict(fact, _("nothing is ever counted"))
    for name, measure in _measured((*offer.asked, *offer.settlement.requires)):
        if fact := find_contradiction((*measure.among, *measure.where), QueryRow(measure.collection)):
            yield f"{name}: " + _contradict(fact, _("nothing is ever counted"))
    if fact := find_contradiction(offer.settlement.requires, offer.row):
        yield "settlement.requires: " + _contradict(fact, _("every grant will be forfeited"))
    if offer.bundle and (fact := find_contradiction(offer.bundle.where, offer.bundle.row)):
        yield "benefit.coupons.where: " + _contradict(fact, _("no order can use a coupon"))
    elif offer.bundle and offer.bundle.price is not None and _never_above(offer.bundle, offer.bundle.price):
        words = {"price": offer.bundle.price}
        yield "benefit.coupons.price: " + _("no order that fits has a fee above the price of %(price)s") % words


def _never_above(bundle: CouponBundle, price: Decimal) -> bool:
    """Return whether no order that fits coupons can have a fee above their price: none could use one."""
    above = Comparison(fact=bundle.fee.fact, more_than=price)
    return bool(find_contradiction((*bundle.where, above), bundle.row))


def _contradict(fact: str, consequence: str) -> str:
    words = {"fact": fact, "consequence": consequence}
    return _("the conditions on %(fact)s contradict each other: %(consequence)s") % words


def _uncounted(offer: OfferTerms) -> str:
    """Return the fact on which nothing can count towards the n-th row or the threshold of a claim."""
    decided = offer.decision_instant
    if isinstance(offer.claim, ClaimNth):
        nth = offer.claim.nth
        return find_contradiction(nth.where, nth.row, happened=[nth.at], until=decided)
    if offer.threshold is None:
        return ""
    if decided is not None and offer.threshold.window.start > decided:
        return "window"
    return find_contradiction(offer.threshold.where, offer.row_of(offer.collection))


def _counting(conditions: Sequence[Condition]) -> Iterator[Counting]:
    for condition in conditions:
        if isinstance(condition, AnyOf):
            yield from _counting(condition.any)
        elif isinstance(condition, Counting):
            yield condition


def _measured(conditions: Sequence[Condition]) -> Iterator[tuple[str, RowMeasure]]:
    """Yield the measures of rows that conditions name, each with the code of its condition."""
    for condition in conditions:
        if isinstance(condition, AnyOf):
            yield from _measured(condition.any)
        elif isinstance(condition, Measured):
            yield from ((condition.name, measure) for measure in condition.measure.rows())


def _can_be_worthless(offer: OfferTerms) -> bool:
    """Return whether a claim that meets every condition can be granted 0.00."""
    if not isinstance(offer.benefit, Discount):
        return False
    least = _lower_bounds(offer)
    if least[BENEFIT] > 0:
        return False
    return offer.benefit.smallest_value(least[FEES[offer.fee].fact], least[offer.benefit.fact]) == 0


def _lower_bounds(offer: OfferTerms) -> dict[str, Decimal]:
    """Return the smallest value of each amount with which a claim can meet every condition; 0 where none is asked."""
    least: dict[str, Decimal] = defaultdict(Decimal)
    for condition in (*offer.scope, *offer.asked):
        match condition:
            case Comparison(fact=name, more_than=Decimal() as bound):
                least[name] = max(least[name], bound + CENT)
            case Comparison(fact=name, at_least=Decimal() as bound):
                least[name] = max(least[name], bound)
    return least


def _caps(offer: OfferTerms) -> Iterator[str]:
    """Yield a warning for a cap that is never or always reached, and for a price that no fee exceeds."""
    discount = offer.benefit
    if not isinstance(discount, Discount):
        return
    higher = [tier.amount for tier in discount.tiers if tier.amount is not None and tier.amount > (discount.most or 0)]
    if discount.at_most is not None and higher:
        words = {"amount": max(higher), "most": discount.at_most}
        yield "benefit.at_most: " + _("the tier of %(amount)s is more than the cap of %(most)s") % words
    fact, most = FEES[offer.fee].fact, None
    for condition in (*offer.scope, *offer.asked):
        if isinstance(condition, Comparison) and condition.fact == fact:
            bounds = [bound for bound in (most, condition.at_most, condition.less_than) if bound is not None]
            most = min(bounds, default=None)
    if discount.price is not None and most is not None and discount.value(most) == 0:
        words = {"price": discount.price, "most": most}
        yield "benefit.price: " + _("fees of at most %(most)s are never above the price of %(price)s") % words


def _twins(part: DefinitionModel) -> Iterator[str]:
    """Yield a warning for each bound whose twin is a different instant. The zone of the bound decides."""
    for bound in bounds_in(part):
        if bound.twin is not None and bound.twin.instant != bound.instant:
            shows = format_exact_instant(bound.instant, bound.twin.zone)
            words = {"at": bound.at, "zone": bound.zone, "shown": shows, "twin": bound.twin.at}
            yield _("%(at)s %(zone)s is %(shown)s, but the twin says %(twin)s; the zone decides") % words


def _windows(conditions: tuple[Condition, ...]) -> Iterator[Window]:
    for condition in conditions:
        if isinstance(condition, Comparison) and (window := outline(condition.within)) is not None:
            yield window


def _shared_fees(offers: tuple[OfferTerms, ...]) -> Iterator[str]:
    """Yield a warning for each two offers on one fee that can have the same subject: the larger discount wins."""
    for offer, other in combinations(offers, 2):
        if offer.fee and offer.fee == other.fee and not separates(offer, other):
            words = {"offer": offer.code, "other": other.code, "fee": FEES[offer.fee].label}
            yield _("%(offer)s and %(other)s both reduce the %(fee)s: for one subject the larger discount wins") % words
