"""Topics of notifications to operators: what each is about, who gets it, and on which channels each person wants it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import models, transaction
from django.dispatch import receiver
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.models import Notice, NotificationPreference

Event = Notice.Event
Channels = tuple[bool, bool]
"""Whether to tell in the workspace, and by mail."""


class Topic(models.TextChoices):
    """Kinds of notices among which a person chooses."""

    QUOTA_80 = "quota_80", _("80% of a quota is used")
    QUOTA_95 = "quota_95", _("95% of a quota is used")
    QUOTA_100 = "quota_100", _("A quota is used up")
    APPROVAL = "approval", _("Something waits for your approval")
    DRAFT = "draft", _("Your draft was returned or approved")
    RUN = "run", _("Processing has a problem")
    IMPORT = "import", _("Your import finished or failed")


@dataclass(frozen=True)
class Description:
    """Topic for the settings page: what it says, the usual channels, and the permissions of which one is needed."""

    text: Promise
    usual: Channels
    permissions: tuple[str, ...]


TOPICS = {
    Topic.QUOTA_80: Description(_("For each offer with a quota."), (True, False), ("campaigns.change_offer",)),
    Topic.QUOTA_95: Description(_("Soon nothing is left."), (True, False), ("campaigns.change_offer",)),
    Topic.QUOTA_100: Description(_("Further claims are refused."), (True, True), ("campaigns.change_offer",)),
    Topic.APPROVAL: Description(
        _("Drafts, revocations, blocks and roles that others submit."),
        (True, True),
        ("campaigns.approve_draft", "campaigns.approve_revocation", "merchants.approve_block", "auth.change_user"),
    ),
    Topic.DRAFT: Description(_("Drafts that you wrote or submitted."), (True, True), ("campaigns.change_draft",)),
    Topic.RUN: Description(
        _("A background job is paused, or a health check fails."), (True, True), ("campaigns.change_tickstep",)
    ),
    Topic.IMPORT: Description(
        _("Large files that a worker checks and imports for you."), (True, False), ("imports.add_storedmapping",)
    ),
}
TOPIC_OF = {
    Event.QUOTA_80: Topic.QUOTA_80,
    Event.QUOTA_95: Topic.QUOTA_95,
    Event.QUOTA_100: Topic.QUOTA_100,
    Event.DRAFT_SUBMITTED: Topic.APPROVAL,
    Event.REVOCATION_PROPOSED: Topic.APPROVAL,
    Event.BLOCK_PROPOSED: Topic.APPROVAL,
    Event.ROLE_REQUESTED: Topic.APPROVAL,
    Event.DRAFT_RETURNED: Topic.DRAFT,
    Event.DRAFT_APPROVED: Topic.DRAFT,
    Event.JOB_PAUSED: Topic.RUN,
    Event.CHECK_FAILED: Topic.RUN,
    Event.FILE_CHECKED: Topic.IMPORT,
    Event.FILE_IMPORTED: Topic.IMPORT,
    Event.IMPORT_FAILED: Topic.IMPORT,
}


def of(user: User) -> NotificationPreference:
    """Return the stored preferences of a user, or unsaved usual ones."""
    return NotificationPreference.objects.filter(user=user).first() or NotificationPreference(user=user)


def open_to(user: User) -> list[Topic]:
    """Return the topics of which the user is told at all: it needs a permission for what they are about."""
    return [topic for topic, found in TOPICS.items() if any(map(user.has_perm, found.permissions))]


def channels(topic: Topic, preference: NotificationPreference | None) -> Channels:
    """Return the channels on which a person wants a topic."""
    workspace, mail = (preference.choices if preference else {}).get(topic, TOPICS[topic].usual)
    return workspace, mail


def channels_of(topic: Topic, users: Iterable[User]) -> list[tuple[User, Channels]]:
    """Return the channels of each user that wants the topic on one of them. One query."""
    chosen = list(users)
    stored = NotificationPreference.objects.in_bulk([user.pk for user in chosen])
    wanted = [(user, channels(topic, stored.get(user.pk))) for user in chosen]
    return [(user, ways) for user, ways in wanted if any(ways)]


@transaction.atomic
def choose(user: User, choices: Mapping[Topic, Channels], *, language: str) -> None:
    """Store the choices of a user for some topics, and the language of its mail."""
    preference, _created = NotificationPreference.objects.select_for_update().get_or_create(user=user)
    preference.choices = {**preference.choices, **{topic.value: list(ways) for topic, ways in choices.items()}}
    preference.language = language
    preference.save(update_fields=["choices", "language"])


def remember_language(user: User, language: str) -> None:
    """Store the language that an operator reads, for its mail."""
    NotificationPreference.objects.update_or_create(user=user, defaults={"language": language})


@receiver(user_logged_in)
def note_language(user: User, **_signal: object) -> None:
    """Store the language of an operator's first sign-in for its mail; later choices replace it."""
    if user.is_staff:
        language = get_language() or settings.LANGUAGE_CODE
        NotificationPreference.objects.get_or_create(user=user, defaults={"language": language})
