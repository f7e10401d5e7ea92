"""`manage.py load_campaign FILE`: publish a campaign definition, or a new version of it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from campaigns.eligibility import audience
from campaigns.offers import publishing
from core import clock
from definitions import bundled, parser
from definitions.errors import DefinitionError
from definitions.parser import CampaignDefinition
from definitions.warnings import find_warnings


class Command(BaseCommand):
    help = "Publish a campaign definition: a file, or the name of a bundled one such as september-2022."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="OFFER.limit=N",
            help="replace a limit, or a limit per merchant (cap), for a test",
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        source, at = _source(file), clock.now()
        try:
            text = parser.read(source, _quotas(options["set"]))
            with transaction.atomic():  # warnings need facts: if they fail, nothing is published
                versions = publishing.publish(text, source=source, at=at, by="load_campaign")
                warnings = [*find_warnings(text), *_audience_warnings(text)]
        except DefinitionError as error:
            raise CommandError(f"{file} is not valid:\n{error}") from error
        except ValueError as error:
            raise CommandError(f"{file} is not valid: {error}") from error
        for warning in warnings:
            self.stderr.write(f"warning: {warning}")
        for version in versions:
            self.stdout.write(f"{version.offer.code}: version {version.number} ({version.digest[:12]})")
        self.stdout.write(f"{text.campaign}: {len(versions)} of {len(text.offers)} offers published")


def _audience_warnings(text: CampaignDefinition) -> list[str]:
    try:
        return list(audience.warnings(text.offers))
    except Exception as error:
        raise ValueError(f"the merchants whom its offers are for cannot be counted: {error}") from error


def _source(file: str) -> str:
    path = bundled.path(file) or Path(file)
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}; bundled are: {', '.join(bundled.names())}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text") from error


def _quotas(settings: list[str]) -> dict[str, dict[str, int]]:
    quotas: dict[str, dict[str, int]] = {}
    for setting in settings:
        name, _, number = setting.partition("=")
        code, _, limit = name.rpartition(".")
        field = {"limit": "limit", "cap": "per_merchant"}.get(limit)
        if not code or field is None or not number.isdecimal():
            raise CommandError(f"--set {setting}: write OFFER.limit=N or OFFER.cap=N")
        quotas.setdefault(code, {})[field] = int(number)
    return quotas
