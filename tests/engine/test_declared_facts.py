"""Declared attributes: declared in a definition, imported, decided on, explained, described, and corrected."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from campaigns.eligibility.explanations import explain
from campaigns.eligibility.requirements import Requirement
from campaigns.models import Version
from campaigns.offers import published_offers
from core.declared_facts import declared_facts
from declarations.models import DeclaredAttribute
from definitions.offer_sentences import describe_terms
from merchants.models import Merchant
from tests.support.importing import SCHEMAS, import_text
from tests.support.world import HEADING, grants, merchant, offer, outcomes, publish, review, t, tick
from trade.models import TradeOrder

pytestmark = pytest.mark.django_db

DECLARED = """attributes:
  merchant:
    opened_at: {type: instant, names: {en: Account opened, zh: 开户时间}}
    tier: {type: choice, names: {en: Tier, zh: 等级}, values: {gold: {en: Gold, zh: 金牌}, plain: {en: Plain, zh: 普}}}
  trade_order:
    cord_cm: {type: number, names: {en: Accessible cord (cm), zh: 可触及拉绳长度（厘米）}}
    branded: {type: flag, names: {en: Branded, zh: 品牌商品}}
    note: {type: text, names: {en: Note, zh: 备注}}
"""
TERMS = (
    "[{fact: attributes.cord_cm, at_least: 22.0005}, {fact: attributes.branded, is: yes},"
    " {fact: attributes.note, is_not: sample}, {fact: merchant.attributes.tier, in: [gold]},"
    " {fact: merchant.attributes.opened_at, within: {from: 2022-08-01 00:00:00, to: 2022-08-31 23:59:59}}]"
)
MERCHANTS = "merchant_code,country,attributes.tier,attributes.opened_at\n"
ORDERS = (
    "order_no,merchant_code,product,amount_usd,service_fee_usd,completed_at,"
    "attributes.cord_cm,attributes.branded,attributes.note\n"
)


def declare(conditions: str = TERMS, declared: str = DECLARED, code: str = "o") -> list[Version]:
    fee = "{fee: service_fee, percent: 10}"
    text = offer(code, subject="trade_order", claim="{at: completed_at}", conditions=conditions, benefit=fee)
    return publish(text, heading=HEADING + declared)


def order(number: str, *attributes: str, of: str = "M1") -> str:
    return ",".join([number, of, "trade_assurance", "1000.00", "100.00", "2022-09-05T00:00:00Z", *attributes]) + "\n"


def given(folder: Path, *orders: str, opened: str = "2022-08-31T23:59:59Z") -> None:
    merchants = f"{MERCHANTS}M1,CN,gold,{opened}\nM2,CN,,\n"
    assert not import_text("merchants", merchants, folder).errors
    assert not import_text("trade_orders", ORDERS + "".join(orders), folder).errors


def test_both_sides_of_every_bound_are_decided_and_explained(tmp_path: Path) -> None:
    declare()
    given(
        tmp_path,
        order("equal", "22.0005", "yes", ""),
        order("below", "22.0004", "yes", "x"),
        order("ten", "100", "yes", "x"),
        order("unbranded", "30", "no", "x"),
        order("sample", "30", "yes", "sample"),
        order("empty", "", "", ""),
        order("no tier", "30", "yes", "x", of="M2"),
    )
    tick("06")
    assert grants() == {("o", "equal"): "settled 10.00 USD", ("o", "ten"): "settled 10.00 USD"}
    assert explained("below") == {"attributes_cord_cm": (Decimal("22.0004"), Decimal("0.0001"))}
    assert explained("unbranded") == {"attributes_branded": (False, None)}
    assert explained("sample") == {"attributes_note": ("sample", None)}
    assert explained("empty") == {
        "attributes_cord_cm": (None, Decimal("22.0005")),
        "attributes_branded": (None, None),
    }
    assert explained("no tier") == {
        "merchant_attributes_tier": ("", None),
        "merchant_attributes_opened_at": (None, None),
    }
    results = {one.name: one for one in explain(published_offers.find("o"), "below", at=t("07")).conditions}
    assert results["attributes_cord_cm"].asked == Requirement("at_least", Decimal("22.0005"))
    assert results["attributes_cord_cm"].finding == "found: 22.0004, 0.0001 short"
    assert results["merchant_attributes_tier"].shown == "Gold"
    assert results["merchant_attributes_opened_at"].found == t("08-31 23:59:59")


def explained(subject: str) -> dict[str, Any]:
    """Return value and shortfall of each condition that failed."""
    results = explain(published_offers.find("o"), subject, at=t("07")).conditions
    return {one.name: (one.found, one.shortfall) for one in results if not one.passed}


def test_an_instant_after_the_window_is_outside_of_it(tmp_path: Path) -> None:
    declare()
    given(tmp_path, order("A", "30", "yes", "x"), opened="2022-09-01T00:00:00Z")
    tick("06")
    assert list(explained("A")) == ["merchant_attributes_opened_at"]


OPERATORS = {
    "{fact: attributes.cord_cm, empty: yes}": {"none"},
    "{fact: attributes.branded, empty: no}": {"some", "zero"},
    "{fact: attributes.branded, is: no}": {"zero"},
    "{fact: attributes.note, not_in: [a]}": {"none", "zero"},
    "{fact: attributes.cord_cm, at_most: 0.3}": {"zero", "some"},
    "{fact: attributes.cord_cm, less_than: 0.3}": {"zero"},
    "{fact: attributes.cord_cm, more_than: 0.2999}": {"some"},
    "{fact: merchant.attributes.opened_at, within_hours: 24}": {"none", "some", "zero"},
    "{fact: merchant.attributes.opened_at, happened: no}": set(),
    "{fact: merchant.attributes.opened_at, not_before: claim}": set(),
    "{code: one_cord, count: trade_orders, where: [{fact: attributes.cord_cm, more_than: 0}], at_most: 1}": {
        "none",
        "some",
        "zero",
    },
}


def test_each_operator_reads_present_and_absent_values(tmp_path: Path) -> None:
    """All offers in one publication: one tick decides them all."""
    fee = "{fee: service_fee, percent: 10}"
    offers = [
        offer(f"o{n}", subject="trade_order", claim="{at: completed_at}", conditions=f"[{condition}]", benefit=fee)
        for n, condition in enumerate(OPERATORS)
    ]
    publish("".join(offers), heading=HEADING + DECLARED)
    orders = (order("none", "", "", ""), order("some", "0.3", "yes", "a"), order("zero", "0", "no", "b"))
    given(tmp_path, *orders, opened="2022-09-04T00:00:00Z")
    tick("06")
    met = {condition: won(f"o{n}") for n, condition in enumerate(OPERATORS)}
    assert met == OPERATORS


def won(code: str) -> set[str]:
    """Return the subjects that meet the conditions: offers on one fee compete, so some go without a grant."""
    return {subject for subject, outcome in outcomes(code).items() if outcome != "refused"}


def test_a_correction_marks_the_grant_for_review(tmp_path: Path) -> None:
    declare()
    given(tmp_path, order("A", "30", "yes", "x"), order("B", "30", "yes", "x"))
    tick("06")
    short = "order_no,merchant_code,product,amount_usd,attributes.cord_cm\nA,M1,trade_assurance,1000.00,22\n"
    assert import_text("trade_orders", short, tmp_path).counts == (0, 1, 0)
    assert import_text("trade_orders", short, tmp_path).counts == (0, 0, 1)
    assert TradeOrder.objects.get(pk="A").attributes == {"cord_cm": "22.0000", "branded": True, "note": "x"}
    tick("07")
    assert (bool(review("A")), bool(review("B"))) == (True, False)
    plain = "merchant_code,attributes.tier\nM1,plain\n"
    assert import_text("merchants", plain, tmp_path).counts == (0, 1, 0)
    assert Merchant.objects.get(pk="M1").attributes["opened_at"] == "2022-08-31 23:59:59+00:00"
    tick("08")
    assert bool(review("B"))


def test_sentences_use_the_declared_names() -> None:
    [version] = declare()
    terms = published_offers.terms_of(version)
    assert declared_facts() == {}
    assert describe_terms(terms).conditions[:4] == (
        "Accessible cord (cm) is at least 22.0005",
        "Branded: yes",
        "Note is not sample",
        "Tier is Gold",
    )
    with translation.override("zh-hans"):
        said = describe_terms(terms).conditions
        assert said[0] == "可触及拉绳长度（厘米）不低于22.0005"
        assert "等级" in said[3]
        assert "金牌" in said[3]
        assert "开户时间" in said[4]


def test_a_version_holds_what_it_names_and_nothing_else() -> None:
    [version] = declare("[{fact: attributes.branded, is: yes}]")
    assert version.definition["declared"] == {
        "attributes": {"trade_order": {"branded": {"type": "flag", "names": {"en": "Branded", "zh": "品牌商品"}}}}
    }
    assert declare("[{fact: attributes.branded, is: yes}]", DECLARED.replace("Note", "Remark")) == []
    assert DeclaredAttribute.objects.get(name="note").name_en == "Remark"
    [plain] = declare("[{fact: merchant.country, is: CN}]", code="p")
    assert "declared" not in plain.definition


def test_a_file_before_the_definition_is_refused(tmp_path: Path) -> None:
    merchant()
    result = import_text("trade_orders", ORDERS + order("A", "30", "yes", ""), tmp_path)
    assert {error[1] for error in result.errors} == {"attributes.cord_cm", "attributes.branded", "attributes.note"}
    assert {error[3] for error in result.errors} == {
        "no published definition declares this attribute: publish the definition, then import the file"
    }
    assert not TradeOrder.objects.exists()
    declare()
    assert not import_text("trade_orders", ORDERS + order("A", "30", "yes", ""), tmp_path).errors


def test_errors_of_cells_name_place_and_value(tmp_path: Path) -> None:
    merchant()
    declare()
    header = ORDERS.replace("attributes.note", "attributes.brandet")
    assert import_text("trade_orders", header + order("A", "1", "yes", ""), tmp_path).errors == [
        (
            1,
            "attributes.brandet",
            "attributes.brandet",
            "no published definition declares this attribute: publish the definition, then import the file; "
            "is it “attributes.branded”?",
        )
    ]
    lines = [order(str(n), *cells) for n, cells in enumerate(CELLS)]
    errors = import_text("trade_orders", ORDERS + "".join(lines), tmp_path).errors
    assert [error[1:] for error in errors] == list(CELLS.values())
    errors = import_text("merchants", f"{MERCHANTS}M1,CN,silver,soon\n", tmp_path).errors
    assert [error[1:] for error in errors] == [
        ("attributes.tier", "silver", "is none of gold, plain"),
        ("attributes.opened_at", "soon", "is not a valid date and time, such as 2022-09-05T15:00:00+08:00"),
    ]
    assert not TradeOrder.objects.exists()
    assert Merchant.objects.get().attributes == {}


CELLS = {
    ("1.00001", "yes", "x"): ("attributes.cord_cm", "1.00001", "has more than 4 decimals"),
    ("-1", "yes", "x"): ("attributes.cord_cm", "-1", "is negative"),
    ("10000000000", "yes", "x"): ("attributes.cord_cm", "10000000000", "is more than 9999999999.9999"),
    ("1e3", "yes", "x"): ("attributes.cord_cm", "1e3", "is not a number such as 12.5"),
    ("1", "maybe", "x"): (
        "attributes.branded",
        "maybe",
        "is neither yes nor no: write 1 or 0, yes or no, true or false, 是 or 否",
    ),
    ("1", "yes", "x" * 201): ("attributes.note", "x" * 201, "is longer than 200 characters"),
}


def test_the_largest_number_is_exact(tmp_path: Path) -> None:
    declare("[{fact: attributes.cord_cm, at_least: 9999999999.9999}]")
    given(tmp_path, order("A", "9999999999.9999", "", ""), order("B", "9999999999.9998", "", ""))
    tick("06")
    assert list(grants()) == [("o", "A")]
    assert explained("B") == {"attributes_cord_cm": (Decimal("9999999999.9998"), Decimal("0.0001"))}


def test_a_preview_shows_attributes_and_counts_what_becomes_empty(tmp_path: Path) -> None:
    declare()
    given(tmp_path, order("A", "30", "yes", "x"))
    change = ORDERS + order("A", "", "no", "x")
    result = import_text("trade_orders", change, tmp_path, dry_run=True).result
    [(effect, values, stored)] = result.sample
    names = [column.name for column in SCHEMAS["trade_orders"].columns]
    assert (effect, len(values)) == ("update", len(names) + 3)
    assert (values[-3:], stored[-3:]) == ((None, False, "x"), (Decimal("30.0000"), True, "x"))
    assert result.notes == ["stored values that become empty: 1"]
    assert TradeOrder.objects.get().attributes == {"cord_cm": "30.0000", "branded": True, "note": "x"}
    assert not import_text("trade_orders", change, tmp_path).errors
    assert TradeOrder.objects.get().attributes == {"branded": False, "note": "x"}
