"""Simulations of drafts on recorded facts."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.draft import Draft


class Simulation(models.Model):
    """Run of the engine in isolated tables: its settings, its progress and its results.

    `until` is the instant up to which facts count; `days` is the number of days by which the dates are moved.
    `base` is the definition to compare with, or empty. One with a `scorecard` is a trial of its rules instead: it rates
    the subjects of an evaluation of the `series`, that of the instant `until`, by the rules of the draft. Only
    `campaigns.simulation.jobs` changes a simulation.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    OVER = (Status.DONE, Status.CANCELLED, Status.FAILED)

    draft = models.ForeignKey(Draft, models.CASCADE, verbose_name=_("draft"), related_name="trials")
    source = models.TextField(_("definition"))
    base = models.TextField(_("compared with"), blank=True)
    scorecard = models.CharField(_("scorecard"), max_length=64, blank=True, default="")
    series = models.CharField(_("series"), max_length=9, blank=True, default="")
    days = models.IntegerField(_("shifted by days"), default=0)
    until = models.DateTimeField(_("facts until"))
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.WAITING)
    step = models.PositiveIntegerField(_("step"), default=0)
    steps = models.PositiveIntegerField(_("steps"), default=0)
    result: "models.JSONField[Any, Any]" = models.JSONField(_("result"), default=dict)
    table = models.BinaryField(_("table"), null=True)
    error = models.TextField(_("error"), blank=True)
    asked_by = models.CharField(_("requested by"), max_length=150)
    asked_at = models.DateTimeField(_("requested at"))
    seen_at = models.DateTimeField(_("last step at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("simulation")
        verbose_name_plural = _("simulations")

    def __str__(self) -> str:
        return f"{self.draft} {self.asked_at:%Y-%m-%d %H:%M}"
