"""Estimated reach of an offer of a draft: the figures of the draft's latest simulation."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language

from backoffice.draft_review import latest_simulation
from campaigns.models import Draft, Simulation


@dataclass(frozen=True)
class Reach:
    """Figures of one offer in a simulation; `is_current` says whether the draft has stayed the same since.

    `missed` is the condition that most claims missed narrowly, with their number; None without such a condition.
    """

    simulation: Simulation
    is_current: bool
    granted: int
    merchants: int
    costs: Sequence[tuple[Decimal, str]]
    missed: tuple[str, int] | None


def reach_of(draft: Draft, code: str) -> Reach | None:
    """Return the simulated reach of an offer; None if no simulation of the draft with that offer has finished."""
    simulation, is_current = latest_simulation(draft)
    offers = simulation.result.get("offers", ()) if simulation else ()
    found = next((data for data in offers if data["code"] == code), None)
    if simulation is None or found is None:
        return None
    costs = [(Decimal(spent) + Decimal(promised), currency) for currency, spent, promised in found["costs"]]
    return Reach(simulation, is_current, found["granted"], found["merchants"], costs, _missed(found))


def _missed(data: dict[str, Any]) -> tuple[str, int] | None:
    nearest = max(data["refused"], key=lambda reason: reason["near"], default=None)
    if nearest is None or not nearest["near"]:
        return None
    language = "zh-hans" if (get_language() or "").startswith("zh") else "en"
    return nearest[language], nearest["near"]
