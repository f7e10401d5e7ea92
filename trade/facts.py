"""Facts about trade: orders with the receipts booked against them, financing draws, and their fees."""

from typing import Any

from django.db.models import Min, OuterRef
from django.utils.translation import gettext_lazy as _

from core.column_facts import column_facts
from core.db.derived_value import DerivedValue
from core.facts import Child, Collection, Derived, Fact, Fee, Listing, by_name, register
from merchants.categories import CATEGORIES
from merchants.facts import OF_MERCHANT
from trade.models import FinancingDraw, Receipt, TradeOrder


def _first_payment(key: str, _at: Any) -> Any:
    """Return the earliest booking of a receipt of kind `first`; one that was cancelled later counts too."""
    firsts = Receipt.objects.filter(order=OuterRef(key), kind=Receipt.Kind.FIRST).order_by().values("order")
    return DerivedValue(firsts.annotate(at=Min("booked_at")).values("at"))


RECEIPTS = Child(Receipt, parent="order_id")
FIRST_PAYMENT = Fact(
    "first_payment_at",
    "instant",
    _("first payment booked at"),
    event=_("first payment booked"),
    due=_("pay"),
    derived=Derived(_first_payment, RECEIPTS, instant="booked_at"),
)
TRADE_ORDERS = Collection(
    name="trade_orders",
    model=TradeOrder,
    label=_("trade orders"),
    singular=_("trade order"),
    subject="trade_order",
    facts=by_name(
        column_facts(
            TradeOrder,
            "product export_mode payment_product drafted_at buyer_confirmed_at amount_usd is_rts category_l1 "
            "destination oa_mode easy_return easy_return_premium_usd service_fee_usd shipped_at customs_cleared_at "
            "port_data_at completed_at cancelled_at abnormal_at",
            events={
                "drafted_at": _("drafted"),
                "buyer_confirmed_at": _("confirmed by the buyer"),
                "shipped_at": _("shipped"),
                "customs_cleared_at": _("cleared by customs"),
                "port_data_at": _("port data received"),
                "completed_at": _("completed"),
                "cancelled_at": _("cancelled"),
                "abnormal_at": _("found abnormal"),
            },
            due={
                "drafted_at": _("place the order"),
                "buyer_confirmed_at": _("have the buyer confirm"),
                "shipped_at": _("ship"),
                "customs_cleared_at": _("clear customs"),
                "completed_at": _("complete the order"),
            },
            codes={"destination": "country"},
            names_of={"category_l1": CATEGORIES},
        ),
        (FIRST_PAYMENT,),
        OF_MERCHANT,
    ),
    children=(RECEIPTS,),
    listing=Listing("trade", listed_at=("drafted_at", "buyer_confirmed_at"), shown=("product", "amount_usd")),
    steps={"fulfil": "completed_at", "cancel": "cancelled_at"},
)
FINANCING_DRAWS = Collection(
    name="financing_draws",
    model=FinancingDraw,
    label=_("financing draws"),
    singular=_("financing draw"),
    subject="financing_draw",
    facts=by_name(
        column_facts(
            FinancingDraw,
            "product drawn_at fee currency",
            events={"drawn_at": _("drawn")},
            due={"drawn_at": _("draw")},
            codes={"currency": "currency"},
        ),
        OF_MERCHANT,
    ),
    listing=Listing("financing", listed_at=("drawn_at",), shown=("product", "fee")),
)

register(
    TRADE_ORDERS,
    FINANCING_DRAWS,
    Fee("service_fee", _("service fee"), "trade_order", "service_fee_usd", "USD"),
    Fee("oa_fee", _("open account service fee"), "trade_order", "amount_usd", "USD", rated=True),
    Fee("order_amount", _("order amount"), "trade_order", "amount_usd", "USD"),
    Fee("premium", _("Easy Return premium"), "trade_order", "easy_return_premium_usd", "USD"),
    Fee("financing_fee", _("financing fee"), "financing_draw", "fee", currency_fact="currency"),
)
