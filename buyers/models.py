"""Buyers, their levels over time, and what they do at merchants."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Listing
from core.db.fields import KeyField, instant
from declarations.fields import attributes_column
from imports.models import ImportedRecord
from merchants.models import Merchant


class Buyer(ImportedRecord):
    """Company that buys on the marketplace. It is registered until `closed_at`."""

    code = KeyField(_("buyer"), max_length=64, primary_key=True)
    country = models.CharField(_("country"), max_length=2)
    registered_at = models.DateTimeField(_("registered at"), db_index=True)
    closed_at = instant(verbose_name=_("account closed at"), db_index=True)
    attributes = attributes_column()

    class Meta:
        verbose_name = _("buyer")
        verbose_name_plural = _("buyers")

    def __str__(self) -> str:
        return self.code


class BuyerLevel(ImportedRecord):
    """Level of a buyer from an instant on, until the next one. Without any a buyer has level 0."""

    HIGHEST = 4

    buyer = models.ForeignKey(Buyer, models.PROTECT, db_index=False, verbose_name=_("buyer"), related_name="levels")
    from_at = models.DateTimeField(_("from"), db_index=True)
    level = models.PositiveSmallIntegerField(_("level"))

    class Meta:
        verbose_name = _("buyer level")
        verbose_name_plural = _("buyer levels")
        constraints = [
            models.UniqueConstraint(fields=["buyer", "from_at"], name="buyer_level_once"),
            models.CheckConstraint(condition=Q(level__lte=4), name="buyer_level_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.buyer_id}: {self.level}"


class BuyerAction(ImportedRecord):
    """Visit, chat, inquiry or order of a buyer at a merchant, maybe about one of its listings."""

    class Kind(models.TextChoices):
        VISIT = "visit", _("visit")
        CHAT = "chat", _("chat")
        INQUIRY = "inquiry", _("inquiry")
        ORDER = "order", _("order")

    action_no = KeyField(_("action"), max_length=64, primary_key=True)
    buyer = models.ForeignKey(Buyer, models.PROTECT, verbose_name=_("buyer"), related_name="actions")
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, db_index=False, verbose_name=_("merchant"), related_name="buyer_actions"
    )
    listing = models.ForeignKey(
        Listing, models.PROTECT, null=True, blank=True, verbose_name=_("listing"), related_name="buyer_actions"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    at = models.DateTimeField(_("at"), db_index=True)
    source = KeyField(_("source"), max_length=64)  # where the buyer came from, such as search

    class Meta:
        verbose_name = _("buyer action")
        verbose_name_plural = _("buyer actions")
        # For measures of the actions at a merchant in a period.
        indexes = [models.Index(fields=["merchant", "at"], name="action_of_merchant_at")]

    def __str__(self) -> str:
        return self.action_no
