"""`manage.py issue_key NAME --scopes read claim [--merchant CODE] [--days N]`: issue an API key and print it."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from core import clock
from merchants import api_keys
from merchants.models import ApiKey, Merchant


class Command(BaseCommand):
    help = _("Issue an API key and print it. It is not stored and cannot be shown again.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--scopes", nargs="+", required=True, choices=ApiKey.Scope.values)
        parser.add_argument("--merchant", help=_("merchant of the key; without it the key is for the whole platform"))
        parser.add_argument("--days", type=int, help=_("days until it expires; without it the key does not expire"))

    def handle(self, *args: Any, name: str, scopes: list[str], **options: Any) -> None:
        merchant = Merchant.objects.filter(pk=options["merchant"]).first() if options["merchant"] else None
        if options["merchant"] and merchant is None:
            raise CommandError(_("There is no merchant %(code)s.") % {"code": options["merchant"]})
        at = clock.real()
        ends = at + timedelta(days=options["days"]) if options["days"] else None
        try:
            _key, secret = api_keys.issue(
                name, scopes=scopes, merchant=merchant, expires_at=ends, at=at, by="issue_key"
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
