"""Grants: the only place where one is made or changes its state. Every change is guarded and journalled."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.db.models import F

from campaigns.grants.steps import StateChange
from campaigns.ledger import journal
from campaigns.models import Grant, Issuance, Offer
from campaigns.notifications import outbox
from core.db import bulk_insert
from core.db.pipeline import execute

Status = Grant.Status

# Which state follows which; operators may release, forfeit or revoke whatever is live.
FOLLOWS = {
    Status.RESERVED: {Status.LOCKED, Status.SETTLED, Status.RELEASED, Status.FORFEITED, Status.REVOKED},
    Status.LOCKED: {Status.SETTLED, Status.RELEASED, Status.FORFEITED, Status.REVOKED},
    Status.SETTLED: {Status.RELEASED, Status.REVOKED},
}


class NotLiveError(Exception):
    """The grant is not in a state from which it can go there. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A place to be given, with the states its grant has already gone through."""

    offer: Offer
    subject: str
    merchant: str
    amount: Decimal
    currency: str
    fee: str
    steps: Sequence[StateChange]
    seat: int | None
    merchant_seat: int | None
    coupons: int = 0


COLUMNS = (
    "id offer_id version_id subject merchant_id status amount currency fee claimed_at ended_at "
    "seat limit merchant_seat cap coupons review kept look_again"
).split()


COUNT = (
    f"UPDATE {Offer._meta.db_table} SET used = used + %s, line = %s, "  # noqa: S608  own name
    "asked_until = COALESCE(%s, asked_until) WHERE id = %s"
)


class PrefetchedGrants(NamedTuple):
    """What awards will need: who listens for the merchants concerned, and keys for so many grants."""

    heard: Callable[[], outbox.Audience]
    ids: Callable[[], Sequence[int]]


def prefetch_for_grants(merchants: Collection[str], most: int) -> PrefetchedGrants:
    """Ask for what at most so many awards to the merchants will need, before it is known how many there are."""
    return PrefetchedGrants(outbox.send_audience(merchants), journal.send_ids(Grant, most))


def award(awards: Sequence[NewGrant], foreseen: PrefetchedGrants | None = None) -> Counter[int]:
    """Write grants, with one journal entry for each state reached. The database refuses a seat given twice.

    Returns how many places were taken of each offer, by its key, for `count`.
    """
    if not awards:
        return Counter()
    heard, ids = foreseen or prefetch_for_grants({a.merchant for a in awards}, len(awards))
    keyed = list(zip(ids(), awards, strict=False))  # more keys may have been foreseen than there are awards
    bulk_insert.write(Grant._meta.db_table, COLUMNS, [_row(pk, a) for pk, a in keyed])
    moves = [
        journal.NewEntry(
            pk, None, a.offer.pk, a.offer.version_id or 0, step.at, source, step.status,
            a.amount, a.currency, "", journal.ENGINE, step.reason, a.merchant, a.subject,
        )
        for pk, a in keyed
        for source, step in _from_each(a.steps)
    ]  # fmt: skip
    journal.record(moves, heard())
    owing: Counter[int] = Counter()
    for a in awards:
        owing[a.offer.pk] += a.coupons
    for offer_id, owed in (+owing).items():
        Issuance.objects.filter(offer=offer_id).update(planned=F("planned") + owed)
    return Counter(a.offer.pk for a in awards if a.steps[-1].status != Status.RELEASED)


def count(offer: Offer, *, kept: int, line: int, asked_until: datetime | None = None) -> None:
    """Keep the offer's counters in step with the grants just written.

    `asked_until` is the instant up to which some claims were decided by themselves, ahead of the tick.
    """
    if kept or line != offer.line or asked_until is not None:
        execute(COUNT, [kept, line, asked_until, offer.pk])


def _row(pk: int, a: NewGrant) -> tuple[object, ...]:
    last = a.steps[-1]
    ended = None if last.status in Grant.LIVE else last.at
    limit, cap = (a.offer.limit if a.seat else None), (a.offer.cap if a.merchant_seat else None)
    return (
        pk, a.offer.pk, a.offer.version_id, a.subject, a.merchant, str(last.status), a.amount, a.currency, a.fee,
        a.steps[0].at, ended, a.seat, limit, a.merchant_seat, cap, a.coupons, "", "", False,
    )  # fmt: skip


def _from_each(steps: Sequence[StateChange], source: str = "") -> Iterable[tuple[str, StateChange]]:
    for step in steps:
        yield source, step
        source = step.status


@dataclass(frozen=True, slots=True)
class GrantAdvance:
    """A grant and the states it has come to, in order."""

    grant: Grant
    steps: Sequence[StateChange]


def advance(advances: Sequence[GrantAdvance]) -> int:
    """Move grants on, several states at once where facts came in a bundle. Returns how many places came back.

    The caller has locked the rows, so that nobody else moves them between the reading and here.
    """
    moves, moved = [], []
    for grant, steps in ((one.grant, one.steps) for one in advances):
        for source, step in _from_each(steps, grant.status):
            moves.append(move(grant, source, step, by=journal.ENGINE, reason=step.reason))
        grant.status = Status(steps[-1].status)
        grant.ended_at = None if grant.status in Grant.LIVE else steps[-1].at
        moved.append(grant)
    Grant.objects.bulk_update(moved, ["status", "ended_at"], batch_size=500)
    journal.record(moves)
    return sum(grant.status == Status.RELEASED for grant in moved)


def _guarded(grant: Grant, step: StateChange, *, by: str, note: str) -> None:
    """Move one grant to `step` if it is still in the state that was read. Raises NotLiveError where it is not."""
    source = Status(grant.status)
    if Status(step.status) not in FOLLOWS.get(source, set()):
        raise NotLiveError(f"{grant} cannot become {step.status}")
    ended = None if step.status in Grant.LIVE else step.at
    with transaction.atomic():
        Offer.objects.select_for_update(no_key=True).get(pk=grant.offer_id)  # the order of locks: offer, then grant
        if not Grant.objects.filter(pk=grant.pk, status=source).update(status=step.status, ended_at=ended, review=""):
            raise NotLiveError(f"{grant} has changed meanwhile")
        if step.status == Status.RELEASED:
            Offer.objects.filter(pk=grant.offer_id).update(used=F("used") - 1)
        journal.record([move(grant, str(source), step, by=by, reason=note)])
    grant.status, grant.ended_at, grant.review = Status(step.status), ended, ""


def move(grant: Grant, source: str, step: StateChange, *, by: str, reason: str) -> journal.NewEntry:
    """The journal entry of one step of a grant."""
    return journal.NewEntry(
        grant.pk, None, grant.offer_id, grant.version_id, step.at, source, step.status,
        grant.amount, grant.currency, "", by, reason, grant.merchant_id, grant.subject,
    )  # fmt: skip


def release(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Give a live grant's place back. Raises NotLiveError where it is not live any more."""
    _guarded(grant, StateChange(Status.RELEASED, at, reason), by=by, note=reason)


def revoke(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Take a live grant away; its place does not come back. Raises NotLiveError where it is not live any more."""
    _guarded(grant, StateChange(Status.REVOKED, at, reason), by=by, note=reason)


def revoke_all(several: Sequence[Grant], *, at: datetime, by: str, reason: str) -> None:
    """Take live grants away, set-wise; their places do not come back. The caller has locked their rows."""
    step = StateChange(Status.REVOKED, at, reason)
    moves = [move(grant, str(grant.status), step, by=by, reason=reason) for grant in several]
    for grant in several:
        grant.status, grant.ended_at, grant.review = Status.REVOKED, at, ""
    Grant.objects.bulk_update(several, ["status", "ended_at", "review"], batch_size=500)
    journal.record(moves)
