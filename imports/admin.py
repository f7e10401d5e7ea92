"""The admin's desk for facts: to look at, to import and to export, never to edit by hand."""
# ruff: noqa: ARG002  # Django hands every method its arguments

import tempfile
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from celery import current_app
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _
from import_export.admin import ImportExportMixin
from import_export.forms import ExportForm, ImportForm

from core.admin import ReadOnlyAdmin
from imports import upload_jobs, workbook_template
from imports.importer import ImportResult
from imports.models import ImportBatch, Upload
from imports.registry import all_schemas
from imports.schema import FileSchema
from imports.uploads import Csv, Taken, Xlsx, now, resource

OVER = (Upload.Status.TAKEN, Upload.Status.REFUSED, Upload.Status.FAILED)


class FactImportForm(ImportForm):  # type: ignore[misc]  # the library has no types
    """The library's, with a script of our own: its own sets styles that our policy forbids."""

    @property
    def media(self) -> forms.Media:
        return forms.Media(js=["imports/guess.js"])


class FactAdmin(ImportExportMixin, ReadOnlyAdmin):  # type: ignore[misc]  # the library has no types
    """What it lists, searches and filters follows from the definition of the file."""

    formats = (Csv, Xlsx)
    import_form_class = FactImportForm
    export_form_class = ExportForm
    skip_admin_log = True  # the library would log each row; one entry names the import

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _may(self, request: HttpRequest, what: str) -> bool:
        return bool(request.user.has_perm(f"{self.opts.app_label}.{what}_{self.opts.model_name}"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.template)
        return [path("template/", view, name="{}_{}_template".format(*self.get_model_info())), *super().get_urls()]

    def template(self, request: HttpRequest) -> HttpResponse:
        """An empty workbook to fill in."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        return _download(workbook_template.template(self._file), Xlsx.content_type, f"{self._file.name}.xlsx")

    @property
    def _file(self) -> FileSchema:
        [resource_class] = self.resource_classes
        file: FileSchema = resource_class.file
        return file

    def _to_background(self, request: HttpRequest, upload: "UploadedFile[Any]") -> HttpResponse:
        """Leave a file to a worker; its page shows how far that is."""
        name, by = str(upload.name), request.user.get_username()
        made = upload_jobs.send(self._file, name, upload.read(), at=timezone.now(), by=by)
        transaction.on_commit(lambda: call_worker(made))
        return redirect("admin:imports_upload_change", made.pk)

    def _rejected(self, upload: "UploadedFile[Any]") -> HttpResponse:
        """The rejected rows of an upload, with what is wrong beside them; nothing is taken."""
        name = str(upload.name)
        with tempfile.NamedTemporaryFile(suffix=Path(name).suffix) as copy:
            copy.writelines(upload.chunks())
            copy.flush()
            zone = ZoneInfo(settings.TIME_ZONE)
            found = workbook_template.rejected(self._file, Path(copy.name), zone=zone, now=now(), name=name)
        return _download(found, Csv.content_type, f"{self._file.name}-rejected.csv")

    def import_action(self, request: HttpRequest, **options: Any) -> HttpResponse:
        if "import_file" in request.FILES and self.has_import_permission(request):
            upload = cast("UploadedFile[Any]", request.FILES["import_file"])
            if (upload.size or 0) > upload_jobs.MOST:
                text = _("The file has more than %(n)d megabytes. Split it, or use manage.py import_facts.")
                messages.error(request, text % {"n": upload_jobs.MOST // 1_000_000})
                return redirect(request.path)
            if "rejected" in request.POST:
                return self._rejected(upload)
            if "background" in request.POST or (upload.size or 0) >= upload_jobs.LARGE:
                return self._to_background(request, upload)
        response = super().import_action(request, **options)
        result = (response.context_data or {}).get("result") if isinstance(response, TemplateResponse) else None
        if isinstance(result, Taken) and result.outcome.taken:
            messages.info(request, _summary(result.outcome))
        return response  # type: ignore[no-any-return]

    def process_import(self, request: HttpRequest, **options: Any) -> HttpResponse:
        try:
            return super().process_import(request, **options)  # type: ignore[no-any-return]
        except FileNotFoundError:  # confirmed twice: the first time used the upload up
            messages.warning(request, _("This upload is not there any more: it was confirmed before, or is too old."))
            return redirect("admin:{}_{}_changelist".format(*self.get_model_info()))

    def process_result(self, result: Taken, request: HttpRequest) -> HttpResponse:
        if result.outcome.batch is not None:
            self.log_addition(request, ImportBatch.objects.get(pk=result.outcome.batch), _summary(result.outcome))
            return super().process_result(result, request)  # type: ignore[no-any-return]
        for complaint in result.complaints:
            messages.error(request, str(complaint))
        return redirect("admin:{}_{}_import".format(*self.get_model_info()))

    def add_success_message(self, result: Taken, request: HttpRequest) -> None:
        messages.success(request, _summary(result.outcome))


def call_worker(upload: Upload) -> None:
    """Ring for whoever works on uploads; what is lost is taken up by the sweep."""
    current_app.send_task("imports.tasks.work_on_upload", [upload.pk])


class UploadAdmin(ReadOnlyAdmin):
    """Files that a worker checks and takes: how far it is, what it found, and the button that confirms."""

    list_display = ("name", "kind", "status", "rows", "size", "asked_by", "asked_at")
    list_filter = ("status", "kind")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        upload = get_object_or_404(Upload.objects.defer("content"), pk=object_id)
        file = FILES_BY_NAME[upload.kind]
        may = request.user.has_perm(f"{file.model._meta.app_label}.add_{file.model._meta.model_name}")
        if not self.has_view_permission(request) or (request.method == "POST" and not may):
            raise PermissionDenied
        if request.method == "POST":
            if upload_jobs.confirm(upload, at=timezone.now()):
                transaction.on_commit(lambda: call_worker(upload))
            return redirect("admin:imports_upload_change", upload.pk)
        going = upload.status not in (Upload.Status.CHECKED, *OVER)
        page = {**self.admin_site.each_context(request), "title": upload.name, "upload": upload, "going": going}
        return render(request, "admin/imports/upload.html", {**page, "may": may, "opts": Upload._meta})


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _summary(outcome: ImportResult) -> str:
    counts = {"name": outcome.name, "added": outcome.added, "changed": outcome.changed}
    counts |= {"unchanged": outcome.unchanged, "future": outcome.future}
    return _("%(name)s: %(added)d new, %(changed)d changed, %(unchanged)d unchanged, %(future)d in the future") % counts


def _field(file: FileSchema, attname: str) -> "models.Field[Any, Any]":
    return next(field for field in file.model._meta.concrete_fields if field.attname == attname)


def _is_text(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.CharField | models.ForeignKey) and not field.choices


FILES_BY_NAME: dict[str, FileSchema] = {}


def register(*files: FileSchema) -> None:
    """Put a desk for each of `files` into the admin."""
    for file in files:
        FILES_BY_NAME[file.name] = file
        desk = type(f"{file.model.__name__}Admin", (FactAdmin,), _layout(file))
        admin.site.register(file.model, desk)


def _layout(file: FileSchema) -> dict[str, Any]:
    """What a desk lists, filters and searches: codes from their beginning, which an index serves."""
    fields = [_field(file, column.attname) for column in file.columns]
    sought = [_field(file, column.attname) for column in dict.fromkeys([*file.key_columns, *file.references])]
    paths = [f"{field.name}__pk" if field.is_relation else field.name for field in sought if _is_text(field)]
    return {
        "resource_classes": [resource(file)],
        "list_display": [*(field.name for field in fields), "batch"],
        "list_select_related": [*(field.name for field in fields if field.is_relation), "batch"],
        "list_filter": [field.name for field in fields if field.choices or isinstance(field, models.BooleanField)],
        "search_fields": [f"{path}__startswith" for path in paths],
    }


# The admin loads this module before `imports` is ready, so the schemas may not be registered yet.
autodiscover_modules("import_schemas")
register(*all_schemas())
