"""Properties of a world that has been played to its end."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.allowances import entitlements
from campaigns.eligibility import claims, decision_time, explanations
from campaigns.eligibility.explanations import Explanation
from campaigns.models import Coupon, Decision, Grant, Issuance, Offer, UseProgress
from campaigns.monitoring import invariants
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.facts import ATTRIBUTES
from imports.models import ImportBatch
from ratings.models import Series
from tests.support.naive_rules import holds
from tests.support.world import everything, rated_and_used
from tests.worlds import run
from tests.worlds.run import PropertyError
from tests.worlds.world import World

State = dict[str, list[tuple[Any, ...]]]


def try_world(world: World) -> State:
    """Play the world and check every property. Returns what was decided. Raises PropertyError, or VacuousError."""
    with run.rolled_back():
        run.play(world)
        _check_end(world)
        final = decided() | {"entitlements": _entitlements(world)}
        _nothing_is_left(world, final)
    if world.timely:
        for name, variant in (("one tick", run.at_once(world)), ("facts told as they happen", run.grown(world))):
            _equal(f"steps matter: {name}", _played(variant), final)
    else:
        few, many = (_played(run.spaced(world, ticks=ticks)) for ticks in (False, True))
        _equal("steps matter: more ticks between imports and acts", many, few)
    return final


def decided() -> State:
    """Return everything that was decided. Of predicted ratings a tick makes the latest alone, so they are left out."""
    found = everything() | rated_and_used()
    return found | {"ratings": [row for row in found["ratings"] if row[1] == Series.OFFICIAL]}


def _played(world: World) -> State:
    with run.rolled_back():
        run.play(world)
        return decided()


def _check_end(world: World) -> None:
    if violations := invariants.check():
        raise PropertyError(f"invariant {violations[0].invariant.name}", "\n".join(map(str, violations)))
    ended = Coupon.objects.filter(status=Coupon.Status.ISSUED, valid_until__lte=world.end)
    if ended.exists():
        raise PropertyError(
            "a coupon outlives its validity", str(list(ended.values_list("offer__code", "merchant", "number")))
        )
    for offer in published_offers.published():
        _explanations_agree(world, offer)
        _grants_rest_on_facts(world, offer)


def _entitlements(world: World) -> list[tuple[Any, ...]]:
    held = (one for kind in ("merchant", "buyer") for one in entitlements.held_by_all(kind, at=world.end))
    return sorted((one.holder, one.code, one.value) for one in held)


def _subjects(offer: PublishedOffer) -> list[str]:
    return list(claims.all_rows(offer).order_by("pk").values_list("pk", flat=True))


def _explanations_agree(world: World, offer: PublishedOffer) -> None:
    """Check that no claim is left pending, and that decisions of a timely world are what their conditions say."""
    decisions = {row.subject: row for row in Decision.objects.filter(offer=offer.id)}
    explained = explanations.explain_all(offer, _subjects(offer), at=world.end)
    cutoff = decision_time.decision_cutoff(_group(offer), world.end)
    waits = bool(offer.row.paused_at) or (offer.terms.decision_instant or cutoff) > cutoff
    for explanation in explained:
        if explanation.outcome == "pending" and not waits and (explanation.claimed_at or world.end) <= cutoff:
            raise PropertyError("a claim stays undecided", _tell(explanation))
        decision = decisions.get(explanation.subject)
        if decision and world.timely:
            _decision_agrees(offer, explanation, decision)


def _group(offer: PublishedOffer) -> list[PublishedOffer]:
    groups = published_offers.competing(published_offers.published())
    return next(group for group in groups if offer.id in {other.id for other in group})


def _decision_agrees(offer: PublishedOffer, explanation: Explanation, decision: Decision) -> None:
    changed = [condition for condition in explanation.conditions if condition.holds_now is not None]
    if changed or explanation.claimed_at != decision.claimed_at:
        raise PropertyError("explain differs from the decision", _tell(explanation))
    row = claims.subjects(offer).get(pk=explanation.subject)
    for n, condition in enumerate(offer.terms.own_conditions):
        if _is_plain(condition, row) and holds(
            condition, row, offer.terms.collection, row.seen_at, offer.terms
        ) == bool(decision.failed >> n & 1):
            raise PropertyError("a condition differs from plain Python", f"{condition.name} of {_tell(explanation)}")


def _is_plain(condition: Any, row: Any) -> bool:
    """Return whether plain Python evaluates the condition.

    It knows neither the offer's own moments, nor declared facts, nor a claim at another instant than that as of which
    facts are seen.
    """
    if parts := getattr(condition, "any", ()):
        return all(_is_plain(part, row) for part in parts)
    if getattr(condition, "fact", "") in ("settlement", "fulfilment") or f"{ATTRIBUTES}." in repr(condition):
        return False
    return row.claimed_at == row.seen_at or getattr(condition, "not_before", None) != "claim"


def _grants_rest_on_facts(world: World, offer: PublishedOffer) -> None:
    """A live grant that nobody looked at is what its subject's facts lead to; a released subject has none."""
    for grant in Grant.objects.filter(offer=offer.id, status__in=Grant.LIVE).select_related("version"):
        terms = offer.under(grant.version)
        released = terms.terms.settlement.released_by
        if released and terms.terms.settlement.at_claim and _has_happened(terms, grant.subject, released, world.end):
            raise PropertyError("a grant outlives its release", f"{grant.offer_id} {grant.subject} {grant.review}")
        if grant.review or grant.accepted:
            continue
        explanation = explanations.explain(terms, grant.subject, at=world.end)
        if explanation.merchant_code != grant.merchant_id:
            raise PropertyError("a grant is another merchant's", _tell(explanation))
        if changed := [condition.name for condition in explanation.conditions if condition.holds_now is not None]:
            raise PropertyError("a grant rests on facts that changed", f"{changed} of {_tell(explanation)}")


