"""Scorecards: points, levels, calendars, versions, late facts, and what brings the next level."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from buyers.models import BuyerAction
from campaigns.engine import ticker
from campaigns.offers import documents, publishing
from campaigns.reporting import rating_exports
from campaigns.scorecards import explanations, inputs
from compliance.models import Credential
from definitions import parser
from definitions.scorecards import ScorecardTerms
from imports.models import ImportBatch
from merchants.models import Membership, Merchant
from ratings.models import Evaluation, Rating, RatingChange
from tests.support import naive_scores
from tests.support.marketplace import buyer, level, listing
from tests.support.world import HEADING, correct, merchant, offer, outcomes, receipt, t, tell, tick, trade

pytestmark = pytest.mark.django_db

STARS = """
measures:
  paid: {count: trade_orders, over: {last_days: 90, at: first_payment_at}}
  volume:
    names: {en: Volume, zh: 交易额}
    sum: trade_orders.amount_usd
    where: [{fact: cancelled_at, happened: no}]
    over: {last_days: 90, at: first_payment_at}
  disputes: {share: trade_orders, where: [{fact: disputed_at, happened: yes}], over: {last_days: 90, at: first_payment_at}, otherwise: 0.00}
  interest:
    distinct: buyer_actions.buyer.code
    where: [{fact: kind, is: inquiry}]
    over: {last_days: 30, at: at}
    weight: {by: buyer.level, cases: {0: 10, 1: 25}}
    at_most: 60
  patents: {count: credentials, where: [{fact: kind, is: ip_right}, {fact: verified_at, happened: yes}]}
scorecards:
  - code: stars
    names: {en: Stars, zh: 星级}
    subjects: merchants
    where: [{in_force: membership, of: [global_pass]}]
    series:
      predicted: {every: day, from: 2022-08-01 00:00:00}
      official: {every: month, from: 2022-08-01 00:00:00, in_force: {month_from: 5}}
    levels: [{level: 0}, {level: 1, from: 40.00}, {level: 2, from: 60.00}]
    level: lowest
    score: mean
    metrics: [paid]
    versions:
      - parts:
          - code: trade
            at_most: 60.00
            add:
              - {measure: volume, bands: [{from: 1000.00, points: 40.00}, {from: 3000.00, points: 55.00}]}
              - code: machinery
                where: [{fact: merchant.category_l1, is: Machinery}]
                measure: volume
                at_least_by_level: {0: 500.00, 1: 2000.00}
                points: 7.00
          - code: service
            add:
              - {measure: interest, times: 0.60}
              - {measure: disputes, where: [{measure: paid, at_least: 1}], bands: [{to: 1.00, points: 30.00}, {to: 50.00, points: 20.00}]}
              - code: bonus
                where: [{code: proven, any: [{measure: patents, at_least: 1}, {fact: merchant.logistics_partner, is: yes}]}]
                points: 5.00
      - from: 2022-09-06 00:00:00
        parts:
          - {code: service, measure: interest, times: 1.00}
