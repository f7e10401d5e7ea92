"""Comments on drafts: authors and reviewers talk about a text without changing it or its approval."""

from datetime import datetime

from campaigns.models import Draft, DraftComment


def add(draft: Draft, text: str, *, quote: str = "", at: datetime, by: str) -> DraftComment:
    """Add a comment, in any state of the draft; `quote` is the line that it is about."""
    return DraftComment.objects.create(draft=draft, text=text, quote=quote, at=at, by=by)
