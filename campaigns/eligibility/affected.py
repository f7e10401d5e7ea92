"""Affected subjects: those that a change may concern, so that a tick costs what changed and not what exists.

Two things bring work: time, when the instant of a fact becomes new, and imports, when a batch changed a row. Each query
is served by an index on that instant or batch and returns a superset: examining a subject in vain does no harm, missing
one does. All functions return keys, or None for every subject or merchant. Keys that other queries use are evaluated
first (`core.db.key_set`), because such a union is too hard to plan as a part of them.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db.models import CharField, OuterRef, Q
from django.db.models.functions import Coalesce

from campaigns.eligibility import claims
from campaigns.eligibility.changed_facts import (
    Keys,
    changed_keys,
    changes_of_references,
    former_parents,
    holders_of_changed,
    keys_of,
    merchants_of_changed,
    new_instants,
    union,
)
from campaigns.eligibility.changes import Changes
from campaigns.eligibility.named_facts import (
    benefit_facts,
    claim_facts,
    compared,
    conditions_of,
    counted,
    facts_of_moments,
    is_of_merchant,
    lookups_of,
    measures_of,
    rated,
    settlement_moments,
    states,
)
from campaigns.models import Attachment, Coupon, Grant, Tag
from campaigns.offers.published_offers import PublishedOffer
from core.db.key_set import KeySet, materialize
from core.facts import COLLECTIONS, COUPON_FEES, MERCHANT, STATES, Collection, Fee
from core.instants import END_OF_INSTANTS
from definitions.claim_terms import ClaimAt, ClaimNth
from definitions.offer_terms import OfferTerms
from merchants.models import Merchant, ReferenceValue
from ratings.models import Rating
from rules.conditions import Rated
from rules.moments import Moment, moment_facts
from trade.models import Receipt, TradeOrder

LAG = timedelta(days=2)
"""A derived moment may lie later than its fact, at most at the midnight of the next day in any zone: a fact stays new
for so long."""


def _subject_rows(terms: OfferTerms, names: Iterable[str], moments: Iterable[Moment], changes: Changes) -> list[Keys]:
    """Return the subjects for which a fact of one of the moments is new, or whose row changed.

    Rows to which the subject points belong to it where a moment or `names` name a fact of them.
    """
    collection = terms.collection
    instants = {name for moment in moments for name in moment_facts(moment)} - {"claim"}
    lag = LAG if any(not isinstance(moment, str) for moment in moments) else timedelta(0)
    found = [
        *new_instants(collection, sorted(instants), changes, lag),
        *changes_of_references(collection, names, changes),
    ]
    parts = [keys_of(collection.model, "pk", q) for q in found]
    parts += changed_keys(collection.model, "pk", changes)
    for child in collection.children:
        parts += changed_keys(child.model, child.parent, changes)
    return parts + former_parents(collection.model, changes)


def lists_changed(terms: OfferTerms, changes: Changes) -> bool:
    """Return whether a reference list that a condition names got new values: any row may hold one of them."""
    if not changes.batches or not terms.reference_lists:
        return False
    return ReferenceValue.objects.filter(batch__in=changes.batches, list_code__in=terms.reference_lists).exists()


def subjects_to_decide(offer: PublishedOffer, changes: Changes, *, newest_tag: int = 0) -> KeySet | None:
    """Return the subjects that may have a new claim. Tags with a key above `newest_tag` are new."""
    if changes.only:
        return KeySet(few=changes.only.subjects)
    if changes.everything or changes.passed(offer.terms.decision_instant) or lists_changed(offer.terms, changes):
        return None
    parts = _to_decide(offer, changes, newest_tag) + _to_decide_again(offer.terms, changes)
    return materialize(union(parts or [_nothing(offer.terms)]), name=f"to_decide_{offer.id}")


def _to_decide_again(terms: OfferTerms, changes: Changes) -> list[Keys]:
    """Return the subjects that left quarantine, or whose merchants did."""
    collection, held = terms.collection, changes.held
    parts = [keys_of(collection.model, "pk", Q(pk__in=held.again))] if held.again else []
    if held.merchants_again:
        parts.append(keys_of(collection.model, "pk", Q(**{f"{collection.merchant}__in": [*held.merchants_again]})))
    return parts


def _to_decide(offer: PublishedOffer, changes: Changes, newest_tag: int) -> list[Keys]:
    terms = offer.terms
    match terms.claim:
        case ClaimAt(at=moment):
            names = claim_facts(terms)
            return [
                *_subject_rows(terms, names, [moment], changes),
                *_of_changed_merchants(terms, names, changes),
                *_subjects_that_look_up(terms, names, changes),
            ]
        case ClaimNth(nth=nth):
            rows = COLLECTIONS[nth.of]
            happened = new_instants(rows, [nth.at], changes, timedelta(0))
            parts = [keys_of(rows.model, rows.merchant, q) for q in happened]
            parts += merchants_of_changed(rows, {nth.at, *compared(nth.where)}, changes)
            return [*parts, *changed_keys(Merchant, "code", changes)]
        case _:
            tags = Tag.objects.order_by().filter(offer=offer.id, kind=Tag.Kind.CANDIDATE)
            new = tags.filter(pk__gt=newest_tag).values_list("subject", flat=True)
            due = tags.filter(*changes.instants(["tagged_at"])).values_list("subject", flat=True)
            names = claim_facts(terms)
            return [
                new,
                due,
                *_subject_rows(terms, names, [], changes),
                *_of_changed_merchants(terms, names, changes),
            ]


def _of_changed_merchants(terms: OfferTerms, names: Iterable[str], changes: Changes) -> list[Keys]:
    """Return the rows that a changed row of their merchant may have made subjects, if one of `names` is of it."""
    reference = terms.collection.reference_of(next(filter(is_of_merchant, names), ""))
    if reference is None or not changes.batches:
        return []
    return [keys_of(terms.collection.model, "pk", Q(**{reference.path("batch__in"): changes.batches}))]


def _nothing(terms: OfferTerms) -> Keys:
    return keys_of(terms.collection.model, "pk", Q(pk__in=[]))


def subjects_to_follow(offer: PublishedOffer, changes: Changes) -> KeySet | None:
    """Return the subjects whose grants may reach another state, or rest on facts that changed."""
    deadline = offer.terms.settlement.deadline
    if changes.only:
        return KeySet(few=changes.only.subjects)
    if changes.everything or changes.passed(deadline.after if deadline else None):
        return None
    if lists_changed(offer.terms, changes):
        return None
    return materialize(_to_follow(offer, changes), name="to_follow")


def _to_follow(offer: PublishedOffer, changes: Changes) -> Keys:
    terms, settlement = offer.terms, offer.terms.settlement
    moments = list(settlement_moments(settlement))
    names = claim_facts(terms) | facts_of_moments(moments) | {*compared(conditions_of(terms)), *benefit_facts(terms)}
    parts = _subject_rows(terms, names, moments, changes)
    again = Grant.objects.order_by().filter(offer=offer.id, follow_again=True)
    parts.append(again.values_list("subject", flat=True))
    if changes.since is not None and not settlement.at_claim:
        parts += _claims_come_due(offer, changes)
    if merchants := _merchants_changed(terms, changes):
        live = Grant.objects.order_by().filter(offer=offer.id, status__in=Grant.LIVE)
        changed = materialize(union(merchants), name="changed_merchants")
        parts.append(live.filter(changed.contains("merchant")).values_list("subject", flat=True))
    parts += _subjects_that_look_up(terms, names, changes)
    return union([*parts, *_subjects_of_other_holders(terms, changes)])


def _claims_come_due(offer: PublishedOffer, changes: Changes) -> list[Keys]:
    """Return the subjects of unsettled grants that a claim leads on after some time: at its end without a lock.

    Where facts of a grant changed, the claim that the facts lead to now counts. It may even lie ahead: an end that
    happened before it takes effect with it.
    """
    settlement, lags = offer.terms.settlement, [timedelta(0)]
    unsettled = Grant.objects.order_by().filter(offer=offer.id, status__in=[Grant.Status.RESERVED, Grant.Status.LOCKED])
    parts: list[Keys] = []
    if settlement.lock_within_hours is not None:
        lags.append(timedelta(hours=settlement.lock_within_hours))
        parts.append(unsettled.filter(_passed(changes, lags[-1])).values_list("subject", flat=True))
    changed = claims.all_rows(offer).filter(pk__in=unsettled.exclude(differences="").values("subject"))
    due = claims.with_claimed_at(offer, changed).filter(reduce(or_, (_passed(changes, lag) for lag in lags)))
    return [*parts, due.order_by().values_list("pk", flat=True)]


def _passed(changes: Changes, lag: timedelta) -> Q:
    """Return the condition that the instant `lag` after the claim is new."""
    assert changes.since is not None
    return Q(claimed_at__gt=changes.since - lag, claimed_at__lte=changes.until - lag)


def _subjects_of_other_holders(terms: OfferTerms, changes: Changes) -> Iterator[Keys]:
    """Yield the subjects of a holder, such as a buyer, of whom a row changed that a measure by the holder reads."""
    # Each set has a name of its own: all of them are read by one statement later.
    for n, measure in enumerate(measures_of(terms) if changes.batches else ()):
        for holder in set(measure.by) - {MERCHANT}:
            changed = holders_of_changed(measure.collection, holder, set(measure.facts()), changes)
            yield _subjects_of(terms, holder, changed, name=f"measured_{n}_{holder}")
    for n, condition in enumerate(_rated_by(terms, changes)):
        if condition.by != MERCHANT:
            again = materialize(_rated_again(condition, changes), name=f"rated_again_{n}")
            yield keys_of(terms.collection.model, "pk", again.contains(terms.collection.holder_path(condition.by)))


def _subjects_that_look_up(terms: OfferTerms, names: Iterable[str], changes: Changes) -> Iterator[Keys]:
    """Yield the subjects that may find another row than before, or a changed one, under one of `names`."""
    for n, lookup in enumerate(lookups_of(terms, names) if changes.batches else ()):
        holder = lookup.by[-1]
        changed = holders_of_changed(lookup.collection, holder, lookup.named_facts(), changes)
        yield _subjects_of(terms, holder, changed, name=f"looked_up_{n}")


def _subjects_of(terms: OfferTerms, holder: str, keys: list[Keys], *, name: str) -> Keys:
    """Return the subjects of the holders with some keys, which are evaluated first under a name."""
    changed = materialize(union(keys), name=name)
    return keys_of(terms.collection.model, "pk", changed.contains(terms.collection.holder_path(holder)))


def _merchants_changed(terms: OfferTerms, changes: Changes) -> list[Keys]:
    """Return the merchants of whom rows changed that conditions and benefit use, besides the subject's own row."""
    conditions = conditions_of(terms)
    counts = [*counted(conditions), *((one.collection.name, set(one.facts())) for one in measures_of(terms))]
    if isinstance(terms.claim, ClaimNth):
        nth = terms.claim.nth
        counts += [(nth.of, {nth.at, *compared(nth.where)})]
    names = {*compared(conditions), *benefit_facts(terms), *(name for _, facts in counts for name in facts)}
    names |= facts_of_moments(settlement_moments(terms.settlement)) | claim_facts(terms)
    parts = changed_keys(Merchant, "code", changes) if any(map(is_of_merchant, names)) else []
    for name, facts in counts:
        parts += merchants_of_changed(COLLECTIONS[name], facts, changes)
    for name in sorted(set(states(conditions))):
        parts += changed_keys(STATES[name].model, "merchant_id", changes)
    return parts + [_rated_again(one, changes) for one in _rated_by(terms, changes) if one.by == MERCHANT]