offers:
"""  # noqa: E501  # a measure a line


def publish(text: str = STARS, offers: str = "", at: str = "08-01") -> None:
    source = HEADING + text + (offers or offer("ten"))
    publishing.publish(parser.read(source), source=source, at=t(at), by="test")


def action(number: str, of: str, at: str, kind: str = "inquiry", by: str = "B1") -> None:
    tell(BuyerAction, action_no=number, buyer_id=by, merchant_id=of, kind=kind, source="search", at=t(at))


def paid(number: str, of: str, amount: int, at: str, **fields: Any) -> None:
    trade(number, of, amount_usd=Decimal(amount), **fields)
    receipt(f"R{number}", number, at, amount)


def ratings(series: str = "official") -> list[tuple[str, ...]]:
    found = [tuple(map(str, row)) for row in rating_exports.ratings()]
    return [row[2:] for row in found if row[1] == series]


@pytest.fixture
def world() -> None:
    """Merchant M1 trades 1,500.00 with one dispute in two and two buyers; M2 has nothing; M3 is no member."""
    merchant("M1", category_l1="Machinery")
    merchant("M2")
    merchant("M3", member=False)
    buyer("B1")
    buyer("B2")
    level("B2", 1, "08-15")
    action("A1", "M1", "08-02")
    action("A2", "M1", "08-30", by="B2")
    action("A3", "M1", "08-31", by="B2")
    paid("T1", "M1", 1000, "08-10", disputed_at="08-20")
    paid("T2", "M1", 500, "08-31 23:59")
    paid("T3", "M1", 9000, "09-01")


def test_points_levels_and_calendar_of_both_series(world: None) -> None:
    publish()
    tick("09-04 23:59")
    nothing = ("2022-08", "M2", "0", "0.00", "trade=0.00;service=0.00")
    assert ratings() == [("2022-08", "M1", "0", "0.00", "trade=0.00;service=0.00"), nothing]  # the next is from the 5th
    tick("09-05")
    # 40 for 1,500.00, which is level 1: machinery asks for 2,000.00. 0.6 × (10 + 25), and 20 for the disputes.
    september = ("2022-09", "M1", "1", "40.50", "trade=40.00;service=41.00")
    assert ratings()[2] == september
    assert ratings("predicted")[0] == ("2022-09-05", "M1", "0", "47.50", "trade=60.00;service=35.00")
    assert not Rating.objects.filter(series="predicted", period="2022-09-04", subject="M3").exists()
    tick("09-07")
    assert ratings()[2] == september
    assert ratings("predicted")[0][4] == "trade=60.00;service=25.00"  # by the second rules: 1.00 × 25, no disputes
    tick("10-05")
    assert [row[0] for row in ratings()] == ["2022-08", "2022-08", "2022-09", "2022-09", "2022-10", "2022-10"]


def test_agreement_with_naive_scores_on_random_facts() -> None:
    chance = random.Random(7)
    for n in (1, 2):
        buyer(f"B{n}")
    level("B2", 1, "08-20")
    for m in (f"M{n}" for n in range(12)):
        category = chance.choice(["Machinery", ""])
        merchant(m, category_l1=category, logistics_partner=chance.random() < 0.3, member=chance.random() < 0.9)
        for n in range(chance.randint(0, 4)):
            ended = {chance.choice(["disputed_at", "cancelled_at"]): "09-03"} if chance.random() < 0.3 else {}
            paid(f"T{m}-{n}", m, chance.choice([300, 700, 1000, 3000]), f"08-{chance.randint(1, 28):02}", **ended)
        for n in range(chance.randint(0, 6)):
            kind, by = chance.choice(["inquiry", "visit"]), chance.choice(["B1", "B2"])
            action(f"A{m}-{n}", m, f"08-{chance.randint(1, 31):02}", kind, by)
        if chance.random() < 0.3:
            tell(Credential, credential_no=f"C{m}", merchant_id=m, kind="ip_right", verified_at=t("08-03"))
    publish()
    [document] = documents.published("scorecards")
    assert isinstance(document.terms, ScorecardTerms)
    for at in ("09-05", "09-07"):  # by the first rules, and by the second
        tick(at)
        found = {
            row.subject: (row.level, row.score, row.parts)
            for row in Rating.objects.filter(series="predicted", evaluated_at=t(at))
        }
        naive = {row.pk: naive_scores.rating(document.terms, row, t(at)) for row in Merchant.objects.all()}
        assert found == {key: one for key, one in naive.items() if one is not None}
        assert len({score for _level, score, _parts in found.values()}) > 2


def test_steps_do_not_matter(world: None) -> None:
    publish()
    tick("10-10")
    once = ratings() + ratings("predicted")
    Rating.objects.all().delete()
    Evaluation.objects.all().delete()
    for day in ("08-01", "08-05", "09-01", "09-02", "09-06", "10-10"):
        tick(day)
    assert ratings() + ratings("predicted") == once


def test_an_official_rating_stays_when_its_merchant_leaves(world: None) -> None:
    publish()
    tick("09-06")
    correct(Membership, Membership.objects.get(merchant="M1").pk, ends_at="09-10")
    tick("10-06")
    assert {row[0] for row in ratings() if row[1] == "M1"} == {"2022-08", "2022-09"}
    assert [row[1] for row in ratings("predicted")] == ["M2"]


def test_late_and_corrected_facts_rate_again_and_are_recorded(world: None) -> None:
    publish()
    tick("09-06")
    paid("T4", "M1", 1600, "08-30")
    correct(Membership, Membership.objects.get(merchant="M2").pk, ends_at="08-20")
    tick("09-06 01:00")
    assert ratings()[-1] == ("2022-09", "M1", "1", "50.50", "trade=60.00;service=41.00")
    changes = list(
        RatingChange.objects.order_by("period", "subject").values_list("period", "subject", "level_before", "level")
    )
    assert changes[:2] == [("2022-09", "M1", "1", "1"), ("2022-09", "M2", "0", "")]
    late = ratings() + ratings("predicted")
    Rating.objects.all().delete()
    Evaluation.objects.all().delete()
    tick("09-06 01:00")
    assert ratings() + ratings("predicted") == late
    assert not ImportBatch.objects.filter(processed=False).exists()


def test_a_new_version_rates_from_the_next_evaluation_on(world: None) -> None:
    publish()
    tick("09-05")
    publish(STARS.replace("points: 40.00", "points: 60.00"), at="09-05 01:00")
    paid("T4", "M1", 100, "08-30")  # rated again by the version that rated
    tick("09-06")
    assert ratings()[2] == ("2022-09", "M1", "1", "40.50", "trade=40.00;service=41.00")
    assert Rating.objects.get(period="2022-09", subject="M1").metrics["volume"] == "1600.00"
    assert Evaluation.objects.get(period="2022-09-06").version == 2


def test_facts_of_a_merchant_that_is_not_rated_change_nothing(world: None) -> None:
    publish()
    tick("09-06")
    before = ratings()
    action("A9", "M3", "08-03")
    tick("09-06 01:00")
    assert ratings() == before


def test_a_killed_evaluation_goes_on_and_nothing_is_rated_twice(world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    publish()
    read = inputs.read
    monkeypatch.setattr(inputs, "read", lambda *args, **options: read(*args, **{**options, "size": 1}))
    begun = 0

    def fail(*args: Any, **options: Any) -> Any:
        nonlocal begun
        begun += 1
        if begun == 2:
            raise RuntimeError("killed")
        return read(*args, **{**options, "size": 1})

    with monkeypatch.context() as broken:
        broken.setattr(inputs, "read", fail)
        with pytest.raises(RuntimeError):
            ticker.tick(at=t("08-06"))
    assert Evaluation.objects.get().last_subject == "M1"
    before = Rating.objects.get().metrics["paid"]
    paid("T9", "M1", 5000, "07-30")  # told before the evaluation goes on
    tick("08-06")
    assert [row[1] for row in ratings()] == ["M1", "M2"]
    assert [before, Rating.objects.get(subject="M1", series="official").metrics["paid"]] == ["0.00", "1.00"]
    rating = Rating.objects.filter(series="official").first()
    assert rating is not None
    rating.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        rating.save()


def test_offers_ask_for_the_official_rating_in_force(world: None) -> None:
    rated = offer(
        "rated",
        subject="trade_order",
        claim="{at: completed_at}",
        conditions="[{rating: stars, at_least: 1}, {code: busy, rating: stars, of: paid, at_least: 2}]",
        benefit="{fee: service_fee, percent: 10}",
    )
    publish(offers=rated)
    for number, at in (("C1", "09-04 23:59"), ("C2", "09-05"), ("C3", "10-04"), ("C4", "10-06")):
        trade(number, "M1", completed_at=at)
    trade("C5", "M3", completed_at="09-06")
    tick("10-07")
    assert outcomes("rated") == {
        "C1": "refused",
        "C2": "granted",
        "C3": "granted",
        "C4": "refused",
        "C5": "refused",
    }


def test_every_point_is_explained_and_the_next_level_is_shown_cheapest_first(world: None) -> None:
    publish()
    tick("09-05")
    rating = Rating.objects.get(period="2022-09", subject="M1")
    explained = explanations.explain(rating)
    assert {part.part.name: f"{part.points:.2f}" for part in explained.scored.parts} == rating.parts
    trade_part, service = explained.scored.parts
    assert (trade_part.items[0].found, trade_part.items[0].band) == (Decimal("1500.00"), 0)
    assert (trade_part.items[1].required, trade_part.items[1].points) == (Decimal(2000), Decimal(0))
    assert service.items[2].failed == (0,)
    steps = [(s.of.name, s.item.name, s.target, s.gain, s.reaches) for s in explained.steps]
    assert steps == [
        ("trade", "volume", Decimal(3000), Decimal(20), True),  # machinery comes with it, up to the cap of 60
        ("service", "bonus", None, Decimal(5), False),
        ("trade", "machinery", Decimal(2000), Decimal(7), False),
        ("service", "interest", Decimal(60), Decimal(15), False),
        ("service", "disputes", Decimal(1), Decimal(10), False),
    ]
    assert explained.what_if({"volume": Decimal(3000), "interest": Decimal(60)}).score == Decimal("58.00")


def test_listings_are_rated_by_their_own_numbers() -> None:
    publish(
        """
