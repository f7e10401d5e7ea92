"""Freight orders and freight templates of merchants."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField, instant, money
from imports.models import ImportedRecord
from merchants.models import Merchant


class FreightOrder(ImportedRecord):
    """Shipment that a merchant ordered from the carriers of the platform.

    An empty instant means that the event has not happened, or is not known.
    """

    class Service(models.TextChoices):
        EXPRESS = "express", _("express")
        MULTIMODAL = "multimodal", _("multimodal")
        SMALL_PARCEL = "small_parcel", _("small parcel")
        SEA_FCL = "sea_fcl", _("full container by sea")

    order_no = KeyField(_("order"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, db_index=False, verbose_name=_("merchant"), related_name="freight_orders"
    )
    account_code = KeyField(_("account"), max_length=64, blank=True)  # no reference: the account may be unknown
    service = models.CharField(_("service"), max_length=20, choices=Service)
    line = KeyField(_("line"), max_length=64)
    base_freight = money(verbose_name=_("base freight"))
    currency = models.CharField(_("currency"), max_length=3)
    promo_flag = models.BooleanField(_("line marked as a limited offer"), default=False)
    use_coupon = models.BooleanField(_("asks for a coupon"), default=False)
    # The merchant may attach or detach a coupon after the import: `use_coupon` is the later of both acts.
    imported_use_coupon = models.BooleanField(_("asks for a coupon, as imported"), null=True, editable=False)
    placed_at = instant(verbose_name=_("placed at"), db_index=True)
    paid_at = instant(verbose_name=_("paid at"), db_index=True)
    shipped_at = instant(verbose_name=_("shipped at"), db_index=True)
    departed_at = instant(verbose_name=_("departed at"), db_index=True)
    cancelled_at = instant(verbose_name=_("cancelled at"), db_index=True)

    class Meta:
        verbose_name = _("freight order")
        verbose_name_plural = _("freight orders")
        constraints = [models.CheckConstraint(condition=Q(base_freight__gte=0), name="freight_order_not_negative")]
        # For conditions that count the orders of a merchant shipped in a period.
        indexes = [models.Index(fields=["merchant", "shipped_at"], name="freight_of_merchant_shipped")]

    def __str__(self) -> str:
        return self.order_no


class FreightTemplate(ImportedRecord):
    """Line that a merchant configured in a freight template, and the number of ready-to-ship products that use it."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="freight_templates")
    line = KeyField(_("line"), max_length=64)
    configured_at = models.DateTimeField(_("configured at"), db_index=True)
    rts_products = models.PositiveIntegerField(_("ready-to-ship products"), default=0)

    class Meta:
        verbose_name = _("freight template")
        verbose_name_plural = _("freight templates")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "line", "configured_at"], name="freight_template_once")
        ]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.line}"
