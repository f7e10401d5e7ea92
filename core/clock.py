"""The business clock: the one place that gives the edges their "now".

In production it is the real time and cannot be moved. In a demonstration (`settings.DEMO`) it starts at `DEMO_START`,
runs at real speed while the server runs, and an operator moves it forward. Below the edges nothing asks for the time:
`at=` is handed in.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.models import DEMO_START, DemoClock


class ClockError(Exception):
    """The clock cannot be moved like that; the text says why."""


def now() -> datetime:
    """The business instant, aware, in UTC."""
    if not settings.DEMO:
        return real()
    row = DemoClock.objects.first()
    return row.reading(real=real()) if row else DEMO_START


def real() -> datetime:
    """The instant of the host's clock."""
    return datetime.now(UTC)


def move(*, to: datetime) -> datetime:
    """Set a demonstration's clock to the instant `to`, which must be aware and not before now.

    Raises `ClockError` outside a demonstration and for an earlier instant.
    """
    with transaction.atomic():
        row = _locked()
        shown = row.reading(real=real())
        if to < shown:
            raise ClockError(_("The clock never moves backwards: it already shows %(shown)s.") % {"shown": shown})
        _restart(row, at=to.astimezone(UTC))
    return to


def advance(*, by: timedelta) -> datetime:
    """Move a demonstration's clock forward by a length of time; returns what it then shows. Raises `ClockError`."""
    with transaction.atomic():
        return move(to=_locked().reading(real=real()) + by)


def run() -> None:
    """Let a demonstration's clock go on from where it stands: its server has started."""
    with transaction.atomic():
        row = _locked()
        row.running_since = row.running_since or real()
        row.save()


def stop() -> None:
    """Let a demonstration's clock stand: its server ends, and nobody watches what would happen."""
    with transaction.atomic():
        row = _locked()
        row.instant, row.running_since = row.reading(real=real()), None
        row.save()


def _restart(row: DemoClock, *, at: datetime) -> None:
    row.instant = at
    row.running_since = real() if row.running_since else None
    row.save()


def _locked() -> DemoClock:
    if not settings.DEMO:
        raise ClockError(_("Only a demonstration's clock can be moved."))
    DemoClock.objects.get_or_create(id=1)
    return DemoClock.objects.select_for_update().get(id=1)
