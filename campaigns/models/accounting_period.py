"""Accounting periods: months with a final statement."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AccountingPeriod(models.Model):
    """A closed calendar month in the time zone `zone`: later facts about it correct a later statement.

    `last_entry` is the newest journal entry that counts in it.
    """

    month = models.DateField(_("month"), unique=True)
    zone = models.CharField(_("time zone"), max_length=50)
    last_entry = models.BigIntegerField(_("last entry"))
    closed_at = models.DateTimeField(_("closed at"))
    closed_by = models.CharField(_("closed by"), max_length=150)

    class Meta:
        verbose_name = _("closed period")
        verbose_name_plural = _("closed periods")
        permissions = [("close_period", _("Can close a period"))]
        constraints = [models.CheckConstraint(condition=Q(month__day=1), name="period_begins_a_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
