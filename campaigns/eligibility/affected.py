"""Where to look: the subjects of which something is new or has come due, so that a tick costs what changed.

Two things bring work: time, when an instant of a fact lies in `(since, until]`; and facts, when a batch not yet
processed changed a row. Each query here is served by an index on that instant or batch, and names a superset: asking a
subject in vain does no harm, missing one does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Model, Q, QuerySet

from campaigns.models import Coupon, Grant, Tag
from campaigns.offers.published_offers import PublishedOffer
from core.facts import COLLECTIONS, MERCHANT_PREFIX, STATES, Collection
from definitions.offer_terms import ClaimAt, ClaimNth, OfferTerms
from logistics.models import FreightOrder
from merchants.facts import MERCHANTS
from merchants.models import Merchant
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce
from rules.moments import Moment, moment_facts
from trade.models import Receipt, TradeOrder

Keys = QuerySet[Model, str]

# A moment made from a fact may lie as long after it as midnight of the next day does.
LAG = timedelta(days=2)


@dataclass(frozen=True)
class SubjectSelection:
    """Subjects that ask for a decision at once, and whose they are."""

    subjects: tuple[str, ...]
    merchants: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What is new at a tick: the instants after `since` up to `until`, and the batches not yet looked at.

    Without `since` everything is new; with `reevaluate_all` everyone is to be asked again although it is not. With
    `only`, those subjects are looked at, whatever is new of others.
    """

    since: datetime | None
    until: datetime
    batches: tuple[int, ...] = ()
    reevaluate_all: bool = False
    only: "SubjectSelection | None" = None

    @property
    def everything(self) -> bool:
        """Whether every subject is to be looked at."""
        return self.only is None and (self.reevaluate_all or self.since is None)

    def instants(self, names: Iterable[str], *, lag: timedelta = timedelta(0)) -> Iterator[Q]:
        """A condition for each fact name: it happened in the time that is new."""
        assert self.since is not None
        for name in sorted(set(names)):
            yield Q(**{f"{name}__gt": self.since - lag, f"{name}__lte": self.until})

    def passed(self, at: datetime | None) -> bool:
        """Whether an instant of the definition lies in the time that is new."""
        return at is not None and (self.since is None or self.since < at) and at <= self.until


def _union(parts: list[Keys]) -> Keys:
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _rows(model: type[Model], key: str, q: Q) -> Keys:
    return model._default_manager.order_by().filter(q).values_list(key, flat=True)


def _changed(model: type[Model], key: str, news: Changes) -> list[Keys]:
    return [_rows(model, key, Q(batch__in=news.batches))] if news.batches else []


def _subject_rows(terms: OfferTerms, moments: Iterable[Moment], news: Changes) -> list[Keys]:
    """Keys of subjects with one of the moments' facts in the new time, or changed."""
    collection = terms.collection
    names = {name for moment in moments for name in moment_facts(moment)} - {"claim"}
    columns = [name for name in names if collection.facts[name].derived is None]
    derived = [fact for name in sorted(names) if (fact := collection.facts[name].derived) is not None]
    lag = LAG if any(not isinstance(moment, str) for moment in moments) else timedelta(0)
    parts = [_rows(collection.model, "pk", q) for q in news.instants(columns, lag=lag)]
    parts += _changed(collection.model, "pk", news)
    for child in collection.children:
        parts += _changed(child.model, child.parent, news)
    for fact in derived:
        parts += [_rows(fact.child.model, fact.child.parent, q) for q in news.instants([fact.instant], lag=lag)]
    return parts


def claiming(offer: PublishedOffer, news: Changes, *, newest_tag: int = 0) -> Keys | None:
    """Subjects that may have come to claim; None for every one. `newest_tag`: tags after it are new."""
    terms = offer.terms
    if news.only:
        return _rows(terms.collection.model, "pk", Q(pk__in=news.only.subjects))
    if news.everything or news.passed(terms.decision_instant):
        return None
    match terms.claim:
        case ClaimAt(at=moment):
            parts = _subject_rows(terms, [moment], news) + _of_changed_merchants(terms, news)
            return _union(parts or [_nothing(terms)])
        case ClaimNth(nth=nth):
            rows = COLLECTIONS[nth.of]
            parts = [_rows(rows.model, rows.merchant, q) for q in news.instants([nth.at])]
            parts += _merchants_of_changed(rows, news)
            return _union([*parts, *(_changed(Merchant, "code", news) if _names_merchant(nth.where) else [])])
        case _:
            tags = Tag.objects.order_by().filter(offer=offer.id, kind=Tag.Kind.CANDIDATE)
            new = tags.filter(pk__gt=newest_tag).values_list("subject", flat=True)
            due = tags.filter(*news.instants(["tagged_at"])).values_list("subject", flat=True)
            return _union([new, due])


def _names_merchant(conditions: Iterable[Comparison]) -> bool:
    return any(condition.fact.startswith(MERCHANT_PREFIX) for condition in conditions)


