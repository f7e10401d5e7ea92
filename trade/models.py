"""Trade orders with what belongs to them: items, reviews, receipts and payments of buyers; financing draws."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from buyers.models import Buyer
from catalog.models import Listing
from core.db.fields import LONGEST_KEY, KeyField, instant, money
from declarations.fields import attributes_column
from imports.models import ImportedRecord
from merchants.models import Merchant


class TradeOrder(ImportedRecord):
    """Sale between a merchant and a buyer abroad.

    An empty instant means that the event has not happened, or is not known.
    """

    class Product(models.TextChoices):
        TRADE_ASSURANCE = "trade_assurance", _("Trade Assurance")
        E_COLLECTION = "e_collection", _("e-Collection")

    class ExportMode(models.TextChoices):
        ONETOUCH_AGENCY = "onetouch_agency", _("One-Touch agency export")
        MARKET_PROCUREMENT = "market_procurement", _("market procurement export")
        SELF_OPERATED = "self_operated", _("self-operated export")
        CONVENIENT_SHIPPING = "convenient_shipping", _("convenient shipping export")

    class PaymentProduct(models.TextChoices):
        TALC = "TALC", _("TALC")
        TAPLC = "TAPLC", _("TAPLC")
        TAOLC = "TAOLC", _("TAOLC")

    class OaMode(models.TextChoices):
        PLATFORM_INSURED = "platform_insured", _("insured by the platform")
        SELF_INSURED = "self_insured", _("insured by the merchant")

    order_no = KeyField(_("order"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="trade_orders")
    account_code = KeyField(_("account"), max_length=64, blank=True)  # no reference: the account may be unknown
    buyer = models.ForeignKey(
        Buyer, models.PROTECT, null=True, blank=True, verbose_name=_("buyer"), related_name="trade_orders"
    )
    product = models.CharField(_("product"), max_length=20, choices=Product)
    export_mode = models.CharField(_("export mode"), max_length=20, choices=ExportMode, blank=True)
    # Empty where the buyer does not pay by letter of credit.
    payment_product = models.CharField(_("payment product"), max_length=8, choices=PaymentProduct, blank=True)
    drafted_at = instant(verbose_name=_("drafted at"))
    buyer_confirmed_at = instant(verbose_name=_("confirmed by the buyer at"))
    amount_usd = money(verbose_name=_("amount in USD"))
    is_rts = models.BooleanField(_("ready to ship"), default=False)
    category_l1 = models.CharField(_("first-level category"), max_length=100, blank=True)
    destination = models.CharField(_("destination"), max_length=2, blank=True)
    # Insurance of an order on open account; empty for other orders.
    oa_mode = models.CharField(_("open account mode"), max_length=20, choices=OaMode, blank=True)
    easy_return = models.BooleanField(_("Easy Return"), default=False)
    easy_return_premium_usd = money(verbose_name=_("Easy Return premium in USD"), null=True, blank=True)
    service_fee_usd = money(verbose_name=_("service fee in USD"), null=True, blank=True)
    shipped_at = instant(verbose_name=_("all shipped at"), db_index=True)
    customs_cleared_at = instant(verbose_name=_("customs cleared at"), db_index=True)
    port_data_at = instant(verbose_name=_("port data at"), db_index=True)
    completed_at = instant(verbose_name=_("completed at"), db_index=True)
    cancelled_at = instant(verbose_name=_("cancelled at"), db_index=True)
    abnormal_at = instant(verbose_name=_("found abnormal at"), db_index=True)
    promised_ship_at = instant(verbose_name=_("shipment promised for"), db_index=True)
    disputed_at = instant(verbose_name=_("disputed at"), db_index=True)
    attributes = attributes_column()

    class Meta:
        verbose_name = _("trade order")
        verbose_name_plural = _("trade orders")
        indexes = [
            models.Index(fields=["buyer_confirmed_at"], name="trade_order_confirmed"),
            models.Index(fields=["drafted_at"], name="trade_order_drafted"),
            # Measures over the orders of a merchant in the last days: see docs/performance.md.
            models.Index(fields=["merchant", "drafted_at"], name="trade_of_merchant_drafted"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_usd__gte=0), name="trade_order_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(easy_return_premium_usd=None) | Q(easy_return_premium_usd__gte=0),
                name="trade_order_premium_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(service_fee_usd=None) | Q(service_fee_usd__gte=0), name="trade_order_fee_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.order_no


class Receipt(ImportedRecord):
    """Payment booked against a trade order. Its cancellation may arrive before the booking."""

    class Kind(models.TextChoices):
        FIRST = "first", _("first payment")
        BALANCE = "balance", _("balance")

    receipt_no = KeyField(_("receipt"), max_length=64, primary_key=True)
    order = models.ForeignKey(TradeOrder, models.PROTECT, verbose_name=_("order"), related_name="receipts")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    amount_usd = money(verbose_name=_("amount in USD"))
    booked_at = instant(verbose_name=_("booked at"), db_index=True)
    cancelled_at = instant(verbose_name=_("cancelled at"), db_index=True)
    # True where a row without booked_at reported the cancellation: a row without cancelled_at does not undo it.
    cancelled_alone = models.BooleanField(_("cancellation reported alone"), default=False, editable=False)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            models.CheckConstraint(condition=Q(amount_usd__gte=0), name="receipt_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(booked_at__isnull=False) | Q(cancelled_at__isnull=False), name="receipt_booked_or_cancelled"
            ),
        ]

    def __str__(self) -> str:
        return self.receipt_no


class FinancingDraw(ImportedRecord):
    """Money that a merchant drew on a financing product, and its fee."""

    class Product(models.TextChoices):
        LC_POST_DOCUMENT = "lc_post_document", _("letter of credit, after documents")
        OTHER = "other", _("other")

    draw_no = KeyField(_("draw"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="financing_draws")
    product = models.CharField(_("product"), max_length=20, choices=Product)
    drawn_at = models.DateTimeField(_("drawn at"), db_index=True)
    fee = money(verbose_name=_("fee"))
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("financing draw")
        verbose_name_plural = _("financing draws")
        constraints = [models.CheckConstraint(condition=Q(fee__gte=0), name="financing_draw_fee_not_negative")]

    def __str__(self) -> str:
        return self.draw_no


class OrderItem(ImportedRecord):
    """Position of a trade order: so many pieces of one listing. Its key joins the numbers of both by a slash."""

    item_no = KeyField(_("order item"), max_length=LONGEST_KEY, primary_key=True)
    # The unique constraint has the index of both.
    order = models.ForeignKey(TradeOrder, models.PROTECT, db_index=False, verbose_name=_("order"), related_name="items")
    listing = models.ForeignKey(Listing, models.PROTECT, verbose_name=_("listing"), related_name="order_items")
    quantity = models.PositiveIntegerField(_("quantity"))
    amount_usd = money(verbose_name=_("amount in USD"))

    class Meta:
        verbose_name = _("order item")
        verbose_name_plural = _("order items")
        constraints = [
            models.UniqueConstraint(fields=["order", "listing"], name="order_item_once"),
            models.CheckConstraint(condition=Q(amount_usd__gte=0), name="order_item_not_negative"),
        ]

    def __str__(self) -> str:
        return self.item_no


class Review(ImportedRecord):
    """Review that a buyer wrote about a listing of an order, with one to five stars."""

    review_no = KeyField(_("product review"), max_length=64, primary_key=True)
    order = models.ForeignKey(TradeOrder, models.PROTECT, verbose_name=_("order"), related_name="reviews")
    listing = models.ForeignKey(Listing, models.PROTECT, verbose_name=_("listing"), related_name="reviews")
    buyer = models.ForeignKey(Buyer, models.PROTECT, verbose_name=_("buyer"), related_name="reviews")
    stars = models.PositiveSmallIntegerField(_("stars"))
    quality_stars = models.PositiveSmallIntegerField(_("stars for quality"))
    reviewed_at = models.DateTimeField(_("reviewed at"), db_index=True)

    class Meta:
        verbose_name = _("product review")
        verbose_name_plural = _("product reviews")
        constraints = [
            models.CheckConstraint(
                condition=Q(stars__gte=1, stars__lte=5, quality_stars__gte=1, quality_stars__lte=5),
                name="review_stars_in_range",
            )
        ]

    def __str__(self) -> str:
        return self.review_no


class BuyerPayment(ImportedRecord):
    """Payment of an order by its buyer with a payment product of the marketplace."""

    class Product(models.TextChoices):
        BNPL = "bnpl", _("buy now, pay later")
        OA_CREDIT = "oa_credit", _("credit on open account")

    payment_no = KeyField(_("payment"), max_length=64, primary_key=True)
    buyer = models.ForeignKey(Buyer, models.PROTECT, verbose_name=_("buyer"), related_name="payments")
    order = models.ForeignKey(TradeOrder, models.PROTECT, verbose_name=_("order"), related_name="buyer_payments")
    product = models.CharField(_("product"), max_length=20, choices=Product)
    amount_usd = money(verbose_name=_("amount in USD"))
    paid_at = models.DateTimeField(_("paid at"), db_index=True)

    class Meta:
        verbose_name = _("buyer payment")
        verbose_name_plural = _("buyer payments")
        constraints = [models.CheckConstraint(condition=Q(amount_usd__gte=0), name="buyer_payment_not_negative")]

    def __str__(self) -> str:
        return self.payment_no
