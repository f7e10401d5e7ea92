"""`manage.py export_allowances FILE`: write the table of allowances."""

from django.core.management.base import BaseCommand, CommandParser

from campaigns.reporting import exports
from core import spreadsheets


class Command(BaseCommand):
    help = "Write the table of allowances to FILE, as CSV or XLSX by its extension; - is standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")

    def handle(self, *args: object, file: str, **options: object) -> None:
        spreadsheets.write(file, exports.ALLOWANCE_COLUMNS, exports.allowances())
