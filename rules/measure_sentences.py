"""Sentences of measures, in the language in force and made from the definition alone."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.facts import MERCHANT
from core.formatting import format_money, format_number, format_percent, join_and
from rules.comparison_sentences import SENTENCES, describe_choice, describe_comparison
from rules.measure_periods import Over
from rules.measured import Measured
from rules.measures import Measure, PercentMeasure, RowMeasure
from rules.period_sentences import describe_event, describe_period
from rules.query_row import QueryRow
from rules.weights import Weight

FORMS = {
    "count": gettext_lazy("number of %(rows)s"),
    "distinct": gettext_lazy("number of different values of %(fact)s of the %(rows)s"),
    "sum": gettext_lazy("sum of %(fact)s of the %(rows)s"),
    "average": gettext_lazy("average of %(fact)s of the %(rows)s"),
    "share": gettext_lazy("share of %(rows)s"),
    "latest": gettext_lazy("latest %(fact)s of the %(rows)s"),
    "greatest": gettext_lazy("greatest %(fact)s of the %(rows)s"),
    "conversion": gettext_lazy("share of different values of %(fact)s of the %(rows)s that go on"),
}


def describe_measured(condition: Measured) -> str:
    """Return a condition on a measure as a sentence without a full stop."""
    words = {
        "fact": describe_measure(condition.measure),
        "value": describe_number(condition.measure, condition.bound),
    }
    return str(SENTENCES[condition.operator]) % words


def describe_measure(measure: Measure) -> str:
    """Return a measure: its name, if it has one, and what it is."""
    if measure.names is None:
        return explain_measure(measure)
    return _("%(name)s (%(meaning)s)") % {"name": measure.names, "meaning": explain_measure(measure)}


def measure_name(measure: Measure) -> str:
    """Return the name of a measure, or what it is where it has none."""
    return explain_measure(measure) if measure.names is None else str(measure.names)


def explain_measure(measure: Measure) -> str:
    """Return what a measure is."""
    if isinstance(measure, PercentMeasure):
        words = {"part": measure_name(measure.percent), "base": measure_name(measure.of)}
        return _("%(part)s in percent of %(base)s") % words
    words = {"rows": str(measure.collection.label), "fact": str(measure.fact.label) if measure.fact else ""}
    return _("; ").join([str(FORMS[measure.form]) % words, *_parts(measure)])


def describe_number(measure: Measure, number: object) -> str:
    """Return a number of the measure, with its unit."""
    match measure.kind:
        case "percent":
            return format_percent(number)
        case "money":
            return format_money(number, measure.currency)  # type: ignore[arg-type]  # a number
    return format_number(number)


HOLDERS = {
    "merchant": gettext_lazy("merchant"),
    "buyer": gettext_lazy("buyer"),
    "listing": gettext_lazy("listing"),
}


def _parts(measure: RowMeasure) -> Iterator[str]:
    row = QueryRow(measure.collection)
    if measure.by != (MERCHANT,):
        holders = join_and(str(HOLDERS.get(holder, holder)) for holder in measure.by)
        yield _("of the same %(holders)s") % {"holders": holders}
    if measure.among:
        yield _("among those with: %(which)s") % {"which": _conditions(measure.among, row)}
    if measure.followed_by:
        yield _("going on means, later: %(which)s") % {"which": _conditions(measure.followed_by, row)}
    if measure.where:
        yield _("with: %(which)s") % {"which": _conditions(measure.where, row)}
    if measure.over is not None:
        yield _over(measure.over, row)
    if measure.weight is not None:
        yield from _weights(measure.weight, measure.at_most, row)
    if measure.times != 1:
        yield _("times %(n)s") % {"n": format_number(measure.times)}


def _weights(weight: Weight, most: int | None, row: QueryRow) -> Iterator[str]:
    fact = row.fact(weight.by)
    cases = [f"{describe_choice(fact, case)}: {format_number(n)}" for case, n in weight.cases.items()]
    rest = [_("otherwise: %(n)s") % {"n": format_number(weight.otherwise)}] if weight.otherwise else []
    words = {"fact": str(fact.label), "cases": ", ".join([*cases, *rest])}
    yield _("weighted by %(fact)s (%(cases)s)") % words
    if most is not None:
        yield _("at most %(n)s in all") % {"n": format_number(most)}


def _conditions(conditions: tuple[object, ...], row: QueryRow) -> str:
    return join_and(describe_comparison(condition, row) for condition in conditions)  # type: ignore[arg-type]


def _over(over: Over, row: QueryRow) -> str:
    words = {"event": describe_event(row.fact(over.instant)), "period": ""}
    if over.period is not None:
        words["period"] = describe_period(over.period, row)
    if over.earlier is None:
        return _("%(event)s %(period)s") % words
    return (_("%(event)s before this one, %(period)s") if over.period else _("%(event)s before this one")) % words
