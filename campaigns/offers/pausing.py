"""Pause, resume or stop an offer. Grants made before keep following their facts.

Claims on a paused offer wait; when it is resumed they are decided in the order in which they were made, as late claims
are. A stop is an instant: claims made by then are still decided, later ones are refused.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import AuditEvent, Offer


class NotNowError(Exception):
    """The state of the offer does not allow this. Nothing was changed."""


def pause(offer: Offer, *, at: datetime, by: str, reason: str) -> None:
    """Pause an offer at `at`: its claims wait. Raises NotNowError if it is paused or stopped already."""
    with transaction.atomic():
        row = _lock(offer)
        if row.paused_at or row.stopped_at:
            text = _("%(offer)s is stopped already") if row.stopped_at else _("%(offer)s is paused already")
            raise NotNowError(text % {"offer": row.code})
        _change(offer, row, AuditEvent.Verb.PAUSED, at=at, by=by, reason=reason, paused_at=at)


def resume(offer: Offer, *, at: datetime, by: str, reason: str) -> None:
    """Resume an offer: the next tick decides the waiting claims. Raises NotNowError if the offer is not paused."""
    with transaction.atomic():
        row = _lock(offer)
        if not row.paused_at:
            raise NotNowError(_("%(offer)s is not paused") % {"offer": row.code})
        _change(offer, row, AuditEvent.Verb.RESUMED, at=at, by=by, reason=reason, paused_at=None, reevaluate_all=True)


def stop(offer: Offer, *, at: datetime, by: str, reason: str) -> None:
    """Stop an offer: claims after `at`, or after the start of a pause that this ends, are refused.

    Raises NotNowError if the offer is stopped already.
    """
    with transaction.atomic():
        row = _lock(offer)
        if row.stopped_at:
            raise NotNowError(_("%(offer)s is stopped already") % {"offer": row.code})
        ends = {"stopped_at": row.paused_at or at, "paused_at": None, "reevaluate_all": True}
        _change(offer, row, AuditEvent.Verb.STOPPED, at=at, by=by, reason=reason, **ends)


def _lock(offer: Offer) -> Offer:
    """Lock the row until the transaction ends, and return it. Waits for a tick that decides the offer's claims."""
    return Offer.objects.select_for_update(no_key=True).get(pk=offer.pk)


def _change(offer: Offer, row: Offer, verb: str, *, at: datetime, by: str, reason: str, **fields: object) -> None:
    recorded = [name for name in fields if name.endswith("_at")]
    before = {name: _text(getattr(row, name)) for name in recorded}
    Offer.objects.filter(pk=row.pk).update(**fields)
    offer.refresh_from_db(fields=[*fields])
    after = {name: _text(getattr(offer, name)) for name in recorded}
    AuditEvent.objects.create(offer=offer, verb=verb, at=at, by=by, reason=reason, before=before, after=after)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
