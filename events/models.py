"""Events of declared kinds."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField
from declarations.fields import attributes_column
from imports.models import ImportedRecord
from merchants.models import Merchant


class Event(ImportedRecord):
    """Event of a merchant, of a kind that a published definition declares, with the attributes of that kind."""

    event_no = KeyField(_("event"), max_length=64, primary_key=True)
    kind = KeyField(_("kind of event"), max_length=40)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="events")
    # Codes of the rows that the event is about. No references: other systems may report the rows later or never.
    buyer_code = KeyField(_("buyer"), max_length=64, blank=True)
    listing_no = KeyField(_("listing"), max_length=64, blank=True)
    order_no = KeyField(_("order"), max_length=64, blank=True)
    at = models.DateTimeField(_("happened at"), db_index=True)
    attributes = attributes_column()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["merchant", "kind", "at"], name="event_of_merchant")]

    def __str__(self) -> str:
        return self.event_no
