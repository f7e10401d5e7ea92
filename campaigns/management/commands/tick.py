"""`manage.py tick`: bring every published campaign up to an instant."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.engine import ticker
from core import clock


def parse_instant(text: str) -> datetime:
    """Parse an ISO 8601 instant with an offset or Z. Raises CommandError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not an instant like 2022-10-15T07:00:00Z") from error
    if at.tzinfo is None:
        raise CommandError(f"{text!r} has no offset: write Z or one such as -07:00")
    return at


class Command(BaseCommand):
    help = "Bring every published campaign up to an instant: claims, settlements, coupons, expiry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", metavar="INSTANT", help="ISO 8601 with an offset or Z (default: now)")

    def handle(self, *args: Any, as_of: str | None, **options: Any) -> None:
        run = ticker.tick(at=parse_instant(as_of) if as_of else clock.now())
        self.stdout.write(f"{run}: {run.decided} claims decided, {run.moved} grants moved, {run.issued} coupons issued")
