"""Allocation against a naive twin: a list of grants, counted anew at every claim. No counters, no heaps."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from campaigns.allocation.allocator import Allocation, Claim, ClaimResult, Outcome, Quota, Release
from tests.support.allocation_notation import brief, hour

Quotas = dict[str, tuple[int | None, int | None]]


@dataclass
class Given:
    """Grant of the naive twin."""

    claim: Claim

    def counts(self, at: datetime) -> bool:
        return self.claim.released_at is None or self.claim.released_at > at

    def live(self, at: datetime) -> bool:
        return self.claim.ended_at is None or self.claim.ended_at > at


def in_order(claims: list[Claim]) -> list[Claim]:
    return sorted(claims, key=lambda claim: (claim.at, claim.subject, -claim.amount, claim.offer))


def twin(claims: list[Claim], quotas: Quotas) -> list[tuple[str, str, Outcome]]:
    """Each claim's outcome, by the rules in plain words."""
    given_: list[Given] = []
    outcomes = []
    for claim in in_order(claims):
        limit, cap = quotas[claim.offer]
        places = [place for place in given_ if place.claim.offer == claim.offer and place.counts(claim.at)]
        own = [place for place in places if place.claim.merchant == claim.merchant]
        held = any(place.claim.subject == claim.subject and place.live(claim.at) for place in given_)
        if claim.fee_already_reduced or held:
            outcome = Outcome.SUPERSEDED
        elif cap is not None and len(own) >= cap:
            outcome = Outcome.MERCHANT_CAP
        elif limit is not None and len(places) >= limit:
            outcome = Outcome.QUOTA_EXHAUSTED
        else:
            outcome = Outcome.GRANTED
            given_.append(Given(claim))
        outcomes.append((claim.offer, claim.subject, outcome))
    return outcomes


def summary(verdicts: list[ClaimResult]) -> list[tuple[str, str, Outcome]]:
    return [(verdict.claim.offer, verdict.claim.subject, verdict.outcome) for verdict in verdicts]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Claim], Quotas]:
    """Claims of up to 3 offers, crowded into few hours, and small quotas."""
    few = st.none() | st.integers(1, 3)
    quotas = {code: (draw(few), draw(few)) for code in draw(st.sampled_from(["a", "ab", "abc"]))}
    keys = draw(st.lists(st.tuples(st.sampled_from(sorted(quotas)), st.integers(0, 9)), unique=True, max_size=24))
    claims = []
    for offer, n in keys:
        at = draw(st.integers(0, 8))
        later = draw(st.none() | st.integers(at, at + 6))
        ended = None if later is None else hour(later)
        claims.append(
            Claim(
                hour(at),
                f"S{n}",
                f"M{n % 3}",
                offer,
                Decimal(draw(st.sampled_from([0, 5, 10]))),
                released_at=ended if draw(st.booleans()) else None,
                ended_at=ended,
                fee_already_reduced=draw(st.integers(0, 9)) == 0,
            )
        )
    return claims, quotas


@given(histories())
@brief(200)
def test_outcomes_are_the_twins(history: tuple[list[Claim], Quotas]) -> None:
    claims, quotas = history
    allocation = Allocation({code: Quota(limit, cap) for code, (limit, cap) in quotas.items()})
    verdicts = list(allocation.decide(in_order(claims)))
    assert summary(verdicts) == twin(claims, quotas)
    check_limits(verdicts, quotas)


def check_limits(results: list[ClaimResult], quotas: Quotas) -> None:
    """At no claim are more places taken than the limit, or than the limit per merchant."""
    granted = [result.claim for result in results if result.outcome is Outcome.GRANTED]
    for n, claim in enumerate(granted, 1):
        limit, per_merchant = quotas[claim.offer]
        taken = [place for place in granted[:n] if place.offer == claim.offer and Given(place).counts(claim.at)]
        assert limit is None or len(taken) <= limit
        assert per_merchant is None or sum(place.merchant == claim.merchant for place in taken) <= per_merchant


def known_by(claim: Claim, until: datetime) -> Claim:
    """A claim as a tick at `until` knows it: what happens to it later has not happened."""
    seen = claim.ended_at is not None and claim.ended_at <= until
    return claim if seen else replace(claim, released_at=None, ended_at=None)


def resumed(before: list[ClaimResult], quotas: Quotas, *, since: datetime, until: datetime) -> Allocation:
    """An allocation that has only been told of what was given before, as the engine does from the database."""
    allocation = Allocation({code: Quota(limit, cap) for code, (limit, cap) in quotas.items()})
    for code in quotas:
        granted_by_offer = [v for v in before if v.outcome is Outcome.GRANTED and v.claim.offer == code]
        taking = [v for v in granted_by_offer if Given(v.claim).counts(since)]
        quota = allocation.quotas[code]
        quota.places_taken = len(taking)
        quota.places_of.update(v.claim.merchant for v in taking)
        for v in taking:
            if v.claim.released_at is not None and v.claim.released_at <= until:
                allocation.expect(Release(v.claim.released_at, code, v.claim.merchant))
    for v in sorted(before, key=lambda v: (v.claim.at, v.claim.subject)):
        if v.outcome is Outcome.GRANTED:
            ended = v.claim.ended_at
            allocation.hold(v.claim.subject, ended if ended is not None and ended <= until else None)
    return allocation


@given(histories(), st.sets(st.integers(0, 10), max_size=4))
@brief(200)
def test_steps_do_not_matter(history: tuple[list[Claim], Quotas], stops: set[int]) -> None:
    claims, quotas = history
    verdicts: list[ClaimResult] = []
    for since, until in pairwise([-1, *sorted(stops), 20]):
        allocation = resumed(verdicts, quotas, since=hour(since), until=hour(until))
        new = [claim for claim in in_order(claims) if hour(since) < claim.at <= hour(until)]
        decided = list(allocation.decide(known_by(claim, hour(until)) for claim in new))
        by_key = {(claim.offer, claim.subject): claim for claim in claims}
        verdicts += [replace(v, claim=by_key[v.claim.offer, v.claim.subject]) for v in decided]
    assert summary(verdicts) == twin(claims, quotas)
    check_limits(verdicts, quotas)


def test_equal_instants_go_by_code_point() -> None:
    claims = [Claim(hour(1), subject, subject, "a") for subject in ("b", "A", "é", "10", "9", "B")]
    verdicts = Allocation({"a": Quota(3)}).decide(in_order(claims))
    assert [v.claim.subject for v in verdicts if v.outcome is Outcome.GRANTED] == ["10", "9", "A"]


def test_queue_positions_are_counted_for_each_offer() -> None:
    claims = [Claim(hour(n), f"S{n}", "M", "a") for n in range(3)] + [Claim(hour(9), "S9", "M", "b")]
    verdicts = Allocation({"a": Quota(1, qualified_claims=7), "b": Quota()}).decide(claims)
    assert [v.queue_position for v in verdicts] == [8, 9, 10, 1]


def test_under_a_lowered_limit_claims_wait_until_enough_places_have_come_back() -> None:
    quota = Quota(limit=2, limit_per_merchant=2, places_taken=3, places_of=Counter(M=3))
    allocation = Allocation({"a": quota})
    for n in (1, 2):
        allocation.expect(Release(hour(n), "a", "M"))
    results = allocation.decide(Claim(hour(n), f"S{n}", "M", "a") for n in range(3))
    assert [result.outcome for result in results] == [Outcome.MERCHANT_CAP, Outcome.MERCHANT_CAP, Outcome.GRANTED]
