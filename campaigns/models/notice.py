"""Notices to operators: what happened, who is told of it and how, and what each operator has chosen."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.offer import Offer


class Notice(models.Model):
    """Something that operators are told of, once: `matter` names it and is unique.

    `by` is who caused it, empty for the system; `path` leads to the object, `words` fill the sentence about it. Written
    by `campaigns.notifications.operators` alone, together with the notifications of its readers.
    """

    class Event(models.TextChoices):
        QUOTA_80 = "quota_80", _("80% of the quota used")
        QUOTA_95 = "quota_95", _("95% of the quota used")
        QUOTA_100 = "quota_100", _("quota used up")
        DRAFT_SUBMITTED = "draft_submitted", _("draft submitted")
        REVOCATION_PROPOSED = "revocation_proposed", _("revocation proposed")
        BLOCK_PROPOSED = "block_proposed", _("block proposed")
        ROLE_REQUESTED = "role_requested", _("role requested")
        DRAFT_RETURNED = "draft_returned", _("draft returned")
        DRAFT_APPROVED = "draft_approved", _("draft approved")
        JOB_PAUSED = "job_paused", _("background job paused")
        CHECK_FAILED = "check_failed", _("health check failed")
        FILE_CHECKED = "file_checked", _("file checked")
        FILE_IMPORTED = "file_imported", _("file imported")
        IMPORT_FAILED = "import_failed", _("import failed")

    event = models.CharField(_("event"), max_length=20, choices=Event)
    matter = models.CharField(_("matter"), max_length=200, unique=True)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=150, blank=True)
    offer = models.ForeignKey(Offer, models.PROTECT, null=True, verbose_name=_("offer"), related_name="+")
    path = models.CharField(_("page"), max_length=200)
    words: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(_("words"), default=dict)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return self.matter


class Notification(models.Model):
    """A notice for one operator: in the workspace (`shown`), by mail, or both.

    `mailed_at` is empty while `mail` waits.
    """

    notice = models.ForeignKey(Notice, models.CASCADE, verbose_name=_("notice"), related_name="notifications")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, verbose_name=_("user"), related_name="notifications"
    )
    shown = models.BooleanField(_("in the workspace"))
    mail = models.BooleanField(_("by mail"))
    mailed_at = models.DateTimeField(_("mailed at"), null=True)
    read_at = models.DateTimeField(_("read at"), null=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["user", "notice"], name="notification_once"),
            models.CheckConstraint(condition=Q(shown=True) | Q(mail=True), name="notification_somewhere"),
        ]
        indexes = [
            models.Index(fields=["user"], condition=Q(mail=True, mailed_at=None), name="notification_to_mail"),
            models.Index(fields=["user"], condition=Q(shown=True, read_at=None), name="notification_unread"),
            models.Index(fields=["user", "-id"], condition=Q(shown=True), name="notification_on_page"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.notice_id}"


class NotificationPreference(models.Model):
    """Wishes of an operator for notifications: the language of mail, and choices that differ from the usual.

    `choices` maps a topic to [workspace, mail]. A topic that is missing has its usual setting. See
    `campaigns.notifications.preferences`.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, verbose_name=_("user"), related_name="+"
    )
    language = models.CharField(_("language"), max_length=10, default=settings.LANGUAGE_CODE)
    choices: "models.JSONField[dict[str, list[bool]], dict[str, list[bool]]]" = models.JSONField(
        _("choices"), default=dict
    )
    mail_failures = models.PositiveSmallIntegerField(_("failed mails in a row"), default=0)
    mail_after = models.DateTimeField(_("next mail not before"), null=True)

    class Meta:
        verbose_name = _("notification preference")
        verbose_name_plural = _("notification preferences")

    def __str__(self) -> str:
        return str(self.user_id)
