"""The sample cases, step by step in this process: grants, coupons, refusals and the journal at every checkpoint."""

import csv
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest
from django.db import transaction

from campaigns.eligibility import explanations
from campaigns.engine import ticker
from campaigns.models import Decision, JournalEntry
from campaigns.monitoring import invariants
from campaigns.offers import published_offers
from campaigns.reporting import exports
from tests.support import season
from tests.support.season import Case

Refusals = dict[tuple[str, str], frozenset[str]]
Journal = Counter[tuple[object, ...]]

# The cases were computed with every fact in sight; a claim here sees only what had happened by then. For a claim
# before the counted window is over that makes a difference, and such a claim is out of its own window anyhow.
HINDSIGHT = {
    ("multimodal-reduction", "no_multimodal_before"): "paid_in_window",
    ("parcel-11-off", "no_parcel_line_before"): "paid_in_window",
}
OUTCOMES = {
    Decision.Outcome.SUPERSEDED: "superseded_by_coupon",  # in the cases no offers of different codes meet on one fee
    Decision.Outcome.MERCHANT_CAP: "merchant_cap",
    Decision.Outcome.QUOTA_EXHAUSTED: "quota_exhausted",
}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def expected_grants(folder: Path) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in exports.GRANT_COLUMNS) for row in read(folder / "grants.csv")]


def found_grants() -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in exports.grants()]


def expected_coupons(folder: Path) -> Counter[tuple[str, str, str]]:
    rows = read(folder / "coupons.csv")
    return +Counter({(row["offer"], row["merchant_code"], row["status"]): int(row["count"]) for row in rows})


def found_coupons() -> Counter[tuple[str, str, str]]:
    return Counter((str(offer), str(merchant), str(status)) for offer, merchant, _, status, *_ in exports.coupons())


def expected_refusals(folder: Path) -> Refusals:
    return {(row["offer"], row["subject"]): frozenset(row["reasons"].split()) for row in read(folder / "refusals.csv")}


def found_refusals() -> Refusals:
    conditions = {
        offer.id: [condition.name for condition in offer.terms.asked] for offer in published_offers.published()
    }
    refused = Decision.objects.exclude(outcome=Decision.Outcome.GRANTED).select_related("offer")
    return {
        (d.offer.code, d.subject): frozenset(name for n, name in enumerate(conditions[d.offer_id]) if d.failed >> n & 1)
        or frozenset([OUTCOMES[Decision.Outcome(d.outcome)]])
        for d in refused
    }


def explained_before_opening(missing: Iterable[tuple[str, str]], at: datetime) -> Refusals:
    """The conditions that claims before the opening of their offer do not meet: they are explained, not refused."""
    subjects: dict[str, list[str]] = {}
    for code, subject in missing:
        subjects.setdefault(code, []).append(subject)
    return {
        (code, answer.subject): frozenset(result.name for result in answer.conditions if not result.passed)
        for code, keys in subjects.items()
        for answer in explanations.explain_all(published_offers.find(code), keys, at=at)
        if answer.outcome == "before_opening"
    }


def in_our_words(expected: Refusals, found: Refusals) -> Refusals:
    """The expected reasons less those that we do not give beside a failed condition: see `HINDSIGHT`, and a coupon on
    the order is asked about only where every condition held."""
    return {
        (offer, subject): frozenset(
            word
            for word in words
            if word in (given := found.get((offer, subject), frozenset()))
            or not (HINDSIGHT.get((offer, word)) in given or (word == "superseded_by_coupon" and len(words) > 1))
        )
        for (offer, subject), words in expected.items()
    }


def journal() -> Journal:
    """Every entry, without keys and codes of its own: by what it is about and what it says."""
    columns = "offer__code at source target amount currency order_no by reason".split()
    of_grants = JournalEntry.objects.filter(coupon=None).values_list(
        "grant__subject", "grant__version__number", *columns
    )
    of_coupons = JournalEntry.objects.filter(grant=None).values_list("coupon__merchant", "coupon__status", *columns)
    return Counter([*of_grants, *of_coupons])


def journal_of_one_tick(case: Case) -> Journal:
    with transaction.atomic():
        ticker.tick(at=case.as_of)
        found = journal()
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("case", season.cases(), ids=lambda case: case.folder.name)
def test_case(case: Case) -> None:
    season.prepare(case)
    at_once = journal_of_one_tick(case)
    for at, expected in case.steps:
        ticker.tick(at=at)
        assert found_grants() == expected_grants(expected), at
        assert found_coupons() == expected_coupons(expected), at
        found, refused = found_refusals(), expected_refusals(expected)
        found |= explained_before_opening(refused.keys() - found.keys(), at)
        assert found == in_our_words(refused, found), at
        assert not invariants.check(), at
    assert journal() == at_once

    run = ticker.tick(at=case.as_of)
    assert (run.decided, run.moved, run.issued) == (0, 0, 0)
    assert found_grants() == expected_grants(case.folder / "expected")
    assert journal() == at_once
