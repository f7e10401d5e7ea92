"""Runs of the tick, and the failed attempts of its steps."""

from datetime import UTC

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

# Kinds of step, by the word before the colon of a name; the offers follow after it.
STEP_KINDS = {
    "offer": _("offer"),
    "ratings": _("ratings"),
    "periods": _("periods of recurring claims"),
    "claims": _("claims"),
    "grants": _("grants"),
    "coupons": _("coupons"),
    "coupons used": _("coupons used"),
    "coupons waiting": _("coupons of orders that waited"),
    "coupons and claims": _("order of coupons and claims"),
    "expiry notices": _("expiry notices"),
    "uses": _("uses of allowances"),
    "uses without an allowance": _("uses without an allowance"),
}


def step_label(name: str) -> str:
    """Return the name of a step in the language in force."""
    kind, colon, what = name.partition(": ")
    return f"{STEP_KINDS.get(kind, kind)}{colon}{what}"


class TickRun(models.Model):
    """One tick, up to the instant `at`. A run without `finished_at` was interrupted or is still running.

    `skipped_steps` names the steps in quarantine (`campaigns.engine.quarantine`), and those that wait for one of them.
    """

    at = models.DateTimeField(_("as of"))
    started_at = models.DateTimeField(_("started at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True)
    decided = models.BigIntegerField(_("claims decided"), default=0)
    moved = models.BigIntegerField(_("grants changed"), default=0)
    issued = models.BigIntegerField(_("coupons issued"), default=0)
    skipped_steps = models.CharField(_("skipped jobs"), max_length=2000, blank=True, db_default="")

    class Meta:
        verbose_name = _("processing run")
        verbose_name_plural = _("processing runs")
        get_latest_by = "id"

    def __str__(self) -> str:
        return f"#{self.pk} {self.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


class TickStep(models.Model):
    """One step of the tick. `tries` counts attempts in a row from the same `progress` that did not end.

    Only `campaigns.engine.quarantine` changes it.
    """

    name = models.CharField(_("name"), max_length=100, primary_key=True)
    progress = models.CharField(_("progress"), max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(_("failed attempts"), default=0)
    tried_at = models.DateTimeField(_("last attempt at"), null=True)

    class Meta:
        verbose_name = _("background job")
        verbose_name_plural = _("background jobs")

    def __str__(self) -> str:
        return step_label(self.name)
