"""Conditions as rows that read as sentences: one form for each, a formset for each list of them."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form import condition_rows as words
from backoffice.offer_form.condition_choices import flat
from backoffice.offer_form.condition_inputs import ConditionInputs
from backoffice.offer_form.condition_lines import sentence
from backoffice.offer_form.condition_rows import BOUNDS, COUNT_PREFIX
from backoffice.offer_form.condition_writing import condition_row
from backoffice.offer_form.context import CampaignContext, FieldProblem, Message, Part
from backoffice.offer_form.forms import FieldRow, SectionForm
from backoffice.offer_form.rows import RowFormSet
from backoffice.offer_form.times import TimeForm, elsewhere, initial_time
from core.facts import COLLECTIONS, Collection
from definitions import yaml_roundtrip
from definitions.errors import DefinitionError

COUNTERPARTS = {"text": "values", "values": "text"}


class ConditionForm(ConditionInputs):
    """One condition, with its dates and the conditions inside it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._add_parts()

    def visible_parts(self) -> list[str]:
        match self.kind:
            case "count" | "any":
                return ["rows"]
            case "comparison" if self.text_of("op") in BOUNDS and self._is_custom("other"):
                return ["time"]
            case "comparison" if self.text_of("op") == "within" and self._is_custom("window"):
                return ["start", "end"]
        return []

    def _add_parts(self) -> None:
        data = self.data if self.is_bound else None
        for name, label, is_end in (
            ("start", _("Start"), False),
            ("end", _("End"), True),
            ("time", _("Date and time"), self.text_of("op") == "by"),
        ):
            self.parts[name] = TimeForm(
                data,
                prefix=f"{self.prefix}-{name}",
                campaign=self.campaign,
                label=label,
                is_end=is_end,
                optional=name == "time" and self.text_of("op") == "not_before",
                initial=self.initial.get(name),
            )
        if self.kind in ("count", "any"):
            self.parts["rows"] = self._nested_rows(data)

    def _nested_rows(self, data: Any) -> "ConditionFormSet":
        is_count = self.kind == "count"
        counted = self.campaign.rows(COLLECTIONS.get(self.fact_name.removeprefix(COUNT_PREFIX), self.collection))
        return condition_formset(
            f"{self.prefix}-rows",
            data,
            [] if self.is_bound else self.initial.get("rows") or [],
            campaign=self.campaign,
            collection=counted if is_count else self.collection,
            depth=self.depth + 1,
            simple=is_count,
        )

    def hints_at(self, name: str) -> list[Message]:
        """Return a known value that is nearly the one that was typed."""
        if name not in ("text", "values") or self.kind != "comparison" or self.known_values.closed:
            return []
        typed = self.value_of(name)
        found = []
        for value in typed if isinstance(typed, list) else [typed]:
            near = self.known_values.nearest(value)
            if near:
                text = gettext("No known %(field)s “%(value)s”.") % {"field": self.known_fact.label, "value": value}
                use = "|".join((self.add_prefix(name), value, near))
                found.append(Message(text, self.known_values.name_of(near), use))
        return found

    def messages(self) -> list[Message]:
        """Return the messages of the row and of its dates."""
        parts = [self.parts[name] for name in self.visible_parts() if name != "rows"]
        own = [message for part in parts if isinstance(part, SectionForm) for message in part.messages()]
        return [*super().messages(), *own, *(hint for name in self.visible_names() for hint in self.hints_at(name))]

    @property
    def times(self) -> list[TimeForm]:
        """Return the dates that apply."""
        return [part for name in self.visible_parts() if isinstance(part := self.parts[name], TimeForm)]

    @property
    def clock_hint(self) -> str:
        """Return the clock of the dates, and the same times on the other one."""
        if any(time.text_of("at") for time in self.times):
            return elsewhere(*self.times)
        if self.kind == "comparison" and self.text_of("op") == "within" and not self.times:
            return self._named_window()
        return str(_("Empty: the instant of the claim")) if self.text_of("op") == "not_before" and self.times else ""

    def _named_window(self) -> str:
        """Return the dates of the shared window that is chosen."""
        window = self.campaign.windows.get(self.text_of("window"))
        if not isinstance(window, dict):
            return ""
        times = [
            TimeForm(
                campaign=self.campaign,
                label="",
                is_end=word == "to",
                initial=initial_time(window.get(word), self.campaign.zone, is_end=word == "to"),
            )
            for word in ("from", "to")
        ]
        return elsewhere(*times, own=True)

    @property
    def nested(self) -> Part | None:
        """Return the conditions of a group or of the rows that are counted."""
        return self.parts["rows"] if "rows" in self.visible_parts() else None

    @property
    def is_group(self) -> bool:
        return self.kind == "any"

    @property
    def option_rows(self) -> list[FieldRow]:
        """Return the fields that are seldom needed."""
        return [FieldRow(self, name) for name in self.visible_names() if name in ("code", "at_fact")]

    @property
    def title(self) -> str:
        """Return the name of the field that is chosen."""
        return capfirst(str(dict(flat(self.fields["fact"].widget.choices)).get(self.fact_name, "")))

    def problems(self) -> Iterator[FieldProblem]:
        """Yield the errors, named after the field that is chosen."""
        for problem in super().problems():
            yield FieldProblem(problem.id, self.title or problem.label, problem.message)

    def unused_values(self) -> str:
        """Return what was typed for another field or condition and does not apply any more."""
        visible, unused = self.visible_names(), []
        for name in ("text", "number", "values", "of"):
            value = self.value_of(name)
            if value and name not in visible and COUNTERPARTS.get(name) not in visible:
                unused.append(value if isinstance(value, str) else ", ".join(map(str, value)))
        for name in ("start", "end", "time"):
            part = self.parts[name]
            if name not in self.visible_parts() and isinstance(part, TimeForm) and part.text_of("at"):
                unused.append(part.local)
        return ", ".join(unused)

    def clean_raw(self) -> str:
        text: str = (self.cleaned_data.get("raw") or "").replace("\r\n", "\n")
        try:
            if text:
                yaml_roundtrip.load(text)
        except DefinitionError as error:
            raise forms.ValidationError([problem.message for problem in error.problems]) from error
        return text

    def clean(self) -> dict[str, Any]:
        super().clean()
        start, end = self.parts["start"], self.parts["end"]
        if "end" in self.visible_parts() and isinstance(start, TimeForm) and isinstance(end, TimeForm):
            first, last = start.instant(), end.instant()
            if first and last and first >= last:
                self.add_error(None, gettext("The end must be after the start."))
        return self.cleaned_data

    def to_row(self) -> Any:
        """Return the condition for the definition; None stands for a value that is still missing."""
        return condition_row(self)

    def line(self) -> list[SafeString]:
        """Return the inputs and words of the row in the order of its sentence."""
        return sentence(self)


class ConditionFormSet(RowFormSet):
    """Conditions of one list."""

    form = ConditionForm
    first_names = ("fact", "raw")


def condition_formset(
    prefix: str, data: Any, rows: object, *, campaign: CampaignContext, collection: Collection, **options: Any
) -> ConditionFormSet:
    """Return the formset of a list of conditions; anything but a list, such as `everyone`, is no row."""
    saved = rows if isinstance(rows, list) else []
    return ConditionFormSet(
        data,
        prefix=prefix,
        initial=[words.initial_condition(row, collection, campaign.zone) for row in saved],
        form_kwargs={"campaign": campaign, "collection": collection, **options},
    )
