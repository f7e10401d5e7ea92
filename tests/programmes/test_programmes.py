"""Published programmes: the definition and facts of each folder give the decisions that were worked out by hand."""

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from campaigns.engine import ticker
from campaigns.ledger import funding
from campaigns.models import Decision, Grant
from campaigns.offers import published_offers, publishing
from core.money import round_to_cents
from definitions import parser
from definitions.funding import PAYERS, PLATFORM
from imports.folder_import import import_folder
from imports.importer import ImportOptions
from imports.schema import RowError
from tests.support.world import everything

HERE = Path(__file__).parent
PROGRAMMES = sorted(path.parent for path in HERE.glob("*/definition.yaml"))
PAGE = HERE.parents[1] / "docs" / "programmes.md"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")
MOST_STEPS = 8
LATER = timedelta(days=31)
"""Time after the last fact at which a programme is looked at."""

Rows = dict[tuple[str, str], tuple[str, ...]]


def instants(folder: Path) -> list[datetime]:
    """Return the instants of all facts, and the one at which the programme is looked at."""
    texts = {text for path in folder.glob("facts/*.csv") for text in INSTANT.findall(path.read_text(encoding="utf-8"))}
    found = sorted(map(datetime.fromisoformat, texts))
    return [*found, found[-1] + LATER]


def prepare(folder: Path) -> list[datetime]:
    """Publish the definition, import the facts, and return the instants at which a tick has something to do."""
    stops, source = instants(folder), (folder / "definition.yaml").read_text(encoding="utf-8")
    before, errors = stops[0] - LATER, list[RowError]()
    publishing.publish(parser.read(source), source=source, at=before, by="test")
    options = ImportOptions(zone=ZoneInfo("UTC"), now=datetime(2100, 1, 1, tzinfo=UTC))
    assert import_folder(folder / "facts", options, on_error=errors.append), errors[:5]
    return stops[:: max(1, len(stops) // MOST_STEPS)] + stops[-1:]


def expected(folder: Path) -> Rows:
    with (folder / "expected.csv").open(newline="", encoding="utf-8") as file:
        rows = {(row["offer"], row["subject"]): row for row in csv.DictReader(file)}
    result: Rows = {}
    for key, row in rows.items():
        without = row["amount"] if row["result"] in Grant.Status.values else ""  # without payers the platform pays all
        paid = (row.get(payer, without if payer == PLATFORM else without and "0.00") for payer in PAYERS)
        result[key] = (row["result"], row["amount"], row["currency"], *paid)
    return result


def found() -> Rows:
    """Return the refusals and the latest grant of each subject."""
    conditions = {offer.id: [each.name for each in offer.terms.asked] for offer in published_offers.published()}
    result: Rows = {}
    for decision in Decision.objects.exclude(outcome=Decision.Outcome.GRANTED).select_related("offer"):
        failed = [name for n, name in enumerate(conditions[decision.offer_id]) if decision.failed >> n & 1]
        outcome = " ".join(failed) or Decision.Outcome(decision.outcome).name.lower()
        result[decision.offer.code, decision.subject] = (outcome, "", "", *[""] * len(PAYERS))
    shares = funding.version_shares()
    paid = {f"by_{payer}": shares.of(payer) for payer in PAYERS}
    for grant in Grant.objects.order_by("pk").select_related("offer").annotate(**paid):
        amounts = (grant.amount, *(getattr(grant, name) for name in paid))
        amount, *parts = (str(round_to_cents(each)) for each in amounts)
        result[grant.offer.code, grant.subject] = (grant.status, amount, grant.currency, *parts)
    return result


@pytest.mark.django_db
@pytest.mark.parametrize("folder", PROGRAMMES, ids=lambda folder: folder.name)
def test_programme(folder: Path) -> None:
    steps, wanted = prepare(folder), expected(folder)
    with transaction.atomic():
        ticker.tick(at=steps[-1])
        at_once = everything()
        assert found() == wanted
        transaction.set_rollback(True)
    for at in steps:
        ticker.tick(at=at)
    assert found() == wanted
    assert everything() == at_once


def test_the_page_lists_every_programme() -> None:
    listed = re.findall(r"^\| \[`([a-z0-9-]+)`\]", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == [folder.name for folder in PROGRAMMES]
    described = {folder.name for folder in PROGRAMMES if (folder / "README.md").is_file()}
    assert described == set(listed)
