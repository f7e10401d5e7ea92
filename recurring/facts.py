"""Facts about merchants in periods, and the fee that a rebate for a period reduces."""

from django.utils.translation import gettext_lazy as _

from core.column_facts import column_facts
from core.facts import Collection, Fee, by_name, register
from merchants.facts import OF_MERCHANT
from recurring.models import MerchantPeriod

MERCHANT_PERIODS = Collection(
    name="merchant_periods",
    model=MerchantPeriod,
    label=_("merchants in periods"),
    singular=_("merchant in a period"),
    subject="merchant_period",
    facts=by_name(
        column_facts(
            MerchantPeriod,
            "period starts_at ends_at",
            events={"starts_at": _("started"), "ends_at": _("ended")},
        ),
        OF_MERCHANT,
    ),
    bounds=("starts_at", "ends_at"),
)

register(MERCHANT_PERIODS, Fee("rebate", _("rebate"), "merchant_period", "", measured=True))
