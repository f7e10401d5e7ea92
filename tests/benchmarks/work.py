"""Work of a new process, `python -m tests.benchmarks.work VERB …`; prints its seconds and count as JSON."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import django


def tick(at: str) -> int:
    """Run a tick at an instant."""
    from campaigns.engine import ticker

    return ticker.tick(at=datetime.fromisoformat(at)).decided


def loop(at: str) -> int:
    """Decide by the loop over objects."""
    from tests.benchmarks import plain_loop

    return plain_loop.decide(datetime.fromisoformat(at))


def issue(code: str) -> int:
    """Issue the coupons that an offer promises."""
    from campaigns.coupons import issuing
    from campaigns.offers import published_offers

    return issuing.issue(published_offers.find(code))


def take(path: str) -> int:
    """Import a file of freight orders."""
    from imports.importer import ImportOptions, import_file
    from logistics.import_schemas import FREIGHT_ORDERS

    options = ImportOptions(zone=UTC, now=datetime.now(UTC))
    return import_file(FREIGHT_ORDERS, Path(path), options, on_error=lambda error: sys.exit(str(error))).added


def rate(at: str) -> int:
    """Bring the ratings of all scorecards up to an instant, and process the imports."""
    from campaigns.engine import rating_step
    from campaigns.offers import documents
    from imports.models import ImportBatch

    batches = tuple(ImportBatch.objects.filter(processed=False).values_list("pk", flat=True))
    each = [
        rating_step.follow(document, batches, at=datetime.fromisoformat(at))
        for document in documents.published("scorecards")
    ]
    ImportBatch.objects.filter(pk__in=batches).update(processed=True)
    return sum(each)


VERBS: dict[str, Callable[[str], int]] = {"tick": tick, "loop": loop, "issue": issue, "take": take, "rate": rate}

if __name__ == "__main__":
    django.setup()
    from django.db import connection

    connection.ensure_connection()
    began = perf_counter()
    count = VERBS[sys.argv[1]](sys.argv[2])
    sys.stdout.write(json.dumps({"seconds": perf_counter() - began, "count": count}) + "\n")
