"""Comments of people on a draft."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.draft import Draft


class DraftComment(models.Model):
    """Comment on a draft, with the line that it quotes, if any. Append-only; it changes nothing of an approval."""

    draft = models.ForeignKey(Draft, models.PROTECT, verbose_name=_("draft"), related_name="comments")
    text = models.CharField(_("text"), max_length=2000)
    quote = models.CharField(_("quoted line"), max_length=300, blank=True)
    by = models.CharField(_("by"), max_length=150)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("comment on a draft")
        verbose_name_plural = _("comments on drafts")

    def __str__(self) -> str:
        return f"{self.by}: {self.text[:40]}"
