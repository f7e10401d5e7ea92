"""Stopping the giving, for a while or for good. What was given before is kept and goes its way.

While an offer is paused its claims wait; when it is resumed they are decided in the order in which they were made, as
claims told late are. A stop is an instant: claims made by then are still decided, later ones are refused.
"""

from datetime import datetime

from django.db import transaction

from campaigns.models import AuditEvent, Offer


class NotNowError(Exception):
    """The offer is not in a state in which that can be done. Nothing was changed."""


def pause(offer: Offer, *, at: datetime, by: str, reason: str) -> None:
    """Let the offer's claims wait from `at` on. Raises NotNowError where it is paused or stopped already."""
    with transaction.atomic():
        row = _held(offer)
        if row.paused_at or row.stopped_at:
            raise NotNowError(f"{row.code} is {'stopped' if row.stopped_at else 'paused'} already")
        _move(offer, row, AuditEvent.Verb.PAUSED, at=at, by=by, reason=reason, paused_at=at)


def resume(offer: Offer, *, at: datetime, by: str, reason: str) -> None:
    """Have the waiting claims decided by the next tick. Raises NotNowError where the offer is not paused."""
    with transaction.atomic():
        row = _held(offer)
        if not row.paused_at:
            raise NotNowError(f"{row.code} is not paused")
        _move(offer, row, AuditEvent.Verb.RESUMED, at=at, by=by, reason=reason, paused_at=None, reevaluate_all=True)


def stop(offer: Offer, *, at: datetime, by: str, reason: str) -> None:
    """Give no place to a claim made after `at`, or after the pause that this ends.

    Raises NotNowError where the offer is stopped already.
    """
    with transaction.atomic():
        row = _held(offer)
        if row.stopped_at:
            raise NotNowError(f"{row.code} is stopped already")
        ends = {"stopped_at": row.paused_at or at, "paused_at": None, "reevaluate_all": True}
        _move(offer, row, AuditEvent.Verb.STOPPED, at=at, by=by, reason=reason, **ends)


def _held(offer: Offer) -> Offer:
    """The row as it stands, held until the transaction ends: a tick that decides the offer's claims is waited for."""
    return Offer.objects.select_for_update(no_key=True).get(pk=offer.pk)


def _move(offer: Offer, row: Offer, verb: str, *, at: datetime, by: str, reason: str, **fields: object) -> None:
    told = [name for name in fields if name.endswith("_at")]
    before = {name: _text(getattr(row, name)) for name in told}
    Offer.objects.filter(pk=row.pk).update(**fields)
    offer.refresh_from_db(fields=[*fields])
    after = {name: _text(getattr(offer, name)) for name in told}
    AuditEvent.objects.create(offer=offer, verb=verb, at=at, by=by, reason=reason, before=before, after=after)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
