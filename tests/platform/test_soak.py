"""A short soak test: processes are killed while clients claim. The comparison finds every kind of difference."""

import re
import subprocess
import sys

import pytest

from campaigns.models import Decision, Grant
from logistics.models import FreightOrder
from tests.runner import ROOT
from tests.soak.history import History
from tests.support.world import freight, merchant, offer, publish, tick


@pytest.mark.postgresql
@pytest.mark.redis
def test_acknowledged_claims_survive_killed_processes() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.soak",
        "--seed",
        "20220901",
        "--seconds",
        "6",
        "--limit",
        "20",
        "--gap",
        "0.4",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 20220901" in done.stdout
    assert "differences: 0" in done.stdout
    faults = re.search(r"faults: (.*)", done.stdout)
    assert faults
    assert sum(int(n) for n in re.findall(r"\d+", faults[1])) > 5


@pytest.fixture
def history() -> History:
    """Two claims, one granted and one refused, as clients recorded them."""
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="02")
    freight("B", paid_at="02 01:00")
    tick("03")
    recorded = History()
    recorded.claimed("A", "granted", {"outcome": "granted"})
    recorded.claimed("B", "quota_exhausted", {"outcome": "quota_exhausted"})
    return recorded


@pytest.mark.django_db
def test_consistent_history_has_no_differences(history: History) -> None:
    history.recorded.add("A")
    history.claimed("A", "granted", {"outcome": "granted"})
    assert history.differences() == []


@pytest.mark.django_db
@pytest.mark.plants_violation
def test_every_kind_of_difference_is_found(history: History) -> None:
    history.claimed("A", "granted", {"outcome": "refused"})
    assert "A was answered differently the second time" in history.differences()
    history.cancelled.add("A")
    assert any(found.startswith("A: cancelled True") for found in history.differences())
    history.recorded.add("C")
    assert "C was recorded and is missing" in history.differences()
    Grant.objects.filter(subject="A").update(subject="B")
    assert any(found.startswith("B was answered quota_exhausted and has grants") for found in history.differences())
    Decision.objects.filter(subject="A").update(outcome=5)
    assert "A was answered granted, its decision is quota_exhausted" in history.differences()
    assert FreightOrder.objects.count() == 2
