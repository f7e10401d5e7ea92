"""Admin of facts: list, upload and export, but no editing by hand. Every registered file schema gets its page."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from celery import current_app
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.admin import ExportMixin
from import_export.forms import ExportForm

from core import clock, search
from core.admin import ReadOnlyAdmin
from core.formatting import city_name
from core.lists.admin import ListAdmin
from core.lists.filters import DateRange
from core.spreadsheets import CONTENT_TYPES
from imports import registry, upload_jobs
from imports.export_resource import Csv, Xlsx, export_resource
from imports.mapping_loader import load_mapping
from imports.mapping_text import MappingError
from imports.models import ImportBatch, StoredMapping, Upload
from imports.schema import FileSchema
from imports.text_format import ENCODINGS
from imports.workbook_template import workbook_template

MOST_COLUMNS = 7
"""Columns that fit a page; the others can be chosen."""


def uploads(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view accept the body of a request that holds a file; others are smaller (`config.body_limits`)."""
    view.max_body = upload_jobs.MAX_SIZE + 1_000_000  # type: ignore[attr-defined]  # read by the middleware
    return view


class UploadForm(forms.Form):
    """A file to check, small enough for an upload."""

    file = forms.FileField(label=gettext_lazy("File"))
    mapping = forms.ModelChoiceField(
        StoredMapping.objects.none(),
        label=gettext_lazy("Column mapping"),
        required=False,
        empty_label=gettext_lazy("none: the file has the columns of the template"),
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        required=False,
        choices=[("", gettext_lazy("found in the file")), *((name, name) for name in ENCODINGS)],
    )

    def __init__(self, schema: FileSchema, *data: Any) -> None:
        super().__init__(*data)
        mappings = cast("forms.ModelChoiceField[StoredMapping]", self.fields["mapping"])
        mappings.queryset = StoredMapping.objects.filter(kind=schema.name).order_by("name")

    def clean_file(self) -> "UploadedFile[Any]":
        file = cast("UploadedFile[Any]", self.cleaned_data["file"])
        if (file.size or 0) > upload_jobs.MAX_SIZE:
            text = _("The file has more than %(n)d megabytes. Split it, or use manage.py import_facts.")
            raise forms.ValidationError(text % {"n": upload_jobs.MAX_SIZE // 1_000_000})
        return file


class FactAdmin(ExportMixin, ReadOnlyAdmin):  # type: ignore[misc]  # the library has no types
    """Records of one file schema. Columns, filters and search follow from the schema."""

    schema: ClassVar[FileSchema]
    formats = (Csv, Xlsx)
    export_form_class = ExportForm
    import_export_change_list_template = "admin/imports/fact_list.html"
    can_export = False  # its own export can be imported again

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.schema.import_permission)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        name = "{}_{}".format(*self.get_model_info())
        wrap = self.admin_site.admin_view
        return [
            path("import/", wrap(self.upload_view), name=f"{name}_import"),
            path("template/", wrap(self.template_view), name=f"{name}_template"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "has_import_permission": self.has_import_permission(request)}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    @uploads
    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Store an uploaded file and check it, at once if it is small; the page of the upload shows the preview."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        data = (request.POST, request.FILES) if request.method == "POST" else ()
        form = UploadForm(self.schema, *data)
        if form.is_valid():
            file, mapping = form.cleaned_data["file"], form.cleaned_data["mapping"]
            upload = upload_jobs.create(
                self.schema,
                str(file.name),
                file.read(),
                in_background="background" in request.POST,
                mapping=mapping.text if mapping else "",
                encoding=form.cleaned_data["encoding"],
                at=clock.real(),
                by=signed_in(request),
            )
            run_job(upload)
            return redirect("admin:imports_upload_change", upload.pk)
        page = {**self.admin_site.each_context(request), "title": _("Import"), "form": form, "opts": self.opts}
        return render(request, "admin/imports/upload_form.html", page)

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """Send an empty workbook to fill in."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        return _download(workbook_template(self.schema), f"{self.schema.name}.xlsx")


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
            "columns": [column.name for column in schema.columns],
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
        return _download(bytes(upload.rejected_rows), f"{upload.kind}-rejected.csv")


class MappingForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A mapping, with every problem of its text."""

    class Meta:
        model = StoredMapping
        fields = ("name", "text")
        widgets = {"text": forms.Textarea(attrs={"rows": 24, "cols": 100, "spellcheck": "false"})}

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"])
        try:
            self.instance.kind = load_mapping(text).schema.name
        except MappingError as error:
            raise forms.ValidationError(error.problems) from error
        return text


@admin.register(StoredMapping)
class StoredMappingAdmin(ListAdmin):
    """Column mappings by name, for the files of other systems."""

    form = MappingForm
    list_display = ("name", "kind", "saved_by", "saved_at")
    list_filter = ("kind",)
    ordering = ("name",)

    def save_model(self, request: HttpRequest, obj: StoredMapping, form: object, change: bool) -> None:
        obj.saved_by, obj.saved_at = signed_in(request).get_username(), clock.real()
        super().save_model(request, obj, form, change)


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    """Imports, the latest first."""

    list_display = ("source", "recorded_at", "rows", "added", "changed", "future", "processed", "digest")
    list_filter = ("processed", "recorded_at")
    search_codes = ("digest",)
    search_texts = ("source",)
    ordering = ("-pk",)


def signed_in(request: HttpRequest) -> AbstractBaseUser:
    """Return the user of a request that the admin has let in."""
    return cast("AbstractBaseUser", request.user)


def _is_uploader(request: HttpRequest, upload: Upload) -> bool:
    """Return whether the user uploaded the file, and may still import its facts."""
    schema = registry.find_schema(upload.kind)
    return upload.uploader_id == request.user.pk and request.user.has_perm(schema.import_permission)


def run_job(upload: Upload) -> None:
    """Run the next step of an upload: within this request, or by a worker if it is in the background."""
    if upload.in_background:
        transaction.on_commit(lambda: call_worker(upload))
    else:
        upload_jobs.run(upload, now=clock.now(), clock=clock.real)


def call_worker(upload: Upload) -> None:
    """Send an upload to a worker. The sweep repeats messages that were lost."""
    current_app.send_task("imports.tasks.work_on_upload", [upload.pk])


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=CONTENT_TYPES[name.rpartition(".")[2]])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _fact_admin(schema: FileSchema) -> type[FactAdmin]:
    """Return the admin class of a schema. Records are searched by their codes, and by named records they refer to."""
    fields = [schema.field(column) for column in schema.columns]
    codes = [schema.field(column) for column in dict.fromkeys([*schema.key_columns, *schema.references])]
    options = {
        "schema": schema,
        "resource_classes": [export_resource(schema)],
        "list_display": [field.name for field in fields[:MOST_COLUMNS]],
        "more_columns": [*(field.name for field in fields[MOST_COLUMNS:]), "batch"],
        "list_select_related": [field.name for field in fields if field.is_relation],
        "list_filter": [
            *(field.name for field in fields if field.choices or isinstance(field, models.BooleanField)),
            *((field.name, DateRange) for field in fields if isinstance(field, models.DateTimeField)),
        ],
        "search_codes": [_code_path(field) for field in codes if _is_text(field)],
        "search_related": [field.name for field in codes if _refers_to_named(field)],
    }
    return type(f"{schema.model.__name__}Admin", (FactAdmin,), options)


def _code_path(field: "models.Field[Any, Any]") -> str:
    return f"{field.name}__pk" if field.is_relation else field.name


def _refers_to_named(field: "models.Field[Any, Any]") -> bool:
    target = field.related_model
    return isinstance(target, type) and issubclass(target, models.Model) and search.is_named(target)


def _is_text(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.CharField | models.ForeignKey) and not field.choices


# The admin is loaded before the apps that register schemas are ready.
registry.autodiscover()
for _schema in registry.all_schemas():
    admin.site.register(_schema.model, _fact_admin(_schema))
