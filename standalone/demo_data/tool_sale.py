"""Tool sale that runs when a demonstration starts: its definition, and the requests that came in before."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from standalone.demo_data.marketplace_rows import FILES, ClaimRequest
from standalone.demo_data.timing import BEIJING

DEFINITION = Path(__file__).with_name("tool-sale.yaml")
SESSIONS = (
    ("sale-listing-tool", datetime(2022, 9, 20, 20, tzinfo=BEIJING), 60, 900),
    ("sale-photo-tool", datetime(2022, 9, 20, 23, tzinfo=BEIJING), 34, 3500),
)
"""Sessions that have begun: their offer, their start, how many merchants asked, and within how many seconds."""
LATE = 3
"""Number of the merchant who asks too late for the first session: that of the demo members."""


def write_requests(folder: Path, merchants: int, seed: int) -> None:
    """Write the file of the requests into the folder. The same size and seed give the same file."""
    with (folder / f"{FILES[ClaimRequest]}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ClaimRequest.columns())
        writer.writerows(row.cells() for row in _requests(merchants, seed))


def _requests(merchants: int, seed: int) -> Iterator[ClaimRequest]:
    others = [number for number in range(1, merchants + 1) if number != LATE]
    for offer, start, count, seconds in SESSIONS:
        rng = Random(f"{seed}/{offer}")  # noqa: S311  # demo data, no secrets  # nosec B311
        for number in rng.sample(others, min(count, len(others))):
            yield _request(offer, number, start + timedelta(seconds=round(seconds * rng.random() ** 2)))
    offer, start, _count, seconds = SESSIONS[0]
    yield _request(offer, LATE, start + timedelta(seconds=2 * seconds))


def _request(offer: str, number: int, at: datetime) -> ClaimRequest:
    merchant = f"M{number:05d}"
    return ClaimRequest(
        request_no=f"{offer}-{merchant}",
        offer=offer,
        merchant_code=merchant,
        account_code=f"{merchant}-main",
        requested_at=at,
    )
