"""Trying a text: the engine in a sandbox gives what it would give, and nothing is written."""

import io
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction
from openpyxl import load_workbook

from backoffice.simulations import OfferResult
from campaigns.engine import ticker
from campaigns.models import Attachment, Coupon, Decision, Draft, Grant, JournalEntry, Offer, Simulation, TickRun
from campaigns.offers import drafts
from campaigns.simulation import jobs
from campaigns.simulation.isolated_tables import ISOLATED_MODELS, IsolationError, isolated_tables
from core.db import pipeline, prepared_statements
from core.jobs import STALLED_AFTER
from definitions.errors import DefinitionError
from imports.models import ImportBatch
from tests.support import season as seasons
from tests.support.world import HEADING, freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def draft_of(*offers: str) -> Draft:
    return drafts.begin(f"{HEADING}offers:\n{''.join(offers)}", title="Trial", at=NOW, by="ana")


def tried(draft: Draft, until: str = "30", **options: object) -> Simulation:
    simulation = jobs.request(draft, until=t(until), at=NOW, by="ana", **options)  # type: ignore[arg-type]
    jobs.run(simulation, clock=lambda: NOW)
    assert simulation.status == Simulation.Status.DONE, simulation.error
    return simulation


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in ISOLATED_MODELS}


def rows(simulation: Simulation) -> list[tuple[object, ...]]:
    assert simulation.table is not None
    return list(load_workbook(io.BytesIO(bytes(simulation.table))).active.values)[1:]


