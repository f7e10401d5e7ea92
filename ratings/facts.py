"""Facts about ratings."""

from django.utils.translation import gettext_lazy as _

from core.column_facts import column_facts
from core.facts import Collection, by_name, register
from merchants.facts import OF_MERCHANT
from ratings.models import Rating

RATINGS = Collection(
    name="ratings",
    model=Rating,
    label=_("ratings"),
    singular=_("rating"),
    facts=by_name(
        column_facts(
            Rating,
            "scorecard series period level score evaluated_at starts_at ends_at",
            events={
                "evaluated_at": _("evaluated"),
                "starts_at": _("in force"),
                "ends_at": _("no longer in force"),
            },
        ),
        OF_MERCHANT,
    ),
)

register(RATINGS)
