"""Former parents: rows to which records belonged before an import moved them (`imports.models.FormerParent`)."""

from imports.models import FormerParent


def delete_processed() -> int:
    """Delete the former parents of imports that a tick has processed: nothing reads them any more. Return how many."""
    deleted, _ = FormerParent.objects.filter(batch__processed=True).delete()
    return deleted
