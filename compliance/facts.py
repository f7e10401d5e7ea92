"""Facts about credentials and violations of merchants."""

from django.utils.translation import gettext_lazy as _

from catalog.facts import OF_LISTING
from compliance.models import Credential, Violation
from core.column_facts import column_facts
from core.facts import Collection, by_name, register
from merchants.facts import OF_MERCHANT

CREDENTIALS = Collection(
    name="credentials",
    model=Credential,
    label=_("credentials"),
    singular=_("credential"),
    facts=by_name(
        column_facts(
            Credential,
            "kind verified_at ends_at amount_usd",
            events={"verified_at": _("verified"), "ends_at": _("ended")},
            due={"verified_at": _("have it verified")},
        ),
        OF_MERCHANT,
    ),
)
VIOLATIONS = Collection(
    name="violations",
    model=Violation,
    label=_("violations"),
    singular=_("violation"),
    facts=by_name(
        column_facts(
            Violation,
            "kind found_at rectified_at overturned_at grave",
            events={"found_at": _("found"), "rectified_at": _("rectified"), "overturned_at": _("overturned")},
            due={"rectified_at": _("rectify it")},
        ),
        OF_MERCHANT,
    ),
    references=(OF_LISTING,),
    holders={"listing": "listing_id"},
)

register(CREDENTIALS, VIOLATIONS)
