"""Trying a text on the facts that are there: the same engine, in a sandbox, and the difference to another text."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from campaigns.engine import ticker
from campaigns.models import Attachment, Coupon, Draft, Grant, Issuance, JournalEntry, Offer, Simulation
from campaigns.offers import published_offers, schedule
from campaigns.simulation import results
from campaigns.simulation.isolated_tables import ISOLATED_MODELS, isolated_tables
from core.db import planner_hints
from definitions import parser, reschedule
from definitions.parser import CampaignDefinition

logger = logging.getLogger(__name__)
STEPS = 20
PATIENCE = timedelta(hours=1)
Status = Simulation.Status
Clock = Callable[[], datetime]


class CancelledError(Exception):
    """Nobody wants the trial any more."""


def ask(draft: Draft, *, until: datetime, days: int = 0, base: str = "", at: datetime, by: str) -> Simulation:
    """Note that the draft, its dates moved by `days`, is to be tried on facts up to `until`, and compared with `base`.

    `at` is an instant of the host's clock. Raises DefinitionError where one of the texts is not right.
    """
    for source in filter(None, (draft.source, base)):
        _read(source, days)
    return Simulation.objects.create(
        draft=draft, source=draft.source, base=base, days=days, until=until, asked_by=by, asked_at=at
    )


def cancel(trial: Simulation, *, at: datetime) -> bool:
    """Have it end at its next step. False where it is over already."""
    going = Simulation.objects.filter(pk=trial.pk).exclude(status__in=Simulation.OVER)
    return bool(going.update(status=Status.CANCELLED, ended_at=at))


def fail_stalled(*, at: datetime) -> int:
    """Call those failed that have made no step for an hour: their worker was lost. Returns how many."""
    lost = Simulation.objects.filter(status=Status.RUNNING, seen_at__lte=at - PATIENCE)
    return lost.update(status=Status.FAILED, ended_at=at, error="the worker was lost")


def run(trial: Simulation, *, clock: Clock) -> None:
    """Run it, unless somebody else does. What came of it stands in its row: nothing is raised.

    `clock` gives the instant of the host.
    """
    mine = Simulation.objects.filter(pk=trial.pk)
    if not mine.filter(status=Status.WAITING).update(status=Status.RUNNING, seen_at=clock()):
        trial.refresh_from_db()
        return
    ended: dict[str, Any]
    try:
        result, table = _tried(trial, clock)
        ended = {"status": Status.DONE, "result": result, "table": table}
    except CancelledError:
        ended = {}
    except Exception as error:
        logger.exception("Trial %s failed", trial.pk)
        ended = {"status": Status.FAILED, "error": f"{type(error).__name__}: {error}"[:2000]}
    if ended:
        mine.filter(status=Status.RUNNING).update(**ended, ended_at=clock())
    trial.refresh_from_db()


def _read(source: str, days: int) -> CampaignDefinition:
    return parser.read(reschedule.by_days(source, days)[0] if days else source)


def _tried(trial: Simulation, clock: Clock) -> tuple[dict[str, Any], bytes]:
    texts = [_read(source, trial.days) for source in (trial.base, trial.source) if source]
    instants = [_instants(text, trial.until) for text in texts]
    Simulation.objects.filter(pk=trial.pk).update(steps=sum(map(len, instants)))
    before: dict[str, int] = {}
    with isolated_tables():
        if len(texts) > 1:
            _decide(trial, texts[0], instants[0], clock)
            before = _put_aside()
        _decide(trial, texts[-1], instants[-1], clock)
        published = published_offers.published()
        after = {offer.code: offer.id for offer in published}
        result: dict[str, Any] = {"offers": [results.summarize(offer) for offer in published]}
        if len(texts) > 1:
            result["compared"] = results.compared(before, after)
        return result, results.workbook(before, after)


def _instants(text: CampaignDefinition, until: datetime) -> list[datetime]:
    """Where to stop on the way: evenly, from the first that an offer opens. Where it stops changes nothing."""
    starts = [bound.instant for terms in text.offers if (bound := schedule.opens(terms)) and bound.instant < until]
    first = min(starts, default=until)
    if first == until:
        return [until]
    return [first + (until - first) * n / STEPS for n in range(1, STEPS)] + [until]


def _decide(trial: Simulation, text: CampaignDefinition, instants: list[datetime], clock: Clock) -> None:
    published_offers.publish(text, source="", at=instants[0], by="trial")
    for at in instants:
        ticker.tick(at=at)
        planner_hints.learn(planner_hints.MANY, *ISOLATED_MODELS)  # nobody else counts temporary tables
        trial.step += 1
        if not Simulation.objects.filter(pk=trial.pk, status=Status.RUNNING).update(step=trial.step, seen_at=clock()):
            raise CancelledError


def _put_aside() -> dict[str, int]:
    """Leave of what was tried first its grants alone, under other names, where the engine does not look for them.

    Returns the key of each of its offers.
    """
    keys = dict(Offer.objects.values_list("code", "pk"))
    Attachment.objects.all().delete()
    JournalEntry.objects.filter(coupon__isnull=False).delete()
    Coupon.objects.all().delete()
    Issuance.objects.all().delete()
    Grant.objects.update(fee="", look_again=False)
    Offer.objects.update(version=None, code=Concat(Value("~"), Cast(F("pk"), CharField())))
    return keys
