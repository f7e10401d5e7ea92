"""Facts about trade: orders with their items, reviews, receipts and payments, financing draws, and their fees."""

from typing import Any

from django.db.models import Min, OuterRef
from django.utils.translation import gettext_lazy as _

from buyers.facts import BUYERS, OF_BUYER
from catalog.facts import OF_LISTING
from core.column_facts import column_facts
from core.db.derived_value import DerivedValue
from core.facts import Child, Collection, Derived, Fact, Fee, Listing, Reference, by_name, register
from merchants.categories import CATEGORIES
from merchants.facts import OF_MERCHANT
from trade.models import BuyerPayment, FinancingDraw, OrderItem, Receipt, Review, TradeOrder


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
            "port_data_at completed_at cancelled_at abnormal_at promised_ship_at disputed_at",
            stated={
                "is_rts": (_("ready-to-ship order"), _("not a ready-to-ship order")),
                "easy_return": (_("with Easy Return"), _("without Easy Return")),
            },
            events={
                "drafted_at": _("drafted"),
                "buyer_confirmed_at": _("confirmed by the buyer"),
                "shipped_at": _("shipped"),
                "customs_cleared_at": _("cleared by customs"),
                "port_data_at": _("port data received"),
                "completed_at": _("completed"),
                "cancelled_at": _("cancelled"),
                "abnormal_at": _("found abnormal"),
                "promised_ship_at": _("due to be shipped"),
                "disputed_at": _("disputed"),
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
    row_kind="trade_order",
    references=(OF_BUYER,),
    holders={"buyer": "buyer_id"},
)
OF_ORDER = Reference("order", "order_id", TRADE_ORDERS)
BUYER_OF_ORDER = Reference("buyer", "order__buyer_id", BUYERS)
ORDER_ITEMS = Collection(
    name="order_items",
    model=OrderItem,
    label=_("order items"),
    singular=_("order item"),
    subject="order_item",
    merchant="order__merchant_id",
    facts=by_name(column_facts(OrderItem, "quantity amount_usd"), OF_MERCHANT),
    references=(OF_ORDER, OF_LISTING, BUYER_OF_ORDER),
    holders={"buyer": "order__buyer_id", "listing": "listing_id"},
)
REVIEWS = Collection(
    name="reviews",
    model=Review,
    label=_("product reviews"),
    singular=_("product review"),
    subject="review",
    merchant="order__merchant_id",
    facts=by_name(
        column_facts(Review, "stars quality_stars reviewed_at", events={"reviewed_at": _("reviewed")}), OF_MERCHANT
    ),
    references=(OF_ORDER, OF_LISTING, OF_BUYER),
    holders={"buyer": "buyer_id", "listing": "listing_id"},
)
BUYER_PAYMENTS = Collection(
    name="buyer_payments",
    model=BuyerPayment,
    label=_("buyer payments"),
    singular=_("buyer payment"),
    subject="buyer_payment",
    merchant="order__merchant_id",
    facts=by_name(
        column_facts(
            BuyerPayment, "product amount_usd paid_at", events={"paid_at": _("paid")}, due={"paid_at": _("pay")}
        ),
        OF_MERCHANT,
    ),
    references=(OF_ORDER, OF_BUYER),
    holders={"buyer": "buyer_id"},
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
    ORDER_ITEMS,
    REVIEWS,
    BUYER_PAYMENTS,
    FINANCING_DRAWS,
    Fee("service_fee", _("service fee"), "trade_order", "service_fee_usd", "USD"),
    Fee("oa_fee", _("open account service fee"), "trade_order", "amount_usd", "USD", rated=True),
    Fee("order_amount", _("order amount"), "trade_order", "amount_usd", "USD"),
    Fee("premium", _("Easy Return premium"), "trade_order", "easy_return_premium_usd", "USD"),
    Fee("financing_fee", _("financing fee"), "financing_draw", "fee", currency_fact="currency"),
    Fee("item_amount", _("item amount"), "order_item", "amount_usd", "USD"),
    Fee("payment", _("payment"), "buyer_payment", "amount_usd", "USD"),
)
