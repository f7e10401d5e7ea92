"""Drafts: definitions of a campaign before they are published."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Draft(models.Model):
    """A definition on its way to publication. Only the functions of `campaigns.offers.drafts` change its status.

    `digest` is the SHA-256 of `source`, `approved_digest` that of the approved text: an approval holds for one text
    only. `base_source` is the published definition that the draft started from, and `base` its digest; both are empty
    for a new campaign.
    `authors` are all users who have edited it. A name may change hands, so the approval compares the keys of users in
    `author_ids` and `submitter_id` too; a command that runs without a user leaves them empty.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("submitted")
        APPROVED = "approved", _("approved")
        LAUNCHED = "launched", _("launched")
        WITHDRAWN = "withdrawn", _("withdrawn")

    OPEN = (Status.DRAFT, Status.SUBMITTED, Status.APPROVED)

    title = models.CharField(_("title"), max_length=200)
    source = models.TextField(_("definition"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    base = models.CharField(_("based on"), max_length=64, blank=True)
    base_source = models.TextField(_("text that it is based on"), blank=True)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.DRAFT)
    authors: "models.JSONField[list[str], list[str]]" = models.JSONField(_("authors"), default=list)
    author_ids: "models.JSONField[list[int], list[int]]" = models.JSONField(_("users who wrote it"), default=list)
    created_at = models.DateTimeField(_("created at"))
    changed_at = models.DateTimeField(_("changed at"))
    submitted_by = models.CharField(_("submitted by"), max_length=150, blank=True)
    submitter_id = models.BigIntegerField(_("user who submitted it"), null=True)
    approved_by = models.CharField(_("approved by"), max_length=150, blank=True)
    approved_digest = models.CharField(_("approved SHA-256"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        permissions = [
            ("approve_draft", _("Can approve drafts of others")),
            ("launch_draft", _("Can launch approved drafts")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "launched"]) | Q(approved_digest=models.F("digest")),
                name="draft_approved_as_it_is",
            ),
        ]

    def __str__(self) -> str:
        return self.title
