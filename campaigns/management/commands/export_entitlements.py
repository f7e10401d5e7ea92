"""`manage.py export_entitlements FILE`: write the table of entitlements."""

from django.core.management.base import BaseCommand, CommandParser

from campaigns.management.commands.tick import parse_instant
from campaigns.models import TickRun
from campaigns.reporting import exports
from core import clock, spreadsheets


class Command(BaseCommand):
    help = "Write the table of entitlements to FILE, as CSV or XLSX by its extension; - is standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--as-of", metavar="INSTANT", help="ISO 8601 with an offset or Z (default: the last tick)")

    def handle(self, *args: object, file: str, as_of: str | None, **options: object) -> None:
        ticked = TickRun.objects.order_by("-at").values_list("at", flat=True).first()
        at = parse_instant(as_of) if as_of else ticked or clock.now()
        spreadsheets.write(file, exports.ENTITLEMENT_COLUMNS, exports.entitlements(at=at))