def _rated_by(terms: OfferTerms, changes: Changes) -> list[Rated]:
    """Return the conditions on ratings, if facts changed."""
    return list(rated(conditions_of(terms))) if changes.batches else []


def _rated_again(condition: Rated, changes: Changes) -> Keys:
    """Return the subjects that the scorecard of a condition has rated, or rated again."""
    return keys_of(Rating, "subject", Q(batch__in=changes.batches, scorecard=condition.rating))


def merchants_to_tag(changes: Changes) -> Keys | None:
    """Return the merchants whose threshold sums may change: by receipts booked, cancelled or corrected."""
    if changes.only:
        return keys_of(Merchant, "code", Q(code__in=changes.only.merchants))
    if changes.everything:
        return None
    parts = [keys_of(Receipt, "order__merchant_id", q) for q in changes.instants(["booked_at", "cancelled_at"])]
    parts += changed_keys(Receipt, "order__merchant_id", changes)
    parts += changed_keys(TradeOrder, "merchant_id", changes)
    parts += changed_keys(Merchant, "code", changes) + former_parents(Merchant, changes)
    parts += [keys_of(TradeOrder, "merchant_id", Q(pk__in=former)) for former in former_parents(TradeOrder, changes)]
    return union(parts)


def merchants_to_replay(changes: Changes) -> KeySet | None:
    """Return the merchants whose coupons may move: by orders that ask for one, the end of validity, or new coupons."""
    if changes.only:
        return KeySet(few=changes.only.merchants)
    return None if changes.everything else materialize(_to_replay(changes), name="to_replay")


