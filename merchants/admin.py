"""Facts about merchants, and the imports they came with, in the admin."""

from django.contrib import admin

from merchants.files import FILES
from merchants.intake.desk import ReadOnlyAdmin, register
from merchants.models import Batch

register(*FILES)


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """Each taking-in of facts, the latest first."""

    list_display = ("source", "recorded_at", "rows", "added", "changed", "future", "absorbed", "digest")
    list_filter = ("absorbed", "recorded_at")
    search_fields = ("source", "digest__startswith")
    ordering = ("-pk",)
