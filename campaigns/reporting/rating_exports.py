"""Table of ratings that other systems read: one row each, in a fixed order of columns."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Max, Q

from campaigns.models import TickRun
from campaigns.offers import documents
from definitions.scorecards import ScorecardTerms
from ratings.models import Evaluation, Rating, Series

COLUMNS = "scorecard,series,period,subject,level,score,parts".split(",")
Row = tuple[object, ...]


def ratings() -> Iterator[Row]:
    """Yield a row for each official rating that exists, and for each predicted one of the latest evaluation.

    An official rating exists from the instant on at which it comes into force, by the last instant of the engine.
    """
    at = TickRun.objects.aggregate(at=Max("at"))["at"]
    if at is None:
        return
    order = ("scorecard", "series", "period", "subject")
    rows = Rating.objects.filter(_told(at)).order_by(*order).values_list(*order, "level", "score", "parts")
    shown = _shown()
    for *own, level, score, parts in rows.iterator(chunk_size=5_000):
        codes, zeros = shown.get(own[0], ([], True))
        listed = (
            code for code in dict.fromkeys([*codes, *parts]) if code in parts and (zeros or parts[code] != "0.00")
        )
        yield (*own, level, f"{score:.2f}", ";".join(f"{code}={parts[code]}" for code in listed))


def _told(at: datetime) -> Q:
    """Return the filter of the ratings that exist at an instant."""
    found = Q(series=Series.OFFICIAL, starts_at__lte=at)
    of_series = Evaluation.objects.filter(series=Series.PREDICTED, finished=True, evaluated_at__lte=at)
    for row in of_series.values("scorecard").annotate(latest=Max("evaluated_at")):
        found |= Q(series=Series.PREDICTED, scorecard=row["scorecard"], evaluated_at=row["latest"])
    return found


def _shown() -> dict[str, tuple[list[str], bool]]:
    """Return for each scorecard its parts in order, and whether those without points are listed.

    Each part counts in a mean, in a sum only those with points.
    """
    found = {}
    for one in documents.published("scorecards"):
        assert isinstance(one.terms, ScorecardTerms)
        parts = one.terms.parts_of(len(one.terms.versions) - 1)
        found[one.row.code] = ([part.name for part in parts], one.terms.score == "mean")
    return found
