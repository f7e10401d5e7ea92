"""Column in which a row holds the values of declared attributes."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


def attributes_column() -> "models.JSONField[dict[str, Any], dict[str, Any]]":
    """Return the field `attributes` of a model whose rows have declared attributes."""
    return models.JSONField(_("declared attributes"), default=dict, db_default={}, blank=True, editable=False)
