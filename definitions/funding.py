"""Funding: who pays for the benefits of an offer, and how one amount is split between the payers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _
from pydantic import BeforeValidator, Field, PlainSerializer

from core.facts import Label
from core.money import round_money_down
from rules.base import KnownWord
from rules.conditions import WholeNumber

PLATFORM = "platform"
MERCHANT = "merchant"
PAYERS: dict[str, Label] = {PLATFORM: _("the platform"), MERCHANT: _("the merchant"), "carrier": _("the carrier")}
MOST_PARTS = 1000
Shares = Mapping[str, int]
"""The parts of each payer, in the order written: the first one pays the odd cents."""


def _from_list(value: Any) -> Any:
    """Return the parts as a mapping; stored terms hold them as a list, because a database keeps no order of keys."""
    if isinstance(value, list) and all(isinstance(part, dict) and part.keys() == {"by", "parts"} for part in value):
        return {part["by"]: part["parts"] for part in value}
    return value


def _as_list(shares: Shares) -> list[dict[str, Any]]:
    return [{"by": payer, "parts": parts} for payer, parts in shares.items()]


Payer = Annotated[str, KnownWord("payer", lambda: PAYERS)]
Parts = Annotated[WholeNumber, Field(ge=1, le=MOST_PARTS)]
Funding = Annotated[
    dict[Payer, Parts],
    BeforeValidator(_from_list, json_schema_input_type=dict[Payer, Parts]),
    PlainSerializer(_as_list),
]


def split(amount: Decimal, shares: Shares, currency: str) -> dict[str, Decimal]:
    """Return what each payer pays of an amount; without shares the platform pays all.

    A part is rounded down to the smallest unit of the currency, and the first payer pays what is left over.
    """
    if not shares:
        return {PLATFORM: amount}
    total, first = sum(shares.values()), next(iter(shares))
    paid = {payer: round_money_down(amount * parts / total, currency) for payer, parts in shares.items()}
    return {**paid, first: paid[first] + amount - sum(paid.values())}
