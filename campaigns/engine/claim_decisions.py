"""Decide claims: run the allocator over the claims of offers that compete for one fee, and store the decisions.

A tick reads claims with server-side cursors and refuses those that miss a condition in one statement: a million of them
take flat memory. Claims decided ahead of the tick are few: they are read at once and written in one round trip.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from heapq import merge
from itertools import chain, islice
from operator import attrgetter
from typing import cast

from django.db import connection
from django.db.models import Q

from campaigns.allocation.allocator import Claim, ClaimResult
from campaigns.allocation.band_state import BandState
from campaigns.allocation.bands import NO_KEYS, BandRefusal
from campaigns.allocation.quota_state import QuotaState
from campaigns.eligibility import affected, claims, threshold_tags
from campaigns.eligibility.changes import Changes
from campaigns.eligibility.evaluated_claims import EvaluatedClaims, evaluate
from campaigns.eligibility.guards import PLAIN, Guard
from campaigns.grants import transitions
from campaigns.grants.steps import StateChange, grant_steps
from campaigns.models import Decision, Grant, Offer
from campaigns.notifications import decision_events, outbox
from campaigns.offers import quota_bands
from campaigns.offers.published_offers import PublishedOffer
from core.db import bulk_insert, planner_hints
from core.db.key_set import KeySet
from core.db.pipeline import execute, outside_pipeline

CHUNK = 10_000  # decisions written at once: one COPY for each table, some 10 MB of rows in memory
Row = tuple[object, ...]
Claiming = Mapping[int, list[claims.Subject]]
FIELDS = [field.attname for field in Decision._meta.concrete_fields]
COLUMNS = "offer_id subject merchant_id version_id claimed_at outcome failed queue_position band exceeded_by".split()
CONDITION_COLUMNS, PLAIN_COLUMNS = COLUMNS[:7], COLUMNS[:8]
NO_REFUSAL = BandRefusal(Decision.Outcome.GRANTED)
SET_PROGRESS = (
    f"UPDATE {Offer._meta.db_table} SET qualified_claims = %s, "  # noqa: S608  own name
    "instant_claims_decided_until = COALESCE(%s, instant_claims_decided_until) WHERE id = %s"
)


def decide(offers: list[PublishedOffer], changes: Changes, *, at: datetime, competing: list[PublishedOffer]) -> int:
    """Decide the claims of `offers` up to `changes.until`. Returns how many. The caller has locked the offers.

    Facts are known up to `at`, which is later than `changes.until` where claims wait for a settling delay. Claims of a
    paused offer wait. `competing` are all offers on the fee, of which some may be left out.
    """
    ready = _ready(offers, changes)
    affected_keys = [_affected(offer, changes) for offer in ready]
    deciding = [(offer, keys) for offer, keys in zip(ready, affected_keys, strict=True) if offer.row.paused_at is None]
    with planner_hints.hash_joins(any(keys is None for _, keys in deciding)):
        return _decide_affected(deciding, competing, changes, at)


def decide_some(
    offers: list[PublishedOffer], changes: Changes, claiming: Claiming, *, at: datetime, competing: list[PublishedOffer]
) -> list[Decision]:
    """Decide the claims of the subjects in `changes.only`; otherwise as `decide`.

    `claiming` has the undecided claims of these subjects by offer, where the caller has read them. Returns the new
    decisions, without their keys.
    """
    ready = _ready(offers, changes)
    _tag_orders(ready, changes)
    deciding = [offer for offer in ready if offer.row.paused_at is None]
    undecided = [(offer, subject) for offer in deciding for subject in _undecided(offer, claiming, changes)]
    written = _refuse_some([(offer, subject) for offer, subject in undecided if subject.failed])
    qualified = [_claim(offer, subject, at) for offer, subject in undecided if not subject.failed]
    if qualified:
        qualified.sort(key=attrgetter("sort_key"))
        prefetched = transitions.prefetch_for_grants({claim.merchant for claim in qualified}, len(qualified))
        quota_state = QuotaState(deciding, competing=competing, since=changes.since, few_claims=True)
        written += chain.from_iterable(_allocate(deciding, quota_state, iter(qualified), prefetched))
        _record_progress(deciding, quota_state, changes.until, instant_claims_decided_until=changes.until)
    elif written:  # claims were decided, although all were refused
        for offer in {offer.id: offer for offer, _subject in undecided}.values():
            execute(SET_PROGRESS, [offer.row.qualified_claims, changes.until, offer.id])
    return [Decision.from_db(connection.alias, FIELDS, (None, *row)) for row in written]


def _ready(offers: list[PublishedOffer], changes: Changes) -> list[PublishedOffer]:
    """Leave out offers that decide all their claims at an instant still to come."""
    return [offer for offer in offers if (offer.terms.decision_instant or changes.until) <= changes.until]


def _undecided(offer: PublishedOffer, claiming: Claiming, changes: Changes) -> list[claims.Subject]:
    if offer.id in claiming:
        return claiming[offer.id]
    assert changes.only is not None
    return claims.send_undecided(offer, changes.only.subjects, until=changes.until)()


def _tag_orders(offers: list[PublishedOffer], changes: Changes) -> None:
    for offer in offers:
        if offer.terms.threshold is not None:
            with outside_pipeline():
                threshold_tags.tag(offer, offer.terms.threshold, replace(changes, since=offer.row.claims_decided_until))


def _refuse_some(refused: list[tuple[PublishedOffer, claims.Subject]]) -> list[Row]:
    """Write refusals of claims that miss a condition; returns the rows."""
    written = [_refusal(offer, subject) for offer, subject in refused]
    if written:
        bulk_insert.write(Decision._meta.db_table, COLUMNS, written)
        events = [
            decision_events.refusal(
                offer, subject.merchant, subject.key, subject.timeline.claimed_at, decision_events.CONDITIONS
            )
            for offer, subject in refused
        ]
        outbox.publish(events, merchants={subject.merchant for _, subject in refused})
    return written


def _refusal(offer: PublishedOffer, subject: claims.Subject) -> Row:
    """Return a row of decisions, in the order of COLUMNS."""
    outcome, at = int(Decision.Outcome.REFUSED), subject.timeline.claimed_at
    return (offer.id, subject.key, subject.merchant, offer.version_id, at, outcome, subject.failed, None, None, None)


def _affected(offer: PublishedOffer, changes: Changes) -> KeySet | None:
    """Return the subjects to evaluate, None for all of them; tags orders of a threshold first."""
    changes = replace(changes, since=offer.row.claims_decided_until, reevaluate_all=offer.row.reevaluate_all)
    newest_tag = 0
    if offer.terms.threshold is not None:
        newest_tag = threshold_tags.newest()
        threshold_tags.tag(offer, offer.terms.threshold, changes)
    return affected.subjects_to_decide(offer, changes, newest_tag=newest_tag)


def _decide_affected(
    deciding: list[tuple[PublishedOffer, KeySet | None]],
    competing: list[PublishedOffer],
    changes: Changes,
    at: datetime,
) -> int:
    refused = 0
    by_offer: list[Iterator[Claim]] = []
    for offer, keys in deciding:
        if keys is not None and keys.is_empty:
            continue
        evaluated = evaluate(offer, _undecided_rows(offer, keys, changes, at))
        refused += _refuse(offer, evaluated)
        by_offer.append(_qualified(offer, evaluated.passed(), at))
    in_order = by_offer[0] if len(by_offer) == 1 else merge(*by_offer, key=attrgetter("sort_key"))
    offers = [offer for offer, _ in deciding]
    quota_state = QuotaState(offers, competing=competing, since=changes.since)
    allocated = sum(map(len, _allocate(offers, quota_state, in_order, guard=changes.guard)))
    _record_progress(offers, quota_state, changes.until)
    return refused + allocated


def _undecided_rows(offer: PublishedOffer, keys: KeySet | None, changes: Changes, at: datetime) -> claims.Rows:
    """Return the undecided claims of all subjects or some, without those in quarantine.

    Under a diagnosis it leaves out those that cannot be evaluated.
    """
    decidable = changes.held.decidable(offer.terms.collection)

    def select(only: Q) -> claims.Rows:
        rows_ = claims.undecided(offer, until=changes.until, only=decidable & only)
        return rows_.filter(keys.contains("pk")) if keys else rows_

    def try_out(only: Q) -> None:
        evaluated = evaluate(offer, select(only))
        _refuse(offer, evaluated)
        deque(_qualified(offer, evaluated.passed(), at), maxlen=0)

    among = claims.all_rows(offer).filter(decidable & (keys.contains("pk") if keys else Q()))
    return select(changes.guard.evaluable("evaluate", try_out, among))


def _refuse(offer: PublishedOffer, evaluated: EvaluatedClaims) -> int:
    """Write a refusal for each claim that fails a condition, in one statement. Returns how many."""
    into = f"INSERT INTO {Decision._meta.db_table} ({', '.join(CONDITION_COLUMNS)})"
    select = f"SELECT %s, pk, x_merchant, %s, claimed_at, %s, x_failed FROM {evaluated.table} WHERE x_failed > 0"  # noqa: S608  own names
    with decision_events.refusals(offer), connection.cursor() as cursor:
        cursor.execute(f"{into} {select}", [offer.id, offer.version_id, int(Decision.Outcome.REFUSED)])
        return int(cursor.rowcount)


def _qualified(offer: PublishedOffer, passed: Iterator[claims.Subject], at: datetime) -> Iterator[Claim]:
    for subject in passed:
        yield _claim(offer, subject, at)


def _claim(offer: PublishedOffer, subject: claims.Subject, at: datetime) -> Claim:
    """Return a subject's claim, with the states its grant would have reached by `at`."""
    steps = grant_steps(offer.terms.settlement, subject.timeline, until=at)
    last = steps[-1]
    ended = None if last.status in Grant.LIVE else last.at
    return Claim(
        at=subject.timeline.claimed_at,
        subject=subject.key,
        merchant=subject.merchant,
        offer=offer.code,
        amount=subject.amount,
        released_at=ended if last.status == Grant.Status.RELEASED else None,
        ended_at=ended,
        fee_already_reduced=subject.fee_already_reduced,
        context=(subject.currency, steps),
        decided_at=offer.terms.decision_instant,
        keys=quota_bands.keys_of(bands, subject.merchant, subject.holders, subject.timeline.claimed_at)
        if (bands := offer.terms.limits.bands)
        else NO_KEYS,
    )


