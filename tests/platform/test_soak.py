"""The soak, short: real processes killed and cut off while clients claim; and that its judge sees what is wrong."""

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
def test_F1_what_was_acknowledged_stands_once_whatever_is_killed() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.soak",
        "--seed",
        "20220901",
        "--seconds",
        "10",
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
    """Two orders claimed, one granted and one refused, as they were told."""
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="02")
    freight("B", paid_at="02 01:00")
    tick("03")
    told = History()
    told.claimed("A", "granted", {"outcome": "granted"})
    told.claimed("B", "quota_exhausted", {"outcome": "quota_exhausted"})
    return told


@pytest.mark.django_db
def test_where_all_is_as_it_was_told_nothing_is_found(history: History) -> None:
    history.told.add("A")
    history.claimed("A", "granted", {"outcome": "granted"})
    assert history.differences() == []


@pytest.mark.django_db
@pytest.mark.plants_violation
def test_whatever_is_otherwise_is_found(history: History) -> None:
    history.claimed("A", "granted", {"outcome": "refused"})
    assert "A was answered differently the second time" in history.differences()
    history.cancelled.add("A")
    assert any(found.startswith("A: cancelled True") for found in history.differences())
    history.told.add("C")
    assert "C was told and is not there" in history.differences()
    Grant.objects.filter(subject="A").update(subject="B")
    assert any(found.startswith("B was told quota_exhausted and has grants") for found in history.differences())
    Decision.objects.filter(subject="A").update(outcome=5)
    assert "A was told granted, its decision is quota_exhausted" in history.differences()
    assert FreightOrder.objects.count() == 2
