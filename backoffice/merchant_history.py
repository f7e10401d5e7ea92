"""History of a merchant: blocks, revocations, messages, visits to its dashboard, and what its grants went through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Model, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from backoffice.navigation import ELIGIBILITY
from backoffice.rendering import has_permissions
from campaigns.models import AuditEvent, Grant, JournalEntry, Note, Revocation
from core.formatting import format_money
from core.permissions import view_permission
from merchants.models import Block, Merchant

MOST = 50


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened. `tone` is one of the classes of a timeline, without its prefix, or empty."""

    at: datetime
    title: str
    by: str = ""
    detail: str = ""
    href: str = ""
    tone: str = "done"


def entries(request: HttpRequest, merchant: Merchant) -> list[Entry]:
    """Return what happened to a merchant, newest first, of each kind that the user may view. One query for a kind."""
    several = [source for model, source in SOURCES.items() if has_permissions(request, view_permission(model))]
    found = (entry for source in several for entry in source(request, merchant))
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:MOST]


def _blocks(_request: HttpRequest, merchant: Merchant) -> Iterator[Entry]:
    for block in merchant.blocks.order_by("-pk")[:MOST]:
        href, detail = reverse("backoffice:block", args=[block.pk]), f"{block.get_kind_display()}: {block.reason}"
        yield Entry(at=block.proposed_at, title=_("Block proposed"), by=block.proposed_by, detail=detail, href=href)
        if block.ended_at:
            approved = block.starts_at is not None
            title = _("Block approved") if approved else _("Block withdrawn")
            tone = "bad" if approved else "done"
            yield Entry(at=block.ended_at, title=title, by=block.ended_by, detail=detail, href=href, tone=tone)
        if block.status == Block.Status.LIFTED and block.ends_at:
            yield Entry(at=block.ends_at, title=_("Block lifted"), by=block.lifted_by, href=href)


def _revocations(_request: HttpRequest, merchant: Merchant) -> Iterator[Entry]:
    concerned = Revocation.objects.filter(grants__merchant=merchant).distinct()
    for revocation in concerned.order_by("-pk")[:MOST]:
        href = reverse("backoffice:revocation", args=[revocation.pk])
        words = {"title": revocation.title}
        yield Entry(
            at=revocation.proposed_at,
            title=_("Proposed: %(title)s") % words,
            by=revocation.proposed_by,
            detail=revocation.reason,
            href=href,
        )
        if revocation.ended_at:
            done = revocation.status == Revocation.Status.DONE
            title = (_("Approved: %(title)s") if done else _("Withdrawn: %(title)s")) % words
            tone = "bad" if done else "done"
            yield Entry(at=revocation.ended_at, title=title, by=revocation.ended_by, href=href, tone=tone)


def _notes(_request: HttpRequest, merchant: Merchant) -> Iterator[Entry]:
    for note in Note.objects.filter(merchant=merchant).order_by("-pk")[:MOST]:
        yield Entry(at=note.at, title=_("Message sent"), by=note.by, detail=note.text)


def _visits(_request: HttpRequest, merchant: Merchant) -> Iterator[Entry]:
    """Yield the entries of operators who viewed the merchant's dashboard; these are of the host's clock."""
    kind = ContentType.objects.get_for_model(Merchant)
    log = LogEntry.objects.filter(content_type=kind, object_id=merchant.pk).select_related("user")
    titles = {
        "opened the merchant's dashboard": _("Dashboard opened"),
        "left the merchant's dashboard": _("Dashboard closed"),
    }
    for entry in log.order_by("-pk")[:MOST]:
        if (title := titles.get(entry.change_message)) is not None:
            yield Entry(at=entry.action_time, title=title, by=entry.user.get_username())


def _journal(request: HttpRequest, merchant: Merchant) -> Iterator[Entry]:
    explains = has_permissions(request, *ELIGIBILITY.permissions)
    moves = JournalEntry.objects.filter(~Q(source=F("target")), grant__merchant=merchant)
    for entry in moves.select_related("grant__offer").order_by("-at", "-pk")[:MOST]:
        assert entry.grant is not None
        words = {
            "offer": entry.grant.offer.name,
            "status": Grant.Status(entry.target).label,
            "amount": format_money(entry.amount, entry.currency),
        }
        href = f"{reverse('backoffice:explanation')}?{urlencode({'q': entry.grant.subject})}" if explains else ""
        bad = entry.target in (Grant.Status.REVOKED, Grant.Status.FORFEITED)
        yield Entry(
            at=entry.at,
            title=_("%(offer)s: %(status)s, %(amount)s") % words,
            by=entry.by,
            detail=entry.grant.subject,
            href=href,
            tone="bad" if bad else "done",
        )


SOURCES: dict[type[Model], Callable[[HttpRequest, Merchant], Iterator[Entry]]] = {
    Block: _blocks,
    Revocation: _revocations,
    Note: _notes,
    AuditEvent: _visits,  # who may read the audit log: the entries of the admin have no readers of their own
    JournalEntry: _journal,
}
"""Kinds of entries, each by the model that the user must be allowed to view."""
