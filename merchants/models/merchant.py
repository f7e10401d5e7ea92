"""Merchants and their accounts, memberships, service packages and penalties; reference lists."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField, instant
from core.search import register_named
from declarations.fields import attributes_column
from imports.models import ImportedRecord


class Merchant(ImportedRecord):
    """Seller company. All its accounts share its benefits and its limits."""

    code = KeyField(_("merchant"), max_length=64, primary_key=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)  # of registration; empty: unknown
    category_l1 = models.CharField(_("first-level category"), max_length=100, blank=True)
    category_l2 = models.CharField(_("second-level category"), max_length=100, blank=True)
    logistics_partner = models.BooleanField(_("logistics partner"), default=False)
    attributes = attributes_column()

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")

    def __str__(self) -> str:
        return f"{self.code} {self.name or self.name_en}".strip()

    @property
    def names(self) -> list[tuple[str, str]]:
        """The recorded names, each with the language that it is in; that of the reader first."""
        recorded = {self.name: _language(self.name), self.name_en: _language(self.name_en)}
        reader = (get_language() or "en")[:2]
        return sorted(((text, tag) for text, tag in recorded.items() if text), key=lambda each: each[1][:2] != reader)

    @property
    def short_name(self) -> str:
        """The name for a reader of the language in force, or the code of a merchant without any."""
        return self.names[0][0] if self.names else self.code


register_named(Merchant, "code", "name", "name_en")


def _language(text: str) -> str:
    """Return the tag of the language that a name is written in: Chinese if it has Chinese characters."""
    return "zh-Hans" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else "en"


class Account(ImportedRecord):
    """Login of a merchant in the marketplace. No rule depends on it: benefits belong to the merchant."""

    class Role(models.TextChoices):
        MAIN = "main", _("main account")
        SUB = "sub", _("sub-account")

    code = KeyField(_("account"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="accounts")
    role = models.CharField(_("role"), max_length=4, choices=Role)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return self.code


class Interval(ImportedRecord):
    """State of a merchant from `starts_at`, inclusive, to `ends_at`, exclusive. An empty `ends_at` is an open end."""

    starts_at = models.DateTimeField(_("starts at"))
    ends_at = instant(verbose_name=_("ends at"))

    class Meta:
        abstract = True

    def is_in_force(self, at: datetime) -> bool:
        """Return whether the state holds at an instant."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


class Membership(Interval):
    """Membership plan of a merchant. A merchant with any plan in force is a member."""

    class Plan(models.TextChoices):
        EXPORT_PASS = "export_pass", _("Export Pass")
        GLOBAL_PASS = "global_pass", _("Global Pass")
        VERIFIED_SUPPLIER = "verified_supplier", _("Verified Supplier")

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="memberships")
    plan = models.CharField(_("plan"), max_length=20, choices=Plan)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "plan", "starts_at"], name="membership_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="membership_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.plan}"


class ServicePackage(Interval):
    """Service package that a merchant bought for a time."""

    class Package(models.TextChoices):
        ONETOUCH_3N = "onetouch_3n", _("One-Touch 3N annual package")
        EASY_RETURN = "easy_return", _("Easy Return")

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="service_packages")
    package = models.CharField(_("package"), max_length=20, choices=Package)

    class Meta:
        verbose_name = _("service package")
        verbose_name_plural = _("service packages")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "package", "starts_at"], name="service_package_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="service_package_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.package}"


class Penalty(Interval):
    """Penalty of a merchant, for an offence against the rules of the marketplace."""

    class Kind(models.TextChoices):
        EMBARGO = "embargo", _("embargoed goods")
        PROHIBITED_GOODS = "prohibited_goods", _("prohibited goods")
        IMPROPER_TRADE = "improper_trade", _("improper trade")
        OTHER = "other", _("other")

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="penalties")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    reason = models.CharField(_("reason"), max_length=500, blank=True)  # for people; no rule reads it

    class Meta:
        verbose_name = _("penalty")
        verbose_name_plural = _("penalties")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "kind", "starts_at"], name="penalty_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="penalty_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.kind}"


class ReferenceValue(ImportedRecord):
    """One value of a reference list of the marketplace, such as the categories that Easy Return covers."""

    list_code = KeyField(_("list"), max_length=64)
    value = KeyField(_("value"), max_length=200)

    class Meta:
        verbose_name = _("reference value")
        verbose_name_plural = _("reference lists")
        constraints = [models.UniqueConstraint(fields=["list_code", "value"], name="reference_value_once")]

    def __str__(self) -> str:
        return f"{self.list_code}: {self.value}"
