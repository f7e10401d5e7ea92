"""The journal: one append-only row for each change of a grant or coupon."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.coupon import Coupon
from campaigns.models.grant import Grant
from campaigns.models.offer import Offer, Version
from core.db.fields import KeyField, money


class JournalEntry(models.Model):
    """One move of one grant or coupon, from one state to the next, written with the move. Append-only.

    `amount` left the account `source` (empty: the offer's promise) and reached the account `target`, so the sum over
    a state's arrivals less its departures is what grants in that state hold. `at` is when it happened by the facts.
    """

    grant = models.ForeignKey(
        Grant, models.PROTECT, null=True, db_constraint=False, verbose_name=_("grant"), related_name="entries"
    )
    coupon = models.ForeignKey(
        Coupon, models.PROTECT, null=True, db_constraint=False, verbose_name=_("coupon"), related_name="entries"
    )
    offer = models.ForeignKey(
        Offer, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("offer"), related_name="+"
    )
    version = models.ForeignKey(
        Version, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("version"), related_name="+"
    )
    at = models.DateTimeField(_("at"))
    source = models.CharField(_("from"), max_length=9, blank=True)
    target = models.CharField(_("to"), max_length=9)
    amount = money(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    order_no = KeyField(_("order"), max_length=64, blank=True)
    by = models.CharField(_("by"), max_length=150)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        constraints = [
            models.CheckConstraint(
                condition=Q(grant__isnull=False, coupon=None) | Q(grant=None, coupon__isnull=False),
                name="entry_of_one_thing",
            ),
        ]
        indexes = [
            models.Index(fields=["offer", "at"], name="entry_by_offer"),
            # To count what one person revoked within a day.
            models.Index(fields=["by", "at"], condition=Q(target="revoked"), name="entry_revoked_by"),
        ]

    def __str__(self) -> str:
        return f"{self.source or '·'} → {self.target}"
