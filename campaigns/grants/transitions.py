"""Grants: the only module that creates a grant or changes its state. Each change is guarded and journalled."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from django.db import transaction
from django.db.models import F

from campaigns.grants.steps import StateChange
from campaigns.ledger import journal
from campaigns.models import Grant, Issuance, Offer
from campaigns.notifications import outbox
from campaigns.offers import quota_bands, quota_guard
from core.db import bulk_insert, bulk_update

Status = Grant.Status

FOLLOWS = {
    Status.RESERVED: {Status.LOCKED, Status.SETTLED, Status.RELEASED, Status.FORFEITED, Status.REVOKED},
    Status.LOCKED: {Status.SETTLED, Status.RELEASED, Status.FORFEITED, Status.REVOKED},
    Status.SETTLED: {Status.RELEASED, Status.REVOKED},
}
"""The states that may follow each state. Operators may release, forfeit or revoke any live grant."""


class NotLiveError(Exception):
    """The grant is not in a state that allows this change. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to be written, with the states that it has reached already.

    `benefit` is what the benefit came to, where a budget had less left. `band_units` are the units that it takes from
    bands, by the name of the counter.
    """

    offer: Offer
    subject: str
    merchant: str
    amount: Decimal
    currency: str
    fee: str
    steps: Sequence[StateChange]
    coupons: int = 0
    benefit: Decimal | None = None
    band_units: Mapping[str, int] | None = None
    band_limits: Mapping[str, int] | None = None


COLUMNS = (
    "id offer_id version_id subject merchant_id status amount currency fee claimed_at ended_at "
    "coupons review follow_again benefit band_units"
).split()
_values = itemgetter(*COLUMNS)


class Taken(NamedTuple):
    """Units that new grants took: places of offers, by key, and units of bands, by the name of the counter."""

    places: Counter[int]
    units: Counter[str]


class PrefetchedGrants(NamedTuple):
    """Queries that `award` needs, started early: functions that wait for the audience and for primary keys."""

    audience: Callable[[], outbox.Audience]
    ids: Callable[[], Sequence[int]]


def prefetch_for_grants(merchants: Collection[str], most: int) -> PrefetchedGrants:
    """Start the queries for at most `most` grants to `merchants`, before their number is known."""
    return PrefetchedGrants(outbox.send_audience(merchants), journal.send_ids(Grant, most))


def award(grants: Sequence[NewGrant], prefetched: PrefetchedGrants | None = None) -> Taken:
    """Write grants, take their places, and write one journal entry for each state reached.

    Returns what they took. Raises IntegrityError if an offer, a merchant or a band would exceed its limit; in a
    pipeline, when that ends.
    """
    if not grants:
        return Taken(Counter(), Counter())
    audience, ids = prefetched or prefetch_for_grants({grant.merchant for grant in grants}, len(grants))
    keyed = list(zip(ids(), grants, strict=False))  # more keys may have been prefetched than there are grants
    bulk_insert.write(Grant._meta.db_table, COLUMNS, [_values(_row(pk, grant)) for pk, grant in keyed])
    taken = _take_places(grants)
    journal.record((entry for pk, grant in keyed for entry in _first_entries(pk, grant)), audience())
    _plan_coupons(grants)
    return taken


def _take_places(grants: Sequence[NewGrant]) -> Taken:
    offers: dict[int, Offer] = {}
    merchants: dict[int, Counter[str]] = {}
    units: Counter[str] = Counter()
    limits: dict[str, int] = {}
    for grant in grants:
        if grant.steps[-1].status != Status.RELEASED:
            offers[grant.offer.pk] = grant.offer
            merchants.setdefault(grant.offer.pk, Counter())[grant.merchant] += 1
            for name, taken in (grant.band_units or {}).items():
                units[name] += taken
            limits |= grant.band_limits or {}
    for pk, offer in sorted(offers.items()):
        quota_guard.take_places(offer, merchants[pk])
    quota_guard.take_units(units, limits)
    return Taken(Counter({pk: places.total() for pk, places in merchants.items()}), units)


def _row(pk: int, grant: NewGrant) -> dict[str, object]:
    first, last = grant.steps[0], grant.steps[-1]
    return {
        "id": pk,
        "offer_id": grant.offer.pk,
        "version_id": grant.offer.version_id,
        "subject": grant.subject,
        "merchant_id": grant.merchant,
        "status": str(last.status),
        "amount": grant.amount,
        "currency": grant.currency,
        "fee": grant.fee,
        "claimed_at": first.at,
        "ended_at": None if last.status in Grant.LIVE else last.at,
        "coupons": grant.coupons,
        "review": "",
        "follow_again": False,
        "benefit": grant.benefit,
        "band_units": json.dumps(grant.band_units) if grant.band_units else "",
    }


def _first_entries(pk: int, grant: NewGrant) -> Iterable[journal.NewEntry]:
    for source, step in _with_sources(grant.steps):
        yield journal.NewEntry(
            grant_id=pk,
            offer_id=grant.offer.pk,
            version_id=grant.offer.version_id or 0,
            at=step.at,
            source=source,
            target=step.status,
            amount=grant.amount,
            currency=grant.currency,
            by=journal.ENGINE,
            reason=step.reason,
            merchant=grant.merchant,
            subject=grant.subject,
        )


def _plan_coupons(grants: Sequence[NewGrant]) -> None:
    planned: Counter[int] = Counter()
    for grant in grants:
        planned[grant.offer.pk] += grant.coupons
    for offer_id, coupons in (+planned).items():
        Issuance.objects.filter(offer=offer_id).update(planned=F("planned") + coupons)


def _with_sources(steps: Sequence[StateChange], source: str = "") -> Iterable[tuple[str, StateChange]]:
    """Pair each step with the state that it leaves; `source` is the state before the first."""
    for step in steps:
        yield source, step
        source = step.status


@dataclass(frozen=True, slots=True)
class GrantAdvance:
    """A grant and the states that it has reached since, in order."""

    grant: Grant
    steps: Sequence[StateChange]


def advance(advances: Sequence[GrantAdvance]) -> None:
    """Bring grants to their next states. The places of released grants come back.

    A grant may pass several states at once, where its facts arrived together. The caller has locked the rows.
    """
    entries, grants = [], []
    for grant, steps in ((item.grant, item.steps) for item in advances):
        for source, step in _with_sources(steps, grant.status):
            entries.append(entry(grant, source, step, by=journal.ENGINE, reason=step.reason))
        grant.status = Status(steps[-1].status)
        grant.ended_at = None if grant.status in Grant.LIVE else steps[-1].at
        grant.review = grant.review if grant.status in Grant.LIVE else ""  # nothing is left to decide
        grants.append(grant)
    bulk_update.save(grants, ["status", "ended_at", "review"])
    _return_places([grant for grant in grants if grant.status == Status.RELEASED])
    journal.record(entries)


def _return_places(released: Sequence[Grant]) -> None:
    merchants: dict[int, Counter[str]] = {}
    for grant in released:
        merchants.setdefault(grant.offer_id, Counter())[grant.merchant_id] += 1
    for offer_id, places in sorted(merchants.items()):
        quota_guard.return_places(offer_id, places)
    quota_guard.return_units(quota_bands.total_units(released))


def entry(grant: Grant, source: str, step: StateChange, *, by: str, reason: str) -> journal.NewEntry:
    """Return the journal entry of one change of a grant's state."""
    return journal.NewEntry(
        grant_id=grant.pk,
        offer_id=grant.offer_id,
        version_id=grant.version_id,
        at=step.at,
        source=source,
        target=step.status,
        amount=grant.amount,
        currency=grant.currency,
        by=by,
        reason=reason,
        merchant=grant.merchant_id,
        subject=grant.subject,
    )


