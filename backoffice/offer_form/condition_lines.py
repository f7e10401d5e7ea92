"""A row of conditions as a sentence: its inputs with the words between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.offer_form.forms import SectionForm

if TYPE_CHECKING:
    from backoffice.offer_form.conditions import ConditionForm


def word(text: object) -> SafeString:
    """Return a word between two inputs."""
    return format_html('<span class="rule-word">{}</span>', text)


def sentence(form: ConditionForm) -> list[SafeString]:
    """Return the inputs and words of a row in the order of its sentence."""
    if form.kind == "raw":
        return [form.cell("raw")]
    fact = form.cell("fact", "select fact")
    match form.kind:
        case "empty":
            return [fact]
        case "state":
            return [fact, form.cell("force"), form.cell("of"), word(_("in force")), *_at_fact(form)]
        case "count":
            number = [form.cell("number", "input input-num short")] if "number" in form.visible_names() else []
            return [fact, form.cell("bound"), *number, word(_("that meet all of:"))]
        case "any":
            return [fact]
    return [fact, form.cell("op"), *_operand(form)]


def _at_fact(form: ConditionForm) -> list[SafeString]:
    return [word(_("when")), form.cell("at_fact")] if form.text_of("at_fact") else []


def _operand(form: ConditionForm) -> list[SafeString]:
    names = [name for name in form.visible_names() if name not in ("fact", "op", "code")]
    shown = [with_unit(form, name) if name == "number" else form.cell(name) for name in names]
    for name in form.visible_parts():
        part = form.parts[name]
        if isinstance(part, SectionForm):
            shown += [word(_("and"))] if name == "end" else []
            shown.append(part.cell("at", "input when"))
    return shown


def with_unit(form: ConditionForm, name: str) -> SafeString:
    """Return a number with its unit, where it has one."""
    unit = _("hours") if form.text_of("op") == "within_hours" else form.known_fact.currency
    box = form.cell(name, "input short")
    if not unit:
        return box
    return format_html('<span class="with-unit">{}<span class="unit">{}</span></span>', box, unit)
