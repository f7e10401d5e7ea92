"""Facts about services: orders with their price, requests for offers, and uses of allowances."""

from django.utils.translation import gettext_lazy as _

from buyers.facts import OF_BUYER
from core.column_facts import column_facts
from core.facts import Collection, Fee, Listing, by_name, register
from merchants.facts import OF_ACCOUNT, OF_MERCHANT
from services.models import ClaimRequest, ServiceOrder, Usage

SERVICE_ORDERS = Collection(
    name="service_orders",
    model=ServiceOrder,
    label=_("service orders"),
    singular=_("service order"),
    subject="service_order",
    facts=by_name(
        column_facts(
            ServiceOrder,
            "service list_price currency use_coupon placed_at paid_at delivered_at cancelled_at",
            events={
                "placed_at": _("placed"),
                "paid_at": _("paid"),
                "delivered_at": _("delivered"),
                "cancelled_at": _("cancelled"),
            },
            due={"placed_at": _("place the order"), "paid_at": _("pay")},
            codes={"currency": "currency"},
        ),
        OF_MERCHANT,
    ),
    listing=Listing("services", listed_at=("placed_at",), shown=("service", "list_price")),
    references=(OF_ACCOUNT,),
    steps={"pay": "paid_at", "fulfil": "delivered_at", "cancel": "cancelled_at"},
)
CLAIM_REQUESTS = Collection(
    name="claim_requests",
    model=ClaimRequest,
    label=_("claim requests"),
    singular=_("claim request"),
    subject="claim_request",
    facts=by_name(
        column_facts(
            ClaimRequest,
            "offer requested_at",
            events={"requested_at": _("requested")},
            due={"requested_at": _("request the offer")},
        ),
        OF_MERCHANT,
    ),
    listing=Listing("requests", listed_at=("requested_at",), shown=("offer",)),
    references=(OF_ACCOUNT,),
)
USAGES = Collection(
    name="usages",
    model=Usage,
    label=_("usages"),
    singular=_("usage"),
    subject="usage",
    facts=by_name(
        column_facts(
            Usage,
            "use quantity used_at cancelled_at",
            events={"used_at": _("used"), "cancelled_at": _("cancelled")},
        ),
        OF_MERCHANT,
    ),
    references=(OF_ACCOUNT, OF_BUYER),
    holders={"buyer": "buyer_id"},
    steps={"cancel": "cancelled_at"},
)

register(
    SERVICE_ORDERS,
    CLAIM_REQUESTS,
    USAGES,
    Fee(
        "service_price",
        _("service price"),
        "service_order",
        "list_price",
        currency_fact="currency",
        takes_coupons=True,
    ),
)
