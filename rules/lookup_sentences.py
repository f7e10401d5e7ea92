"""Sentences of lookups, in the language in force."""

from django.utils.translation import gettext as _

from core.formatting import join_and
from rules.comparison_sentences import describe_comparison
from rules.lookups import Lookup
from rules.measure_sentences import HOLDERS
from rules.period_sentences import describe_event
from rules.query_row import QueryRow


def describe_lookup(lookup: Lookup) -> str:
    """Return the row that is found: `store discount: the one with the lowest number of the same listing, with: …`."""
    row, instant = QueryRow(lookup.collection), lookup.earliest or lookup.latest
    words = {
        "row": str(lookup.collection.singular),
        "holders": join_and(str(HOLDERS.get(holder, holder)) for holder in lookup.by),
        "which": join_and(describe_comparison(condition, row) for condition in lookup.where),
        "event": describe_event(row.fact(instant)) if instant else "",
    }
    if lookup.earliest:
        return _("%(row)s: of the same %(holders)s the one first %(event)s with: %(which)s") % words
    if lookup.latest:
        return _("%(row)s: of the same %(holders)s the one last %(event)s with: %(which)s") % words
    return _("%(row)s: of the same %(holders)s the one with the lowest number with: %(which)s") % words
