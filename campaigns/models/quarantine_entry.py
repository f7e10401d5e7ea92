"""Quarantine: subjects, merchants and offers that a step of the tick leaves out because their processing failed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.tick_run import step_label
from core.db.fields import LONGEST_KEY, KeyField
from merchants.models import Merchant


class QuarantineEntry(models.Model):
    """A subject, a merchant or an offer that `step` leaves out until it is tried again at `retry_at`; at once if empty.

    It is also tried again when its row changed, or an offer of the step has a new version.
    `progress` is the instant up to which the step had processed it: what is released is processed from there on.
    Only `campaigns.engine.quarantine_entries` changes entries.
    """

    class Kind(models.TextChoices):
        """Kind of the thing that is left out."""

        SUBJECT = "subject", _("subject")
        MERCHANT = "merchant", _("merchant")
        OFFER = "offer", _("offer")

    class Stage(models.TextChoices):
        """Work that failed."""

        READ = "read", _("reading the definition")
        FOLLOW = "follow", _("following the grant")
        TAG = "tag", _("adding up receipts")
        EVALUATE = "evaluate", _("evaluating the conditions")
        WRITE = "write", _("writing the decision")
        DECIDE = "decide", _("deciding claims")
        ISSUE = "issue", _("issuing coupons")
        USE = "use", _("using coupons")
        NOTICE = "notice", _("notifying of coupons that expire")
        RATE = "rate", _("rating")
        SETTLE = "settle", _("deciding uses")
        PERIOD = "period", _("writing periods")
        WAIT = "wait", _("waiting for the merchant's coupons")

    step = models.CharField(_("background job"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    key = KeyField(_("key"), max_length=LONGEST_KEY)
    # No constraint and no index: an entry outlives what it names, and there are few.
    merchant = models.ForeignKey(
        Merchant,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        verbose_name=_("merchant"),
        related_name="+",
    )
    stage = models.CharField(_("stage"), max_length=10, choices=Stage.choices)
    error = models.CharField(_("error"), max_length=500)
    since = models.DateTimeField(_("since"))
    tried_at = models.DateTimeField(_("last attempt at"), null=True)
    attempts = models.PositiveIntegerField(_("failed attempts"), default=1)
    retry_at = models.DateTimeField(_("next attempt at"), null=True)
    progress = models.DateTimeField(_("processed until"), null=True)

    class Meta:
        verbose_name = _("quarantine entry")
        verbose_name_plural = _("quarantine")
        constraints = [models.UniqueConstraint(fields=["step", "kind", "key"], name="quarantined_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key} ({step_label(self.step)})"
