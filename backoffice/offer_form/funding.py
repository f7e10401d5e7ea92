"""Payers of an offer as form rows, in the order in which they stand: the first one pays the odd cents."""

from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.forms import ABSENT, SectionForm, or_missing
from backoffice.offer_form.inputs import NumberField, SelectField
from backoffice.offer_form.rows import RowFormSet
from definitions.funding import PAYERS


class PayerForm(SectionForm):
    """One payer, and its parts of every amount."""

    by = SelectField(label=_("Paid by"), required=False)
    number = NumberField(label=_("Parts"), required=False, whole=True, least=1)
    empty_texts = {"number": _("Enter a number, or remove this payer.")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_choices("by", [(name, capfirst(str(label))) for name, label in PAYERS.items()])

    def to_row(self) -> tuple[str, Any]:
        """Return the payer with its parts."""
        return self.written("by") or next(iter(PAYERS)), or_missing(self.written("number"))


class PayerFormSet(RowFormSet):
    """Payers of one offer."""

    form = PayerForm
    first_names = ("number",)
    key_name = "by"

    def to_offer(self) -> dict[str, Any]:
        """Return the words of this section."""
        return {"funded_by": dict(self.write()) or ABSENT}

    def form_of(self, payer: str) -> SectionForm | None:
        """Return the row of a payer."""
        return next((form for form in self.active_forms if form.text_of("by") == payer), None)


def initial_funding(shares: Any) -> list[dict[str, Any]]:
    """Return the initial values of the payers, which a text lists as a mapping, or as stored terms do."""
    if isinstance(shares, dict):
        return [{"by": payer, "number": parts} for payer, parts in shares.items()]
    return [{"by": part["by"], "number": part["parts"]} for part in shares or ()]
