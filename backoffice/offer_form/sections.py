"""Sections of an offer: basics, claim, quota; and rows of names."""

from typing import Any

from django import forms
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.condition_rows import CUSTOM
from backoffice.offer_form.conditions import condition_formset
from backoffice.offer_form.document import CODE, free_code
from backoffice.offer_form.forms import ABSENT, SectionForm, instants, or_missing
from backoffice.offer_form.inputs import Choices, NumberField, SelectField
from backoffice.offer_form.moments import MomentForm, initial_moment
from backoffice.offer_form.quota import loaded, one_line
from backoffice.offer_form.rows import RowFormSet
from backoffice.offer_form.times import TimeForm, initial_time
from core.facts import COLLECTIONS, SUBJECTS, Collection, countable
from merchants.facts import MERCHANTS
from trade.facts import TRADE_ORDERS

NTH, THRESHOLD = "|nth", "|over_threshold"
NO_MOMENT = dict.fromkeys(("at", "each", "during"), ABSENT)


class BasicsForm(SectionForm):
    """Names of the offer, its code, and the kind of row that it benefits."""

    names_en = forms.CharField(label=_("Name in English"), required=False, max_length=200)
    names_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)
    code = forms.RegexField(
        CODE, label=_("Code"), required=False, error_messages={"invalid": _("Use letters a to z, digits and hyphens.")}
    )
    subject = SelectField(label=_("Applies to each"), required=False)
    empty_texts = {"names_en": _("Enter a name."), "names_zh": _("Enter a name."), "code": _("Enter a code.")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        subjects: Choices = [(name, capfirst(str(collection.singular))) for name, collection in SUBJECTS.items()]
        self.set_choices("subject", subjects)
        code, published = self.fields["code"], self.campaign.is_published
        code.help_text = _("Used in files and the API. Fixed once launched.")
        code.widget.attrs |= {"readonly": True} if published else {}
        self.fields["names_en"].widget.attrs["lang"] = "en"
        self.fields["names_zh"].widget.attrs["lang"] = "zh-Hans"

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not self.campaign.is_published and code in self.campaign.other_codes:
            raise forms.ValidationError(gettext("Another offer of this draft has this code."))
        return code

    def offer_code(self) -> str:
        """Return the code: the typed one, or one made of the English name while it still follows from that name.

        The saved one stays while the typed one has an error, because the page of the offer is found by it.
        """
        saved, typed = str(self.initial.get("code") or ""), str(self.written("code") or "")
        if self.campaign.is_published or self.errors.get("code"):
            return saved
        named = self._code_of(str(self.initial.get("names_en") or ""))
        follows = typed == saved and (saved == named or saved.startswith("new-"))
        return (self._code_of(str(self.written("names_en"))) if follows else typed) or saved

    def _code_of(self, name: str) -> str:
        """Return the code that follows from a name; empty where it has no letter or digit of a code."""
        code = slugify(name)[:64].strip("-_").replace("_", "-")
        return free_code(self.campaign.other_codes, code) if code else ""

    def to_offer(self) -> dict[str, Any]:
        """Return the words of this section."""
        names = {"en": or_missing(self.written("names_en")), "zh": or_missing(self.written("names_zh"))}
        return {"code": self.offer_code(), "names": names, "subject": self.written("subject")}


class ClaimForm(MomentForm):
    """Claim: a moment of each row, a merchant's n-th row, or each order after a threshold; and when it is decided."""

    number = NumberField(label=_("Number of the row that claims"), required=False, whole=True, least=1)
    of = SelectField(label=_("Rows that count"), required=False)
    nth_at = SelectField(label=_("Counted when it was"), required=False)
    height = NumberField(label=_("Receipts to be reached"), required=False)
    window = SelectField(label=_("Receipts booked in"), required=False)
    each = forms.CharField(label=_("Each (period as YAML)"), required=False, max_length=2000)
    during = forms.CharField(label=_("During"), required=False, max_length=2000)
    settling_hours = NumberField(label=_("Wait for late data (optional)"), required=False, whole=True, least=0)
    units = {"settling_hours": _("hours"), "height": "USD"}
    empty_texts = {
        **MomentForm.empty_texts,
        "number": _("Enter a number."),
        "nth_at": _("Choose when."),
        "each": _("Enter a period, for example month."),
        "height": _("Enter an amount, for example 40000.00."),
    }

    def __init__(self, *args: Any, collection: Collection, **options: Any) -> None:
        of: dict[str, Choices] = {
            MERCHANTS.subject: [(NTH, _("a merchant's n-th row"))],
            TRADE_ORDERS.subject: [(THRESHOLD, _("an order after receipts reached an amount"))],
        }
        label = _("Claimed when it was")
        super().__init__(*args, collection=collection, label=label, first=None, optional=False, **options)
        special = of.get(collection.subject, [])
        known = [choice for choice in self.fields["kind"].widget.choices if choice[0] != choice[1]]
        self.set_choices("kind", [*known, *special])
        self._set_claim_choices()
        self._add_claim_parts()

    def _set_claim_choices(self) -> None:
        counted = self.campaign.rows(COLLECTIONS.get(self.text_of("of")) or next(iter(countable().values())))
        windows: Choices = [(CUSTOM, _("these dates")), *((name, name) for name in self.campaign.windows)]
        choices: dict[str, Choices] = {
            "of": [(name, capfirst(str(rows.label))) for name, rows in countable().items()],
            "nth_at": [("", "–"), *instants(counted.facts.values())],
            "window": windows,
        }
        for name, offered in choices.items():
            self.set_choices(name, offered)
        self.counted = counted

    def _add_claim_parts(self) -> None:
        data = self.data if self.is_bound else None
        for name, label, is_end in (("start", _("Receipts from"), False), ("end", _("Receipts until"), True)):
            self.parts[name] = TimeForm(
                data,
                prefix=f"{self.prefix}-{name}",
                campaign=self.campaign,
                label=label,
                is_end=is_end,
                initial=self.initial.get(name),
            )
        self.parts["decided"] = TimeForm(
            data,
            prefix=f"{self.prefix}-decided",
            campaign=self.campaign,
            label=_("Decided not before (optional)"),
            optional=True,
            initial=self.initial.get("decided"),
        )
        if self.kind_name in (NTH, THRESHOLD):
            self.parts["rows"] = condition_formset(
                f"{self.prefix}-rows",
                data,
                self.initial.get("rows") or [],
                campaign=self.campaign,
                collection=self.counted if self.kind_name == NTH else self.collection,
                simple=True,
            )

    @property
    def times(self) -> list[Any]:
        """Return the dates that apply."""
        return [part for name in self.visible_parts() if isinstance(part := self.parts[name], TimeForm)]

    @property
    def nested(self) -> Any:
        """Return the conditions of the rows that count, or of the orders whose receipts do."""
        return self.parts.get("rows")

    @property
    def nested_title(self) -> Any:
        return _("Rows that count") if self.kind_name == NTH else _("Orders whose receipts count")

    def visible_names(self) -> list[str]:
        if self.kind_name == NTH:
            return ["kind", "number", "of", "nth_at", "settling_hours"]
        if self.kind_name == THRESHOLD:
            return ["kind", "height", *(["window"] if self.campaign.windows else []), "settling_hours"]
        recurring = ["each", "during"] if self.collection.bounds else []
        return [*super().visible_names(), *recurring, "settling_hours"]

    def visible_parts(self) -> list[str]:
        own = self.kind_name == THRESHOLD and self.text_of("window") in ("", CUSTOM)
        hidden = set() if own else {"start", "end"}
        return [name for name in self.parts if name not in hidden]

    def to_offer(self) -> dict[str, Any]:
        """Return the words of this section."""
        decided = self.parts["decided"]
        at = decided.bound() if isinstance(decided, TimeForm) else ABSENT
        return {"claim": self._claim(), "decided_at": at, "settling_hours": self.written("settling_hours")}

    def _claim(self) -> dict[str, Any]:
        rows = self.parts.get("rows")
        where = rows.write() if isinstance(rows, RowFormSet) else []
        if self.kind_name == NTH:
            first = {"number": or_missing(self.written("number")), "of": self.written("of") or self.counted.name}
            nth = {**first, "at": or_missing(self.written("nth_at")), "where": where or None}
            return {**NO_MOMENT, "nth": nth, "over_threshold": ABSENT}
        if self.kind_name == THRESHOLD:
            height = {"height": or_missing(self.written("height")), "window": self._window(), "where": where or None}
            return {**NO_MOMENT, "over_threshold": height, "nth": ABSENT}
        words = {**NO_MOMENT, "at": self.moment(), "nth": ABSENT, "over_threshold": ABSENT}
        if self.collection.bounds is not None:
            each, during = (loaded(self.text_of(name)) for name in ("each", "during"))
            words |= {"each": each or None, "during": during or ABSENT}
        return words

    def _window(self) -> Any:
        if "start" not in self.visible_parts():
            return self.written("window")
        ends = {"from": self.parts["start"], "to": self.parts["end"]}
        return {word: (part.bound() or None) if isinstance(part, TimeForm) else None for word, part in ends.items()}


class NamesForm(SectionForm):
    """Name in both languages, such as that of a carrier."""

    en = forms.CharField(label=_("Name in English"), required=False, max_length=200)
    zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)
    empty_texts = {"en": _("Enter a name."), "zh": _("Enter a name.")}

    def to_row(self) -> dict[str, Any]:
        """Return the names for the definition."""
        return {"en": or_missing(self.written("en")), "zh": or_missing(self.written("zh"))}


