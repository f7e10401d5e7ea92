"""The board: quotas, costs, what comes next, what waits, and who is ill; one offer's page with its figures."""

import re
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from pytest_django import Settings

from campaigns.models import AuditEvent, Grant, Heartbeat, Offer, TickRun
from campaigns.monitoring import health, heartbeat
from campaigns.offers import published_offers
from campaigns.offers.schedule import State, state
from campaigns.reporting import quota_history, refusals
from core import clock
from definitions import parser
from tests.support import season
from tests.support.members import clock as set_clock
from tests.support.members import text, words
from tests.support.operators import WINDOW, Staff
from tests.support.page_weight import files_named, first_visit
from tests.support.world import HEADING, freight, merchant, offer, publish, t, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]


@pytest.fixture
def viewer(staff: Staff, market: None) -> Client:
    return staff("vi", "viewer")


@pytest.fixture
def operator(staff: Staff, market: None) -> Client:
    return staff("ana", "operator")


def test_the_first_page_of_the_admin(viewer: Client) -> None:
    page = text(viewer, "/admin/")
    assert "ten Used up 0 left of 6 6 settled" in page
    assert "600.60 CNY settled or redeemed" in page  # 1000 to 1002 for two merchants, at 10 %
    assert "Quotas at risk 1 of 1 with a limit ten" in page
    closing = "1 Oct, 07:59 1 October 2022 07:59 Beijing (30 September 2022 16:59 Los Angeles)"
    assert f"Coming up ten closes · {closing}" in page


def test_in_chinese(staff: Staff, market: None) -> None:
    page = text(staff("vi", "viewer", language="zh-hans"), "/admin/")
    assert "ten 已用完 0 剩余 / 共6 6已结算" in page
    assert "已结算或核销 600.60 CNY" in page


LEVELS = {79: "", 80: "80% used", 94: "94% used", 95: "95% used", 99: "99% used", 100: "used up"}


@pytest.mark.parametrize(("used", "level"), LEVELS.items())
def test_warnings_at_80_and_95_per_cent(used: int, level: str, viewer: Client) -> None:
    from backoffice.overview import summarize_offers

    Offer.objects.update(limit=100, places_taken=used)
    [line] = summarize_offers(published_offers.published(), at=clock.now())
    with translation.override("en"):
        assert line.level_label == level
    Offer.objects.update(limit=6, places_taken=6)


@pytest.mark.parametrize("several", [1, 3])
def test_the_board_costs_the_same_for_any_number_of_offers(several: int, viewer: Client) -> None:
    if several == 3:
        publish(
            offer("five", benefit="{fee: freight, percent: 5}") + offer("six", benefit="{fee: freight, percent: 6}")
        )
    viewer.get("/admin/")
    with CaptureQueriesContext(connection) as found:
        assert viewer.get("/admin/").status_code == 200
    assert len(found) == 26 + (connection.vendor == "postgresql")  # who holds a step


def test_without_a_role_there_is_nothing_to_see(staff: Staff, market: None) -> None:
    page = text(staff("new"), "/admin/")
    assert "Ask an administrator for a role" in page
    assert "6 / 6" not in page


@pytest.mark.parametrize(
    ("at", "paused", "stopped", "owed", "expected"),
    [
        ("2022-08-31 23:59:59", False, False, False, State.SCHEDULED),
        ("01", False, False, False, State.LIVE),
        ("01", True, False, False, State.PAUSED),
        ("30 23:59:59", False, False, False, State.LIVE),
        ("10-01", False, False, True, State.ENDED),
        ("10-01", True, False, True, State.ENDED),
        ("10-01", False, False, False, State.CLOSED),
        ("10", False, True, True, State.ENDED),
        ("10", False, True, False, State.CLOSED),
    ],
)
def test_the_state_follows_from_dates(at: str, paused: bool, stopped: bool, owed: bool, expected: State) -> None:
    [terms] = parser.read(f"{HEADING}offers:\n{offer('ten', conditions=f'[{WINDOW}]')}").offers
    found = state(
        terms, at=t(at), paused_at=t("01") if paused else None, stopped_at=t("05") if stopped else None, owed=owed
    )
    assert found is expected


def test_a_decision_day_keeps_it_live_until_places_are_given(market: None) -> None:
    publish(offer("late", conditions=f"[{WINDOW}]", decided_at="2022-10-15 00:00:00"))
    terms = published_offers.find("late").terms
    found = [state(terms, at=t(at), paused_at=None, stopped_at=None, owed=False) for at in ("10-14 23:59:59", "10-15")]
    assert found == [State.LIVE, State.CLOSED]


def test_refusals_lead_to_the_list_behind_them(viewer: Client) -> None:
    [by_country] = [
        reason for reason in refusals.reasons(published_offers.find("ten")) if reason.name == "merchant_country"
    ]
    page = text(viewer, f"/admin/campaigns/decision/?{by_country.query}")
    assert "4 decisions" in page
    assert "Condition not met: country is China" in page
    assert "FM10" not in page


def test_near_misses() -> None:
    merchant()
    for n, amount in enumerate((474, 475, 499, 500)):
        freight(f"F{n}", paid_at="05", base_freight=amount)
    publish(offer("ten", conditions="[{fact: base_freight, at_least: 500}]"))
    tick("06")
    [missed] = refusals.reasons(published_offers.find("ten"))
    assert (missed.count, missed.near) == (3, 2)  # 475 is exactly 5 % less


