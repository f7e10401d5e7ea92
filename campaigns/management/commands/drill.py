"""`manage.py drill OFFER`: have many clients claim a copy of an offer at the same time. Nothing is granted."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.models import Offer
from campaigns.offers import published_offers
from campaigns.simulation import load_drill
from core import clock


class Command(BaseCommand):
    """Exit status 0: exactly as many grants as places. 1: not exact, or the drill could not run."""

    help = "Copy an offer, have many clients claim the copy at once, and count. Nothing is granted. Needs PostgreSQL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("offer", help="the offer's code")
        parser.add_argument("--claims", type=int, default=1_000, help="largest number of claims (1000)")
        parser.add_argument("--clients", type=int, default=16, help="number of clients that claim at once (16)")
        parser.add_argument("--limit", type=int, help="places in the drill (the offer's own, or half of the claims)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            offer = published_offers.find(options["offer"])
        except Offer.DoesNotExist as error:
            raise CommandError(f"there is no published offer {options['offer']}") from error
        limit = options["limit"] or min(offer.row.limit or options["claims"], options["claims"] // 2)
        try:
            report = load_drill.drill(
                offer, most=options["claims"], clients=options["clients"], limit=limit, at=clock.now()
            )
        except load_drill.DrillError as error:
            raise CommandError(str(error)) from error
        self._print(report)
        if not report.is_exact:
            raise CommandError("the result is not exact")

    def _print(self, report: load_drill.Report) -> None:
        outcomes = report.outcomes
        refused = ", ".join(f"{name} {n}" for name, n in sorted(outcomes.items()) if name != "granted")
        p50, p95 = (report.percentile(percent) * 1_000 for percent in (50, 95))
        self.stdout.write(
            f"{len(report.claims)} claims by {report.clients} clients in {report.seconds:.1f} s\n"
            f"granted    {outcomes['granted']} of {report.limit} places\n"
            f"refused    {refused or 'none'}\n"
            f"p50, p95   {p50:.0f} ms, {p95:.0f} ms\n"
            f"retries    {report.retries}\n"
            f"invariants {', '.join(report.violations) or 'all hold'}"
        )
