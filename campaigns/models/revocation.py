"""Taking several grants away at once, which needs a second pair of eyes."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.grant import Grant


class Revocation(models.Model):
    """Grants that somebody proposes to revoke, for one reason. Changed by `campaigns.grants.revocations` alone.

    A name may change hands, so the keys of both users are stored too.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        DONE = "done", _("done")
        WITHDRAWN = "withdrawn", _("withdrawn")

    title = models.CharField(_("what"), max_length=200)
    reason = models.CharField(_("reason"), max_length=500)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.PROPOSED)
    grants: "models.ManyToManyField[Grant, models.Model]" = models.ManyToManyField(
        Grant, verbose_name=_("grants"), related_name="revocations"
    )
    proposed_by = models.CharField(_("proposed by"), max_length=150)
    proposer_id = models.BigIntegerField(_("user who proposed it"), null=True)
    proposed_at = models.DateTimeField(_("proposed at"))
    ended_by = models.CharField(_("approved or withdrawn by"), max_length=150, blank=True)
    ender_id = models.BigIntegerField(_("user who approved or withdrew it"), null=True)
    ended_at = models.DateTimeField(_("approved or withdrawn at"), null=True)
    revoked = models.PositiveIntegerField(_("revoked"), default=0)

    class Meta:
        verbose_name = _("revocation")
        verbose_name_plural = _("revocations")
        permissions = [("approve_revocation", _("Can approve revocations that others propose"))]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="done")
                | (
                    ~Q(ended_by=F("proposed_by"))
                    & ~Q(ended_by="")
                    & (Q(proposer_id=None) | Q(ender_id=None) | ~Q(ender_id=F("proposer_id")))
                ),
                name="revocation_by_two",
            ),
        ]

    def __str__(self) -> str:
        return self.title
