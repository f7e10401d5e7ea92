"""Names of permissions."""

from django.contrib.auth import get_permission_codename
from django.db.models import Model


def view_permission(model: type[Model]) -> str:
    """Return the permission to view the records of a model, such as `merchants.view_merchant`."""
    return f"{model._meta.app_label}.{get_permission_codename('view', model._meta)}"
