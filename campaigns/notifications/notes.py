"""Notes: what an operator writes to a merchant becomes a message to each of its members."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Message, Note
from merchants.members import enabled
from merchants.models import Merchant


class NoteError(Exception):
    """The note cannot be sent; the text gives the reason. Nothing was changed."""


@transaction.atomic
def send(merchant: Merchant, text: str, *, at: datetime, by: str) -> Note:
    """Send a text to all enabled members of a merchant: on their page, and by mail to those who get any mail.

    Raises NoteError if nobody would read it.
    """
    members = list(enabled().filter(merchant=merchant))
    if not members:
        raise NoteError(_("Nobody signs in for this merchant, so nobody would read the message."))
    note = Note.objects.create(merchant=merchant, text=text, by=by, at=at)
    Message.objects.bulk_create(
        Message(
            note=note,
            member=member,
            topic=Message.Topic.NOTE,
            matter=f"note {note.pk}",
            shown=True,
            mail=bool(member.mailed),
        )
        for member in members
    )
    return note
