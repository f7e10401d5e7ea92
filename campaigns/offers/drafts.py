"""Drafts of campaigns: one person writes, another approves, and exactly the approved text is launched.

An approval is bound to the digest of the text that the approver saw. Authors of a draft cannot approve it.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from campaigns.models import AuditEvent, Campaign, Draft, Version
from campaigns.offers import publishing
from definitions import merge, parser
from definitions.errors import DefinitionError
from identity.users import user_key

Status = Draft.Status
EDITS = (AuditEvent.Verb.WRITTEN, AuditEvent.Verb.REBASED)
"""Verbs that change the text of a draft but not who has to act."""


ONE_SITTING = timedelta(minutes=10)
"""Time in which changes that a page writes by itself are one act of the audit log."""


class DraftError(Exception):
    """The state of the draft does not allow the action; the text says why. Nothing was changed."""


def digest(source: str) -> str:
    """Return the SHA-256 of a text. Approvals are bound to it."""
    return hashlib.sha256(source.encode()).hexdigest()


def begin(source: str, *, title: str, at: datetime, by: str, of: Campaign | None = None, reason: str = "") -> Draft:
    """Create a draft of `source`, which may still be invalid. `of` is the published campaign that it changes."""
    with transaction.atomic():
        draft = Draft.objects.create(
            title=title,
            source=source,
            digest=digest(source),
            base=digest(of.source) if of else "",
            base_source=of.source if of else "",
            authors=[by],
            author_ids=_keys(by),
            created_at=at,
            changed_at=at,
        )
        _note(draft, AuditEvent.Verb.WRITTEN, at=at, by=by, reason=reason)
    return draft


def write(draft: Draft, source: str, *, was: str, at: datetime, by: str, automatic: bool = False) -> None:
    """Replace the text of a draft. This voids its submission and its approval.

    `was` is the digest of the text that the writer saw. An `automatic` change, which a page makes by itself, is not
    recorded if the same person wrote a short time ago. Raises DraftError if the draft has another text now, or is
    launched or withdrawn.
    """
    with transaction.atomic():
        row = _held(draft, Draft.OPEN)
        if row.digest != was:
            raise DraftError(_("Somebody else changed this draft meanwhile. Look at it again before you write."))
        if row.source != source:
            _replace(row, source, at=at, by=by)
            if not (automatic and _goes_on(row, at=at, by=by)):
                _note(row, AuditEvent.Verb.WRITTEN, at=at, by=by, before={"digest": was}, after={"digest": row.digest})
    draft.refresh_from_db()


def _goes_on(row: Draft, *, at: datetime, by: str) -> bool:
    """Return whether a person goes on with what they began to write a short time ago."""
    last = row.acts.order_by("-pk").first()
    return last is not None and (last.verb, last.by) == (AuditEvent.Verb.WRITTEN, by) and at - last.at < ONE_SITTING


def _replace(row: Draft, source: str, *, at: datetime, by: str) -> None:
    row.source, row.digest, row.changed_at, row.status = source, digest(source), at, Status.DRAFT
    row.authors = list(dict.fromkeys([*row.authors, by]))
    row.author_ids = list(dict.fromkeys([*row.author_ids, *_keys(by)]))
    row.submitted_by = row.approved_by = row.approved_digest = ""
    row.submitter_id = None
    row.save()


def out_of_date(drafts: Iterable[Draft]) -> set[int]:
    """Return the keys of the open drafts whose campaign was published anew since they began. One query for all."""
    live = {code: digest(source) for code, source in Campaign.objects.values_list("code", "source")}
    return {
        draft.pk
        for draft in drafts
        if draft.status in Draft.OPEN
        and (code := campaign_of(draft.source)) is not None
        and draft.base != live.get(code, "")
    }


def of_campaign(code: str) -> list[Draft]:
    """Return the open drafts of a campaign, the newest first, in one query. One that has errors belongs to none."""
    listed = Draft.objects.filter(status__in=Draft.OPEN).order_by("-pk")
    return [draft for draft in listed if campaign_of(draft.source) == code]


@lru_cache(maxsize=256)
def campaign_of(source: str) -> str | None:
    """Return the code of the campaign that a text defines, None if the text is not right."""
    try:
        return parser.read(source).campaign
    except DefinitionError:
        return None


def rebased(draft: Draft) -> tuple[str, list[str]]:
    """Return the draft's changes applied to what is published now, and the paths that both changed.

    Raises DefinitionError if the draft has errors.
    """
    live = Campaign.objects.get(code=parser.read(draft.source).campaign).source
    return merge.merge(draft.base_source, live, draft.source)


def rebase(draft: Draft, *, shown: str, at: datetime, by: str) -> None:
    """Rebase the draft on what is published now: its changes are applied to that, and it needs a new approval.

    `shown` is the digest of the result that `by` saw. Raises DraftError if the result differs now or the draft is not
    out of date, DefinitionError if the draft has errors.
    """
    with transaction.atomic():
        row = _held(draft, Draft.OPEN)
        if not out_of_date([row]):
            raise DraftError(_("The draft is based on what is published now."))
        published = Campaign.objects.select_for_update(no_key=True).get(code=parser.read(row.source).campaign)
        source, _conflicts = rebased(row)
        if digest(source) != shown:
            raise DraftError(_("The draft or the campaign has changed since you were shown the result. Look again."))
        before = {"digest": row.digest, "base": row.base}
        row.base, row.base_source = digest(published.source), published.source
        _replace(row, source, at=at, by=by)
        after = {"digest": row.digest, "base": row.base}
        _note(row, AuditEvent.Verb.REBASED, at=at, by=by, before=before, after=after)
    draft.refresh_from_db()


def return_of(draft: Draft) -> AuditEvent | None:
    """Return the return of a draft to its authors that waits for them: nobody has submitted the draft since."""
    last = draft.acts.exclude(verb__in=EDITS).order_by("-pk").first()
    return last if last and last.verb == AuditEvent.Verb.RETURNED and draft.status == Status.DRAFT else None


def returned_to(author: str) -> list[Draft]:
    """Return the drafts that were returned to an author and wait for changes, in one query."""
    acts = AuditEvent.objects.filter(draft=OuterRef("pk")).exclude(verb__in=EDITS).order_by("-pk")
    drafts = Draft.objects.filter(status=Status.DRAFT).annotate(last=Subquery(acts.values("verb")[:1]))
    returned = drafts.filter(last=AuditEvent.Verb.RETURNED).defer("source", "base_source").order_by("pk")
    return [draft for draft in returned if author in draft.authors]  # SQLite does not look into JSON lists


def submit(draft: Draft, *, at: datetime, by: str) -> None:
    """Ask for approval. Raises DraftError if the status does not allow it, DefinitionError if the text has errors."""

    def asked(row: Draft) -> None:
        parser.read(row.source)
        row.status, row.submitted_by, row.submitter_id = Status.SUBMITTED, by, user_key(by)

    _move(draft, (Status.DRAFT,), AuditEvent.Verb.SUBMITTED, asked, at=at, by=by)


def give_back(draft: Draft, *, at: datetime, by: str, reason: str) -> None:
    """Return a submitted or approved draft to its authors. Raises DraftError if the status does not allow it."""

    def returned(row: Draft) -> None:
        row.status, row.approved_by, row.approved_digest = Status.DRAFT, "", ""

    _move(draft, (Status.SUBMITTED, Status.APPROVED), AuditEvent.Verb.RETURNED, returned, at=at, by=by, reason=reason)


def approve(draft: Draft, *, shown: str, at: datetime, by: str) -> None:
    """Approve the text with the digest `shown`. Raises DraftError if the text differs, or `by` is an author."""

    def approved(row: Draft) -> None:
        if had_a_hand(row, by):
            raise DraftError(_("You wrote or submitted this draft: somebody else must approve it."))
        if shown != row.digest:
            raise DraftError(_("The draft is not the one that you were shown. Look at it again."))
        row.status, row.approved_by, row.approved_digest = Status.APPROVED, by, shown

    _move(draft, (Status.SUBMITTED,), AuditEvent.Verb.APPROVED, approved, at=at, by=by)


def had_a_hand(draft: Draft, by: str) -> bool:
    """Return True if the user with that name wrote or submitted the draft, also under a former name."""
    names, keys = (*draft.authors, draft.submitted_by), (*draft.author_ids, draft.submitter_id)
    return by in names or any(key in keys for key in _keys(by))


def withdraw(draft: Draft, *, at: datetime, by: str, reason: str) -> None:
    """Withdraw an open draft. Raises DraftError if it is launched or withdrawn."""

    def withdrawn(row: Draft) -> None:
        row.status = Status.WITHDRAWN

    _move(draft, Draft.OPEN, AuditEvent.Verb.WITHDRAWN, withdrawn, at=at, by=by, reason=reason)


def launch(draft: Draft, *, at: datetime, by: str) -> list[Version]:
    """Publish an approved draft: a new version of each offer that differs. Return these versions.

    Raises DraftError if the draft is not approved, the campaign was published since the draft began, a limit is below
    the quota used, or an offer belongs to another campaign.
    """
    made: list[Version] = []

    def launched(row: Draft) -> None:
        if row.approved_digest != digest(row.source):
            raise DraftError(_("What was approved is not what stands there."))
        text = parser.read(row.source)
        if row.base != _published(text.campaign):
            raise DraftError(_("The draft is out of date: the campaign was published anew since it began. Rebase it."))
        try:
            made.extend(publishing.publish(text, source=row.source, at=at, by=by, draft=row))
        except ValueError as refusal:
            raise DraftError(str(refusal)) from refusal
        row.status = Status.LAUNCHED

    _move(draft, (Status.APPROVED,), AuditEvent.Verb.LAUNCHED, launched, at=at, by=by)
    return made


def _published(code: str) -> str:
    """Lock a campaign and return the digest of its published text, empty if there is no such campaign."""
    found = Campaign.objects.select_for_update(no_key=True).filter(code=code).first()
    return digest(found.source) if found else ""


def _keys(by: str) -> list[int]:
    """Return the key of the user with that name, as a list; an empty list for the name of a command."""
    key = user_key(by)
    return [] if key is None else [key]


def _held(draft: Draft, among: tuple[str, ...]) -> Draft:
    row = Draft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    if row.status not in among:
        raise DraftError(
            _("Not possible now: the status of the draft is “%(status)s”.") % {"status": row.get_status_display()}
        )
    return row


def _move(
    draft: Draft,
    among: tuple[str, ...],
    verb: AuditEvent.Verb,
    change: Callable[[Draft], None],
    *,
    at: datetime,
    by: str,
    reason: str = "",
) -> None:
    with transaction.atomic():
        row = _held(draft, among)
        before = {"status": row.status}
        change(row)
        row.save()
        after = {"status": row.status, "digest": row.digest}
        _note(row, verb, at=at, by=by, reason=reason, before=before, after=after)
    draft.refresh_from_db()


def _note(
    draft: Draft,
    verb: AuditEvent.Verb,
    *,
    at: datetime,
    by: str,
    reason: str = "",
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    AuditEvent.objects.create(
        draft=draft, verb=verb, at=at, by=by, reason=reason, before=before or {}, after=after or {}
    )