def release(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Release a live grant: its place comes back. Raises NotLiveError if it is not live any more."""
    _change(grant, StateChange(Status.RELEASED, at, reason), by=by)


def revoke(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Revoke a live grant: its place does not come back. Raises NotLiveError if it is not live any more."""
    _change(grant, StateChange(Status.REVOKED, at, reason), by=by)


def _change(grant: Grant, step: StateChange, *, by: str) -> None:
    source = Status(grant.status)
    if Status(step.status) not in FOLLOWS.get(source, set()):
        raise NotLiveError(f"{grant} cannot become {step.status}")
    ended = None if step.status in Grant.LIVE else step.at
    with transaction.atomic():
        Offer.objects.select_for_update(no_key=True).get(pk=grant.offer_id)  # the order of locks: offer, then grant
        if not Grant.objects.filter(pk=grant.pk, status=source).update(status=step.status, ended_at=ended, review=""):
            raise NotLiveError(f"{grant} has changed meanwhile")
        if step.status == Status.RELEASED:
            _return_places([grant])
        journal.record([entry(grant, str(source), step, by=by, reason=step.reason)])
    grant.status, grant.ended_at, grant.review = Status(step.status), ended, ""


def revoke_all(grants: Sequence[Grant], *, at: datetime, by: str, reason: str) -> None:
    """Revoke live grants, set-wise. The caller has locked their rows."""
    step = StateChange(Status.REVOKED, at, reason)
    entries = [entry(grant, str(grant.status), step, by=by, reason=reason) for grant in grants]
    for grant in grants:
        grant.status, grant.ended_at, grant.review = Status.REVOKED, at, ""
    bulk_update.save(grants, ["status", "ended_at", "review"])
    journal.record(entries)