class NamesFormSet(RowFormSet):
    """Names of several, such as the carriers of an offer."""

    form = NamesForm
    first_names = ("en", "zh")


def initial_basics(offer: Any) -> dict[str, Any]:
    """Return the initial values of the names, the code and the subject."""
    names = offer.get("names") or {}
    basics = {"names_en": names.get("en"), "names_zh": names.get("zh")}
    return {**basics, "code": offer.get("code"), "subject": offer.get("subject")}


def initial_claim(offer: Any, zone: str) -> dict[str, Any]:
    """Return the initial values of the claim and its decision."""
    claim = offer.get("claim") or {}
    shared = {"decided": initial_time(offer.get("decided_at"), zone), "settling_hours": offer.get("settling_hours")}
    if "nth" in claim:
        nth = claim["nth"] or {}
        words = {"number": nth.get("number"), "of": nth.get("of"), "nth_at": nth.get("at")}
        return {**shared, **words, "kind": NTH, "rows": list(nth.get("where") or ())}
    if "over_threshold" in claim:
        over = claim["over_threshold"] or {}
        window = over.get("window")
        ends = window if isinstance(window, dict) else {}
        start, end = initial_time(ends.get("from"), zone), initial_time(ends.get("to"), zone, is_end=True)
        words = {"height": over.get("height"), "window": window if isinstance(window, str) else CUSTOM}
        rows = list(over.get("where") or ())
        return {**shared, **words, "kind": THRESHOLD, "start": start, "end": end, "rows": rows}
    recurring = {name: one_line(claim[name]) for name in ("each", "during") if claim.get(name)}
    return {**shared, **recurring, **initial_moment(claim.get("at"))}
