"""Formset for a list of the definition, such as conditions or tiers."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms.renderers import get_default_renderer
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.fields import SectionForm


class RowFormSet(forms.BaseFormSet):  # type: ignore[type-arg]  # generic in the stubs only
    """Rows of the definition as forms, and one empty form for another row. `rows` are those of the saved text."""

    form: type[SectionForm]
    renderer = get_default_renderer()
    deletion_widget = forms.CheckboxInput
    extra, min_num, max_num, absolute_max = 1, 0, 100, 200
    can_order, can_delete, can_delete_extra = False, True, True
    validate_min = validate_max = False

    def __init__(self, *args: Any, rows: Sequence[Any], **options: Any) -> None:
        self.rows = rows
        self.written: list[SectionForm] = []
        super().__init__(*args, **options)

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove")

    def filled_forms(self) -> list[tuple[Any, Any]]:
        """Return each form that makes a row, with the saved row that it edits (None for a new one)."""
        filled = []
        for n, form in enumerate(self.forms):
            saved = self.rows[n] if n < len(self.rows) and n < self.initial_form_count() else None
            if not form.cleaned_data.get("DELETE") and (saved is not None or form.has_changed()):
                filled.append((form, saved))
        self.written = [form for form, _saved in filled]
        return filled