def _of_changed_merchants(terms: OfferTerms, news: Changes) -> list[Keys]:
    """Rows that a change of their merchant may have made subjects."""
    if not news.batches or not _names_merchant(terms.scope) or terms.collection.is_merchants:
        return []
    by_merchant = Q(**{f"{terms.collection.merchant_path('batch')}__in": news.batches})
    return [_rows(terms.collection.model, "pk", by_merchant)]


def _nothing(terms: OfferTerms) -> Keys:
    return _rows(terms.collection.model, "pk", Q(pk__in=[]))


def moving(offer: PublishedOffer, news: Changes) -> Keys | None:
    """Subjects whose grants may have come to the next state, or rest on facts that changed; None for every one."""
    terms, settlement = offer.terms, offer.terms.settlement
    if news.only:
        return _rows(terms.collection.model, "pk", Q(pk__in=news.only.subjects))
    if news.everything or news.passed(settlement.deadline.after if settlement.deadline else None):
        return None
    moments = [m for m in (settlement.locked_at, settlement.fulfilled_at, settlement.released_by) if m is not None]
    moments += [m for m in (settlement.revoked_by, None if settlement.at_claim else settlement.at) if m is not None]
    parts = _subject_rows(terms, moments, news)
    merchants = _merchants_changed(terms, news)
    again = Grant.objects.order_by().filter(offer=offer.id, look_again=True)
    parts.append(again.values_list("subject", flat=True))
    if settlement.lock_within_hours is not None and news.since is not None:
        waited = timedelta(hours=settlement.lock_within_hours)
        due = Grant.objects.order_by().filter(offer=offer.id, status=Grant.Status.RESERVED)
        due = due.filter(claimed_at__gt=news.since - waited, claimed_at__lte=news.until - waited)
        parts.append(due.values_list("subject", flat=True))
    if merchants:
        live = Grant.objects.order_by().filter(offer=offer.id, status__in=Grant.LIVE)
        parts.append(live.filter(merchant__in=_union(merchants)).values_list("subject", flat=True))
    return _union(parts or [_nothing(terms)])


def _merchants_changed(terms: OfferTerms, news: Changes) -> list[Keys]:
    """Merchants with changed facts that the conditions look at, besides the subject itself."""
    conditions = (*terms.asked, *terms.settlement.requires)
    counted = set(_counted(conditions))
    if isinstance(terms.claim, ClaimNth):
        counted.add(terms.claim.nth.of)
    parts: list[Keys] = []
    for name in sorted(counted):
        parts += _merchants_of_changed(COLLECTIONS[name], news)
    for name in sorted(set(_states(conditions))):
        parts += _changed(STATES[name].model, "merchant_id", news)
    return parts


def _merchants_of_changed(collection: Collection, news: Changes) -> list[Keys]:
    """Merchants of whom a row of the collection, or a child of one, changed."""
    parts = _changed(collection.model, collection.merchant, news)
    for child in collection.children:
        of_child = f"{child.parent.removesuffix('_id')}__{collection.merchant}"
        parts += _changed(child.model, of_child, news)
    return parts


def _counted(conditions: Iterable[Condition]) -> Iterator[str]:
    """Collections that conditions count rows of, and that of the merchants where one names a merchant's fact."""
    for condition in conditions:
        match condition:
            case Counting(count=name):
                yield name
            case AnyOf(any=several):
                yield from _counted(several)
            case Comparison(fact=name) if name.startswith(MERCHANT_PREFIX):
                yield MERCHANTS.name


def _states(conditions: Iterable[Condition]) -> Iterator[str]:
    for condition in conditions:
        match condition:
            case InForce():
                yield condition.state.name
            case AnyOf(any=several):
                yield from _states(several)


def tagging(news: Changes) -> Keys | None:
    """Merchants whose thresholds may have moved: receipts booked, cancelled or changed; None for every one."""
    if news.only:
        return _rows(Merchant, "code", Q(code__in=news.only.merchants))
    if news.everything:
        return None
    parts = [_rows(Receipt, "order__merchant_id", q) for q in news.instants(["booked_at", "cancelled_at"])]
    parts += _changed(Receipt, "order__merchant_id", news)
    parts += _changed(TradeOrder, "merchant_id", news)
    return _union(parts)


def spending(news: Changes) -> Keys | None:
    """Merchants whose coupons may have moved: orders that ask for one, or the end of validity; None for every one."""
    if news.only:
        return _rows(Merchant, "code", Q(code__in=news.only.merchants))
    if news.everything:
        return None
    asking = Q(use_coupon=True)
    parts = [
        _rows(FreightOrder, "merchant_id", asking & q) for q in news.instants(["placed_at", "paid_at", "cancelled_at"])
    ]
    if news.batches:
        parts.append(_rows(FreightOrder, "merchant_id", Q(batch__in=news.batches)))
    unspent = Coupon.objects.order_by().filter(status__in=[Coupon.Status.ISSUED, Coupon.Status.LOCKED])
    ending = unspent.filter(*news.instants(["valid_until"]))
    return _union([*parts, ending.values_list("merchant_id", flat=True)])
