"""Services that merchants order from the marketplace, requests for offers, and uses of allowances."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from buyers.models import Buyer
from core.db.fields import KeyField, instant, money
from imports.models import ImportedRecord
from merchants.models import Account, Merchant


class ServiceOrder(ImportedRecord):
    """Service, such as a tool or a diagnosis, that an account of a merchant ordered from the marketplace."""

    order_no = KeyField(_("order"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="service_orders")
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="+")
    service = KeyField(_("service"), max_length=64)
    list_price = money(verbose_name=_("list price"))
    currency = models.CharField(_("currency"), max_length=3)
    use_coupon = models.BooleanField(_("asks for a coupon"), default=False)
    # The merchant may attach or detach a coupon after the import: `use_coupon` is the later of both acts.
    imported_use_coupon = models.BooleanField(_("asks for a coupon, as imported"), null=True, editable=False)
    placed_at = models.DateTimeField(_("placed at"), db_index=True)
    paid_at = instant(verbose_name=_("paid at"), db_index=True)
    delivered_at = instant(verbose_name=_("delivered at"), db_index=True)
    cancelled_at = instant(verbose_name=_("cancelled at"), db_index=True)

    class Meta:
        verbose_name = _("service order")
        verbose_name_plural = _("service orders")
        constraints = [models.CheckConstraint(condition=Q(list_price__gte=0), name="service_order_not_negative")]

    def __str__(self) -> str:
        return self.order_no


class ClaimRequest(ImportedRecord):
    """Request of a merchant's account for an offer, named by its code."""

    request_no = KeyField(_("request"), max_length=64, primary_key=True)
    offer = KeyField(_("offer"), max_length=64, db_index=True)  # a code; facts know nothing of campaigns
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="claim_requests")
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="+")
    requested_at = models.DateTimeField(_("requested at"), db_index=True)

    class Meta:
        verbose_name = _("claim request")
        verbose_name_plural = _("claim requests")

    def __str__(self) -> str:
        return self.request_no


class Usage(ImportedRecord):
    """Use of something of which a merchant has a number of units, such as mails to buyers."""

    usage_no = KeyField(_("usage"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, db_index=False, verbose_name=_("merchant"), related_name="usages"
    )
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, verbose_name=_("account"), related_name="+"
    )
    use = KeyField(_("use"), max_length=64)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    buyer = models.ForeignKey(Buyer, models.PROTECT, null=True, blank=True, verbose_name=_("buyer"), related_name="+")
    used_at = models.DateTimeField(_("used at"), db_index=True)
    cancelled_at = instant(verbose_name=_("cancelled at"), db_index=True)

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usages")
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=1), name="usage_of_a_unit")]
        indexes = [models.Index(fields=["merchant", "used_at"], name="usage_of_merchant")]

    def __str__(self) -> str:
        return self.usage_no
