"""One offer as a sheet of inputs, section by section."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.fields import (
    Campaign,
    Choices,
    Input,
    Label,
    Line,
    bound,
    condition,
    instants,
    select,
    subjects,
)
from core.facts import FEES, SUBJECTS, Collection
from definitions import yaml_roundtrip
from logistics.facts import FREIGHT_ORDERS

FORMS: Choices = [
    ("percent", _("a percentage off")),
    ("amount", _("an amount off")),
    ("tiers", _("tiers")),
    ("coupons", _("coupons")),
]
OFFS: Choices = [("percent", _("%")), ("amount", _("amount"))]


@dataclass(frozen=True)
class Section:
    """Inputs, and lines of them, under one heading."""

    title: Label
    inputs: list[Input]
    lines: list[Line]


def sheet(data: Any, campaign: Campaign) -> Iterator[Section]:
    """The sections of an offer, as it is written."""
    collection = SUBJECTS.get(str(data.get("subject")), FREIGHT_ORDERS)
    names = data.get("names") or {}
    yield Section(
        _("What it is called, and for what it is"),
        [
            Input("names.en", _("name in English"), "text", names.get("en", ""), errors=campaign.errors("names.en")),
            Input("names.zh", _("name in Chinese"), "text", names.get("zh", ""), errors=campaign.errors("names.zh")),
            select("subject", _("given for each"), str(data.get("subject")), subjects(), campaign.errors("subject")),
        ],
        [],
    )
    yield Section(_("Which of them it is about"), [], _lines("where", data.get("where"), collection, campaign))
    yield Section(_("When it is claimed"), list(_claim(data, collection, campaign)), [])
    yield Section(_("Conditions"), [], _lines("conditions", data.get("conditions"), collection, campaign))
    yield _benefit(data.get("benefit") or {}, campaign)
    quota = data.get("quota") or {}
    yield Section(
        _("How many places"),
        [
            Input(f"quota.{key}", label, "number", quota.get(key, ""), errors=campaign.errors(f"quota.{key}"))
            for key, label in (("limit", _("in all; empty for no limit")), ("per_merchant", _("for each merchant")))
        ],
        [],
    )
    text = yaml_roundtrip.dump(data["settlement"]).strip() if data.get("settlement") else ""
    area = Input("settlement.raw", _("as text"), "area", text, errors=campaign.errors("settlement"))
    yield Section(_("What happens after the claim"), [area], [])


def _lines(name: str, rows: Any, collection: Collection, campaign: Campaign) -> list[Line]:
    """The conditions there are, and an empty line for one more."""
    there = list(rows) if isinstance(rows, list) else []
    return [condition(f"{name}.{n}", row, collection, campaign) for n, row in enumerate([*there, None])]


def _claim(data: Any, collection: Collection, campaign: Campaign) -> Iterator[Input]:
    claim = data.get("claim") or {}
    errors = campaign.errors("claim")
    if set(claim) == {"at"} and isinstance(claim["at"], str):
        yield select("claim.at", _("when it was"), claim["at"], instants(collection), errors)
    else:
        yield Input("claim.raw", _("as text"), "area", yaml_roundtrip.dump(claim).strip(), errors=errors)
    yield from bound("decided_at", _("decided at; empty for at once"), data.get("decided_at"), campaign)
    hours, wrong = data.get("settling_hours", ""), campaign.errors("settling_hours")
    yield Input("settling_hours", _("hours to wait for late facts"), "number", hours, errors=wrong)


def form_of(benefit: Any) -> str:
    """Which form a benefit has."""
    return next((form for form in ("coupons", "tiers", "amount") if form in benefit), "percent")


def _benefit(benefit: Any, campaign: Campaign) -> Section:
    form = form_of(benefit)
    errors = campaign.errors("benefit")
    inputs = [select("benefit.form", _("what is given"), form, FORMS, errors)]
    if form == "coupons":
        coupons = benefit.get("coupons") or {}
        for key, label in (("count", _("how many")), ("value", _("worth each"))):
            inputs.append(Input(f"benefit.{key}", label, "number", coupons.get(key, "")))
        inputs.append(Input("benefit.currency", _("currency"), "text", coupons.get("currency", "")))
        valid = coupons.get("valid") or {}
        inputs += bound("benefit.from", _("valid from"), valid.get("from"), campaign)
        inputs += bound("benefit.to", _("valid to"), valid.get("to"), campaign)
        return Section(
            _("What is given"), inputs, _lines("benefit.where", coupons.get("where"), FREIGHT_ORDERS, campaign)
        )
    fees: Choices = [(name, fee.label) for name, fee in FEES.items()]
    inputs.append(select("benefit.fee", _("off which fee"), str(benefit.get("fee", "")), fees))
    inputs.append(Input("benefit.rate", _("rate in %, where the fee is a rate"), "number", benefit.get("rate", "")))
    inputs.append(Input("benefit.currency", _("currency"), "text", benefit.get("currency", "")))
    if form == "tiers":
        return Section(_("What is given"), inputs, list(_tiers(benefit.get("tiers") or [], campaign)))
    label = _("per cent") if form == "percent" else _("amount")
    inputs.append(Input(f"benefit.{form}", label, "number", benefit.get(form, "")))
    return Section(_("What is given"), inputs, [])


def _tiers(tiers: Any, campaign: Campaign) -> Iterator[Line]:
    for n, tier in enumerate([*tiers, {}]):
        name = f"benefit.tiers.{n}"
        off = "amount" if "amount" in tier else "percent"
        yield Line(
            name,
            [
                Input(f"{name}.from", _("from"), "number", tier.get("from", "")),
                Input(f"{name}.off", _("off"), "number", tier.get(off, "")),
                select(f"{name}.unit", _("unit"), off, OFFS),
            ],
            campaign.errors(name),
        )
