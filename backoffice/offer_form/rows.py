"""Formset for a list of the definition, such as conditions or tiers."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.forms.renderers import get_default_renderer
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.context import FieldProblem
from backoffice.offer_form.forms import SectionForm

MOST_ROWS = 60


class RowFormSet(forms.BaseFormSet):  # type: ignore[type-arg]  # generic in the stubs only
    """Rows of the definition as forms, and one empty form for another row.

    The last row that was sent is filled in where it was the empty one, so that another empty one follows it.
    """

    form: type[SectionForm]
    renderer = get_default_renderer()
    deletion_widget = forms.CheckboxInput
    extra, min_num, max_num, absolute_max = 1, 0, MOST_ROWS, MOST_ROWS
    can_order, can_delete, can_delete_extra = False, True, True
    validate_min = validate_max = False
    first_names: Sequence[str] = ("fact",)
    """Fields of which one is filled in where a row is."""
    key_name = ""
    """Field that no two rows may have in common."""

    def __init__(self, data: Any, *, prefix: str, initial: Sequence[Any], form_kwargs: dict[str, Any]) -> None:
        self.written: list[SectionForm] = []
        total = f"{prefix}-TOTAL_FORMS"
        sent = data if data is not None and total in data else None
        extended = sent if sent is None else self._with_empty_row(sent, prefix, sent.get(total, ""))
        super().__init__(extended, prefix=prefix, initial=list(initial), form_kwargs=form_kwargs)

    def _with_empty_row(self, data: Any, prefix: str, total: str) -> Any:
        last = int(total) - 1 if total.isascii() and total.isdecimal() and len(total) < 4 else None
        if last is None or (last >= 0 and not any(data.get(f"{prefix}-{last}-{name}") for name in self.first_names)):
            return data
        extended = data.copy()
        extended[f"{prefix}-TOTAL_FORMS"] = str(last + 2)
        return extended

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove")

    def is_filled(self, form: SectionForm) -> bool:
        """Return whether a form makes a row."""
        return any(form.text_of(name) for name in self.first_names)

    @property
    def active_forms(self) -> list[Any]:
        """Return the forms that make a row."""
        return [form for form in self.forms if not form.value_of("DELETE") and self.is_filled(form)]

    def _refuse_repeated(self, forms: Sequence[SectionForm]) -> None:
        """Show an error at each row whose key an earlier row has: the definition has a key once."""
        seen: set[str] = set()
        for form in forms:
            key = form.text_of(self.key_name)
            if key in seen and not form.errors.get(self.key_name):
                form.add_error(self.key_name, gettext("Another row has this already."))
            seen.add(key)

    def is_valid(self) -> bool:
        """Return whether every row is complete and right; an unsent formset is as it was saved."""
        active = self.active_forms
        if self.key_name and self.is_bound:
            self._refuse_repeated(active)
        valid = [form.is_valid() for form in active]
        return not self.is_bound or all(valid)

    @property
    def missing(self) -> int:
        """Return the number of missing values in all rows."""
        return sum(form.missing for form in self.active_forms)

    def problems(self) -> Iterator[FieldProblem]:
        """Yield the errors of the rows."""
        for form in self.active_forms:
            yield from form.problems()

    def hidden_values(self) -> Iterator[SafeString]:
        """Yield nothing: each row on the page has its own hidden inputs."""
        yield from ()

    def all_hidden(self) -> Iterator[SafeString]:
        """Yield hidden inputs with all rows."""
        if self.active_forms:
            yield self.management_form.render()
            for form in self.active_forms:
                yield from form.all_hidden()

    def write(self) -> list[Any]:
        """Return the rows for the definition, and note the form of each."""
        self.written = self.active_forms
        return [form.to_row() for form in self.written]

    def shown_forms(self) -> Iterator[tuple[Any, bool]]:
        """Yield the forms on the page, each with whether it is the empty one."""
        for form in self.forms:
            if not form.value_of("DELETE"):
                yield form, not self.is_filled(form)

    def removed_forms(self) -> Iterator[SafeString]:
        """Yield the marks of the rows that were removed, so that the others keep their numbers."""
        for form in self.forms:
            if form.value_of("DELETE"):
                yield form["DELETE"].as_hidden()

    def form_of_row(self, number: int) -> SectionForm | None:
        """Return the form of a row of the definition."""
        rows = self.written or self.active_forms
        return rows[number] if number < len(rows) else None
