"""Facts about freight: orders, their fee, and freight templates."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from core.column_facts import column_facts
from core.facts import Collection, Fee, Listing, by_name, register
from logistics.lines import LINES
from logistics.models import FreightOrder, FreightTemplate
from merchants.facts import OF_MERCHANT

FREIGHT_ORDERS = Collection(
    name="freight_orders",
    model=FreightOrder,
    label=_("freight orders"),
    singular=_("freight order"),
    subject="freight_order",
    facts=by_name(
        column_facts(
            FreightOrder,
            "service line base_freight currency promo_flag use_coupon "
            "placed_at paid_at shipped_at departed_at cancelled_at",
            stated={
                "promo_flag": (_("line marked as a limited offer"), _("line not marked as a limited offer")),
                "use_coupon": (_("with a coupon"), _("without a coupon")),
            },
            events={
                "placed_at": _("placed"),
                "paid_at": _("paid"),
                "shipped_at": _("shipped"),
                "departed_at": _("departed"),
                "cancelled_at": _("cancelled"),
            },
            due={
                "placed_at": _("place the order"),
                "paid_at": _("pay"),
                "shipped_at": _("ship"),
                "departed_at": _("depart"),
            },
            codes={"currency": "currency"},
            names_of={"line": LINES},
        ),
        OF_MERCHANT,
    ),
    listing=Listing("freight", listed_at=("placed_at", "paid_at"), shown=("service", "line", "base_freight")),
    steps={"pay": "paid_at", "fulfil": "shipped_at", "cancel": "cancelled_at"},
)
FREIGHT_TEMPLATES = Collection(
    name="freight_templates",
    model=FreightTemplate,
    label=_("freight templates"),
    singular=_("freight template"),
    facts=by_name(
        column_facts(
            FreightTemplate,
            "line configured_at rts_products",
            events={"configured_at": _("configured")},
            due={"configured_at": _("configure")},
            names_of={"line": LINES},
        )
    ),
)

register(
    FREIGHT_ORDERS,
    FREIGHT_TEMPLATES,
    # The carrier's invoice needs an amount: a discount leaves one cent.
    Fee(
        "freight",
        _("freight"),
        "freight_order",
        "base_freight",
        currency_fact="currency",
        least=Decimal("0.01"),
        takes_coupons=True,
    ),
)
