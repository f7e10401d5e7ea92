"""Freight orders, and the freight templates merchants configure."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField, instant, money
from imports.models import ImportedRecord
from merchants.models import Merchant


class FreightOrder(ImportedRecord):
    """A shipment that a merchant ordered from the platform's carriers."""

    class Service(models.TextChoices):
        EXPRESS = "express", _("express")
        MULTIMODAL = "multimodal", _("multimodal")
        SMALL_PARCEL = "small_parcel", _("small parcel")
        SEA_FCL = "sea_fcl", _("full container by sea")

    order_no = KeyField(_("order"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, db_index=False, verbose_name=_("merchant"), related_name="freight_orders"
    )
    account_code = KeyField(_("account"), max_length=64, blank=True)
    service = models.CharField(_("service"), max_length=20, choices=Service)
    line = KeyField(_("line"), max_length=64)
    base_freight = money(verbose_name=_("base freight"))
    currency = models.CharField(_("currency"), max_length=3)
    promo_flag = models.BooleanField(_("shown with a limited offer"), default=False)
    use_coupon = models.BooleanField(_("asks for a coupon"), default=False)
    placed_at = instant(verbose_name=_("placed at"), db_index=True)
    paid_at = instant(verbose_name=_("paid at"), db_index=True)
    shipped_at = instant(verbose_name=_("shipped at"), db_index=True)
    departed_at = instant(verbose_name=_("departed at"), db_index=True)
    cancelled_at = instant(verbose_name=_("cancelled at"), db_index=True)

    class Meta:
        verbose_name = _("freight order")
        verbose_name_plural = _("freight orders")
        constraints = [models.CheckConstraint(condition=Q(base_freight__gte=0), name="freight_order_not_negative")]
        # Of a merchant's orders, conditions count those shipped in a window.
        indexes = [models.Index(fields=["merchant", "shipped_at"], name="freight_of_merchant_shipped")]

    def __str__(self) -> str:
        return self.order_no


class FreightTemplate(ImportedRecord):
    """A line that a merchant configured in a freight template, and how many ready-to-ship products use it."""

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
