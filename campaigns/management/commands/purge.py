"""`manage.py purge`: delete old notifications and processing runs."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.notifications import retention
from core import clock

LEAST_DAYS = 30
"""Webhooks are tried for three days, and people look for messages of the last weeks."""


class Command(BaseCommand):
    help = (
        "Delete messages, webhook deliveries, their events and processing runs that are older than some days and wait "
        "for nothing. Facts, decisions, benefits, the ledger and the audit log stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, required=True, help=f"age in days, at least {LEAST_DAYS}")
        parser.add_argument("--dry-run", action="store_true", help="count, and delete nothing")

    def handle(self, *args: object, days: int, dry_run: bool, **options: object) -> None:
        if days < LEAST_DAYS:
            raise CommandError(f"--days {days}: at least {LEAST_DAYS}")
        done = retention.purge(before=clock.real() - timedelta(days=days), dry_run=dry_run)
        words = "to delete" if dry_run else "deleted"
        self.stdout.write(
            f"{words}: {done.deliveries} deliveries, {done.messages} messages, {done.events} events, {done.runs} runs"
        )
