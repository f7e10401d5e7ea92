"""Checks that hold for each offer, also for one whose other parts have errors."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from rules.conditions import Comparison
from rules.errors import ErrorCollector
from rules.moments import Moment, case_fact, moment_facts
from rules.query_row import QueryRow


def check_names_once(names: Mapping[int, str], errors: ErrorCollector) -> None:
    """Collect an error at each condition whose name, by its number, an earlier one has too."""
    for n, name in names.items():
        with errors.at("conditions", n):
            if any(number < n and other == name for number, other in names.items()):
                raise ValueError(_("two conditions are called %(name)s: give one a code of its own") % {"name": name})


def check_moment(row: QueryRow, moment: Moment) -> None:
    """Raise ValueError unless every fact of the moment is an instant of the row and its cases are values of a fact."""
    for name in moment_facts(moment):
        row.check_instant(name)
    if case := case_fact(moment):
        fact, values = case
        Comparison.model_validate({"fact": fact, "in": values}).check(row)
