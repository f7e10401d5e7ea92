"""Bands of a quota against a naive twin: a list of grants, added up anew at every claim and band."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from campaigns.allocation.allocator import Allocation, Claim, ClaimResult, Outcome, Quota, Release
from campaigns.allocation.bands import RANKS, AllocatedBand, Bands
from tests.support.allocation_notation import brief, hour

Result = tuple[str, Outcome, Decimal, int | None, int | None]


@dataclass(frozen=True)
class Rule:
    """A band in words: whom it counts together, how much for each, of what."""

    per: Outcome
    at_most: int
    money: bool
    partly: bool

    def key(self, n: int, at: int) -> str | None:
        """Key of claim `n`: nobody, its merchant or its buyer, in periods of four hours; every fifth has no buyer."""
        holder = {Outcome.MERCHANT_CAP: f"M{n % 2}", Outcome.HOLDER_CAP: f"B{n % 3}"}.get(self.per, "")
        return None if self.per is Outcome.HOLDER_CAP and n % 5 == 0 else f"{holder} {at // 4}"

    def band(self, number: int) -> AllocatedBand:
        return AllocatedBand(number, self.at_most, self.per, self.money, self.partly)


def quota(rules: list[Rule]) -> Quota:
    return Quota(bands=Bands([rule.band(n) for n, rule in enumerate(rules)]))


def twin(claims: list[Claim], rules: list[Rule]) -> list[Result]:
    """Each claim's outcome and amount, by the rules in plain words."""
    given_: list[tuple[Claim, Decimal]] = []
    results: list[Result] = []
    for claim in claims:
        used = [_used(given_, claim, n, rule) for n, rule in enumerate(rules)]
        amount = claim.amount
        for n, rule in enumerate(rules):
            if rule.partly and claim.keys[n] is not None:
                amount = min(amount, Decimal(max(0, rule.at_most - used[n])) / 100)
        refusals = []
        for n, rule in enumerate(rules):
            if claim.keys[n] is None:
                continue
            needed = 1 if not rule.money else int(100 * (claim.amount if rule.partly else amount))
            above = used[n] + needed - rule.at_most
            if needed and above > 0 and not (rule.partly and used[n] < rule.at_most):
                refusals.append((RANKS[rule.per], n, rule.per, above))
        if refusals:
            _rank, n, outcome, above = min(refusals)
            results.append((claim.subject, outcome, Decimal(0), n, above))
        else:
            results.append((claim.subject, Outcome.GRANTED, amount, None, None))
            given_.append((claim, amount))
    return results


def _used(given_: list[tuple[Claim, Decimal]], claim: Claim, n: int, rule: Rule) -> int:
    mine = [(c, a) for c, a in given_ if c.keys[n] == claim.keys[n] and _counts(c, claim.at)]
    return sum(int(a * 100) if rule.money else 1 for _c, a in mine)


def _counts(claim: Claim, at: datetime) -> bool:
    return claim.released_at is None or claim.released_at > at


def summary(results: list[ClaimResult]) -> list[Result]:
    return [
        (
            result.claim.subject,
            result.outcome,
            result.amount,
            result.refusal.band if result.refusal else None,
            result.refusal.exceeded_by if result.refusal else None,
        )
        for result in results
    ]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Claim], list[Rule]]:
    """Up to 24 claims within ten hours, and one to three small bands."""
    pers = st.sampled_from([Outcome.MERCHANT_CAP, Outcome.HOLDER_CAP, Outcome.QUOTA_EXHAUSTED])
    money = st.builds(Rule, pers, st.integers(1, 2500), st.just(True), st.booleans())
    number = st.builds(Rule, pers, st.integers(1, 3), st.just(False), st.just(False))
    rules = draw(st.lists(money | number, min_size=1, max_size=3))
    claims = []
    for n in range(draw(st.integers(0, 24))):
        at = draw(st.integers(0, 9))
        later = draw(st.none() | st.integers(at, at + 6))
        amount = Decimal(draw(st.sampled_from(["0.00", "3.35", "10.00"])))
        keys = tuple(rule.key(n, at) for rule in rules)
        released = None if later is None else hour(later)
        claims.append(Claim(hour(at), f"S{n:02}", f"M{n % 2}", "a", amount, released, released, keys=keys))
    return sorted(claims, key=lambda claim: (claim.at, claim.subject)), rules


@given(histories())
@brief(200)
def test_outcomes_and_amounts_are_the_twins(history: tuple[list[Claim], list[Rule]]) -> None:
    claims, rules = history
    results = list(Allocation({"a": quota(rules)}).decide(claims))
    assert summary(results) == twin(claims, rules)
    for claim in claims:  # at no claim is more taken than the limit
        for n, rule in enumerate(rules):
            earlier = [(r.claim, r.amount) for r in results if r.outcome is Outcome.GRANTED and r.claim.at <= claim.at]
            assert claim.keys[n] is None or _used(earlier, claim, n, rule) <= rule.at_most


@given(histories(), st.sets(st.integers(0, 10), max_size=4))
@brief(200)
def test_steps_do_not_matter(history: tuple[list[Claim], list[Rule]], stops: set[int]) -> None:
    claims, rules = history
    results: list[ClaimResult] = []
    for since, until in pairwise([-1, *sorted(stops), 20]):
        allocation = _resumed(results, rules, since=hour(since), until=hour(until))
        new = [claim for claim in claims if hour(since) < claim.at <= hour(until)]
        decided = list(allocation.decide(_known_by(claim, hour(until)) for claim in new))
        by_subject = {claim.subject: claim for claim in claims}
        results += [replace(result, claim=by_subject[result.claim.subject]) for result in decided]
    assert summary(results) == twin(claims, rules)


def _resumed(before: list[ClaimResult], rules: list[Rule], *, since: datetime, until: datetime) -> Allocation:
    """An allocation that has only been told of what was taken before, as the engine does from the database."""
    allocation = Allocation({"a": quota(rules)})
    for result in before:
        claim = result.claim
        if result.outcome is Outcome.GRANTED and _counts(claim, since):
            allocation.quotas["a"].take(claim, result.amount)
            if claim.released_at is not None and claim.released_at <= until:
                allocation.expect(Release(claim.released_at, "a", claim.merchant, claim.keys, result.amount))
    return allocation


def _known_by(claim: Claim, until: datetime) -> Claim:
    known = claim.released_at is not None and claim.released_at <= until
    return claim if known else replace(claim, released_at=None, ended_at=None)


def test_the_limit_per_merchant_comes_before_bands_and_bands_of_holders_before_the_limit() -> None:
    bands = Bands([AllocatedBand(0, 1), AllocatedBand(1, 1, Outcome.HOLDER_CAP), AllocatedBand(2, 1)])
    mixed = Quota(limit=3, limit_per_merchant=2, bands=bands)
    keys = [("x", "B1", None), ("y", "B2", None), ("z", "B3", None), ("v", "B1", None), ("x", "B4", None)]
    merchants = ["M1", "M1", "M1", "M2", "M2"]
    claims = [Claim(hour(n), f"S{n}", merchants[n], "a", keys=k) for n, k in enumerate(keys)]
    results = list(Allocation({"a": mixed}).decide(claims))
    granted, at_merchant, at_holder, at_all = (
        Outcome.GRANTED, Outcome.MERCHANT_CAP, Outcome.HOLDER_CAP, Outcome.QUOTA_EXHAUSTED,
    )  # fmt: skip
    assert [result.outcome for result in results] == [granted, granted, at_merchant, at_holder, at_all]
    assert [result.refusal.band if result.refusal else None for result in results] == [None, None, None, 1, 0]
