"""Quarantine entries: what single steps of the tick leave out, why, and when they try it again.

An entry is added in a transaction of its own after a diagnosis, and removed in the transaction in which its step has
processed it. While there is any, all offers are marked, so that nobody asks for entries otherwise.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, QuerySet

from campaigns.eligibility import claims
from campaigns.eligibility.changes import SubjectSelection
from campaigns.eligibility.held import Held
from campaigns.eligibility.quarantined import claims_step, may_give_coupons, step_of_fee, waits_for_coupons
from campaigns.models import DocumentVersion, Grant, Offer, QuarantineEntry
from campaigns.offers.published_offers import PublishedOffer
from core.facts import COUPON_FEES
from core.instants import FIRST_INSTANT

Kind, Stage = QuarantineEntry.Kind, QuarantineEntry.Stage
FIRST_RETRY = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)
ANY_OFFER = "*"
"""Key of an entry for all offers of its step."""
MERCHANT_STAGES = (Stage.TAG, Stage.USE, Stage.NOTICE, Stage.WAIT, Stage.SETTLE, Stage.PERIOD)
Changed = Callable[[Sequence[QuarantineEntry]], set[int]]
logger = logging.getLogger(__name__)


def no_change(_entries: Sequence[QuarantineEntry]) -> set[int]:
    """Return the keys of no entries."""
    return set()


@dataclass(frozen=True)
class NewEntry:
    """A subject, merchant or offer to be quarantined."""

    kind: str
    key: str
    stage: str
    error: str
    merchant: str | None = None


@dataclass(frozen=True)
class StepEntries:
    """The entries of one step: those still held back, and those that are due to be tried again."""

    held: tuple[QuarantineEntry, ...] = ()
    due: tuple[QuarantineEntry, ...] = ()
    waiting: frozenset[str] = frozenset()
    all_wait: bool = False

    def keys(self, kind: str, *stages: str) -> frozenset[str]:
        """Return the keys of a kind that are held back, of all stages or some."""
        held = (entry for entry in self.held if entry.kind == kind)
        return frozenset(entry.key for entry in held if not stages or entry.stage in stages)

    @property
    def exceptions(self) -> Held:
        """The exceptions that these entries make for claims and grants."""
        due = [entry for entry in self.due if entry.kind == Kind.SUBJECT]
        again = {entry.key: entry.progress for entry in self.due if entry.kind == Kind.MERCHANT}
        return Held(
            subjects=self.keys(Kind.SUBJECT),
            unfollowed=self.keys(Kind.SUBJECT, Stage.FOLLOW),
            merchants=self.keys(Kind.MERCHANT),
            waiting=self.waiting,
            all_wait=self.all_wait,
            again=frozenset(entry.key for entry in due),
            merchants_again=again,
        )


NONE = StepEntries()


def decidable_now(
    group: list[PublishedOffer], selection: SubjectSelection
) -> tuple[list[PublishedOffer], SubjectSelection]:
    """Leave out the offers and subjects in quarantine from claims ahead of the tick: a tick tries them again."""
    entries = load(claims_step(group[0]), at=FIRST_INSTANT, offers=group)
    entries = replace(entries, held=entries.held + entries.due, due=())
    decidable = entries.exceptions.decidable(group[0].terms.collection)
    rows = claims.all_rows(group[0]).filter(decidable, pk__in=selection.subjects)
    free = set(rows.values_list("pk", flat=True))
    left_out = entries.keys(Kind.OFFER)
    offers = [offer for offer in group if not left_out & {offer.code, ANY_OFFER}]
    return offers, replace(selection, subjects=tuple(subject for subject in selection.subjects if subject in free))


def usable_now(offers: Sequence[PublishedOffer], merchants: Sequence[str]) -> tuple[str, ...]:
    """Return the merchants whose coupons can be used ahead of the tick: those that are not in quarantine."""
    if not any(offer.row.has_quarantined for offer in offers):
        return tuple(merchants)
    held = QuarantineEntry.objects.filter(stage=Stage.USE, key__in=merchants).values_list("key", flat=True)
    return tuple(merchant for merchant in merchants if merchant not in set(held))


def load(
    step: str, *, at: datetime, offers: Sequence[PublishedOffer], changed: Changed = no_change, any_new: bool = False
) -> StepEntries:
    """Return the entries of a step of `offers` as of `at`.

    No query, unless one of the offers was marked when it was read, or there are `any_new` entries since.
    `changed` returns the keys of those entries among some whose subject or merchant has changed.
    """
    if not (any_new or any(offer.row.has_quarantined for offer in offers)):
        return NONE
    entries = list(QuarantineEntry.objects.order_by("pk"))
    mine = [entry for entry in entries if entry.step == step]
    published = max(offer.row.version.published_at for offer in offers if offer.row.version)
    of_coupons = [entry for entry in entries if may_give_coupons(entry)] if waits_for_coupons(step) else []
    return replace(
        _divided(mine, at, published, changed),
        waiting=frozenset(entry.merchant_id for entry in of_coupons if entry.merchant_id),
        all_wait=any(entry.kind == Kind.OFFER for entry in of_coupons),
    )


def load_of_documents(step: str, *, at: datetime, versions: Collection[int], changed: Changed) -> StepEntries:
    """Return the entries of a step on versions of documents as of `at`. One query if there are none."""
    mine = list(QuarantineEntry.objects.filter(step=step).order_by("pk"))
    if not mine:
        return NONE
    published = DocumentVersion.objects.filter(pk__in=versions).aggregate(latest=Max("published_at"))["latest"]
    return _divided(mine, at, published or FIRST_INSTANT, changed)


def _divided(mine: list[QuarantineEntry], at: datetime, published: datetime, changed: Changed) -> StepEntries:
    """Divide entries into those that are held back and those that are due."""
    waiting = [entry for entry in mine if not _is_due(entry, at, published)]
    corrected = changed(waiting) if waiting else set()
    due = tuple(entry for entry in mine if entry not in waiting or entry.pk in corrected)
    return StepEntries(held=tuple(entry for entry in mine if entry not in due), due=due)


def _is_due(entry: QuarantineEntry, at: datetime, published: datetime) -> bool:
    is_new = entry.tried_at is not None and published > entry.tried_at
    return entry.retry_at is None or entry.retry_at <= at or is_new


def record(step: str, found: Sequence[NewEntry], *, at: datetime, progress: datetime | None) -> None:
    """Quarantine what was found. What is in quarantine already waits twice as long as before."""
    with transaction.atomic():
        _mark_offers(True)
        for new in found:
            entry, is_new = QuarantineEntry.objects.select_for_update().get_or_create(
                step=step,
                kind=new.kind,
                key=new.key,
                defaults={"stage": new.stage, "merchant_id": new.merchant, "since": at, "progress": progress},
            )
            entry.attempts = 1 if is_new else entry.attempts + 1
            entry.stage, entry.error, entry.tried_at = new.stage, new.error, at
            entry.retry_at = at + min(FIRST_RETRY * 2 ** min(entry.attempts - 1, 10), LONGEST_WAIT)
            entry.save()
            logger.error("quarantined: %s: %s", entry, new.error)
        if any(new.kind == Kind.OFFER for new in found):  # subjects may have failed because of the offer alone
            QuarantineEntry.objects.filter(step=step, kind=Kind.SUBJECT).update(retry_at=None)


def keep_from(step: str, since: Mapping[str, datetime]) -> None:
    """Note the instants from which merchants that a step leaves out must be processed again, if they are earlier."""
    for entry in QuarantineEntry.objects.filter(step=step, kind=Kind.MERCHANT, key__in=since):
        if entry.progress is not None and since[entry.key] < entry.progress:
            QuarantineEntry.objects.filter(pk=entry.pk).update(progress=since[entry.key])


def _mark_offers(needed: bool) -> None:
    # Locked by key, as everybody locks several offers.
    list(Offer.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    Offer.objects.exclude(has_quarantined=needed).update(has_quarantined=needed)


def release(entries: Sequence[QuarantineEntry]) -> None:
    """Remove the entries of what was processed. Orders that waited for its coupons are examined next."""
    if not entries:
        return
    QuarantineEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
    _examine_orders([entry for entry in entries if may_give_coupons(entry)])


def _examine_orders(entries: Sequence[QuarantineEntry]) -> None:
    """Add entries that are due at once, so that this outlives a tick that is killed before the step of their fee."""
    if not entries:
        return
    subjects = set(Offer.objects.filter(subject__in=COUPON_FEES).values_list("subject", flat=True))
    steps = [step_of_fee(COUPON_FEES[subject].name) for subject in sorted(subjects)]
    again = {(Kind.MERCHANT, entry.merchant_id) for entry in entries if entry.merchant_id}
    again |= {(Kind.OFFER, ANY_OFFER) for entry in entries if entry.kind == Kind.OFFER}
    QuarantineEntry.objects.bulk_create(
        [
            QuarantineEntry(step=step, kind=kind, key=key, stage=Stage.WAIT, since=entries[0].since, attempts=0)
            for step in steps
            for kind, key in sorted(again)
        ],
        ignore_conflicts=True,
    )


def examine_offer(code: str, *, step: str, since: datetime) -> None:
    """Let a step examine everything of one of its offers."""
    entry = QuarantineEntry(step=step, kind=Kind.OFFER, key=code, stage=Stage.WAIT, since=since, attempts=0)
    QuarantineEntry.objects.bulk_create([entry], ignore_conflicts=True)


def prepare_again(entries: StepEntries, group: Sequence[PublishedOffer]) -> None:
    """Let the step look again at what is due: at the grants of its subjects, and at everything of its offers."""
    live = Grant.objects.filter(offer__in=[offer.id for offer in group], status__in=Grant.LIVE)
    if subjects := [entry.key for entry in entries.due if entry.kind == Kind.SUBJECT]:
        live.filter(subject__in=subjects).update(follow_again=True)
    codes = {entry.key for entry in entries.due if entry.kind == Kind.OFFER}
    for offer in group:
        if codes & {offer.code, ANY_OFFER}:
            live.filter(offer=offer.id).update(follow_again=True)
            offer.row.reevaluate_all = True


def tidy(offers: Iterable[PublishedOffer]) -> None:
    """Mark all offers while there is an entry, and none otherwise. No query, unless some are marked."""
    marks = {offer.row.has_quarantined for offer in offers}
    if True in marks:
        with transaction.atomic():
            needed = QuarantineEntry.objects.exists()
            if marks != {needed}:
                _mark_offers(needed)


def failed() -> QuerySet[QuarantineEntry]:
    """Return the entries of what failed, without what waits for other entries."""
    return QuarantineEntry.objects.exclude(stage=Stage.WAIT).order_by("pk")


def try_again(entries: QuerySet[QuarantineEntry]) -> int:
    """Let the next tick try entries again. Returns how many would have waited."""
    return entries.exclude(retry_at=None).update(retry_at=None)
