"""What clients were told, and whether the rows say the same: nothing acknowledged is lost, nothing is done twice."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass
class History:
    """The acknowledged answers, as the clients noted them: outcomes of claims by order, cancellations, facts told."""

    claims: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    contradictions: list[str] = field(default_factory=list)
    unanswered: int = 0
    lock: Lock = field(default_factory=Lock)

    def claimed(self, order: str, outcome: str, answer: Any) -> None:
        """A claim was answered. Asked again under its key it must be answered the same."""
        with self.lock:
            if self.answers.setdefault(order, answer) != answer:
                self.contradictions.append(f"{order} was answered differently the second time")
            self.claims[order] = outcome

    def differences(self) -> list[str]:
        """Where the rows say otherwise. Everything has come to rest and was ticked."""
        from api.models import IdempotencyRecord
        from campaigns.models import Decision, Grant, Offer
        from campaigns.monitoring import invariants
        from logistics.models import FreightOrder

        found = list(self.contradictions)
        there = set(FreightOrder.objects.values_list("pk", flat=True))
        found += [f"{order} was told and is not there" for order in sorted(self.told - there)]
        decided = {
            subject: Decision.Outcome(outcome).name.lower()
            for subject, outcome in Decision.objects.values_list("subject", "outcome")
        }
        for order, outcome in self.claims.items():
            if decided.get(order) != outcome:
                found.append(f"{order} was told {outcome}, its decision is {decided.get(order)}")
        grants: dict[str, Counter[str]] = {}
        for subject, status in Grant.objects.values_list("subject", "status"):
            grants.setdefault(subject, Counter())[status] += 1
        for order, outcome in self.claims.items():
            wanted, mine = int(outcome == "granted"), grants.get(order, Counter())
            if mine.total() != wanted:
                found.append(f"{order} was told {outcome} and has grants {dict(mine)}")
            if wanted and (order in self.cancelled) != (mine["released"] == 1):
                found.append(f"{order}: cancelled {order in self.cancelled}, grants {dict(mine)}")
        for offer in Offer.objects.all():
            if offer.limit is not None and offer.used > offer.limit:
                found.append(f"{offer.code}: {offer.used} of {offer.limit}")
        doubled = IdempotencyRecord.objects.count() - len(
            set(IdempotencyRecord.objects.values_list("api_key_id", "key"))
        )
        found += [f"{doubled} calls stand twice"] if doubled else []
        return found + [f"{violation.invariant.name} does not hold" for violation in invariants.check()]
