"""Sentences of the notices to operators, in the language in force."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Notice
from campaigns.models.tick_run import step_label
from core.formatting import format_money, format_number

Event = Notice.Event

TEXTS = {
    Event.QUOTA_80: gettext_lazy("80%% of the quota is used: %(offer)s (%(used)s of %(limit)s)"),
    Event.QUOTA_95: gettext_lazy("95%% of the quota is used: %(offer)s (%(used)s of %(limit)s)"),
    Event.QUOTA_100: gettext_lazy("The quota is used up: %(offer)s (%(used)s of %(limit)s)"),
    Event.DRAFT_SUBMITTED: gettext_lazy("Waits for your approval: draft “%(draft)s”"),
    Event.REVOCATION_PROPOSED: gettext_lazy("Waits for your approval: revocation “%(title)s”"),
    Event.BLOCK_PROPOSED: gettext_lazy("Waits for your approval: block of %(merchant)s"),
    Event.ROLE_REQUESTED: gettext_lazy("Waits for your confirmation: role “%(role)s” for %(user)s"),
    Event.DRAFT_RETURNED: gettext_lazy("Returned to you: draft “%(draft)s”. Reason: %(reason)s"),
    Event.DRAFT_APPROVED: gettext_lazy("Approved: your draft “%(draft)s”"),
    Event.JOB_PAUSED: gettext_lazy("A background job is paused after failed attempts: %(job)s"),
    Event.CHECK_FAILED: gettext_lazy("A health check fails: %(check)s"),
    Event.FILE_CHECKED: gettext_lazy("File checked, waits for your confirmation: %(file)s"),
    Event.FILE_IMPORTED: gettext_lazy("File imported: %(file)s (%(rows)s rows)"),
    Event.IMPORT_FAILED: gettext_lazy("The import failed, nothing was stored: %(file)s"),
}
ICONS = {
    Event.QUOTA_80: ("info-circle", "info"),
    Event.QUOTA_95: ("alert-triangle", "warn"),
    Event.QUOTA_100: ("ban", "bad"),
    Event.DRAFT_RETURNED: ("alert-triangle", "warn"),
    Event.DRAFT_APPROVED: ("check", "ok"),
    Event.JOB_PAUSED: ("alert-triangle", "bad"),
    Event.CHECK_FAILED: ("alert-triangle", "bad"),
    Event.FILE_CHECKED: ("file-import", "info"),
    Event.FILE_IMPORTED: ("file-import", "ok"),
    Event.IMPORT_FAILED: ("file-import", "bad"),
}
"""Icon and tone of a notice; what waits for an approval has those of approvals."""


def describe(notice: Notice) -> str:
    """Return the notice as one sentence. Reads the offer of a notice about a quota."""
    words = {name: format_number(word) if isinstance(word, int) else word for name, word in notice.words.items()}
    if currency := words.get("currency"):  # stored as texts: a budget in money
        words |= {name: format_money(Decimal(words[name]), currency) for name in ("used", "limit")}
    if "period" in words:
        words["limit"] = _("%(limit)s in %(period)s") % words
    if notice.offer:
        words["offer"] = notice.offer.name
    if "job" in words:
        words["job"] = step_label(words["job"])
    if name := words.get("check"):
        words["check"] = _(name)  # stored as the message that the catalog translates
    return str(TEXTS[Event(notice.event)]) % words


def mark(notice: Notice) -> tuple[str, str]:
    """Return the icon of a notice and its tone."""
    return ICONS.get(Event(notice.event), ("checks", "plan"))
