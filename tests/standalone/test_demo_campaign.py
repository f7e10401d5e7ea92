"""The demonstration at its usual size through the September campaign: every offer has grants and refusals.

Counts may change with the world; what is asserted is what a demonstration needs.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from campaigns.engine import ticker
from campaigns.models import Decision, Offer, Tag
from standalone.demo_data.generate import write_files

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once(reason="the size of the demonstration")]

OPENING = "2022-09-20T16:00:00Z"  # where the demonstration's clock starts
WINDOW_OVER = "2022-10-01T07:00:00Z"
COUPONS_OUT = "2022-10-20T16:00:00Z"
VESSELS_GONE = "2022-11-02T00:00:00Z"
COUPONS_OVER = "2022-12-02T00:00:00Z"
AT_OPENING = (
    "service-fee-half",
    "oa-fee-waiver",
    "easy-return-premium-half",
    "lc-financing-first-draw",
    "multimodal-reduction",
    "charter-5-off",
    "parcel-11-off",
    "us-west-port-to-door",
)
Rows = list[dict[str, str]]


def tick(instant: str) -> None:
    ticker.tick(at=datetime.fromisoformat(instant))


def exported(command: str, folder: Path) -> Rows:
    path = folder / "out.csv"
    call_command(command, str(path), stdout=io.StringIO())
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


def states(rows: Rows) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row["offer"]][row["status"]] += 1
    return found


def outcomes(offer: str) -> set[int]:
    return set(Decision.objects.filter(offer__code=offer).values_list("outcome", flat=True))


def ways_to_fail(offer: str) -> int:
    return Decision.objects.filter(offer__code=offer, failed__gt=0).values("failed").distinct().count()


@pytest.fixture
def season(tmp_path: Path) -> Path:
    """Facts imported and decided up to the start of the demonstration."""
    write_files(tmp_path / "facts", merchants=300, seed=2022, season_only=True)
    call_command("load_campaign", "september-2022", stdout=io.StringIO())
    call_command("import_facts", str(tmp_path / "facts"), stdout=io.StringIO())
    tick(OPENING)
    return tmp_path


def test_every_offer_has_grants_and_refusals(season: Path) -> None:
    """Walk through the season once, because the import takes long."""
    for check in (_opening, _window_over, _coupons_out, _vessels_gone, _coupons_over):
        check(season)


def _opening(season: Path) -> None:
    found = states(exported("export_grants", season))
    for offer in AT_OPENING:
        assert sum(found[offer].values()) >= 20, offer
        assert ways_to_fail(offer) >= 1, offer
    assert {"reserved", "locked", "settled", "released"} <= found["us-west-port-to-door"].keys()
    assert 240 <= Offer.objects.get(code="us-west-port-to-door").places_taken <= 295
    for offer in ("us-west-port-to-door", "multimodal-reduction", "parcel-11-off"):
        assert Decision.Outcome.MERCHANT_CAP in outcomes(offer), offer
    assert any(36_000 <= total < 40_000 for total in _threshold_sums())


def _threshold_sums() -> Iterator[float]:
    """Yield each merchant's sum before its last tagged order."""
    last: dict[str, float] = {}
    for tag in Tag.objects.order_by("tagged_at"):
        last[tag.merchant_id] = float(tag.total)
    yield from last.values()


def _window_over(season: Path) -> None:
    tick(WINDOW_OVER)
    assert Decision.Outcome.QUOTA_EXHAUSTED in outcomes("us-west-port-to-door")
    assert not states(exported("export_grants", season))["express-coupons"]


def _coupons_out(season: Path) -> None:
    tick(COUPONS_OUT)
    assert states(exported("export_grants", season))["express-coupons"]["settled"] >= 20
    assert ways_to_fail("express-coupons") >= 2
    assert Decision.Outcome.SUPERSEDED in outcomes("charter-5-off")  # by a coupon tried out on the evening of issue
    assert {"issued", "locked", "redeemed"} <= states(exported("export_coupons", season))["express-coupons"].keys()


def _vessels_gone(season: Path) -> None:
    tick(VESSELS_GONE)
    found = states(exported("export_grants", season))
    assert {"settled", "released", "forfeited"} <= found["us-west-port-to-door"].keys()
    assert {"locked", "settled", "released", "revoked"} <= found["service-fee-half"].keys()


def _coupons_over(season: Path) -> None:
    tick(COUPONS_OVER)
    assert {"redeemed", "expired"} == states(exported("export_coupons", season))["express-coupons"].keys()
