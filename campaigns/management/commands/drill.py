"""`manage.py drill OFFER`: a rehearsal of the rush on an offer, aside from what is given."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.models import Offer
from campaigns.offers import published_offers
from campaigns.simulation import load_drill
from core import clock


class Command(BaseCommand):
    """Say what many clients at once would get, and whether exactly as many places went as there are."""

    help = "Copies an offer aside, has many claim it at once, and counts. Nothing is given. Needs PostgreSQL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("offer", help="the offer's code")
        parser.add_argument("--claims", type=int, default=1_000, help="at most so many subjects claim (1000)")
        parser.add_argument("--clients", type=int, default=16, help="so many at the same time (16)")
        parser.add_argument("--limit", type=int, help="places in the drill (the offer's own, or half of the claims)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit status 0: exact; 1: it was not, or could not be held."""
        try:
            offer = published_offers.find(options["offer"])
        except Offer.DoesNotExist as error:
            raise CommandError(f"there is no published offer {options['offer']}") from error
        limit = options["limit"] or min(offer.row.limit or options["claims"], options["claims"] // 2)
        try:
            found = load_drill.drill(
                offer, most=options["claims"], clients=options["clients"], limit=limit, at=clock.now()
            )
        except load_drill.DrillError as error:
            raise CommandError(str(error)) from error
        self._tell(found)
        if not found.exact:
            raise CommandError("it was not exact")

    def _tell(self, found: load_drill.Report) -> None:
        granted = found.outcomes.get("granted", 0)
        refused = ", ".join(f"{name} {n}" for name, n in sorted(found.outcomes.items()) if name != "granted")
        p50, p95 = (found.slowest(part) * 1_000 for part in (50, 95))
        self.stdout.write(
            f"{found.claims} claims by {found.clients} clients in {found.seconds:.1f} s\n"
            f"granted    {granted} of {found.limit} places\n"
            f"refused    {refused or 'none'}\n"
            f"p50, p95   {p50:.0f} ms, {p95:.0f} ms\n"
            f"retries    {found.retries}\n"
            f"invariants {', '.join(found.violations) or 'all hold'}"
        )
