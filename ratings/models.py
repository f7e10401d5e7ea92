"""Ratings, the evaluations that make them, and the record of ratings that were evaluated again."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.db.fields import LONGEST_KEY, KeyField, NumberField
from imports.models import ImportedRecord
from merchants.models import Merchant

Numbers = dict[str, str]
"""Numbers by code, as texts with two decimals."""


class Series(models.TextChoices):
    """Series of ratings: official ones are in force for a period, predicted ones show the state of a day."""

    OFFICIAL = "official", _("official")
    PREDICTED = "predicted", _("predicted")


class Rating(ImportedRecord):
    """Rating of one subject, a merchant or a listing, by a scorecard for one period.

    Written by the evaluation of the scorecard alone. It holds from `starts_at`, inclusive, to `ends_at`, exclusive.
    `inputs` are the numbers and answers from which the points were computed: with the same version of the scorecard
    they give the same points, so that each point can be explained.
    """

    scorecard = KeyField(_("scorecard"), max_length=64)
    series = models.CharField(_("series"), max_length=9, choices=Series)
    period = KeyField(_("period"), max_length=10)  # 2022-10 or 2022-10-05
    subject_kind = models.CharField(_("kind of subject"), max_length=20)  # merchant or listing
    subject = KeyField(_("subject"), max_length=LONGEST_KEY)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="ratings")
    level = KeyField(_("level"), max_length=40)
    level_number = models.PositiveSmallIntegerField(_("level as a number"), null=True)  # null: the level is a word
    score = NumberField(_("score"), max_digits=9, decimal_places=2)
    parts: "models.JSONField[Numbers, Numbers]" = models.JSONField(_("points"))
    metrics: "models.JSONField[Numbers, Numbers]" = models.JSONField(_("metrics"))
    inputs: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(_("inputs"))
    evaluated_at = models.DateTimeField(_("evaluated at"))
    starts_at = models.DateTimeField(_("in force from"))
    ends_at = models.DateTimeField(_("in force until"))
    version = models.PositiveIntegerField(_("version of the scorecard"))

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "series", "period", "subject"], name="rating_once_a_period"),
            # Two official ratings of one subject would be in force at once if they started together.
            models.UniqueConstraint(
                fields=["subject", "scorecard", "series", "starts_at"], name="rating_alone_in_force"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="rating_ends_after_start"),
            models.CheckConstraint(condition=Q(starts_at__gte=F("evaluated_at")), name="rating_starts_when_evaluated"),
        ]

    def __str__(self) -> str:
        return f"{self.scorecard} {self.period} {self.subject}: {self.level}"


class Evaluation(models.Model):
    """Evaluation of a scorecard for one period of a series, batch by batch in the order of subjects.

    `last_subject` is the last one that is rated: a killed evaluation goes on behind it.
    """

    scorecard = KeyField(_("scorecard"), max_length=64)
    series = models.CharField(_("series"), max_length=9, choices=Series)
    period = KeyField(_("period"), max_length=10)
    evaluated_at = models.DateTimeField(_("evaluated at"))
    starts_at = models.DateTimeField(_("in force from"))
    ends_at = models.DateTimeField(_("in force until"))
    version = models.PositiveIntegerField(_("version of the scorecard"))
    last_subject = KeyField(_("last subject"), max_length=LONGEST_KEY, blank=True)
    subjects = models.PositiveBigIntegerField(_("subjects"), default=0)
    finished = models.BooleanField(_("finished"), default=False)

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "series", "period"], name="evaluation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.scorecard} {self.series} {self.period}"


class RatingChange(models.Model):
    """Record of a rating that facts told late, or corrected, have changed. Empty levels: no subject then, or now."""

    scorecard = KeyField(_("scorecard"), max_length=64)
    series = models.CharField(_("series"), max_length=9, choices=Series)
    period = KeyField(_("period"), max_length=10)
    subject = KeyField(_("subject"), max_length=LONGEST_KEY)
    level_before = KeyField(_("level before"), max_length=40, blank=True)
    level = KeyField(_("level"), max_length=40, blank=True)
    score_before = NumberField(_("score before"), max_digits=9, decimal_places=2, null=True)
    score = NumberField(_("score"), max_digits=9, decimal_places=2, null=True)
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("changed rating")
        verbose_name_plural = _("changed ratings")
        indexes = [models.Index(fields=["subject", "scorecard"], name="rating_change_of_subject")]

    def __str__(self) -> str:
        return f"{self.scorecard} {self.period} {self.subject}: {self.level_before} → {self.level}"