def _to_replay(changes: Changes) -> Keys:
    asking = [Q(use_coupon=True) & q for q in changes.instants(["placed_at", "paid_at", "cancelled_at"])]
    if changes.batches:
        asking.append(Q(batch__in=changes.batches))
    parts = [keys for fee in COUPON_FEES.values() for q in asking for keys in _wallets_of(fee, q)]
    unspent = Coupon.objects.order_by().filter(status__in=[Coupon.Status.ISSUED, Coupon.Status.LOCKED])
    ending = unspent.filter(*changes.instants(["valid_until"]))
    parts += [coupons.values_list("merchant_id", flat=True) for coupons in (ending, unspent.filter(replayed=False))]
    waiting = Attachment.objects.order_by().filter(waits=True)
    parts.append(waiting.values_list("merchant_id", flat=True))
    for kind, fee in COUPON_FEES.items():
        orders = waiting.filter(order_kind=kind).values("order_no")
        parts.append(keys_of(fee.collection.model, "merchant_id", Q(pk__in=orders)))
    return union(parts)


def _wallets_of(fee: Fee, orders: Q) -> Iterator[Keys]:
    """Yield the merchants whose wallets orders may use: their own merchants, and those of the wallets they asked.

    An order that moved to another merchant still uses the wallet that it asked at its placement.
    """
    model = fee.collection.model
    yield keys_of(model, "merchant_id", orders)
    # One look-up an order, by the unique index: a join would be planned on statistics of attachments just written.
    asked = Attachment.objects.filter(order_kind=fee.subject, order_no=OuterRef("pk")).values("merchant_id")
    wallet = Coalesce(asked, "merchant_id", output_field=CharField())
    wallets = model._default_manager.order_by().filter(orders).annotate(wallet=wallet)
    yield wallets.values_list("wallet", flat=True)


