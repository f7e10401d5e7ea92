"""Steps of the tick for coupons: issue them, follow their use, and notify of those that expire.

A step that fails is diagnosed: the merchants and grants at fault are quarantined, and it runs without them.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F

from campaigns.coupons import expiry_notices, issuing, redemption
from campaigns.eligibility import affected
from campaigns.eligibility.guards import PLAIN, Guard
from campaigns.eligibility.held import Held
from campaigns.engine import quarantine_entries
from campaigns.engine.diagnosis import Culprit, diagnose
from campaigns.engine.quarantine_entries import Kind, NewEntry
from campaigns.models import Grant, Issuance, QuarantineEntry
from campaigns.offers.published_offers import PublishedOffer
from core.db.errors import is_transient
from core.db.transactions import repeatable
from core.facts import COUPON_FEES

COUPON_USE = "coupons used"
MOST_DIAGNOSES = 20
"""Number of diagnoses in one run of a step. Each removes at least one cause."""


@dataclass(frozen=True)
class CouponStep:
    """A step: its name, the offers whose coupons it concerns, and what it does without the exceptions of quarantine.

    `progress` is the instant up to which it ran before. `failed` collects those that failed meanwhile. A step that is
    not `atomic` commits its work piece by piece.
    """

    name: str
    offers: Sequence[PublishedOffer]
    at: datetime
    work: Callable[[Held, Guard], int]
    progress: datetime | None = None
    batches: tuple[int, ...] = ()
    atomic: bool = True
    failed: set[str] = field(default_factory=set)

    def run(self) -> int:
        """Do the work without what is in quarantine. Raises an error that is not isolated."""
        for diagnoses in range(MOST_DIAGNOSES + 1):
            try:
                return self._run()
            except Exception as error:
                if is_transient(error) or diagnoses == MOST_DIAGNOSES or not self._set_aside():
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _run(self) -> int:
        with repeatable() if self.atomic else nullcontext():
            entries = self._load()
            done = self.work(entries.exceptions, PLAIN)
            quarantine_entries.release(entries.due)
            return done

    def _load(self) -> quarantine_entries.StepEntries:
        new = bool(self.failed)
        return quarantine_entries.load(self.name, at=self.at, offers=self.offers, changed=self._changed, any_new=new)

    def _changed(self, entries: Sequence[QuarantineEntry]) -> set[int]:
        """Return the keys of the entries of merchants whose orders that take coupons changed."""
        keys = {
            entry.key: entry.pk for entry in entries if entry.kind == Kind.MERCHANT and entry.key not in self.failed
        }
        rows = [fee.collection for fee in COUPON_FEES.values()]
        changed = {key for each in rows for key in affected.changed_rows(each, each.merchant, keys, self.batches)}
        return {keys[key] for key in changed}

    def _set_aside(self) -> bool:
        """Quarantine what makes the step fail. Returns false if nothing of it was found."""
        diagnosis = diagnose(lambda guard: self.work(self._load().exceptions, guard))
        found = [self._entry(culprit) for culprit in {culprit.key: culprit for culprit in diagnosis.culprits}.values()]
        if found and diagnosis.error is None:
            self.failed.update(new.key for new in found)
            quarantine_entries.record(self.name, found, at=self.at, progress=self.progress)
        return bool(found) and diagnosis.error is None

    def _entry(self, culprit: Culprit) -> NewEntry:
        if culprit.stage in quarantine_entries.MERCHANT_STAGES:
            return NewEntry(Kind.MERCHANT, culprit.key, culprit.stage, culprit.error, culprit.key)
        grant = Grant.objects.filter(offer=self.offers[0].id, subject=culprit.key).order_by("-pk").first()
        merchant = grant.merchant_id if grant else None
        return NewEntry(Kind.SUBJECT, culprit.key, culprit.stage, culprit.error, merchant)


def issue(offer: PublishedOffer, *, at: datetime) -> int:
    """Issue the planned coupons of an offer, and return their number."""

    def work(held: Held, guard: Guard) -> int:
        return issuing.issue(offer, held=held.subjects, guard=guard)

    return CouponStep(f"coupons: {offer.code}", [offer], at, work, atomic=False).run()


def follow_use(offers: Sequence[PublishedOffer], batches: tuple[int, ...], *, at: datetime) -> int:
    """Follow the use of coupons. Returns 0 if it has been followed further already."""
    marks = list(Issuance.objects.values_list("spent_until", flat=True))

    def work(held: Held, guard: Guard) -> int:
        return redemption.follow(at=at, batches=batches, held=held, guard=guard)

    progress = None if None in marks else min(mark for mark in marks if mark is not None)
    return CouponStep(COUPON_USE, offers, at, work, progress=progress, batches=batches).run()


def notify(offer: PublishedOffer, *, at: datetime) -> int:
    """Publish that coupons of an offer expire soon, and return the number of events."""
    progress = Issuance.objects.filter(offer=offer.id).values_list("warned_until", flat=True).first()

    def work(held: Held, guard: Guard) -> int:
        return expiry_notices.publish_notices(offer, at=at, held=held, guard=guard)

    return CouponStep(f"expiry notices: {offer.code}", [offer], at, work, progress=progress).run()


def owed(*, at: datetime) -> bool:
    """Return whether coupons wait to be issued, other than those of offers with grants in quarantine."""
    waiting = Issuance.objects.filter(issued__lt=F("planned")).values_list("offer__code", flat=True)
    held = QuarantineEntry.objects.filter(step__startswith="coupons: ", retry_at__gt=at)
    return bool({f"coupons: {code}" for code in waiting} - set(held.values_list("step", flat=True)))
