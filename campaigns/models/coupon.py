"""Coupons, and the orders that asked for one."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.models.grant import Grant
from campaigns.models.offer import Offer
from core.db.fields import KeyField, money
from core.facts import COUPON_FEES
from core.formatting import format_money
from merchants.models import Merchant


class Coupon(models.Model):
    """A token for one order, held by a merchant. Changed by the verbs of `campaigns.coupons` alone.

    `order_kind` is the subject whose rows are its orders. A coupon with a `price` sets the price of its order to that:
    its face value is 0.00, and its value is what it takes off the order that it is on.
    """

    class Status(models.TextChoices):
        ISSUED = "issued", _("issued")
        LOCKED = "locked", _("locked")
        REDEEMED = "redeemed", _("redeemed")
        EXPIRED = "expired", _("expired")
        VOID = "void", _("void")

    code = KeyField(_("code"), max_length=32, unique=True)
    offer = models.ForeignKey(Offer, models.PROTECT, verbose_name=_("offer"), related_name="coupons")
    grant = models.ForeignKey(Grant, models.PROTECT, db_index=False, verbose_name=_("grant"), related_name="bundle")
    number = models.PositiveIntegerField(_("number in the bundle"))
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="coupons")
    status = models.CharField(_("status"), max_length=8, choices=Status)
    value = money(verbose_name=_("value"))
    face_value = money(verbose_name=_("face value"))
    price = money(verbose_name=_("price"), null=True)
    currency = models.CharField(_("currency"), max_length=3)
    issued_at = models.DateTimeField(_("issued at"))
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid before"))
    # A coupon may be issued long after it is valid: claims wait while an offer is paused, and facts come late.
    replayed = models.BooleanField(_("follows the orders"), default=False)
    order_kind = models.CharField(_("kind of order"), max_length=20)
    order_no: "models.CharField[str | None, str | None]" = KeyField(  # type: ignore[assignment, misc]  # empty until used
        _("order"), max_length=64, null=True
    )

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.UniqueConstraint(fields=["grant", "number"], name="coupon_once"),
            models.UniqueConstraint(fields=["order_kind", "order_no"], name="coupon_one_per_order"),
            models.CheckConstraint(
                condition=Q(status__in=["locked", "redeemed"], order_no__isnull=False)
                | Q(status__in=["issued", "expired", "void"], order_no=None),
                name="coupon_on_an_order_when_used",
            ),
            models.CheckConstraint(
                condition=Q(price=None, value__gte=0, value__lte=F("face_value"))
                | Q(price__gte=0, face_value=0, value__gte=0),
                name="coupon_value_in_face",
            ),
            models.CheckConstraint(
                condition=Q(price=None) | Q(status__in=["locked", "redeemed"]) | Q(value=0),
                name="coupon_price_takes_off_an_order",
            ),
            models.CheckConstraint(condition=Q(valid_until__gte=F("valid_from")), name="coupon_validity"),
        ]
        indexes = [
            models.Index(
                fields=["offer", "valid_until"],
                condition=Q(status__in=["issued", "locked"]),
                name="coupon_unspent",
            ),
            models.Index(
                fields=["merchant"],
                condition=Q(status__in=["issued", "locked"], replayed=False),
                name="coupon_not_replayed",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def title(self) -> str:
        """The coupon as people name it: by its value, or by the price to which it sets a fee."""
        if self.price is None:
            return _t("Coupon of %(value)s") % {"value": format_money(self.face_value, self.currency)}
        words = {"fee": COUPON_FEES[self.order_kind].label, "price": format_money(self.price, self.currency)}
        return _t("Coupon: %(fee)s %(price)s") % words

    @property
    def stated(self) -> Decimal:
        """The amount that stands on the coupon: its face value or its price."""
        return Decimal(self.face_value if self.price is None else self.price)

    @property
    def last_instant(self) -> datetime:
        """The last second in which the coupon can be used, as people write it: 23:59:59."""
        return self.valid_until - timedelta(seconds=1)


class Attachment(models.Model):
    """An order that asked for a coupon when it was placed, and the coupon it got, if any. Written once.

    An order `waits` for its coupon while an earlier claim on its freight is not decided
    (`campaigns.coupons.fee_precedence`). `order_kind` is the subject whose row the order is.
    """

    order_kind = models.CharField(_("kind of order"), max_length=20)
    order_no = KeyField(_("order"), max_length=64)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+")
    coupon = models.ForeignKey(Coupon, models.PROTECT, null=True, verbose_name=_("coupon"), related_name="attachments")
    placed_at = models.DateTimeField(_("placed at"))
    waits = models.BooleanField(_("waits for an earlier claim"), default=False)

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints = [
            models.UniqueConstraint(fields=["order_kind", "order_no"], name="attachment_once"),
            models.CheckConstraint(condition=Q(waits=False) | Q(coupon=None), name="attachment_waits_without_coupon"),
        ]
        indexes = [models.Index(fields=["merchant"], condition=Q(waits=True), name="attachment_waits")]

    def __str__(self) -> str:
        return self.order_no
