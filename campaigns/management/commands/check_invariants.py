"""Look whether everything holds that must always hold."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from campaigns.monitoring import invariants


class Command(BaseCommand):
    help = "Checks every invariant in one snapshot. Exit 1 when any does not hold, with the first rows that break it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="say nothing of those that hold")

    def handle(self, *args: Any, quiet: bool, **options: Any) -> None:
        broken = {violation.invariant.name: violation for violation in invariants.check()}
        for invariant in invariants.INVARIANTS:
            if violation := broken.get(invariant.name):
                self.stdout.write(str(violation))
            elif not quiet:
                self.stdout.write(_("%(invariant)s ok") % {"invariant": invariant})
        if broken:
            raise CommandError(_("violated: %s") % ", ".join(sorted(broken)))
