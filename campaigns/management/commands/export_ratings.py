"""`manage.py export_ratings FILE`: write the table of ratings."""

from django.core.management.base import BaseCommand, CommandParser

from campaigns.reporting import rating_exports
from core import spreadsheets


class Command(BaseCommand):
    help = "Write the table of ratings to FILE, as CSV or XLSX by its extension; - is standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")

    def handle(self, *args: object, file: str, **options: object) -> None:
        spreadsheets.write(file, rating_exports.COLUMNS, rating_exports.ratings())
