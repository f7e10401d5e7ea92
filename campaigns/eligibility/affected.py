"""Affected subjects: those that a change may concern, so that a tick costs what changed and not what exists.

Two things bring work: time, when the instant of a fact becomes new, and imports, when a batch changed a row. Each query
is served by an index on that instant or batch and returns a superset: examining a subject in vain does no harm, missing
one does. All functions return keys, or None for every subject or merchant. Keys that other queries use are evaluated
first (`core.db.key_set`), because such a union is too hard to plan as a part of them.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import Model, Q, QuerySet

from campaigns.eligibility.changes import Changes
from campaigns.models import Attachment, Coupon, Grant, Tag
from campaigns.offers.published_offers import PublishedOffer
from core.db.key_set import KeySet, materialize
from core.facts import COLLECTIONS, MERCHANT_PREFIX, STATES, Collection
from definitions.claim_terms import ClaimAt, ClaimNth
from definitions.offer_terms import OfferTerms, Settlement
from imports.models import FormerParent
from logistics.models import FreightOrder
from merchants.facts import MERCHANTS
from merchants.models import Merchant, ReferenceValue
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce
from rules.moments import Moment, case_fact, moment_facts
from trade.models import Receipt, TradeOrder

Keys = QuerySet[Model, str]

LAG = timedelta(days=2)
"""A derived moment may lie later than its fact, at most at the midnight of the next day in any zone: a fact stays new
for so long."""


def _union(parts: list[Keys]) -> Keys:
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _rows(model: type[Model], key: str, q: Q) -> Keys:
    return model._default_manager.order_by().filter(q).values_list(key, flat=True)


def _changed(model: type[Model], key: str, changes: Changes) -> list[Keys]:
    return [_rows(model, key, Q(batch__in=changes.batches))] if changes.batches else []


def _former(parent: type[Model], changes: Changes) -> list[Keys]:
    """Return the rows of `parent` to which a changed row belonged before."""
    if not changes.batches:
        return []
    former = FormerParent.objects.order_by().filter(batch__in=changes.batches, parent=parent._meta.db_table)
    return [former.values_list("key", flat=True)]


def _subject_rows(terms: OfferTerms, moments: Iterable[Moment], changes: Changes) -> list[Keys]:
    """Return the subjects for which a fact of one of the moments is new, or whose row changed."""
    collection = terms.collection
    names = {name for moment in moments for name in moment_facts(moment)} - {"claim"}
    columns = [name for name in names if collection.facts[name].derived is None]
    derived = [fact for name in sorted(names) if (fact := collection.facts[name].derived) is not None]
    lag = LAG if any(not isinstance(moment, str) for moment in moments) else timedelta(0)
    parts = [_rows(collection.model, "pk", q) for q in changes.instants(columns, lag=lag)]
    parts += _changed(collection.model, "pk", changes)
    for child in collection.children:
        parts += _changed(child.model, child.parent, changes)
    parts += _former(collection.model, changes)
    for fact in derived:
        parts += [_rows(fact.child.model, fact.child.parent, q) for q in changes.instants([fact.instant], lag=lag)]
    return parts


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
    return materialize(_union(parts or [_nothing(offer.terms)]), name=f"to_decide_{offer.id}")


def _to_decide_again(terms: OfferTerms, changes: Changes) -> list[Keys]:
    """Return the subjects that left quarantine, or whose merchants did."""
    collection, held = terms.collection, changes.held
    parts = [_rows(collection.model, "pk", Q(pk__in=held.again))] if held.again else []
    if held.merchants_again:
        parts.append(_rows(collection.model, "pk", Q(**{f"{collection.merchant}__in": [*held.merchants_again]})))
    return parts


def _to_decide(offer: PublishedOffer, changes: Changes, newest_tag: int) -> list[Keys]:
    terms = offer.terms
    match terms.claim:
        case ClaimAt(at=moment):
            return _subject_rows(terms, [moment], changes) + _of_changed_merchants(terms, changes)
        case ClaimNth(nth=nth):
            rows = COLLECTIONS[nth.of]
            parts = [_rows(rows.model, rows.merchant, q) for q in changes.instants([nth.at])]
            parts += _merchants_of_changed(rows, changes)
            return [*parts, *_changed(Merchant, "code", changes)]
        case _:
            tags = Tag.objects.order_by().filter(offer=offer.id, kind=Tag.Kind.CANDIDATE)
            new = tags.filter(pk__gt=newest_tag).values_list("subject", flat=True)
            due = tags.filter(*changes.instants(["tagged_at"])).values_list("subject", flat=True)
            return [new, due, *_subject_rows(terms, [], changes), *_of_changed_merchants(terms, changes)]


def _names_merchant(terms: OfferTerms) -> bool:
    """Return whether a fact of the merchant decides if and when a row claims."""
    case = case_fact(terms.claim.at) if isinstance(terms.claim, ClaimAt) else None
    names = [condition.fact for condition in terms.scope] + ([case[0]] if case else [])
    return any(name.startswith(MERCHANT_PREFIX) for name in names)


def _of_changed_merchants(terms: OfferTerms, changes: Changes) -> list[Keys]:
    """Return the rows that a changed row of their merchant may have made subjects."""
    if not changes.batches or not _names_merchant(terms) or terms.collection.is_merchants:
        return []
    by_merchant = Q(**{f"{terms.collection.merchant_path('batch')}__in": changes.batches})
    return [_rows(terms.collection.model, "pk", by_merchant)]


def _nothing(terms: OfferTerms) -> Keys:
    return _rows(terms.collection.model, "pk", Q(pk__in=[]))


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
    parts = _subject_rows(terms, list(_moments(settlement)), changes)
    again = Grant.objects.order_by().filter(offer=offer.id, follow_again=True)
    parts.append(again.values_list("subject", flat=True))
    if settlement.lock_within_hours is not None and changes.since is not None:
        waited = timedelta(hours=settlement.lock_within_hours)
        due = Grant.objects.order_by().filter(offer=offer.id, status=Grant.Status.RESERVED)
        due = due.filter(claimed_at__gt=changes.since - waited, claimed_at__lte=changes.until - waited)
        parts.append(due.values_list("subject", flat=True))
    if merchants := _merchants_changed(terms, changes):
        live = Grant.objects.order_by().filter(offer=offer.id, status__in=Grant.LIVE)
        changed = materialize(_union(merchants), name="changed_merchants")
        parts.append(live.filter(changed.contains("merchant")).values_list("subject", flat=True))
    return _union(parts)


def _moments(settlement: Settlement) -> Iterator[Moment]:
    for moment in (settlement.locked_at, settlement.fulfilled_at, settlement.released_by, settlement.revoked_by):
        if moment is not None:
            yield moment
    if not settlement.at_claim:
        yield settlement.at


def _merchants_changed(terms: OfferTerms, changes: Changes) -> list[Keys]:
    """Return the merchants of whom rows changed that the conditions use, besides the subject's own row."""
    conditions = (*terms.scope, *terms.asked, *terms.settlement.requires)
    counted = set(_counted(conditions))
    if isinstance(terms.claim, ClaimNth):
        counted |= {terms.claim.nth.of, *_counted(terms.claim.nth.where)}
    moments = [*_moments(terms.settlement), *([terms.claim.at] if isinstance(terms.claim, ClaimAt) else [])]
    cases = [case[0] for moment in moments if (case := case_fact(moment))]
    if any(name.startswith(MERCHANT_PREFIX) for name in cases):
        counted.add(MERCHANTS.name)
    parts: list[Keys] = []
    for name in sorted(counted):
        parts += _merchants_of_changed(COLLECTIONS[name], changes)
    for name in sorted(set(_states(conditions))):
        parts += _changed(STATES[name].model, "merchant_id", changes)
    return parts


