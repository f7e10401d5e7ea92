"""The parts of a tick, and how often each was tried in vain."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# What the name begins with: the claims of competing offers, or the coupons of an offer, follow after a colon.
WORDS = {"claims": _("claims"), "coupons": _("coupons"), "coupons used": _("coupons used")}


class Step(models.Model):
    """A part of every tick. `tries` counts how often in a row it was begun at the same `progress` and did not end.

    Changed by `campaigns.steps` alone.
    """

    name = models.CharField(_("name"), max_length=100, primary_key=True)
    progress = models.CharField(_("progress"), max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries in vain"), default=0)
    tried_at = models.DateTimeField(_("last tried at"), null=True)

    class Meta:
        verbose_name = _("step of a tick")
        verbose_name_plural = _("steps of a tick")

    def __str__(self) -> str:
        kind, colon, what = self.name.partition(": ")
        return f"{WORDS.get(kind, kind)}{colon}{what}"
