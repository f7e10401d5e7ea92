"""`manage.py export_usages FILE`: write the table of usages."""

from django.core.management.base import BaseCommand, CommandParser

from campaigns.reporting import exports
from core import spreadsheets


class Command(BaseCommand):
    help = "Write the table of usages to FILE, as CSV or XLSX by its extension; - is standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")

    def handle(self, *args: object, file: str, **options: object) -> None:
        spreadsheets.write(file, exports.USAGE_COLUMNS, exports.usages())