def _allocate(
    offers: list[PublishedOffer],
    quota_state: QuotaState,
    qualified: Iterator[Claim],
    prefetched: transitions.PrefetchedGrants | None = None,
    guard: Guard = PLAIN,
) -> Iterator[list[Row]]:
    """Give places and write the decisions; yields the rows, chunk by chunk. Adds what they take to `quota_state`.

    `prefetched` is enough for one chunk.
    """
    by_code = {offer.code: offer for offer in offers}
    results = quota_state.allocation.decide(quota_state.prefetched(qualified))

    def write(some: list[ClaimResult]) -> tuple[list[Row], transitions.Taken]:
        return _write(by_code, quota_state, some, prefetched)

    while chunk := list(islice(results, CHUNK)):
        for written, taken in guard.run("write", chunk, write, lambda result: result.claim.subject):
            quota_state.places_taken += taken.places
            quota_state.units_taken += taken.units
            yield written
        prefetched = None


def _record_progress(
    offers: list[PublishedOffer],
    quota_state: QuotaState,
    until: datetime,
    *,
    instant_claims_decided_until: datetime | None = None,
) -> None:
    """Store the number of qualified claims, and publish that the places of an offer run out."""
    for offer in offers:
        qualified = quota_state.allocation.quotas[offer.code].qualified_claims
        if instant_claims_decided_until is not None or qualified != offer.row.qualified_claims:
            execute(SET_PROGRESS, [qualified, instant_claims_decided_until, offer.id])
    decision_events.places(offers, quota_state.places_taken, at=until)
    decision_events.budgets(offers, quota_state.bands, quota_state.units_taken, at=until)


