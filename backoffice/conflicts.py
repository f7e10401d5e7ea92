"""Two people edit one draft: both versions, for the person who saves second to choose from or to merge."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import ndiff

from django.http import HttpRequest

from campaigns.models import AuditEvent, Draft
from campaigns.offers.drafts import digest

MARKS = {"- ": "saved", "+ ": "mine", "  ": "both"}


@dataclass(frozen=True)
class Conflict:
    """Text that another person saved since this one opened the page. `seen` is its digest.

    `lines` are the lines of both texts, each with the version that has it: saved, mine or both.
    """

    saved: str
    mine: str
    by: str
    at: datetime | None

    @property
    def seen(self) -> str:
        return digest(self.saved)

    @property
    def lines(self) -> Iterable[tuple[str, str]]:
        for line in ndiff(self.saved.splitlines(), self.mine.splitlines()):
            if line[:2] in MARKS:
                yield MARKS[line[:2]], line[2:]


def find_conflict(request: HttpRequest, draft: Draft, *, saved: str, mine: str, version: str = "") -> Conflict | None:
    """Return the conflict of a posted form with the saved text, or None.

    The form names the version that it was opened with (`was`), the digest of its text unless `version` is that of the
    saved one; after a conflict also the digest of the text that was shown beside it (`seen`).
    """
    if request.method != "POST" or (version or digest(saved)) == request.POST.get("was") or saved == mine:
        return None
    last = draft.acts.filter(verb=AuditEvent.Verb.WRITTEN).order_by("-pk").first()
    return Conflict(saved, mine, last.by if last else "", last.at if last else None)


def was_shown(request: HttpRequest, conflict: Conflict | None) -> bool:
    """Return whether a text may be saved: there is no conflict, or the person has seen exactly what it replaces."""
    return conflict is None or conflict.seen == request.POST.get("seen")
