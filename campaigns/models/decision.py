"""Decisions on claims, and the tags that a threshold gives to orders."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.offer import Offer, Version
from core.db.fields import LONGEST_KEY, KeyField, money_total
from merchants.models import Merchant
from trade.models import TradeOrder


class Decision(models.Model):
    """The decision on one claim; each claim is decided once.

    `failed` has bit n set where condition n of the version did not hold. `queue_position` numbers the claims of the
    offer that met the conditions, in the order in which they were decided. Where a band of the quota refused the claim,
    `band` is its number among those of the version, and `exceeded_by` how many units the claim would have gone beyond
    its limit: grants, or hundredths of the currency.
    """

    class Outcome(models.IntegerChoices):
        GRANTED = 1, _("granted")
        REFUSED = 2, _("refused: a condition is not met")
        SUPERSEDED = 3, _("superseded by another benefit on the same fee")
        MERCHANT_CAP = 4, _("refused: per-merchant limit reached")
        QUOTA_EXHAUSTED = 5, _("refused: quota used up")
        STOPPED = 6, _("refused: the offer had been stopped")
        HOLDER_CAP = 7, _("refused: limit of a holder reached")

    # Rows are written in bulk, by the million, for locked offers and from rows just read: the database checks none of
    # their references, which would take as long as the conditions.
    offer = models.ForeignKey(
        Offer,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        verbose_name=_("offer"),
        related_name="decisions",
    )
    subject = KeyField(_("subject"), max_length=LONGEST_KEY)
    merchant = models.ForeignKey(
        Merchant, models.DO_NOTHING, db_constraint=False, verbose_name=_("merchant"), related_name="+"
    )
    version = models.ForeignKey(
        Version, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("version"), related_name="+"
    )
    claimed_at = models.DateTimeField(_("claimed at"))
    outcome = models.PositiveSmallIntegerField(_("outcome"), choices=Outcome)
    failed = models.BigIntegerField(_("conditions not met"), default=0)
    queue_position = models.BigIntegerField(_("queue position"), null=True)
    band = models.PositiveSmallIntegerField(_("band that refused"), null=True)
    exceeded_by = models.BigIntegerField(_("units above the band"), null=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            # Led by the subject: a plan made before there are statistics of an offer never reads all of its decisions.
            models.UniqueConstraint(fields=["subject", "offer"], name="decision_once"),
            models.CheckConstraint(
                condition=Q(outcome=2, failed__gt=0, queue_position=None)
                | (~Q(outcome=2) & Q(failed=0, queue_position__gt=0)),
                name="decision_refused_means_failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.subject}: {self.get_outcome_display()}"


class Tag(models.Model):
    """The mark of an order as counting towards its merchant's threshold, or as coming after it.

    It never changes, except that it follows an order that moves to another `merchant`.

    `total` is the merchant's sum just before the order: at its first booking, or, where that was imported late, after
    everything decided until then.
    """

    class Kind(models.TextChoices):
        THRESHOLD = "threshold", _("threshold order")
        CANDIDATE = "candidate", _("candidate")

    # No check of each reference, as for decisions.
    offer = models.ForeignKey(
        Offer, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("offer"), related_name="tags"
    )
    subject = KeyField(_("subject"), max_length=64)
    # No column: queries of orders join their tag by it, once for all uses of its instant.
    order = models.ForeignObject(
        TradeOrder, models.DO_NOTHING, from_fields=["subject"], to_fields=["order_no"], related_name="tags"
    )
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, db_constraint=False, verbose_name=_("merchant"), related_name="+"
    )
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    tagged_at = models.DateTimeField(_("tagged at"))
    judged_at = models.DateTimeField(_("evaluated as of"))
    total = money_total(verbose_name=_("sum before"))

    class Meta:
        verbose_name = _("threshold tag")
        verbose_name_plural = _("threshold tags")
        constraints = [
            # Led by the subject: a plan made before there are statistics of an offer never reads all of its tags.
            models.UniqueConstraint(fields=["subject", "offer"], name="tag_once")
        ]
        indexes = [models.Index(fields=["offer", "tagged_at"], condition=Q(kind="candidate"), name="tag_candidates")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind}"
