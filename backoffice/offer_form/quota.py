"""Quota of an offer as a form: the two limits of the short form, and a row for each further band."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.forms import ABSENT, SectionForm, or_missing
from backoffice.offer_form.inputs import Choices, NumberField, SelectField
from backoffice.offer_form.known_values import ValueCatalogue
from backoffice.offer_form.rows import RowFormSet
from core.facts import Collection
from definitions import yaml_roundtrip
from definitions.band_sentences import HOLDERS
from definitions.errors import DefinitionError
from definitions.quotas import ALL, MERCHANT, holders_of
from logistics.facts import FREIGHT_ORDERS
from rules.operators import AMOUNTS

OTHER = "other"
PERIODS: Choices = [
    ("", _("the whole offer")),
    ("day", _("a day")),
    ("week", _("a calendar week")),
    ("month", _("a calendar month")),
    ("year", _("a calendar year")),
]
UNITS = tuple(word for word, _label in PERIODS if word)
OF: Choices = [("grants", _("Number of grants")), ("amount", _("Amount of money"))]
LAST: Choices = [("", _("must fit whole")), ("partly", _("gets what is left"))]


class BandForm(SectionForm):
    """One band: what is limited, for whom, and in which period."""

    of = SelectField(label=_("Limit of"), required=False, widget=forms.Select(choices=OF))
    fact = SelectField(label=_("Limit"), required=False)
    at_most = NumberField(label=_("At most"), required=False)
    start = NumberField(
        label=_("From number"), required=False, whole=True, least=2, help_text=_("Empty: from the first one")
    )
    currency = SelectField(label=_("Currency"), required=False)
    per = SelectField(label=_("For"), required=False)
    period = SelectField(label=_("In"), required=False)
    zone = SelectField(label=_("Time zone"), required=False)
    other = forms.CharField(label=_("Period as YAML"), required=False, max_length=2000)
    last = SelectField(label=_("The last grant"), required=False, widget=forms.Select(choices=LAST))
    empty_texts = {
        "at_most": _("Enter a number, or remove this limit."),
        "currency": _("Choose a currency."),
        "other": _("Enter a period, for example {month_from: 5}."),
    }

    def __init__(self, *args: Any, collection: Collection, **options: Any) -> None:
        super().__init__(*args, **options)
        known = ValueCatalogue().of_fact(FREIGHT_ORDERS.facts["currency"], FREIGHT_ORDERS).names
        holders = [name for name in holders_of(collection) if name != MERCHANT]
        others = [(name, capfirst(str(HOLDERS.get(name, name)))) for name in holders]
        self.set_choices("currency", [("", "–"), *known.items()])
        self.set_choices("per", [(ALL, _("All together")), (MERCHANT, _("Each merchant")), *others])
        numbers = [fact for fact in collection.facts.values() if fact.kind in AMOUNTS and "." in fact.name]
        facts = [(fact.name, capfirst(str(fact.label))) for fact in numbers]
        self.set_choices("fact", [("", _("the number below")), *facts])
        windows = [(name, name) for name in self.campaign.windows]
        self.set_choices("period", [*PERIODS, *windows, (OTHER, _("another period"))])
        self.set_choices("zone", self.campaign.zones)

    @property
    def is_amount(self) -> bool:
        return self.text_of("of") == "amount"

    def may_be_empty(self, name: str) -> bool:
        """Return whether a field can be left empty: a limit, where the band only begins at a number."""
        return super().may_be_empty(name) or (name == "at_most" and bool(self.text_of("start")))

    def visible_names(self) -> list[str]:
        period = self.text_of("period")
        stated = bool(self.text_of("fact"))
        return [
            "of",
            *(["fact"] if stated or self.text_of("per") not in ("", ALL) else []),
            *([] if stated else ["at_most"]),
            *([] if self.is_amount or self.text_of("per") in ("", ALL) else ["start"]),
            *(["currency"] if self.is_amount else []),
            "per",
            "period",
            *(["zone"] if period in UNITS else ["other"] if period == OTHER else []),
            *(["last"] if self.is_amount else []),
        ]

    def to_row(self) -> dict[str, Any]:
        """Return the band for the definition."""
        per, fact = self.written("per"), "fact" in self.visible_names() and self.written("fact")
        start = self.written("start") if "start" in self.visible_names() else ""
        return {
            "of": self.written("of") or "grants",
            "from": start or ABSENT,
            "at_most": {"fact": fact} if fact else self.written("at_most") or (ABSENT if start else None),
            "currency": or_missing(self.written("currency")) if self.is_amount else ABSENT,
            "per": ABSENT if per == ALL else per,
            "in": self._period(),
            "last": self.written("last") if self.is_amount else ABSENT,
        }

    def _period(self) -> Any:
        period, zone = self.text_of("period"), self.text_of("zone")
        if period == OTHER:
            return loaded(self.text_of("other"))
        return {"calendar": period, "zone": zone} if period in UNITS and zone != self.campaign.zone else period


def loaded(text: str) -> Any:
    """Return what a text in a form means as YAML; the text itself where it is none."""
    try:
        return yaml_roundtrip.load(f"in: {text}")["in"]
    except DefinitionError:
        return text  # the checks of the definition say what is wrong


class BandFormSet(RowFormSet):
    """Bands of one quota."""

    form = BandForm
    first_names = ("at_most", "start")


class QuotaForm(SectionForm):
    """Quota of the offer and of each merchant, and further limits; empty means no limit."""

    limit = NumberField(label=_("Total quota"), required=False, whole=True, least=1, help_text=_("Empty: no limit"))
    per_merchant = NumberField(
        label=_("Limit per merchant"), required=False, whole=True, least=1, help_text=_("Empty: no limit")
    )

    def __init__(self, *args: Any, collection: Collection, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = [initial_band(band, self.campaign.zone, self.campaign.windows) for band in self.initial.get("bands", ())]
        data = self.data if self.is_bound else None
        kwargs = {"campaign": self.campaign, "collection": collection}
        self.bands = BandFormSet(data, prefix="bands", initial=rows, form_kwargs=kwargs)
        self.parts = {"bands": self.bands}

    def to_offer(self) -> dict[str, Any]:
        """Return the words of this section: the short form, or a list where there are further limits."""
        limits = {"limit": self.written("limit"), "per_merchant": self.written("per_merchant")}
        rows = self.bands.write()
        if not rows:
            return {"quota": limits}
        pers = {"limit": ALL, "per_merchant": MERCHANT}
        short = [
            {"of": "grants", "at_most": limit, "per": ABSENT if pers[word] == ALL else pers[word]}
            for word, limit in limits.items()
            if limit
        ]
        return {"quota": [*short, *rows]}


def initial_quota(quota: Any) -> dict[str, Any]:
    """Return the initial values of a quota in either form."""
    return {"bands": list(quota)} if isinstance(quota, list) else dict(quota or {})


def initial_band(band: Any, zone: str, windows: Any) -> dict[str, Any]:
    """Return the initial values of a band."""
    words = {name: band.get(name) for name in ("of", "at_most", "currency", "last")} | {"start": band.get("from")}
    if isinstance(words["at_most"], dict):
        words |= {"fact": words["at_most"].get("fact"), "at_most": None}
    return {**words, "per": band.get("per") or ALL, **_initial_period(band.get("in"), zone, windows)}


def _initial_period(period: Any, zone: str, windows: Any) -> dict[str, Any]:
    if isinstance(period, dict) and set(period) <= {"calendar", "zone"}:
        return {"period": period.get("calendar"), "zone": period.get("zone") or zone}
    if isinstance(period, dict) or (period and period not in UNITS and period not in windows):
        return {"period": OTHER, "other": one_line(period), "zone": zone}
    return {"period": period, "zone": zone}


def one_line(value: Any) -> str:
    """Return a value of the definition as YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {one_line(part)}" for key, part in value.items()) + "}"
    return "[" + ", ".join(map(one_line, value)) + "]" if isinstance(value, list) else str(value)
