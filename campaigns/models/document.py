"""Documents of a campaign beside its offers, such as scorecards, and the versions in which each was published."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.offer import Campaign, Named
from core.db.fields import KeyField
from core.search import register_named


class Document(Named):
    """One document of a campaign. `kind` is the section of the definition that holds it, such as `scorecards`."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, verbose_name=_("campaign"), related_name="documents")
    kind = models.CharField(_("kind"), max_length=20)
    code = KeyField(_("document"), max_length=64, unique=True)
    version = models.ForeignKey(
        "campaigns.DocumentVersion", models.PROTECT, null=True, verbose_name=_("version"), related_name="+"
    )

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")


register_named(Document, "code", "name_en", "name_zh")


class DocumentVersion(models.Model):
    """One published wording of a document. It never changes."""

    document = models.ForeignKey(Document, models.PROTECT, verbose_name=_("document"), related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    definition: "models.JSONField[Any, Any]" = models.JSONField(_("definition"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    published_at = models.DateTimeField(_("published at"))
    published_by = models.CharField(_("published by"), max_length=150)

    class Meta:
        verbose_name = _("version of a document")
        verbose_name_plural = _("versions of documents")
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="document_version_once")]

    def __str__(self) -> str:
        return f"{self.document_id} v{self.number}"