scorecards:
  - code: quality
    names: {en: Quality, zh: 质量}
    subjects: listings
    where: [{fact: published_at, happened: yes}]
    series: {predicted: {every: week, from: 2022-08-01 00:00:00}}
    levels: [{level: red}, {level: green, from: 0.70}]
    level: score
    score: sum
    versions:
      - parts:
          - {code: images, fact: images, bands: [{from: 1, points: 0.20}, {from: 3, points: 0.50}]}
          - {code: video, where: [{fact: has_video, is: yes}], points: 0.30, certain: yes}
offers:
"""
    )
    merchant()
    listing("L1", images=3)
    listing("L2", images=1, has_video=True)
    listing("L3", images=9, has_video=True, published_at="09-20")
    tick("09-21")
    assert ratings("predicted") == [
        ("2022-W38", "L1", "red", "0.50", "images=0.50"),
        ("2022-W38", "L2", "red", "0.50", "images=0.20;video=0.30"),
    ]
    explained = explanations.explain(Rating.objects.get(subject="L1"))
    assert [(step.item.name, step.target, step.reaches) for step in explained.steps] == [("video", None, True)]
    correct(type(listing("L4")), "L1", has_video=True)
    tell(Credential, credential_no="C1", merchant_id="M1", kind="aeo", verified_at="2022-01-01")
    tick("09-22")
    assert ratings("predicted")[0] == ("2022-W38", "L1", "green", "0.80", "images=0.50;video=0.30")


def test_operators_see_levels_movement_and_who_rises_by_changed_rules(
    world: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish()
    tick("09-05")
    changed = tmp_path / "changed.yaml"
    text = STARS.replace("{level: 1, from: 40.00}", "{level: 1, from: 42.00}")
    changed.write_text(HEADING + text + offer("ten"), encoding="utf-8")
    before = list(Rating.objects.order_by("pk").values_list("pk", "level"))
    call_command("rating_figures", "stars", "--rules", str(changed))
    said = capsys.readouterr().out.splitlines()
    assert said == ["2022-09: 0: 1, 1: 1", "since 2022-08: 0 to 1: 1", "M1: 1 to 0"]
    assert list(Rating.objects.order_by("pk").values_list("pk", "level")) == before