def test_quota_by_day_counts_released_places() -> None:
    merchant()
    for n, day in enumerate(("01", "01", "02", "09")):
        freight(f"F{n}", paid_at=day, cancelled_at="05" if n == 0 else None)
    publish(offer("ten"))
    tick("10")
    found = quota_history.histories([Offer.objects.get().pk], zone=t("01").tzinfo)[Offer.objects.get().pk]  # type: ignore[arg-type]
    assert [(point.at, point.taken, point.total) for point in found] == [
        (t("01"), 2, 2),
        (t("02"), 1, 3),
        (t("05"), -1, 2),
        (t("09"), 1, 3),
    ]


PAGE = "/admin/offers/ten/"


@pytest.mark.parametrize("verb", ["pause", "stop"])
def test_asked_first_then_done_with_a_reason(verb: str, operator: Client) -> None:
    asked = text(operator, f"{PAGE}{verb}/")
    assert f"{verb.capitalize()} ten" in asked
    assert "Used: 6 of 6. Grants stay unchanged." in asked
    assert not Offer.objects.get().paused_at
    assert "This field is required" in operator.post(f"{PAGE}{verb}/", {"reason": " "}).content.decode()
    assert AuditEvent.objects.filter(verb__in=["paused", "stopped"]).count() == 0
    operator.post(f"{PAGE}{verb}/", {"reason": "a fault"})
    row = Offer.objects.get()
    assert (bool(row.paused_at), bool(row.stopped_at)) == (verb == "pause", verb == "stop")
    act = AuditEvent.objects.latest("pk")
    assert (act.by, act.reason) == ("ana", "a fault")
    page = text(operator, PAGE)
    assert "a fault" in page
    again = operator.post(f"{PAGE}{verb}/", {"reason": "again"}, follow=True)
    refusal = "already" if verb == "pause" else "Nothing has changed: the offer is stopped."
    assert refusal in words(again.content.decode())


@pytest.mark.parametrize(
    "path",
    [
        "offers/none",
        "offers/ten/explode",
        "merchant/none",
        "drafts/99",
        "trials/99",
        "revocations/99",
        "statements/2022-13",
        "seasons/none/clone",
    ],
)
def test_what_is_not_there_is_not_found(path: str, operator: Client) -> None:
    assert operator.get(f"/admin/{path}/").status_code == 404


@pytest.fixture
def well(db: None) -> Any:
    current_app.control.purge()  # messages of earlier tests, which no worker reads
    now = clock.real()
    for name in (heartbeat.BEAT, heartbeat.WORKER, heartbeat.INVARIANTS):
        heartbeat.record(name, at=now)
    TickRun.objects.create(at=now, finished_at=now)
    return now


def ill(now: Any) -> list[str]:
    return [check.key for check in health.checks(now=now) if not check.ok]


def test_all_is_well(well: Any) -> None:
    assert ill(well) == []


@pytest.mark.parametrize(("name", "seconds"), [(heartbeat.BEAT, 40), (heartbeat.WORKER, 60)])
def test_a_dead_beat_or_worker_is_seen_in_a_minute(name: str, seconds: int, well: Any) -> None:
    Heartbeat.objects.filter(pk=name).update(at=well - timedelta(seconds=seconds))
    assert ill(well) == []
    Heartbeat.objects.filter(pk=name).update(at=well - timedelta(seconds=seconds + 1))
    assert ill(well) == [name]
    Heartbeat.objects.filter(pk=name).delete()
    assert ill(well) == [name]


def test_of_a_worker_nothing_is_said_while_beat_is_silent(well: Any) -> None:
    Heartbeat.objects.exclude(pk=heartbeat.INVARIANTS).update(at=well - timedelta(minutes=5))
    with translation.override("en"):
        found = {check.key: check for check in health.checks(now=well)}
        assert found["worker"].text == "unknown while the scheduler is silent"
        assert not found["worker"].ok
        assert found["beat"].text == "seen 5 min ago"


def test_a_late_tick_waiting_facts_and_broken_invariants_are_seen(well: Any) -> None:
    from imports.models import ImportBatch

    TickRun.objects.update(started_at=well - timedelta(seconds=121))
    ImportBatch.objects.create(source="x", rows=1, added=1)
    ImportBatch.objects.update(recorded_at=well - timedelta(minutes=6))
    heartbeat.record(heartbeat.INVARIANTS, at=well, message="I02, I13")
    found = {check.key: check for check in health.checks(now=well)}
    assert ill(well) == ["tick", "facts", "invariants"]
    assert "I02, I13" in found["invariants"].text
    assert "check_invariants" in str(found["invariants"].remedy)


def test_a_failed_check_says_what_to_do(viewer: Client, settings: Settings) -> None:
    page = text(viewer, "/admin/")
    assert re.search(r"\d checks failed", page)
    assert "scheduler: never seen Start the scheduler: celery -A config beat" in page


def test_the_work_list_is_on_the_board(viewer: Client) -> None:
    Grant.objects.filter(pk=Grant.objects.first().pk).update(review="the amount changed")  # type: ignore[union-attr]
    set_clock("20")
    page = text(viewer, "/admin/")
    assert "1 grant to review" in page
    Grant.objects.update(review="")


def test_a_first_visit_transfers_less_than_150_kb(operator: Client) -> None:
    season.publish()
    for path in ("", "campaign/september-2022/", "offers/express-coupons/", "help/glossary/"):
        answer = operator.get(f"/admin/{path}")
        page = answer.content
        assert answer.status_code == 200
        assert {"core/icons.svg", "core/components.css", "core/tokens.css"} <= files_named(page)
        assert first_visit(page) < 150_000
