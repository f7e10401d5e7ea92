"""Notices to operators: found in the outbox, the audit log and the state of jobs, and told once to whom they concern.

The unique `matter` of a notice is the guard: the worker that inserts it creates the notifications of its readers in the
same transaction. A worker that dies leaves neither, and a second one finds the matter told.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation

from campaigns.models import AuditEvent, Draft, Notice, Notification, OutboxEvent, Revocation, TickStep
from campaigns.notifications import preferences
from campaigns.notifications.preferences import TOPIC_OF
from campaigns.offers import drafts
from identity.models import RoleRequest
from imports.models import Upload
from merchants.models import Block

Event, Kind, Verb = Notice.Event, OutboxEvent.Kind, AuditEvent.Verb
QUOTAS = {Kind.QUOTA_80: Event.QUOTA_80, Kind.QUOTA_95: Event.QUOTA_95, Kind.QUOTA_100: Event.QUOTA_100}
ACTS = {
    Verb.SUBMITTED: Event.DRAFT_SUBMITTED,
    Verb.RETURNED: Event.DRAFT_RETURNED,
    Verb.APPROVED: Event.DRAFT_APPROVED,
}
UPLOADS = {
    Upload.Status.CHECKED: Event.FILE_CHECKED,
    Upload.Status.IMPORTED: Event.FILE_IMPORTED,
    Upload.Status.REJECTED: Event.IMPORT_FAILED,
    Upload.Status.FAILED: Event.IMPORT_FAILED,
}
LOOK_BACK = timedelta(days=2)
"""Age up to which acts and imports are told: longer than any outage of the workers that is noticed."""
AT_MOST_EVERY = timedelta(hours=1)
"""Least time between two notices of one health check, which may change all the time."""
SEEN = ("merchants.view_block", "merchants.view_merchant")
"""Permissions to open the page of a block, which names a merchant."""
KEEP = timedelta(days=365)
"""Time for which notices are kept. It exceeds LOOK_BACK: what was told is not found again."""


@dataclass(frozen=True, kw_only=True)
class News:
    """Notice to be written. `readers` is asked for the users to tell, only if nobody was told of the matter before."""

    event: Notice.Event
    matter: str
    at: datetime
    path: str
    readers: Callable[[], Iterable[User]]
    by: str = ""
    offer_id: int | None = None
    words: dict[str, Any] = field(default_factory=dict)


def tell(news: Iterable[News]) -> int:
    """Write the notices whose matter is new, with the notifications of their readers. Return their number."""
    waiting = {each.matter: each for each in news}
    told = set(Notice.objects.filter(matter__in=waiting).values_list("matter", flat=True))
    return sum(_tell(each) for matter, each in waiting.items() if matter not in told)


@transaction.atomic
def _tell(news: News) -> bool:
    columns = {"event": news.event, "at": news.at, "by": news.by, "offer_id": news.offer_id, "path": news.path}
    notice, created = Notice.objects.get_or_create(matter=news.matter, defaults={**columns, "words": news.words})
    if created:
        others = [user for user in news.readers() if user.get_username() != news.by]
        Notification.objects.bulk_create(
            Notification(notice=notice, user=user, shown=shown, mail=mail)
            for user, (shown, mail) in preferences.channels_of(TOPIC_OF[news.event], others)
        )
    return created


def allowed(*permissions: str, but: int | None = None) -> QuerySet[User]:
    """Return the active operators with all of the permissions, without the user with the key `but`."""
    found: QuerySet[User] = User.objects.filter(is_staff=True)
    for permission in permissions:
        found = found.filter(pk__in=User.objects.with_perm(permission).values("pk"))
    return found.exclude(pk=but or 0).order_by("pk")


def tell_of_quotas(events: Sequence[OutboxEvent]) -> int:
    """Tell of the quota marks among the events: of those that a limit crossed at one instant, the highest alone."""
    marks = (event for event in events if event.kind in QUOTAS)
    highest = {(event.offer_id, event.reason.partition(" / ")[2], event.at): event for event in marks}
    return tell(_quota(event) for event in highest.values())


def _quota(event: OutboxEvent) -> News:
    used, _of, limit = event.reason.partition(" / ")
    most, *rest = limit.split()
    period = rest[-1] if len(rest) > bool(event.currency) else ""
    words: dict[str, Any] = {"used": int(used), "limit": int(most)} if event.amount is None else {}
    if event.amount is not None:
        words = {"used": used, "limit": most, "currency": event.currency}
    return News(
        event=QUOTAS[Kind(event.kind)],
        matter=f"{event.kind} {event.offer_id} {limit}",
        at=event.at,
        path=reverse("backoffice:offer", args=[event.offer.code]),
        readers=partial(allowed, "campaigns.change_offer"),
        offer_id=event.offer_id,
        words={**words, "period": period} if period else words,
    )


def tell_all(paused: Iterable[TickStep], *, at: datetime, now: datetime) -> int:
    """Tell of all that waits and has failed, as of the business instant `at` and `now` of the host's clock.

    `paused` are the background jobs in quarantine.
    """
    Notice.objects.filter(at__lte=at - KEEP).delete()
    return tell([*_acts(now), *_revocations(), *_blocks(), *_roles(at), *_jobs(paused, at), *_imports(at, now)])


def _acts(now: datetime) -> Iterator[News]:
    """Yield the submissions that still wait, and the returns and approvals, of drafts."""
    acts = AuditEvent.objects.filter(verb__in=ACTS, draft__isnull=False)
    recent = acts.filter(recorded_at__gt=now - LOOK_BACK).select_related("draft").order_by("pk")
    for act in recent.defer("draft__source", "draft__base_source"):
        draft = act.draft
        if draft is None or (act.verb == Verb.SUBMITTED and draft.status != Draft.Status.SUBMITTED):
            continue
        yield News(
            event=ACTS[Verb(act.verb)],
            matter=f"act {act.pk}",
            at=act.at,
            by=act.by,
            path=reverse("backoffice:draft", args=[draft.pk]),
            words={"draft": draft.title, "reason": act.reason},
            readers=partial(_approvers if act.verb == Verb.SUBMITTED else _authors, draft),
        )


def _approvers(draft: Draft) -> list[User]:
    users = allowed("campaigns.approve_draft")
    return [user for user in users if not drafts.had_a_hand(draft, user.get_username())]


def _authors(draft: Draft) -> QuerySet[User]:
    keys = [key for key in (*draft.author_ids, draft.submitter_id) if key is not None]
    return allowed("campaigns.change_draft").filter(pk__in=keys)


def _revocations() -> Iterator[News]:
    for proposal in Revocation.objects.filter(status=Revocation.Status.PROPOSED).order_by("pk"):
        yield News(
            event=Event.REVOCATION_PROPOSED,
            matter=f"revocation {proposal.pk}",
            at=proposal.proposed_at,
            by=proposal.proposed_by,
            path=reverse("backoffice:revocation", args=[proposal.pk]),
            words={"title": proposal.title},
            readers=partial(allowed, "campaigns.approve_revocation", but=proposal.proposer_id),
        )


def _blocks() -> Iterator[News]:
    for block in Block.objects.filter(status=Block.Status.PROPOSED).select_related("merchant").order_by("pk"):
        yield News(
            event=Event.BLOCK_PROPOSED,
            matter=f"block {block.pk}",
            at=block.proposed_at,
            by=block.proposed_by,
            path=reverse("backoffice:block", args=[block.pk]),
            words={"merchant": str(block.merchant)},
            readers=partial(allowed, "merchants.approve_block", *SEEN, but=block.proposer_id),
        )


def _roles(at: datetime) -> Iterator[News]:
    for asked in RoleRequest.objects.select_related("user", "role", "requested_by").order_by("pk"):
        yield News(
            event=Event.ROLE_REQUESTED,
            matter=f"role {asked.pk}",
            at=at,
            by=asked.requested_by.get_username(),
            path=reverse("admin:identity_rolerequest_changelist"),
            words={"role": asked.role.name, "user": asked.user.get_username()},
            readers=partial(allowed, "auth.change_user", but=asked.user_id),
        )


def _jobs(paused: Iterable[TickStep], at: datetime) -> Iterator[News]:
    """Yield the paused jobs. The instant of the last attempt stays while a job is paused: a later pause is another."""
    for step in paused:
        tried = f"{step.tried_at:%Y-%m-%dT%H:%M:%S.%f}" if step.tried_at else ""
        yield News(
            event=Event.JOB_PAUSED,
            matter=f"job {step.pk} {tried}",
            at=at,
            path=reverse("admin:campaigns_tickstep_changelist"),
            words={"job": step.name},
            readers=partial(allowed, "campaigns.change_tickstep"),
        )


def _imports(at: datetime, now: datetime) -> Iterator[News]:
    """Yield the imports that a worker ended, for their uploaders: of the others the page told at once."""
    ended = Upload.objects.filter(in_background=True, status__in=UPLOADS, seen_at__gt=now - LOOK_BACK)
    for pk, name, status, rows, uploader in ended.values_list("pk", "name", "status", "rows", "uploader").order_by(
        "pk"
    ):
        yield News(
            event=UPLOADS[Upload.Status(status)],
            matter=f"upload {pk} {status}",
            at=at,
            path=reverse("admin:imports_upload_change", args=[pk]),
            words={"file": name, "rows": rows},
            readers=partial(User.objects.filter, pk=uploader, is_active=True, is_staff=True),
        )


def tell_of_health(failing: Iterable[tuple[str, object]], *, at: datetime) -> int:
    """Tell of health checks that fail, given by their keys and names: once, until they hold again.

    A check that holds again frees its matter, though not before AT_MOST_EVERY.
    """
    names = dict(failing)
    told = Notice.objects.filter(event=Event.CHECK_FAILED, at__lte=at - AT_MOST_EVERY)
    over = told.exclude(matter__in=[f"check {key}" for key in names]).exclude(matter__contains=" until ")
    for notice in over:
        Notice.objects.filter(pk=notice.pk).update(matter=f"{notice.matter} until {at.isoformat()}")
    return tell(_check(key, name, at) for key, name in names.items())


def _check(key: str, name: object, at: datetime) -> News:
    with translation.override("en"):  # the reader's language translates it
        words = {"check": str(name)}
    return News(
        event=Event.CHECK_FAILED,
        matter=f"check {key}",
        at=at,
        path=f"{reverse('admin:index')}#health",
        words=words,
        readers=partial(allowed, "campaigns.change_tickstep"),
    )


def unread(user: User) -> QuerySet[Notification]:
    """Return the unread notifications of a user in the workspace."""
    return Notification.objects.filter(user=user, shown=True, read_at=None)


def mark_read(user: User, *, at: datetime, pk: int | None = None) -> int:
    """Mark one notification of a user, or all, as read. Return how many were unread."""
    chosen = unread(user) if pk is None else unread(user).filter(pk=pk)
    return chosen.update(read_at=at)
