"""`manage.py check_invariants`: check every invariant and list the rows that violate one."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from campaigns.monitoring import invariants


class Command(BaseCommand):
    help = "Check every invariant in one snapshot and list the first rows that violate it. Exit status 1 if any do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="list only the invariants that do not hold")

    def handle(self, *args: object, quiet: bool, **options: object) -> None:
        violations = {violation.invariant.name: violation for violation in invariants.check()}
        for invariant in invariants.INVARIANTS:
            if violation := violations.get(invariant.name):
                self.stdout.write(str(violation))
            elif not quiet:
                self.stdout.write(_("%(invariant)s ok") % {"invariant": invariant})
        if violations:
            raise CommandError(_("violated: %s") % ", ".join(sorted(violations)))