def changed_rows(collection: Collection, field: str, keys: Iterable[str], batches: tuple[int, ...]) -> set[str]:
    """Return those of `keys` in `field` (of a subject, or of its merchant) for which the batches changed a row."""
    keys = sorted(keys)
    if not keys or not batches:
        return set()
    parts = [keys_of(collection.model, field, Q(**{f"{field}__in": keys}, batch__in=batches))]
    for child in collection.children:
        path = child.parent if field == "pk" else f"{child.parent.removesuffix('_id')}__{field}"
        parts.append(keys_of(child.model, path, Q(**{f"{path}__in": keys}, batch__in=batches)))
    for reference in collection.references:
        of_changed = Q(**{f"{field}__in": keys, reference.path("batch__in"): batches})
        parts.append(keys_of(collection.model, field, of_changed))
    return set(union(parts))


def read_again(offer: PublishedOffer, keys: Iterable[str], batches: tuple[int, ...]) -> set[str]:
    """Return those of some subjects for which the batches changed other rows, which the offer reads for them too."""
    terms, changes = offer.terms, Changes(None, END_OF_INSTANTS, batches)
    if not batches:
        return set()
    names = claim_facts(terms) | {*compared(conditions_of(terms)), *benefit_facts(terms)}
    parts = [*_subjects_that_look_up(terms, names, changes), *_subjects_of_other_holders(terms, changes)]
    if merchants := _merchants_changed(terms, changes):
        parts.append(_subjects_of(terms, MERCHANT, merchants, name="merchants_read_again"))
    rows = claims.all_rows(offer).order_by().filter(pk__in=sorted(keys))
    return set().union(*(rows.filter(pk__in=part).values_list("pk", flat=True) for part in parts))
