"""A contradiction that is named is certain: no row of a crowd meets two conditions that are said to contradict."""

from itertools import combinations

import pytest

from campaigns.eligibility import claims
from definitions.contradictions import find_contradiction
from rules.conditions import all_of
from tests.rules.test_agreement import ALL, SUBJECTS, published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crowd")]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_row_meets_two_conditions_that_contradict_each_other(subject: str) -> None:
    lines = [line for of, line in ALL if of == subject]
    offers = [published(subject, f"[{line}]") for line in lines]
    terms = [offer.terms.own_conditions[0] for offer in offers]
    named = 0
    for one, other in combinations(terms, 2):
        if find_contradiction([one, other], offers[0].terms.row):
            named += 1
            rows = claims.subjects(offers[0]).exclude(claimed_at=None)
            assert not rows.filter(all_of((one, other), offers[0].terms.row)).exists(), (one, other)
    assert named >= {"freight_order": 15, "trade_order": 3, "financing_draw": 0}[subject]
