"""Process that imports `FOLDER/freight_orders.csv` and hangs at a place where the test kills it.

`python -m tests.support.importer FOLDER row|commit|never|look`: it hangs at row 15,000, or before the commit, or not at
all; `look` only prints what is stored.
"""

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

import django

ROW = 15_000


def stop() -> None:
    sys.stdout.write("here\n")
    sys.stdout.flush()
    sys.stdin.read()


def main(folder: Path, place: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db.models.signals import post_save

    from imports.importer import ImportOptions, import_file
    from imports.models import ImportBatch
    from imports.schema import Check
    from logistics.import_schemas import FREIGHT_ORDERS
    from logistics.models import FreightOrder
    from tests.support.importing import NOW, SHANGHAI

    def at_row(order_no: str) -> None:
        if place == "row" and order_no == f"F{ROW}":
            stop()

    def at_commit(created: bool, **_signal: Any) -> None:
        if place == "commit" and not created:
            stop()

    post_save.connect(at_commit, sender=ImportBatch, weak=False)
    file = dataclasses.replace(FREIGHT_ORDERS, checks=(Check(("order_no",), at_row),))
    if place != "look":
        path = folder / "freight_orders.csv"
        options = ImportOptions(zone=SHANGHAI, now=NOW)
        result = import_file(file, path, options, on_error=lambda error: sys.exit(str(error)))
        assert result.succeeded
    batches = ImportBatch.objects.filter(source="freight_orders.csv").count()
    sys.stdout.write(f"{FreightOrder.objects.count()} orders, {batches} imports\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
