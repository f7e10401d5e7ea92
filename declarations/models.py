"""Attributes and event kinds that published definitions declare. Declarations are added and never removed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Declaration(models.Model):
    """Base class of declarations: the names in both languages, and the campaign that declared it first."""

    campaign = models.CharField(_("campaign"), max_length=64)  # its code; no reference: campaigns are higher up
    name_en = models.CharField(_("name in English"), max_length=200)
    name_zh = models.CharField(_("name in Chinese"), max_length=200)

    class Meta:
        abstract = True


class DeclaredAttribute(Declaration):
    """Attribute of the rows of one kind, such as `cord_cm` of listings. Its type never changes."""

    class Type(models.TextChoices):
        NUMBER = "number", _("number")
        FLAG = "flag", _("flag")
        TEXT = "text", _("text")
        CHOICE = "choice", _("choice")
        INSTANT = "instant", _("instant")

    row_kind = models.CharField(_("declared for"), max_length=40)  # such as merchant; event for those of events
    name = models.CharField(_("attribute"), max_length=40)
    type = models.CharField(_("type"), max_length=8, choices=Type)
    # Of a choice: the names of each value, {"disinfectant": {"en": "Disinfectant", "zh": "消毒剂"}}.
    values: "models.JSONField[dict[str, dict[str, str]], dict[str, dict[str, str]]]" = models.JSONField(
        _("values"), default=dict, blank=True
    )

    class Meta:
        verbose_name = _("declared attribute")
        verbose_name_plural = _("declared attributes")
        constraints = [models.UniqueConstraint(fields=["row_kind", "name"], name="declared_attribute_once")]

    def __str__(self) -> str:
        return f"{self.row_kind} {self.name}"


class DeclaredEvent(Declaration):
    """Kind of event, such as `webinar_attended`, with the names of the attributes that its events may have."""

    kind = models.CharField(_("kind"), max_length=40, unique=True)
    attributes: "models.JSONField[list[str], list[str]]" = models.JSONField(_("attributes"), default=list, blank=True)

    class Meta:
        verbose_name = _("declared event kind")
        verbose_name_plural = _("declared event kinds")

    def __str__(self) -> str:
        return self.kind
