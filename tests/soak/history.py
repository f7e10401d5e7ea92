"""Answers that clients got, and their comparison with the rows: nothing acknowledged is lost or done twice."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass
class History:
    """Acknowledged answers as clients noted them: outcomes by order, cancellations, recorded facts."""

    claims: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    recorded: set[str] = field(default_factory=set)
    contradictions: list[str] = field(default_factory=list)
    unanswered: int = 0
    lock: Lock = field(default_factory=Lock)

    def claimed(self, order: str, outcome: str, answer: Any) -> None:
        """Note the answer to a claim. A repeated request must get the same answer."""
        with self.lock:
            if self.answers.setdefault(order, answer) != answer:
                self.contradictions.append(f"{order} was answered differently the second time")
            self.claims[order] = outcome

    def differences(self) -> list[str]:
        """Return every contradiction between answers and rows. Call it when all work is done."""
        from api.models import IdempotencyRecord
        from campaigns.models import Decision, Grant, Offer
        from campaigns.monitoring import invariants
        from logistics.models import FreightOrder

        found = list(self.contradictions)
        there = set(FreightOrder.objects.values_list("pk", flat=True))
        found += [f"{order} was recorded and is missing" for order in sorted(self.recorded - there)]
        decided = {
            subject: Decision.Outcome(outcome).name.lower()
            for subject, outcome in Decision.objects.values_list("subject", "outcome")
        }
        for order, outcome in self.claims.items():
            if decided.get(order) != outcome:
                found.append(f"{order} was answered {outcome}, its decision is {decided.get(order)}")
        grants: dict[str, Counter[str]] = {}
        for subject, status in Grant.objects.values_list("subject", "status"):
            grants.setdefault(subject, Counter())[status] += 1
        for order, outcome in self.claims.items():
            wanted, mine = int(outcome == "granted"), grants.get(order, Counter())
            if mine.total() != wanted:
                found.append(f"{order} was answered {outcome} and has grants {dict(mine)}")
            if wanted and (order in self.cancelled) != (mine["released"] == 1):
                found.append(f"{order}: cancelled {order in self.cancelled}, grants {dict(mine)}")
        for offer in Offer.objects.all():
            if offer.limit is not None and offer.places_taken > offer.limit:
                found.append(f"{offer.code}: {offer.places_taken} of {offer.limit}")
        doubled = IdempotencyRecord.objects.count() - len(
            set(IdempotencyRecord.objects.values_list("api_key_id", "key"))
        )
        found += [f"{doubled} calls stand twice"] if doubled else []
        return found + [f"{violation.invariant.name} does not hold" for violation in invariants.check()]
