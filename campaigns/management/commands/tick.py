"""`manage.py tick`: bring every published campaign up to an instant."""

from datetime import UTC, datetime, timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.engine import ticker
from core import clock
from core.instants import is_accepted

MOST_AHEAD = timedelta(days=1)


def parse_instant(text: str) -> datetime:
    """Parse an ISO 8601 instant with an offset or Z. Raises CommandError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not an instant like 2022-10-15T07:00:00Z") from error
    if at.tzinfo is None:
        raise CommandError(f"{text!r} has no offset: write Z or one such as -07:00")
    if not is_accepted(at):
        raise CommandError(f"{text!r} is not between the years 1970 and 2200")
    return at.astimezone(UTC)


class Command(BaseCommand):
    help = "Bring every published campaign up to an instant: claims, settlements, coupons, expiry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", metavar="INSTANT", help="ISO 8601 with an offset or Z (default: now)")
        parser.add_argument("--future", action="store_true", help="allow an instant more than a day ahead of the clock")

    def handle(self, *args: object, as_of: str | None, future: bool, **options: object) -> None:
        at = parse_instant(as_of) if as_of else clock.now()
        # The clock of a demonstration may stand years ago: it is enough that the instant is past in one of the two.
        if not future and at - MOST_AHEAD > max(clock.now(), clock.real()):
            raise CommandError(f"{as_of} is more than a day ahead of the clock: write --future if that is meant")
        run = ticker.tick(at=at)
        self.stdout.write(f"{run}: {run.decided} claims decided, {run.moved} grants moved, {run.issued} coupons issued")
