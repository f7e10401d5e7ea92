"""Work that waits for a person: drafts and revocations to approve, drafts to launch, grants to review."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.rendering import actor, has_permissions, render_page, staff_view
from campaigns.models import Draft, Grant, Revocation
from campaigns.offers import drafts
from core.formatting import format_number
from identity.models import RoleRequest
from merchants import blocks
from merchants.models import Block


@dataclass(frozen=True)
class Task:
    """Something that waits. `mine` says whether the reader may do it; `tone` and `icon` choose its mark.

    `returned` marks a draft that came back to the reader for changes.
    """

    title: str
    href: str
    by: str
    since: datetime | None
    mine: bool
    icon: str = "checks"
    tone: str = "plan"
    returned: bool = False


def count_waiting(request: HttpRequest) -> int:
    """Return how many drafts, revocations, blocks and roles wait for the approval of this user."""
    submitted = Draft.objects.filter(status=Draft.Status.SUBMITTED)
    waiting = _drafts(request, submitted) if has_permissions(request, "approve_draft") else ()
    revocations = _revocations(request) if has_permissions(request, "approve_revocation") else ()
    blocked = _blocks(request) if has_permissions(request, "merchants.approve_block") else ()
    returned = _returned(request)
    return sum(task.mine for task in (*waiting, *revocations, *blocked, *returned, *_roles(request)))


def tasks_for(request: HttpRequest) -> list[Task]:
    """Return all that waits, what the reader may do first, each part with the newest first."""
    waiting = Draft.objects.filter(status__in=Draft.OPEN)
    tasks = [*_returned(request), *_drafts(request, waiting), *_revocations(request), *_blocks(request)]
    tasks += [*_roles(request), *_reviews(request)]
    return sorted(tasks, key=lambda task: not task.mine)


def _drafts(request: HttpRequest, several: "QuerySet[Draft]") -> Iterator[Task]:
    """Yield the drafts that are submitted, approved, or out of date, which keeps them from both."""
    if not has_permissions(request, "view_draft"):
        return
    listed = list(several.order_by("-changed_at"))
    outdated = drafts.out_of_date(listed)
    for draft in listed:
        href, since = reverse("backoffice:draft", args=[draft.pk]), draft.changed_at
        words, is_author = {"draft": draft.title}, actor(request) in draft.authors
        if draft.pk in outdated:
            mine = is_author and has_permissions(request, "change_draft")
            title = _("Rebase, because the campaign was published anew: %(draft)s") % words
            yield Task(title, href, ", ".join(draft.authors), since, mine, "alert-triangle", "warn")
        elif draft.status == Draft.Status.SUBMITTED:
            mine = has_permissions(request, "approve_draft") and not is_author
            yield Task(_("Approve: %(draft)s") % words, href, draft.submitted_by, since, mine)
        elif draft.status == Draft.Status.APPROVED:
            mine = has_permissions(request, "launch_draft")
            yield Task(_("Launch: %(draft)s") % words, href, draft.approved_by, since, mine, "bolt", "info")


def _revocations(request: HttpRequest) -> Iterator[Task]:
    if not has_permissions(request, "view_revocation"):
        return
    may_approve = has_permissions(request, "approve_revocation")
    for proposal in Revocation.objects.filter(status=Revocation.Status.PROPOSED).order_by("-proposed_at"):
        mine = may_approve and proposal.proposed_by != actor(request)
        href = reverse("backoffice:revocation", args=[proposal.pk])
        title = _("Revocation: %(title)s") % {"title": proposal.title}
        yield Task(title, href, proposal.proposed_by, proposal.proposed_at, mine, "ban", "bad")


def _blocks(request: HttpRequest) -> Iterator[Task]:
    if not has_permissions(request, "merchants.view_block", "merchants.view_merchant"):
        return
    may_approve = has_permissions(request, "merchants.approve_block")
    for block in Block.objects.filter(status=Block.Status.PROPOSED).select_related("merchant").order_by("-proposed_at"):
        mine = may_approve and not blocks.is_proposer(block, actor(request))
        title = _("Block: %(merchant)s") % {"merchant": block.merchant}
        href = reverse("backoffice:block", args=[block.pk])
        yield Task(title, href, block.proposed_by, block.proposed_at, mine, "ban", "bad")


def _returned(request: HttpRequest) -> Iterator[Task]:
    """Yield the drafts of the reader that were returned and wait for changes."""
    if has_permissions(request, "view_draft", "change_draft"):
        for draft in drafts.returned_to(actor(request)):
            href, title = reverse("backoffice:draft", args=[draft.pk]), _("Returned to you: %(draft)s")
            by = returned.by if (returned := drafts.return_of(draft)) else ""
            yield Task(
                title % {"draft": draft}, href, by, draft.changed_at, True, "alert-triangle", "warn", returned=True
            )


def _roles(request: HttpRequest) -> Iterator[Task]:
    """Yield the roles that one administrator gave and another one has to confirm."""
    if not has_permissions(request, "identity.view_rolerequest"):
        return
    href = reverse("admin:identity_rolerequest_changelist")
    for asked in RoleRequest.objects.select_related("user", "role", "requested_by").order_by("-requested_at"):
        mine = has_permissions(request, "auth.change_user") and asked.requested_by != request.user
        title = _("Confirm a role: %(user)s, %(role)s") % {"user": asked.user, "role": asked.role}
        yield Task(title, href, str(asked.requested_by), asked.requested_at, mine, "user-search", "info")


def _reviews(request: HttpRequest) -> Iterator[Task]:
    if not has_permissions(request, "view_grant"):
        return
    count = Grant.objects.exclude(review="").count()
    if count:
        text = ngettext(
            "%(n)s grant to review after corrected data", "%(n)s grants to review after corrected data", count
        )
        href = f"{reverse('admin:campaigns_grant_changelist')}?review=yes"
        mine = has_permissions(request, "change_grant")
        yield Task(text % {"n": format_number(count)}, href, "", None, mine, "alert-triangle", "warn")


@staff_view("view_draft", methods=("GET", "HEAD"))
def approvals_page(request: HttpRequest) -> HttpResponse:
    """Show all that waits, in three lists: for the reader, returned to the reader, for others."""
    tasks = tasks_for(request)
    return render_page(
        request,
        "approvals",
        title=_("Approvals"),
        mine=[task for task in tasks if task.mine and not task.returned],
        returned=[task for task in tasks if task.returned],
        others=[task for task in tasks if not task.mine],
    )
