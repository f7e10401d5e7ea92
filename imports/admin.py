"""Admin of facts: list, upload and export, but no editing by hand. Every registered file schema gets its page."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.admin import ExportMixin
from import_export.forms import ExportForm

from core import clock, search
from core.admin import ReadOnlyAdmin
from core.lists.admin import ListAdmin
from core.lists.export import check_number
from core.lists.filters import DateRange
from imports import registry, upload_jobs
from imports.export_resource import Csv, Xlsx, export_resource
from imports.mapping_loader import load_mapping
from imports.mapping_text import MappingError
from imports.models import ImportBatch, StoredMapping
from imports.schema import FileSchema
from imports.text_format import ENCODINGS
from imports.upload_admin import file_response, run_job, signed_in
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

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **options: Any) -> Any:
        """Return the file. Raises TooManyRowsError, which the page shows: the file is made in memory."""
        check_number(queryset)
        return super().get_export_data(file_format, request, queryset, **options)

    def get_valid_export_item_pks(self, request: HttpRequest) -> Sequence[object]:  # noqa: ARG002  # of the library
        """Return no keys: there is no export of selected rows, and the library would read every key of the table."""
        return ()

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
        return file_response(workbook_template(self.schema), f"{self.schema.name}.xlsx")


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
