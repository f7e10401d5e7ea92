"""Admin of uploaded files: progress, preview, errors, and the confirmation."""

from typing import Any, cast

from celery import current_app
from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin import ReadOnlyAdmin
from core.formatting import city_name
from core.lists.filters import DateRange
from core.spreadsheets import CONTENT_TYPES
from imports import registry, upload_jobs
from imports.declared_columns import with_declared
from imports.models import Upload

STATUS_TONES = {
    Upload.Status.WAITING: "info",
    Upload.Status.CHECKING: "info",
    Upload.Status.CHECKED: "plan",
    Upload.Status.CONFIRMED: "info",
    Upload.Status.IMPORTING: "info",
    Upload.Status.IMPORTED: "ok",
    Upload.Status.REJECTED: "bad",
    Upload.Status.FAILED: "bad",
    Upload.Status.EXPIRED: "idle",
}


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Uploaded files: progress, preview, errors, and the button that confirms."""

    list_title = gettext_lazy("Imports")
    list_intro = gettext_lazy("Files with facts: checked first, imported when you confirm.")
    list_display = ("name", "kind", "status", "rows", "uploaded_by", "uploaded_at")
    more_columns = ("size",)
    list_filter = ("status", "kind", ("uploaded_at", DateRange))
    tones = {"status": STATUS_TONES}
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content", "rejected_rows")

    def get_urls(self) -> list[Any]:
        rejected_rows = self.admin_site.admin_view(self.rejected_rows_view)
        return [path("<int:pk>/rejected/", rejected_rows, name="imports_upload_rejected"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *args: object, **options: object) -> HttpResponse:
        """Show an upload; a POST confirms it."""
        upload = get_object_or_404(self.get_queryset(request), pk=object_id)
        schema = registry.find_schema(upload.kind)
        # The page has rows of the file: it is for the person who uploaded it, and for those who view all uploads.
        may_import = _is_uploader(request, upload)
        if not may_import and (request.method == "POST" or not self.has_view_permission(request)):
            raise PermissionDenied
        if request.method == "POST":
            self._confirm(request, upload)
            return redirect("admin:imports_upload_change", upload.pk)
        page = {
            **self.admin_site.each_context(request),
            "title": upload.name,
            "opts": self.opts,
            "upload": upload,
            "columns": [column.name for column in with_declared(schema).columns],
            "zone": city_name(upload.zone),
            "kind": schema.model._meta.verbose_name_plural,
            "running": upload.status not in (Upload.Status.CHECKED, *Upload.ENDED),
            "may_import": may_import,
            "has_rejected_rows": Upload.objects.filter(pk=upload.pk, rejected_rows__isnull=False).exists(),
        }
        return render(request, "admin/imports/upload.html", page)

    def _confirm(self, request: HttpRequest, upload: Upload) -> None:
        if not upload_jobs.confirm(upload, at=clock.real(), by=signed_in(request)):
            messages.warning(request, _("This upload cannot be confirmed, or was confirmed before."))
            return
        self.log_change(request, upload, "Confirmed.")
        run_job(upload)

    def rejected_rows_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the rows with errors, with the errors beside them."""
        upload = get_object_or_404(Upload.objects.defer("content"), pk=pk)
        if not _is_uploader(request, upload):
            raise PermissionDenied
        if upload.rejected_rows is None:
            raise Http404
        return file_response(bytes(upload.rejected_rows), f"{upload.kind}-rejected.csv")


def signed_in(request: HttpRequest) -> AbstractBaseUser:
    """Return the user of a request that the admin has let in."""
    return cast("AbstractBaseUser", request.user)


def run_job(upload: Upload) -> None:
    """Run the next step of an upload: within this request, or by a worker if it is in the background."""
    if upload.in_background:
        transaction.on_commit(lambda: call_worker(upload))
    else:
        upload_jobs.run(upload, now=clock.now(), clock=clock.real)


def call_worker(upload: Upload) -> None:
    """Send an upload to a worker. The sweep repeats messages that were lost."""
    current_app.send_task("imports.tasks.work_on_upload", [upload.pk])


def file_response(content: bytes, name: str) -> HttpResponse:
    """Return a file to save, of the type that its name says."""
    response = HttpResponse(content, content_type=CONTENT_TYPES[name.rpartition(".")[2]])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _is_uploader(request: HttpRequest, upload: Upload) -> bool:
    """Return whether the user uploaded the file, and may still import its facts."""
    schema = registry.find_schema(upload.kind)
    return upload.uploader_id == request.user.pk and request.user.has_perm(schema.import_permission)
