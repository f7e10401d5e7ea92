"""Simulations: a draft is run by the real engine on the recorded facts, in isolated tables, and its results are stored.

Instants named `at` and those of `clock` are of the host's clock; `until` is a business instant.
"""

from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from campaigns.engine import ticker
from campaigns.models import (
    Attachment,
    Coupon,
    Document,
    DocumentVersion,
    Draft,
    Grant,
    Issuance,
    JournalEntry,
    Offer,
    Simulation,
)
from campaigns.offers import published_offers, publishing, schedule
from campaigns.simulation import rating_trials, results
from campaigns.simulation.isolated_tables import ISOLATED_MODELS, isolated_tables
from core.db import planner_hints
from core.jobs import Clock, Columns, JobQueue
from definitions import parser, reschedule
from definitions.parser import CampaignDefinition
from ratings.models import Evaluation, Rating, RatingChange

TICKS = 20
"""Number of ticks of a simulated season."""
LONGEST_ERROR = 2_000
Status = Simulation.Status


def _failure(error: str, at: datetime) -> Columns:
    return {"status": Status.FAILED, "ended_at": at, "error": error[:LONGEST_ERROR]}


QUEUE = JobQueue(model=Simulation, running={Status.WAITING: Status.RUNNING}, failure=_failure)


def request(draft: Draft, *, until: datetime, days: int = 0, base: str = "", at: datetime, by: str) -> Simulation:
    """Store a simulation of the draft, its dates moved by `days`, on the facts up to `until`; a worker runs it.

    `base` is the source of a definition to compare with. Raises DefinitionError when one of the two is invalid.
    """
    for source in filter(None, (draft.source, base)):
        _parse(source, days)
    return Simulation.objects.create(
        draft=draft, source=draft.source, base=base, days=days, until=until, asked_by=by, asked_at=at
    )


def cancel(simulation: Simulation, *, at: datetime) -> bool:
    """Cancel a simulation: it stops after its current tick. False when it has ended."""
    return QUEUE.cancel(simulation, status=Status.CANCELLED, ended_at=at)


def run(simulation: Simulation, *, clock: Clock) -> None:
    """Run a waiting simulation and store its result, or its error, in its row. Nothing is raised."""

    def work() -> Columns:
        do = _try_rules if simulation.scorecard else _simulate
        result, table = do(simulation, clock)
        return {"status": Status.DONE, "ended_at": clock(), "result": result, "table": table}

    QUEUE.run(simulation, work, clock=clock)


def _parse(source: str, days: int) -> CampaignDefinition:
    return parser.read(reschedule.shift_by_days(source, days)[0] if days else source)


def _try_rules(simulation: Simulation, clock: Clock) -> tuple[dict[str, Any], bytes]:
    Simulation.objects.filter(pk=simulation.pk).update(steps=rating_trials.steps(simulation))
    return rating_trials.run(simulation, step=lambda n: QUEUE.heartbeat(simulation, at=clock(), step=n))


def _simulate(simulation: Simulation, clock: Clock) -> tuple[dict[str, Any], bytes]:
    """Run the base, if there is one, and then the draft in the same tables. Return the sums and the workbook."""
    definitions = [_parse(source, simulation.days) for source in (simulation.base, simulation.source) if source]
    instants = [_tick_instants(definition, simulation.until) for definition in definitions]
    Simulation.objects.filter(pk=simulation.pk).update(steps=sum(map(len, instants)))
    before: dict[str, int] = {}
    base: list[dict[str, Any]] = []
    with isolated_tables():
        if len(definitions) > 1:
            _run_ticks(simulation, definitions[0], instants[0], clock)
            base = [results.summarize(offer) for offer in published_offers.published()]
            before = _set_base_aside()
        _run_ticks(simulation, definitions[-1], instants[-1], clock)
        published = published_offers.published()
        after = {offer.code: offer.id for offer in published}
        result: dict[str, Any] = {"offers": [results.summarize(offer) for offer in published]}
        if len(definitions) > 1:
            result |= {"base": base, "compared": results.compare(before, after)}
        return result, results.workbook(before, after)


def _tick_instants(definition: CampaignDefinition, until: datetime) -> list[datetime]:
    """Return the instants of the ticks, evenly from the first opening on. They do not change what is granted."""
    starts = [
        bound.instant for terms in definition.offers if (bound := schedule.opens(terms)) and bound.instant < until
    ]
    first = min(starts, default=until)
    if first == until:
        return [until]
    return [first + (until - first) * n / TICKS for n in range(1, TICKS)] + [until]


def _run_ticks(simulation: Simulation, definition: CampaignDefinition, instants: list[datetime], clock: Clock) -> None:
    publishing.publish(definition, source="", at=instants[0], by="simulation")
    for at in instants:
        ticker.tick(at=at)
        # Autovacuum cannot see temporary tables: without fresh statistics the next tick is planned for empty ones.
        planner_hints.analyze(planner_hints.MANY, *ISOLATED_MODELS)
        simulation.step += 1
        QUEUE.heartbeat(simulation, at=clock(), step=simulation.step)


def _set_base_aside() -> dict[str, int]:
    """Keep of the base its grants alone, under offer codes that the engine does not use; return each offer's key."""
    keys = dict(Offer.objects.values_list("code", "pk"))
    Attachment.objects.all().delete()
    JournalEntry.objects.filter(coupon__isnull=False).delete()
    Coupon.objects.all().delete()
    Issuance.objects.all().delete()
    for ratings in (Rating, RatingChange, Evaluation):  # the draft may rate by other rules
        ratings.objects.all().delete()
    Document.objects.update(version=None)
    DocumentVersion.objects.all().delete()
    Document.objects.all().delete()
    Grant.objects.update(fee="", follow_again=False)
    Offer.objects.update(version=None, code=Concat(Value("~"), Cast(F("pk"), CharField())))
    return keys
