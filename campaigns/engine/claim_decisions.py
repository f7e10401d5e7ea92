"""Decide claims: fold the allocator over the claims of offers that compete for one fee, and store the decisions."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from heapq import merge
from itertools import chain, islice
from operator import attrgetter
from typing import Any, cast

from django.db import connection
from django.db.models import F, IntegerField, Value

from campaigns.allocation.allocator import Claim, Outcome, Verdict
from campaigns.allocation.quota_state import QuotaState
from campaigns.eligibility import affected, claims, threshold_tags
from campaigns.eligibility.affected import Keys
from campaigns.eligibility.changes import Changes
from campaigns.grants import transitions
from campaigns.grants.steps import StateChange, grant_steps
from campaigns.models import Decision, Grant
from campaigns.notifications import decision_events, outbox
from campaigns.offers.published_offers import PublishedOffer
from core.db import bulk_insert, planner_hints
from core.db.pipeline import combined_statement, outside_pipeline

CHUNK = 10_000
Row = tuple[object, ...]
FIELDS = [field.attname for field in Decision._meta.concrete_fields]
COLUMNS = "offer_id subject merchant_id version_id claimed_at outcome failed place".split()


def decide(offers: list[PublishedOffer], news: Changes, *, at: datetime) -> int:
    """Decide the claims of competing offers up to `news.until`. Returns how many. The caller holds the offers.

    `at` is the instant up to which what becomes of a grant is already known: later than `news.until` where claims
    wait for a settling delay. Claims of a paused offer wait.
    """
    ready = [offer for offer in offers if (offer.terms.decision_instant or news.until) <= news.until]
    asked = [
        _to_ask(offer, replace(news, since=offer.row.claims_decided_until, reevaluate_all=offer.row.reevaluate_all))
        for offer in ready
    ]
    going = [(offer, keys) for offer, keys in zip(ready, asked, strict=True) if offer.row.paused_at is None]
    with planner_hints.hash_joins(any(keys is None for _, keys in going)):
        return _decide_asked(going, news, at)


def decide_some(
    offers: list[PublishedOffer], news: Changes, known: Mapping[int, list[claims.Subject]], *, at: datetime
) -> list[Decision]:
    """As `decide`, for the subjects of `news.only`: read at once, with those who miss a condition among them.

    `known`: who asks, by offer, where it was read already. Returns the decisions that were made, without their keys.
    """
    assert news.only is not None
    subjects, until = news.only.subjects, news.until
    ready = [offer for offer in offers if (offer.terms.decision_instant or news.until) <= news.until]
    for offer in ready:
        if offer.terms.threshold is not None:
            with outside_pipeline():
                threshold_tags.tag(offer, offer.terms.threshold, replace(news, since=offer.row.claims_decided_until))
    going = [offer for offer in ready if offer.row.paused_at is None]
    asking = {o.id: known[o.id] if o.id in known else claims.send_undecided(o, subjects, until=until)() for o in going}
    asked = [(offer, one) for offer in going for one in asking[offer.id]]
    written = _refuse_some([(offer, one) for offer, one in asked if one.failed])
    passed = sorted((_claim(offer, one, at) for offer, one in asked if not one.failed), key=attrgetter("turn"))
    if passed:
        foreseen = transitions.prefetch_for_grants({claim.merchant for claim in passed}, len(passed))
        written += chain.from_iterable(
            _allocate(going, iter(passed), news.since, until, some=len(passed), foreseen=foreseen)
        )
    return [Decision.from_db(connection.alias, FIELDS, (None, *row)) for row in written]


def _refuse_some(refused: list[tuple[PublishedOffer, claims.Subject]]) -> list[Row]:
    """Write refusals for a condition; returns what was written."""
    outcome = int(Outcome.REFUSED)
    written: list[Row] = [
        (offer.id, one.key, one.merchant, offer.version_id, one.timeline.claimed_at, outcome, one.failed, None)
        for offer, one in refused
    ]
    if written:
        bulk_insert.write(Decision._meta.db_table, COLUMNS, written)
        told = [
            decision_events.refusal(offer, one.merchant, one.key, one.timeline.claimed_at, decision_events.CONDITIONS)
            for offer, one in refused
        ]
        outbox.publish(told, merchants={one.merchant for _, one in refused})
    return written


def _to_ask(offer: PublishedOffer, news: Changes) -> Keys | None:
    newest_tag = 0
    if offer.terms.threshold is not None:
        newest_tag = threshold_tags.newest(offer)
        threshold_tags.tag(offer, offer.terms.threshold, news)
    return affected.subjects_to_decide(offer, news, newest_tag=newest_tag)


def _decide_asked(going: list[tuple[PublishedOffer, Keys | None]], news: Changes, at: datetime) -> int:
    decided = 0
    asking: list[Iterator[Claim]] = []
    for offer, keys in going:
        undecided = claims.undecided(offer, until=news.until)
        if keys is not None:
            undecided = undecided.filter(pk__in=keys)
        decided += _refuse(offer, undecided)
        asking.append(_asking(offer, claims.eligible_claims(offer, undecided), at))
    in_order = asking[0] if len(asking) == 1 else merge(*asking, key=attrgetter("turn"))
    chunks = _allocate([offer for offer, _ in going], in_order, news.since, news.until)
    return decided + sum(map(len, chunks))


def _refuse(offer: PublishedOffer, rows_: claims.Rows) -> int:
    """Write a refusal for each claim that misses a condition, in one statement."""
    judged = claims.with_failed_conditions(offer, rows_).annotate(
        d_offer=Value(offer.id, output_field=IntegerField()),
        d_subject=F("pk"),
        d_version=Value(offer.version_id, output_field=IntegerField()),
        d_outcome=Value(int(Outcome.REFUSED), output_field=IntegerField()),
    )
    merchant = offer.terms.collection.merchant
    select = judged.order_by().values_list(
        "d_offer", "d_subject", merchant, "d_version", "claimed_at", "d_outcome", "failed"
    )
    with decision_events.refusals(offer):
        return _insert_failed(*select.query.sql_with_params())


def _insert_failed(judged: str, parameters: Any) -> int:
    # OFFSET 0: PostgreSQL would otherwise work out every condition twice, for the filter and for the row.
    fence = "OFFSET 0" if connection.vendor == "postgresql" else ""
    into = f"INSERT INTO {Decision._meta.db_table} ({', '.join(COLUMNS[:-1])})"
    with connection.cursor() as cursor:
        cursor.execute(f"{into} SELECT * FROM ({judged} {fence}) AS claim WHERE failed > 0", parameters)  # noqa: S608  own names
        count = int(cursor.rowcount)
    planner_hints.analyze(count, Decision)
    return count


def _asking(offer: PublishedOffer, rows_: claims.Rows, at: datetime) -> Iterator[Claim]:
    """The claims that met every condition, in order, with what is known of how their grants would go."""
    for subject in claims.read(offer, rows_):
        yield _claim(offer, subject, at)


def _claim(offer: PublishedOffer, subject: claims.Subject, at: datetime) -> Claim:
    steps = grant_steps(offer.terms.settlement, subject.timeline, until=at)
    last = steps[-1]
    ended = None if last.status in Grant.LIVE else last.at
    return Claim(
        subject.timeline.claimed_at, subject.key, subject.merchant, offer.code, subject.amount,
        ended if last.status == Grant.Status.RELEASED else None, ended, subject.fee_already_reduced,
        (subject.currency, steps), offer.terms.decision_instant,
    )  # fmt: skip


def _allocate(
    offers: list[PublishedOffer], asking: Iterator[Claim], since: datetime | None, until: datetime, *,
    some: int | None = None, foreseen: transitions.PrefetchedGrants | None = None,
) -> Iterator[list[Row]]:  # fmt: skip
    """Give places and write the decisions; yields what was written, chunk by chunk."""
    places = QuotaState(offers, since=since, some=some)
    quotas = places.allocation.quotas
    by_code = {offer.code: offer for offer in offers}
    verdicts = places.allocation.decide(places.prepared(asking))
    decided = 0
    kept: Counter[int] = Counter()
    while chunk := list(islice(verdicts, CHUNK)):
        yield _write(by_code, chunk, kept, foreseen)
        foreseen = None
        decided += len(chunk)
    asked_until = None if some is None else until
    for offer in offers:
        transitions.count(offer.row, kept=kept[offer.id], line=quotas[offer.code].line, asked_until=asked_until)
    decision_events.places(offers, places.used + kept, at=until)
    planner_hints.analyze(decided, Decision, Grant)


def _write(
    by_code: dict[str, PublishedOffer],
    verdicts: list[Verdict],
    kept: Counter[int],
    foreseen: transitions.PrefetchedGrants | None,
) -> list[Row]:
    written = [_decision(by_code[v.claim.offer], v) for v in verdicts]
    awards = [_award(by_code[v.claim.offer], v) for v in verdicts if v.outcome is Outcome.GRANTED]
    refused = [verdict for verdict in verdicts if verdict.outcome is not Outcome.GRANTED]
    with combined_statement():
        bulk_insert.write(Decision._meta.db_table, COLUMNS, written)
        kept += transitions.award(awards, foreseen)
        if refused:
            outbox.publish(
                decision_events.refused(by_code, refused), merchants={verdict.claim.merchant for verdict in refused}
            )
    return written


def _decision(offer: PublishedOffer, verdict: Verdict) -> Row:
    claim = verdict.claim
    return (
        offer.id, claim.subject, claim.merchant, offer.version_id, claim.at, int(verdict.outcome), 0, verdict.place,
    )  # fmt: skip


def _award(offer: PublishedOffer, verdict: Verdict) -> transitions.NewGrant:
    claim = verdict.claim
    currency, steps = cast(tuple[str, list[StateChange]], claim.about)
    bundle = offer.terms.bundle
    return transitions.NewGrant(
        offer.row, claim.subject, claim.merchant, claim.amount, currency, offer.terms.fee, steps,
        verdict.seat, verdict.merchant_seat, bundle.count if bundle else 0,
    )  # fmt: skip