def _write(
    by_code: dict[str, PublishedOffer],
    quota_state: QuotaState,
    results: list[ClaimResult],
    prefetched: transitions.PrefetchedGrants | None,
) -> tuple[list[Row], transitions.Taken]:
    """Write decisions and grants, and publish refusals. Returns the decisions, and what the grants took."""
    written = [_decision(by_code[result.claim.offer], result) for result in results]
    awards = [
        _award(by_code[result.claim.offer], result, quota_state.bands.get(result.claim.offer))
        for result in results
        if result.outcome is Decision.Outcome.GRANTED
    ]
    refused = [result for result in results if result.outcome is not Decision.Outcome.GRANTED]
    if quota_state.bands:
        bulk_insert.write(Decision._meta.db_table, COLUMNS, written)
    else:  # two columns less to write, which are empty
        bulk_insert.write(Decision._meta.db_table, PLAIN_COLUMNS, [row[:8] for row in written])
    taken = transitions.award(awards, prefetched)
    if refused:
        outbox.publish(
            decision_events.refused(by_code, refused), merchants={result.claim.merchant for result in refused}
        )
    return written, taken


def _decision(offer: PublishedOffer, result: ClaimResult) -> Row:
    """Return a row of decisions, in the order of COLUMNS."""
    claim, outcome = result.claim, int(result.outcome)
    refusal = result.refusal or NO_REFUSAL
    place, band, exceeded_by = result.queue_position, refusal.band, refusal.exceeded_by
    return (offer.id, claim.subject, claim.merchant, offer.version_id, claim.at, outcome, 0, place, band, exceeded_by)


def _award(offer: PublishedOffer, result: ClaimResult, bands: BandState | None) -> transitions.NewGrant:
    claim = result.claim
    currency, steps = cast(tuple[str, list[StateChange]], claim.context)
    bundle = offer.terms.bundle
    return transitions.NewGrant(
        offer=offer.row,
        subject=claim.subject,
        merchant=claim.merchant,
        amount=result.amount,
        currency=currency,
        fee=offer.terms.fee,
        steps=steps,
        coupons=bundle.count if bundle else 0,
        benefit=claim.amount if result.amount < claim.amount else None,
        band_units=bands.units(claim.keys, result.amount) if bands else None,
        band_limits=bands.limits(claim.keys) if bands else None,
    )