@pytest.mark.parametrize("case", ["tiny-quotas"])
def test_a_simulation_gives_the_results_of_the_season_and_changes_nothing(
    case: str, season: seasons.Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TICKS", 4)
    found = season(case)
    source = Offer.objects.get(code="charter-5-off").campaign.source
    for code, quota in found.quotas.items():
        source = _with_quota(source, code, quota)
    draft = drafts.begin(source, title="", at=NOW, by="ana")
    before = counts()
    simulation = jobs.request(draft, until=seasons.END, at=NOW, by="ana")
    jobs.run(simulation, clock=lambda: NOW)
    assert simulation.status == "done", simulation.error
    assert counts() == before
    got = {(row[0], row[1], row[2], row[3], f"{row[4]:.2f}", row[5]) for row in rows(simulation)}
    real = Grant.objects.values_list("offer__code", "subject", "merchant_id", "status", "amount", "currency")
    assert got == {(*row[:4], f"{row[4]:.2f}", row[5]) for row in real}
    assert {item["code"]: item["used"] for item in simulation.result["offers"]} == dict(
        Offer.objects.values_list("code", "places_taken")
    )


def _with_quota(source: str, code: str, quota: dict[str, int]) -> str:
    from definitions import yaml_roundtrip

    data = yaml_roundtrip.load(source)
    for item in data["offers"]:
        if item["code"] == code:
            item["quota"] = {**(item.get("quota") or {}), **{name: str(n) for name, n in quota.items()}}
    return yaml_roundtrip.dump(data)


def test_work_of_the_real_engine_keeps_waiting() -> None:
    merchant()
    freight("F1", paid_at="05")
    waiting = ImportBatch.objects.filter(processed=False).count()
    simulation = tried(draft_of(offer("ten")))
    assert simulation.result["offers"][0]["granted"] == 1
    assert (Grant.objects.count(), Offer.objects.count(), TickRun.objects.count()) == (0, 0, 0)
    assert ImportBatch.objects.filter(processed=False).count() == waiting == 3
    publish(offer("ten"))
    tick("30")
    assert Grant.objects.count() == 1


def test_a_simulation_reports_merchants_dates_amounts_and_refusals() -> None:
    merchant()
    merchant("M2", country="US")
    for n in range(4):
        freight(f"F{n}", paid_at=f"0{n + 5}", base_freight=1000 + n)
    freight("X", of="M2", paid_at="05")
    [found] = tried(draft_of(offer("ten", quota="{limit: 3}"))).result["offers"]
    assert (found["granted"], found["used"], found["limit"], found["merchants"]) == (3, 3, 3, 1)
    assert found["gone_at"] == "2022-09-07T00:00:00+00:00"
    assert found["costs"] == [["CNY", "300.30", "0.00"]]
    assert [(item["name"], item["count"]) for item in found["refused"]] == [
        ("merchant_country", 1),
        ("quota_exhausted", 1),
    ]
    assert (found["refused"][0]["en"], found["refused"][0]["zh-hans"]) == ("country is China", "国家为中国")
    assert found["takers"] == [["M1", "", 3, "300.30", "CNY"]]


def test_a_simulation_counts_the_use_of_each_band() -> None:
    for code, days in (("M1", "568"), ("M2", "5")):
        merchant(code)
        for day in days:
            freight(f"{code}-{day}", of=code, paid_at=f"0{day}", base_freight=1000)
    quota = "[{of: grants, at_most: 2, per: merchant, in: month}, {of: amount, at_most: 500.00, currency: CNY}]"
    [found] = tried(draft_of(offer("ten", benefit="{fee: freight, percent: 10, currency: CNY}", quota=quota))).result[
        "offers"
    ]
    monthly, money = found["bands"]
    assert (monthly["used"], monthly["currency"], monthly["limits"], monthly["full"]) == ("3", "", 2, 1)
    assert monthly["en"] == "at most 2 for each merchant, each calendar month (UTC time)"
    assert (money["used"], money["currency"], money["limits"], money["full"]) == ("300.00", "CNY", 1, 0)
    shown = OfferResult(found).bands
    assert [row[1:] for row in shown] == [("3", 2, 1), ("300.00 CNY", 1, 0)]


def test_a_simulation_counts_claims_of_nothing() -> None:
    worth = offer("o", conditions="[{fact: benefit, more_than: 0.00}]")
    merchant()
    freight("F1", base_freight=Decimal(0), paid_at="05")
    freight("F2", base_freight=Decimal(100), paid_at="05")
    [result] = tried(draft_of(worth)).result["offers"]
    [reason] = result["refused"]
    assert (reason["name"], reason["count"], result["granted"]) == ("nothing_to_discount", 1, 1)
    assert (reason["en"], reason["zh-hans"]) == ("benefit is more than 0.00", "优惠金额大于0.00")


def test_the_difference_to_another_text() -> None:
    merchant()
    for n in range(4):
        freight(f"F{n}", paid_at=f"0{n + 5}", base_freight=100 * (n + 1))
    base = f"{HEADING}offers:\n{offer('ten', quota='{limit: 2}')}{offer('gone', where='[{fact: line, is: nowhere}]')}"
    draft = draft_of(
        offer("ten", conditions="[{fact: base_freight, at_least: 200}]", benefit="{fee: freight, percent: 20}")
    )
    simulation = tried(draft, base=base)
    assert simulation.result["compared"] == [
        {"code": "gone", "same": 0, "changed": 0, "gained": 0, "lost": 0},
        {"code": "ten", "same": 0, "changed": 1, "gained": 2, "lost": 1},
    ]
    assert [(row[1], row[-1]) for row in rows(simulation)] == [
        ("F1", "changed"),
        ("F2", "gained"),
        ("F3", "gained"),
        ("F0", "lost"),
    ]


def test_dates_are_moved_to_where_the_facts_are() -> None:
    merchant()
    freight("F1", paid_at="2021-09-05")
    text = offer("ten", conditions="[{fact: paid_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-30 00:00:00}}]")
    assert tried(draft_of(text)).result["offers"][0]["granted"] == 0
    assert tried(draft_of(text), days=-364).result["offers"][0]["granted"] == 1


def test_cancelled_at_its_next_step() -> None:
    merchant()
    text = offer("ten", conditions="[{fact: paid_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-30 00:00:00}}]")
    simulation = jobs.request(draft_of(text), until=t("30"), at=NOW, by="ana")
    steps = []

    def clock() -> datetime:
        steps.append(simulation.step)
        if simulation.step == 1:
            jobs.cancel(simulation, at=NOW)
        return NOW

    jobs.run(simulation, clock=clock)
    assert (simulation.status, simulation.result, simulation.table) == ("cancelled", {}, None)
    assert max(steps) == 1  # of 20
    assert not jobs.cancel(simulation, at=NOW)
    jobs.run(simulation, clock=lambda: NOW)  # what is over is not run again
    assert simulation.status == "cancelled"


def test_a_failed_simulation_says_why_and_changes_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    merchant()
    publish(offer("ten"))
    draft = draft_of(offer("ten"))
    before = counts()

    def broken(*, at: datetime) -> None:
        raise RuntimeError("no such luck")

    simulation = jobs.request(draft, until=t("30"), at=NOW, by="ana")
    with monkeypatch.context() as patched:
        patched.setattr(ticker, "tick", broken)
        jobs.run(simulation, clock=lambda: NOW)
    assert (simulation.status, simulation.error) == ("failed", "RuntimeError: no such luck")
    assert counts() == before


def test_a_text_that_is_not_right_is_not_tried() -> None:
    with pytest.raises(DefinitionError):
        jobs.request(drafts.begin("campaign: x", title="", at=NOW, by="ana"), until=t("30"), at=NOW, by="ana")
    assert not Simulation.objects.exists()


def test_a_lost_worker_is_not_waited_for_for_ever() -> None:
    simulation = jobs.request(draft_of(offer("ten")), until=t("30"), at=NOW, by="ana")
    Simulation.objects.update(status="running", seen_at=NOW)
    assert jobs.QUEUE.fail_stalled(at=NOW + STALLED_AFTER - STALLED_AFTER / 60) == 0
    assert jobs.QUEUE.fail_stalled(at=NOW + STALLED_AFTER) == 1
    simulation.refresh_from_db()
    assert (simulation.status, simulation.error) == ("failed", "the worker was lost")


def test_the_sandbox_hides_every_table_that_the_engine_writes(season: seasons.Season) -> None:
    season()
    models = (Offer, Decision, Grant, Coupon, Attachment, JournalEntry, TickRun, ImportBatch)
    assert all(model._default_manager.exists() for model in models)
    with isolated_tables():
        assert not any(model._default_manager.exists() for model in models)
    assert all(model._default_manager.exists() for model in models)


def test_where_the_tables_are_not_hidden_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    merchant()
    publish(offer("ten"))
    monkeypatch.setattr("campaigns.simulation.isolated_tables._create_temporary_tables", lambda names: None)
    with pytest.raises(IsolationError), isolated_tables():
        raise AssertionError("it went on")
    assert Offer.objects.count() == 1
    assert connection.vendor in ("sqlite", "postgresql")


@pytest.mark.postgresql
@pytest.mark.parametrize("forgets", [True, False])
def test_a_statement_prepared_before_is_not_used_in_the_sandbox(forgets: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prepared statement keeps the table that it was prepared for. The control uses it again and reads that table."""
    with connection.cursor() as cursor:
        # The first temporary table of a session makes PostgreSQL plan all statements again, later ones do not.
        cursor.execute("CREATE TEMPORARY TABLE earlier (n int)")
    merchant()
    publish(offer("ten", quota="{limit: 10}"))
    freight("F1", paid_at="02")
    tick("03")
    statement = "SELECT count(*) FROM campaigns_grant"
    assert pipeline.execute_deferred(statement, [])() == [(1,)]
    if not forgets:
        monkeypatch.setattr(prepared_statements, "without_prepared_statements", nullcontext)
    with transaction.atomic(), isolated_tables():
        rows = pipeline.execute_deferred(statement, [])()
    assert rows == [(0 if forgets else 1,)]