def _merchants_of_changed(collection: Collection, changes: Changes) -> list[Keys]:
    """Return the merchants of whom a row of the collection, or a child of one, changed."""
    parts = _changed(collection.model, collection.merchant, changes) + _former(Merchant, changes)
    for former in _former(collection.model, changes) if collection.children else []:
        parts.append(_rows(collection.model, collection.merchant, Q(pk__in=former)))
    for child in collection.children:
        of_child = f"{child.parent.removesuffix('_id')}__{collection.merchant}"
        parts += _changed(child.model, of_child, changes)
    return parts


def _counted(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield the collections that conditions count, and that of the merchants if one compares a merchant's fact."""
    for condition in conditions:
        match condition:
            case Counting(count=name, where=where):
                yield name
                yield from _counted(where)
            case AnyOf(any=alternatives):
                yield from _counted(alternatives)
            case Comparison(fact=name) if name.startswith(MERCHANT_PREFIX):
                yield MERCHANTS.name


def _states(conditions: Iterable[Condition]) -> Iterator[str]:
    for condition in conditions:
        match condition:
            case InForce():
                yield condition.state.name
            case AnyOf(any=alternatives):
                yield from _states(alternatives)


def merchants_to_tag(changes: Changes) -> Keys | None:
    """Return the merchants whose threshold sums may change: by receipts booked, cancelled or corrected."""
    if changes.only:
        return _rows(Merchant, "code", Q(code__in=changes.only.merchants))
    if changes.everything:
        return None
    parts = [_rows(Receipt, "order__merchant_id", q) for q in changes.instants(["booked_at", "cancelled_at"])]
    parts += _changed(Receipt, "order__merchant_id", changes)
    parts += _changed(TradeOrder, "merchant_id", changes)
    parts += _changed(Merchant, "code", changes) + _former(Merchant, changes)
    parts += [_rows(TradeOrder, "merchant_id", Q(pk__in=former)) for former in _former(TradeOrder, changes)]
    return _union(parts)


def merchants_to_replay(changes: Changes) -> KeySet | None:
    """Return the merchants whose coupons may move: by orders that ask for one, the end of validity, or new coupons."""
    if changes.only:
        return KeySet(few=changes.only.merchants)
    return None if changes.everything else materialize(_to_replay(changes), name="to_replay")


def _to_replay(changes: Changes) -> Keys:
    asking = [Q(use_coupon=True) & q for q in changes.instants(["placed_at", "paid_at", "cancelled_at"])]
    if changes.batches:
        asking.append(Q(batch__in=changes.batches))
    parts: list[Keys] = []
    for q in asking:
        parts.append(_rows(FreightOrder, "merchant_id", q))
        # An order that moved to another merchant still uses the wallet that it asked at its placement.
        attached = Attachment.objects.order_by().filter(order_no__in=_rows(FreightOrder, "pk", q))
        parts.append(attached.values_list("merchant_id", flat=True))
    unspent = Coupon.objects.order_by().filter(status__in=[Coupon.Status.ISSUED, Coupon.Status.LOCKED])
    ending = unspent.filter(*changes.instants(["valid_until"]))
    parts += [coupons.values_list("merchant_id", flat=True) for coupons in (ending, unspent.filter(replayed=False))]
    waiting = Attachment.objects.order_by().filter(waits=True)
    parts.append(waiting.values_list("merchant_id", flat=True))
    parts.append(_rows(FreightOrder, "merchant_id", Q(pk__in=waiting.values("order_no"))))
    return _union(parts)


def changed_rows(collection: Collection, field: str, keys: Iterable[str], batches: tuple[int, ...]) -> set[str]:
    """Return those of `keys` in `field` (of a subject, or of its merchant) for which the batches changed a row."""
    keys = sorted(keys)
    if not keys or not batches:
        return set()
    parts = [_rows(collection.model, field, Q(**{f"{field}__in": keys}, batch__in=batches))]
    for child in collection.children:
        path = child.parent if field == "pk" else f"{child.parent.removesuffix('_id')}__{field}"
        parts.append(_rows(child.model, path, Q(**{f"{path}__in": keys}, batch__in=batches)))
    return set(_union(parts))
