"""Follow grants: bring each to the state that its subject's facts lead to, under the version that granted it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime
from functools import partial
from itertools import islice

from django.db.models import Exists, F, OuterRef

from campaigns.eligibility import affected, claims, differences
from campaigns.eligibility.changes import Changes
from campaigns.eligibility.timeline import SubjectTimeline
from campaigns.grants import transitions
from campaigns.grants.steps import StateChange, grant_steps
from campaigns.models import Grant, JournalEntry, Version
from campaigns.offers.published_offers import PublishedOffer

CHUNK = 2_000  # grants locked and read at once; both sides of the comparison are in memory
REASONS = MISSING, MERCHANT, CLAIM, CONDITIONS, AMOUNT, STATE = (
    "the subject no longer claims",
    "the subject belongs to another merchant",
    "the claim time changed",
    "a condition no longer holds",
    "the amount changed",
    "the facts now lead to another state",
)


def follow(offer: PublishedOffer, changes: Changes) -> int:
    """Bring the grants of an offer to the states that their facts lead to. Returns how many changed.

    A grant that rests on a corrected fact stays as it is and is marked for review; only a release or revocation after
    its claim still ends it. The caller has locked the offer.
    """
    changed = 0
    live = Grant.objects.filter(offer=offer.id, status__in=Grant.LIVE).order_by()
    if changes.only:
        live = live.filter(subject__in=changes.only.subjects)
    for version in Version.objects.filter(Exists(live.filter(version=OuterRef("pk"))), offer=offer.id):
        terms = offer.under(version)
        for keys in _chunks(_subjects(terms, changes)):
            changed += sum(changes.guard.run("follow", keys, partial(_follow_some, terms, changes=changes)))
    return changed


def _subjects(offer: PublishedOffer, changes: Changes) -> Iterator[str]:
    keys = affected.subjects_to_follow(offer, changes)
    live = Grant.objects.filter(offer=offer.id, version=offer.version_id, status__in=Grant.LIVE)
    if changes.held.unfollowed:
        live = live.exclude(subject__in=changes.held.unfollowed)
    if keys is not None:
        live = live.filter(keys.contains("subject"))
    elif _is_settled_for_good(offer) and not affected.lists_changed(offer.terms, changes):
        return iter(())  # only a correction, hence a changed fact, could change these grants
    return live.order_by().values_list("subject", flat=True).iterator(chunk_size=CHUNK)


def _is_settled_for_good(offer: PublishedOffer) -> bool:
    """Return whether time changes nothing about a grant of the offer."""
    return offer.terms.settlement.at_claim and not offer.terms.settlement.released_by


def _chunks(keys: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(keys, CHUNK)):
        yield chunk


def _follow_some(offer: PublishedOffer, keys: list[str], changes: Changes) -> int:
    subjects = _read(offer, claims.subjects(offer), keys)
    # A subject that left the scope of its offer still ends its grant by a cancellation.
    outside = _read(offer, claims.rows_with_claims(offer), [key for key in keys if key not in subjects])
    failed = _failed_conditions(offer, [key for key, subject in subjects.items() if not subject.passed])
    known = outside | subjects
    rows = Grant.objects.filter(offer=offer.id, version=offer.version_id, subject__in=keys, status__in=Grant.LIVE)
    grants = list(rows.select_for_update(no_key=True).order_by("pk"))
    contradicted = _contradicted(offer, grants, known, changes)
    marked: list[Grant] = []
    advances: list[transitions.GrantAdvance] = []
    for grant in grants:
        changed = _differences(offer, grant, subjects.get(grant.subject), failed)
        timeline = known[grant.subject].timeline if grant.subject in known else None
        steps = _remaining(offer, grant, timeline, changes) if timeline else []
        if timeline and (steps is None or grant.pk in contradicted):
            changed[STATE] = " ".join(map(str, astuple(timeline)[1:]))
        if differences.mark(grant, changed, of=REASONS):
            marked.append(grant)
        # Steps that remain agree with the state by now, whatever the facts led to before.
        if steps and (_ends_after_claim(grant, steps[-1]) or not differences.has_unaccepted(grant, but=STATE)):
            advances.append(transitions.GrantAdvance(grant, steps))
    differences.save(marked, at=changes.until)
    rows.filter(follow_again=True).update(follow_again=False)
    transitions.advance(advances)
    return len(advances)


def _contradicted(
    offer: PublishedOffer, grants: Sequence[Grant], known: Mapping[str, claims.Subject], changes: Changes
) -> set[int]:
    """Return the grants whose state the facts now reach after the grant had reached it.

    By the instant of this tick they may agree again. A tick before would have seen the contradiction.
    """
    if changes.since is None:
        return set()
    suspects = [
        grant
        for grant in grants
        if grant.subject in known
        and grant.status not in _reached(offer, grant, known[grant.subject].timeline, changes.since)
    ]
    if not suspects:
        return set()
    entries = JournalEntry.objects.filter(grant__in=suspects, target=F("grant__status")).order_by("pk")
    entered = dict(entries.values_list("grant", "at"))  # later than the last tick, where it was claimed ahead of one
    return {
        grant.pk
        for grant in suspects
        if grant.status
        not in _reached(
            offer, grant, known[grant.subject].timeline, max(changes.since, entered.get(grant.pk, changes.since))
        )
    }


def _reached(offer: PublishedOffer, grant: Grant, timeline: SubjectTimeline, until: datetime) -> list[str]:
    return [step.status for step in _steps(offer, grant, timeline, until)]


def _steps(offer: PublishedOffer, grant: Grant, timeline: SubjectTimeline, until: datetime) -> list[StateChange]:
    claimed_at = timeline.claimed_at or grant.claimed_at  # a grant whose subject no longer claims keeps its claim
    return grant_steps(offer.terms.settlement, replace(timeline, claimed_at=claimed_at), until=until)


def _read(offer: PublishedOffer, rows: claims.Rows, keys: list[str]) -> dict[str, claims.Subject]:
    if not keys:
        return {}
    return {subject.key: subject for subject in claims.read(offer, rows.filter(pk__in=keys), evaluate=True)}


def _failed_conditions(offer: PublishedOffer, keys: list[str]) -> dict[str, int]:
    """Return the bit mask of the conditions that each subject does not meet."""
    if not keys:
        return {}
    rows = claims.with_failed_conditions(offer, claims.subjects(offer).filter(pk__in=keys))
    return dict(rows.values_list("pk", "failed"))


def _differences(
    offer: PublishedOffer, grant: Grant, subject: claims.Subject | None, failed: Mapping[str, int]
) -> dict[str, str]:
    """Return the facts that differ from those that the grant rests on: the present value by reason."""
    if subject is None or subject.timeline.claimed_at is None:
        return {MISSING: "out of scope" if subject is None else "not claimed"}
    differences: dict[str, str] = {}
    if subject.merchant != grant.merchant_id:
        differences[MERCHANT] = subject.merchant
    # A merchant claims once: an earlier event of the same merchant would have given it the same grant.
    at = subject.timeline.claimed_at
    if at != grant.claimed_at and (offer.terms.subject != "merchant" or at > grant.claimed_at):
        differences[CLAIM] = at.isoformat()
    if not subject.passed:
        differences[CONDITIONS] = str(failed.get(subject.key, ""))
    # A budget may have had less left than the benefit came to: the grant rests on the benefit.
    given = grant.amount if grant.benefit is None else grant.benefit
    if (subject.amount, subject.currency) != (given, grant.currency):
        differences[AMOUNT] = f"{subject.amount} {subject.currency}"
    return differences


def _remaining(
    offer: PublishedOffer, grant: Grant, timeline: SubjectTimeline, changes: Changes
) -> list[StateChange] | None:
    """Return the states that the grant has yet to go through; None if its facts lead elsewhere."""
    steps = _steps(offer, grant, timeline, changes.until)
    reached = [step.status for step in steps]
    if grant.status in reached:
        return steps[reached.index(grant.status) + 1 :]
    # A state was left out, as where a correction took the payment back: an end that the facts name still holds.
    if grant.status != Grant.Status.SETTLED and steps[-1].status not in Grant.LIVE:
        return steps[-1:]
    return None


def _ends_after_claim(grant: Grant, step: StateChange) -> bool:
    """Return whether a release or revocation ends the grant, also while it is under review.

    An end dated before the claim contradicts the claim itself: that is left to the operator.
    """
    return step.status in (Grant.Status.RELEASED, Grant.Status.REVOKED) and step.at > grant.claimed_at
