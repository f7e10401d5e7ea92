"""Business clock: the only source of the present instant for views, commands and tasks, which pass it on as `at=`.

In production it is the real time and cannot be moved. In a demonstration (`settings.DEMO`) it starts at `DEMO_START`,
runs at real speed while the server runs, and an operator can move it forward.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.instants import is_accepted
from core.models import DEMO_START, DemoClock


class ClockError(Exception):
    """The clock cannot be moved so; the text says why."""


def now() -> datetime:
    """Return the present business instant, aware, in UTC."""
    if not settings.DEMO:
        return real()
    row = DemoClock.objects.first()
    return row.reading(real=real()) if row else DEMO_START


def real() -> datetime:
    """Return the instant of the host's clock, aware, in UTC."""
    return datetime.now(UTC)


def move(*, to: datetime) -> datetime:
    """Set the clock of a demonstration to the aware instant `to`, and return that.

    Raises `ClockError` outside a demonstration, and if `to` is before the present.
    """
    if not is_accepted(to):
        raise ClockError(_("is not between the years 1970 and 2200"))
    with transaction.atomic():
        row = _locked()
        shown = row.reading(real=real())
        if to < shown:
            raise ClockError(_("The clock never moves backwards: it already shows %(shown)s.") % {"shown": shown})
        _restart(row, at=to.astimezone(UTC))
    return to


def advance(*, by: timedelta) -> datetime:
    """Move the clock of a demonstration forward and return its new instant. Raises `ClockError` as `move` does."""
    with transaction.atomic():
        return move(to=_locked().reading(real=real()) + by)


def run() -> None:
    """Start the clock of a demonstration where it stopped: its server has started."""
    with transaction.atomic():
        row = _locked()
        row.running_since = row.running_since or real()
        row.save()


def stop() -> None:
    """Stop the clock of a demonstration: its server ends, and nothing shall fall due while nobody watches."""
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