def _has_happened(offer: PublishedOffer, subject: str, fact: str, at: datetime) -> bool:
    rows = claims.all_rows(offer).annotate(x_fact=offer.terms.collection.expression(fact))
    return bool(rows.filter(pk=subject, x_fact__lte=at).exists())


def _nothing_is_left(world: World, final: State) -> None:
    """A tick that examines everything anew finds nothing that the ticks before have missed."""
    Offer.objects.update(reevaluate_all=True, claims_decided_until=None, grants_followed_until=None)
    Issuance.objects.update(spent_until=None)
    UseProgress.objects.update(decided_until=None)
    ImportBatch.objects.update(processed=False)
    run.tick(world.end)
    _equal("the ticks missed something", final, decided())


def _equal(kind: str, got: State, expected: State) -> None:
    if different := list(_differences(got, expected)):
        raise PropertyError(kind, "\n".join(different))


def _differences(got: State, expected: State) -> Iterator[str]:
    for name in sorted(got.keys() & expected.keys()):
        for word, rows, others in (("got", got, expected), ("expected", expected, got)):
            missing = [row for row in rows[name] if row not in others[name]]
            if missing:
                yield f"  {word} {name}: {'; '.join(' '.join(map(str, row)) for row in missing)}"


def _tell(explanation: Explanation) -> str:
    return f"{explanation.offer} {explanation.subject}: {explanation.outcome} at {explanation.claimed_at}"


@dataclass(frozen=True)
class Result:
    """Result of one world: `kind` of the failure, empty where every property holds; `aside` where it says nothing."""

    kind: str = ""
    text: str = ""
    aside: bool = False
    state: State | None = None


def result_of(world: World) -> Result:
    """Return how a world comes out."""
    try:
        return Result(state=try_world(world))
    except PropertyError as failure:
        return Result(kind=failure.kind, text=str(failure))
    except run.VacuousError as aside:
        return Result(aside=True, text=str(aside))
    except Exception as error:  # an explanation that fails, for example: a fault like any other
        return Result(kind=f"a check raised {type(error).__name__}", text=str(error))


def digest(result: Result) -> str:
    """Return a digest of what was decided, to compare databases."""
    text = json.dumps(result.state, default=_plain, sort_keys=True) if result.state else result.kind
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def line(seed: int, result: Result) -> str:
    """Return one line that says how a world came out."""
    return f"{seed} {'aside' if result.aside else result.kind or 'good'} {digest(result)}"
