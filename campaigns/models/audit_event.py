"""Audit log: actions of people on offers, documents, drafts and periods. Append-only."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.document import Document
from campaigns.models.draft import Draft
from campaigns.models.offer import Offer


class AuditEvent(models.Model):
    """One action on an offer, document or draft: who, when, why, what it changed. Written in the same transaction."""

    class Verb(models.TextChoices):
        PUBLISHED = "published", _("published")
        PAUSED = "paused", _("paused")
        RESUMED = "resumed", _("resumed")
        STOPPED = "stopped", _("stopped")
        WRITTEN = "written", _("written")
        REBASED = "rebased", _("rebased on the published campaign")
        SUBMITTED = "submitted", _("submitted")
        RETURNED = "returned", _("returned to the author")
        APPROVED = "approved", _("approved")
        LAUNCHED = "launched", _("launched")
        WITHDRAWN = "withdrawn", _("withdrawn")
        PROPOSED = "proposed", _("proposed to revoke")
        REVOKED = "revoked", _("revoked")

    offer = models.ForeignKey(Offer, models.PROTECT, null=True, verbose_name=_("offer"), related_name="acts")
    draft = models.ForeignKey(Draft, models.PROTECT, null=True, verbose_name=_("draft"), related_name="acts")
    document = models.ForeignKey(Document, models.PROTECT, null=True, verbose_name=_("document"), related_name="acts")
    verb = models.CharField(_("action"), max_length=10, choices=Verb)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=150)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    before: "models.JSONField[Any, Any]" = models.JSONField(_("before"), default=dict)
    after: "models.JSONField[Any, Any]" = models.JSONField(_("after"), default=dict)
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit log")
        constraints = [
            models.CheckConstraint(
                condition=Q(offer__isnull=False) | Q(draft__isnull=False) | Q(document__isnull=False),
                name="act_on_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id or self.document_id or self.draft_id} {self.verb}"
