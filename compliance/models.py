"""Credentials that the marketplace verified, and violations of its rules that it found."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Listing
from core.db.fields import KeyField, instant, money
from imports.models import ImportedRecord
from merchants.models import Merchant


class Credential(ImportedRecord):
    """Proof of a strength of a merchant, valid from its verification until `ends_at`."""

    class Kind(models.TextChoices):
        IP_RIGHT = "ip_right", _("intellectual property right")
        FORTUNE_500 = "fortune_500", _("supplier of a Fortune Global 500 company")
        AEO = "aeo", _("AEO customs certificate")
        BRAND_OEM = "brand_oem", _("manufacturer for a brand")
        EXPORT_VOLUME = "export_volume", _("export volume")
        OVERSEAS_AFTER_SALES = "overseas_after_sales", _("after-sales service abroad")
        HOME_3D_MODELS = "home_3d_models", _("3D models of home products")
        SOFTWARE_COPYRIGHT = "software_copyright", _("software copyright")
        OVERSEAS_STOCK = "overseas_stock", _("stock abroad")
        ENGINEERING_CAPABILITY = "engineering_capability", _("engineering capability")
        ENGINEERING_CASE = "engineering_case", _("engineering case")

    credential_no = KeyField(_("credential"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="credentials")
    kind = models.CharField(_("kind"), max_length=24, choices=Kind)
    verified_at = models.DateTimeField(_("verified at"), db_index=True)
    ends_at = instant(verbose_name=_("ends at"), db_index=True)
    amount_usd = money(verbose_name=_("amount in USD"), null=True, blank=True)  # of an export volume

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_usd=None) | Q(amount_usd__gte=0), name="credential_amount_not_negative"
            )
        ]

    def __str__(self) -> str:
        return self.credential_no


class Violation(ImportedRecord):
    """Violation of a rule of the marketplace by a merchant, maybe with one of its listings."""

    class Kind(models.TextChoices):
        TIER_PRICE_ABUSE = "tier_price_abuse", _("abuse of price tiers")
        FALSE_INFORMATION = "false_information", _("false information")
        MERCHANT_LIABLE = "merchant_liable", _("merchant liable")

    violation_no = KeyField(_("violation"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="violations")
    listing = models.ForeignKey(
        Listing, models.PROTECT, null=True, blank=True, verbose_name=_("listing"), related_name="violations"
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    found_at = models.DateTimeField(_("found at"), db_index=True)
    rectified_at = instant(verbose_name=_("rectified at"), db_index=True)
    overturned_at = instant(verbose_name=_("overturned at"), db_index=True)
    grave = models.BooleanField(_("grave"), default=False)

    class Meta:
        verbose_name = _("violation")
        verbose_name_plural = _("violations")

    def __str__(self) -> str:
        return self.violation_no
