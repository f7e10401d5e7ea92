"""Uses of allowances in order: which are accepted, and what a cancelled one gives back. Pure: no database, no clock."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from campaigns.models import UsageDecision

Result = UsageDecision.Result
Key = tuple[int, str]
"""The allowance of one merchant: the key of its document, and the part of the period."""


@dataclass(slots=True)
class Balance:
    """Units of one allowance in one part of a period.

    `live` counts the uses for each buyer that are accepted and not cancelled, where buyers are what takes units.
    `uses` is the number of accepted uses, cancelled ones too.
    """

    units: int
    starts_at: datetime
    ends_at: datetime
    by_buyer: bool = False
    used: int = 0
    uses: int = 0
    live: Counter[str] = field(default_factory=Counter)

    def cost(self, use: "Use") -> int:
        """Return the units that a use takes."""
        if not self.by_buyer:
            return use.quantity
        return 0 if use.buyer and self.live[use.buyer] else 1

    def take(self, use: "Use") -> int:
        """Accept a use and return the units that it takes."""
        cost = self.cost(use)
        self.used += cost
        self.uses += 1
        if self.by_buyer and use.buyer:
            self.live[use.buyer] += 1
        return cost

    def give_back(self, use: "Use", taken: int) -> int:
        """Cancel an accepted use and return the units that come back."""
        returned = taken
        if self.by_buyer and use.buyer:
            self.live[use.buyer] -= 1
            returned = 0 if self.live[use.buyer] else 1
        self.used -= returned
        return returned


@dataclass(slots=True)
class Outcome:
    """Result of a use: where it is accepted, the allowance, and the units taken and returned."""

    result: str
    key: Key | None = None
    taken: int = 0
    returned: int = 0
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A use with the allowances that its merchant has at its instant, the one that is asked first in front.

    An allowance that has no balance yet has so many units as its part of `had` says. `cancelled_at` is None while the
    cancellation is not known. `kept` is the outcome of a use that was decided and is not decided again.
    """

    number: str
    at: datetime
    quantity: int
    buyer: str
    cancelled_at: datetime | None
    had: tuple[tuple[Key, Balance], ...] = ()
    kept: Outcome | None = None


def decide(uses: Iterable[Use], balances: dict[Key, Balance], *, until: datetime) -> list[tuple[Use, Outcome]]:
    """Decide the uses of one merchant and one name, in order of instant and number; `balances` change with them.

    A use is accepted by the first allowance that has enough units left, and refused without changing anything. What is
    cancelled within its part of the period gives its units back to later uses, at one instant before them.
    """
    decided: list[tuple[Use, Outcome]] = []
    returns: list[tuple[datetime, int]] = []
    for use in uses:
        _give_back(returns, decided, balances, until=use.at)
        outcome = _keep(use, balances) if use.kept else _ask(use, balances)
        decided.append((use, outcome))
        balance = balances.get(outcome.key) if outcome.key else None
        if balance is not None and use.cancelled_at and balance.starts_at <= use.cancelled_at < balance.ends_at:
            heappush(returns, (max(use.cancelled_at, use.at), len(decided) - 1))
    _give_back(returns, decided, balances, until=until)
    return decided


def _give_back(
    returns: list[tuple[datetime, int]],
    decided: list[tuple[Use, Outcome]],
    balances: dict[Key, Balance],
    *,
    until: datetime,
) -> None:
    while returns and returns[0][0] <= until:
        at, n = heappop(returns)
        use, outcome = decided[n]
        assert outcome.key is not None
        outcome.returned = balances[outcome.key].give_back(use, outcome.taken)
        outcome.returned_at = at


def _ask(use: Use, balances: dict[Key, Balance]) -> Outcome:
    for key, had in use.had:
        balance = balances.get(key, had)
        if balance.used + balance.cost(use) <= balance.units:
            balances[key] = balance
            return Outcome(Result.ACCEPTED, key, balance.take(use))
    return Outcome(Result.NOTHING_LEFT if use.had else Result.NO_ALLOWANCE)


def _keep(use: Use, balances: dict[Key, Balance]) -> Outcome:
    """Repeat the outcome of a use; its units come back in its turn."""
    kept = use.kept
    assert kept is not None
    if kept.key is None or kept.key not in balances:
        return Outcome(kept.result, kept.key, kept.taken, kept.returned, kept.returned_at)
    return Outcome(kept.result, kept.key, balances[kept.key].take(use))
