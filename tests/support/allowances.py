"""Worlds with allowances: a definition, uses as facts, and the results as plain values."""

from typing import Any

from campaigns.models import Allowance, AllowanceEntry, UsageDecision
from campaigns.offers import publishing
from definitions import parser
from services.models import Usage
from tests.support.world import HEADING, PUBLISHED, tell

MEMBER = "{code: member, in_force: membership, of: [export_pass, global_pass, verified_supplier]}"


def allowance(code: str, use: str, **parts: str) -> str:
    """Return an allowance as YAML: 5 units a day for members, unless `parts` say otherwise."""
    usual = {"in_": "day", "conditions": f"[{MEMBER}]", "units": "5"}
    lines = [f"  - code: {code}", f"    names: {{en: {code}, zh: {code}}}", f"    use: {use}"]
    words = {**usual, **parts}.items()
    return "\n".join([*lines, *(f"    {name.rstrip('_')}: {value}" for name, value in words), ""])


def publish(allowances: str = "", entitlements: str = "", more: str = "") -> None:
    """Publish allowances and entitlements, each written as a list item, in a campaign `trial` in UTC with `more`."""
    sections = {"allowances": allowances, "entitlements": entitlements}
    source = HEADING + more + "".join(f"{name}:\n{text}" for name, text in sections.items() if text)
    publishing.publish(parser.read(source), source=source, at=PUBLISHED, by="test")


def use(number: str, used_at: str, name: str = "mail", of: str = "M1", **fields: Any) -> Usage:
    """Record a use of one unit by account A1."""
    return tell(Usage, usage_no=number, merchant_id=of, account_id="A1", use=name, used_at=used_at, **fields)


def results() -> dict[str, str]:
    """Return the result of each use."""
    return dict(UsageDecision.objects.order_by("pk").values_list("pk", "result"))


def balances() -> dict[tuple[str, str, str], str]:
    """Return used and all units of each allowance, as `3 / 5`, by code, merchant and period."""
    rows = Allowance.objects.order_by("document__code", "merchant", "period")
    rows_ = rows.values_list("document__code", "merchant_id", "period", "used", "units")
    return {(code, merchant, period): f"{used} / {units}" for code, merchant, period, used, units in rows_}


def journal() -> list[str]:
    """Return the entries of the journal in the order of writing, as `U1 used 3`."""
    rows = AllowanceEntry.objects.order_by("pk")
    return [f"{row.reference} {row.kind} {row.units}{' *' if row.reason else ''}" for row in rows]
