"""The admin's desk for facts: to look at, to import and to export, never to edit by hand."""
# ruff: noqa: ARG002  # Django hands every method its arguments

import tempfile
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from import_export.admin import ImportExportMixin
from import_export.forms import ExportForm, ImportForm

from merchants.intake import papers
from merchants.intake.files import FactFile
from merchants.intake.taking import Outcome
from merchants.intake.uploads import Csv, Taken, Xlsx, now, resource
from merchants.models import Batch
from merchants.paging import CappedPaginator


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Rows that only programs write."""

    paginator = CappedPaginator
    show_full_result_count = False  # counting a million rows would cost more than showing a page of them

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class FactImportForm(ImportForm):  # type: ignore[misc]  # the library has no types
    """The library's, with a script of our own: its own sets styles that our policy forbids."""

    @property
    def media(self) -> forms.Media:
        return forms.Media(js=["merchants/guess.js"])


class FactAdmin(ImportExportMixin, ReadOnlyAdmin):  # type: ignore[misc]  # the library has no types
    """What it lists, searches and filters follows from the definition of the file."""

    formats = (Csv, Xlsx)
    import_form_class = FactImportForm
    export_form_class = ExportForm
    skip_admin_log = True  # the library would log each row; one entry names the import
    list_per_page = 50

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
        return _download(papers.template(self._file), Xlsx.content_type, f"{self._file.name}.xlsx")

    @property
    def _file(self) -> FactFile:
        [resource_class] = self.resource_classes
        file: FactFile = resource_class.file
        return file

    def _rejected(self, request: HttpRequest) -> HttpResponse:
        """The rejected rows of an upload, with what is wrong beside them; nothing is taken."""
        upload = cast("UploadedFile[Any]", request.FILES["import_file"])
        name = str(upload.name)
        with tempfile.NamedTemporaryFile(suffix=Path(name).suffix) as copy:
            copy.writelines(upload.chunks())
            copy.flush()
            zone = ZoneInfo(settings.TIME_ZONE)
            found = papers.rejected(self._file, Path(copy.name), zone=zone, now=now(), name=name)
        return _download(found, Csv.content_type, f"{self._file.name}-rejected.csv")

    def import_action(self, request: HttpRequest, **options: Any) -> HttpResponse:
        if "rejected" in request.POST and "import_file" in request.FILES and self.has_import_permission(request):
            return self._rejected(request)
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
            self.log_addition(request, Batch.objects.get(pk=result.outcome.batch), _summary(result.outcome))
            return super().process_result(result, request)  # type: ignore[no-any-return]
        for complaint in result.complaints:
            messages.error(request, str(complaint))
        return redirect("admin:{}_{}_import".format(*self.get_model_info()))

    def add_success_message(self, result: Taken, request: HttpRequest) -> None:
        messages.success(request, _summary(result.outcome))


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _summary(outcome: Outcome) -> str:
    counts = {"name": outcome.name, "added": outcome.added, "changed": outcome.changed}
    counts |= {"unchanged": outcome.unchanged, "future": outcome.future}
    return _("%(name)s: %(added)d new, %(changed)d changed, %(unchanged)d unchanged, %(future)d in the future") % counts


def _field(file: FactFile, attname: str) -> "models.Field[Any, Any]":
    return next(field for field in file.model._meta.concrete_fields if field.attname == attname)


def _is_text(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.CharField | models.ForeignKey) and not field.choices


def register(*files: FactFile) -> None:
    """Put a desk for each of `files` into the admin."""
    for file in files:
        desk = type(f"{file.model.__name__}Admin", (FactAdmin,), _layout(file))
        admin.site.register(file.model, desk)


def _layout(file: FactFile) -> dict[str, Any]:
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
