"""Files about buyers, listings, items, services and violations: bounds of columns, and rows of different owners."""

from pathlib import Path

import pytest

from imports.registry import all_schemas
from tests.support.importing import import_text
from tests.support.programs import program
from tests.support.world import offer, publish, receipt

pytestmark = pytest.mark.django_db(transaction=True)

AT = "2022-09-01T00:00Z"
FILES = {
    "merchants": "merchant_code\nM1\nM2\n",
    "accounts": "account_code,merchant_code,role\nA1,M1,main\nA2,M2,sub\n",
    "buyers": f"buyer_code,country,registered_at\nB1,US,{AT}\nB2,US,{AT}\n",
    "carton_specs": "carton_no,merchant_code,name,length_cm,width_cm,height_cm,empty_weight_kg,units\n"
    "C1,M1,c,50,40,35.5,0.125,20\nC2,M2,c,1,1,1,1,1\n",
    "listings": f"listing_no,merchant_code,title,category,published_at\nL1,M1,t,A > B,{AT}\nL2,M2,t,A,{AT}\n",
    "trade_orders": "order_no,merchant_code,product,amount_usd,buyer_code\n"
    "T1,M1,trade_assurance,1,B1\nT2,M2,trade_assurance,1,\n",
}
BAD_ROWS: dict[str, tuple[str, dict[str, list[str]]]] = {
    # By file: its header, and good and bad rows, each bad one with its column and a part of the reason.
    "buyer_levels": (
        "buyer_code,from_at,level",
        {
            f"B1,{AT},0": [],
            f"B2,{AT},4": [],
            f"B1,{AT[:-1]}:01Z,5": ["level", "is more than 4"],
            f"B9,{AT},1": ["buyer_code", "unknown buyer B9"],
            f"B1,{AT[:-1]}:02Z,": ["level", "is empty"],
        },
    ),
    "listings": (
        "listing_no,merchant_code,title,category,published_at,growth_score,attributes_filled,carton_no",
        {
            f"L3,M1,t,A>B>C,{AT},100,100,C1": [],
            f"L4,M1,t,A,{AT},0,0,": [],
            f"L5,M1,t,A>>C,{AT},,,": ["category", "A>B>C"],
            f"L6,M1,t,A>,{AT},,,": ["category", "A>B>C"],
            f"L7,M1,t,A,{AT},100.01,,": ["growth_score", "is more than 100"],
            f"L8,M1,t,A,{AT},1.001,,": ["growth_score", "more than 2 decimals"],
            f"L9,M1,t,A,{AT},,101,": ["attributes_filled", "is more than 100"],
            f"L10,M1,t,A,{AT},,,C2": ["carton_no", "belongs to merchant M2, and the row to M1"],
            f"L11,M1,t,A,{AT},,,C9": ["carton_no", "unknown carton C9"],
        },
    ),
    "price_tiers": (
        "listing_no,mode,min_quantity,unit_price_usd",
        {
            "L1,piece,1,0": [],
            "L1,carton,1,1": [],
            "L1,piece,0,1": ["min_quantity", "is less than 1"],
            "L1,box,1,1": ["mode", "none of piece, carton"],
        },
    ),
    "store_discounts": (
        "discount_no,merchant_code,listing_no,percent,stock,starts_at",
        {
            f"D1,M1,L1,99,1,{AT}": [],
            f"D2,M1,L1,0.01,1,{AT}": [],
            f"D3,M1,L1,0,1,{AT}": ["percent", "is not more than 0"],
            f"D4,M1,L1,99.01,1,{AT}": ["percent", "is more than 99"],
            f"D5,M1,L1,-1,1,{AT}": ["percent", "is negative"],
            f"D6,M1,L1,1,0,{AT}": ["stock", "is less than 1"],
            f"D7,M1,L2,1,1,{AT}": ["listing_no", "belongs to merchant M2, and the row to M1"],
        },
    ),
    "order_items": (
        "order_no,listing_no,quantity,amount_usd",
        {
            "T1,L1,0,0": [],
            "T1,L2,1,1": ["listing_no", "belongs to merchant M2, and the row to M1"],
            "T9,L1,1,1": ["order_no", "unknown trade order T9"],
            "T1,L/1,1,1": ["listing_no", "holds a slash"],
        },
    ),
    "reviews": (
        "review_no,order_no,listing_no,buyer_code,stars,quality_stars,reviewed_at",
        {
            f"V1,T1,L1,B2,1,5,{AT}": [],
            f"V2,T1,L1,B1,0,1,{AT}": ["stars", "is less than 1"],
            f"V3,T1,L1,B1,1,6,{AT}": ["quality_stars", "is more than 5"],
            f"V4,T2,L1,B1,1,1,{AT}": ["listing_no", "belongs to merchant M1, and the row to M2"],
        },
    ),
    "buyer_payments": (
        "payment_no,buyer_code,order_no,product,amount_usd,paid_at",
        {
            f"P1,B1,T1,bnpl,1,{AT}": [],
            f"P2,B2,T1,bnpl,1,{AT}": ["order_no", "belongs to buyer B1, and the row to B2"],
            f"P3,B1,T2,bnpl,1,{AT}": ["order_no", "belongs to buyer –, and the row to B1"],
        },
    ),
    "buyer_actions": (
        "action_no,buyer_code,merchant_code,listing_no,kind,at,source",
        {
            f"N1,B1,M1,,visit,{AT},search": [],
            f"N2,B1,M1,L1,visit,{AT},search": [],
            f"N3,B1,M1,L2,visit,{AT},search": ["listing_no", "belongs to merchant M2, and the row to M1"],
            f"N4,B1,M1,,visit,{AT},": ["source", "is empty"],
        },
    ),
    "violations": (
        "violation_no,merchant_code,listing_no,kind,found_at",
        {
            f"X1,M1,,merchant_liable,{AT}": [],
            f"X2,M1,L2,merchant_liable,{AT}": ["listing_no", "belongs to merchant M2, and the row to M1"],
        },
    ),
    "usages": (
        "usage_no,merchant_code,account_code,use,quantity,used_at",
        {
            f"U1,M1,A1,mail,,{AT}": [],
            f"U2,M1,A1,mail,0,{AT}": ["quantity", "is less than 1"],
            f"U3,M1,A2,mail,1,{AT}": ["account_code", "belongs to merchant M2, and the row to M1"],
        },
    ),
    "claim_requests": (
        "request_no,offer,merchant_code,account_code,requested_at",
        {
            f"Q1,o,M1,A1,{AT}": [],
            f"Q2,p,M1,A1,{AT}": ["offer", "unknown offer p"],
            f"Q3,o,M1,A2,{AT}": ["account_code", "belongs to merchant M2, and the row to M1"],
        },
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Import the rows that others refer to, and return the folder of their files."""
    for name, content in FILES.items():
        assert import_text(name, content, tmp_path).errors == []
    publish(offer("o"))
    return tmp_path


def errors_of(name: str, rows: list[str], folder: Path) -> dict[str, tuple[str, str]]:
    """Import a file and return the column and the reason of each bad row, by the row."""
    result = import_text(name, "\n".join([BAD_ROWS[name][0], *rows, ""]), folder)
    return {rows[line - 2]: (column, reason) for line, column, _value, reason in result.errors}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_every_bad_row_is_named_and_without_them_the_file_is_imported(name: str, folder: Path) -> None:
    model = next(schema.model._default_manager for schema in all_schemas() if schema.name == name)
    before, rows = model.count(), BAD_ROWS[name][1]
    good = [row for row, wrong in rows.items() if not wrong]
    contradicting = [row for row, wrong in rows.items() if wrong and wrong[1].startswith(("unknown", "belongs"))]
    # Rows are compared with what is stored once all their cells can be read.
    unreadable = [row for row, wrong in rows.items() if wrong and row not in contradicting]
    for bad in filter(None, (unreadable, contradicting)):
        found = errors_of(name, [*good, *bad], folder)
        assert set(found) == set(bad)
        for row, (column, reason) in found.items():
            assert column == rows[row][0]
            assert rows[row][1] in reason
        assert model.count() == before
    assert errors_of(name, good, folder) == {}
    assert model.count() == before + len(good)


def test_a_file_without_a_column_keeps_what_its_rows_name(folder: Path) -> None:
    header = "listing_no,merchant_code,title,category,published_at"
    assert import_text("listings", f"{header},carton_no\nL1,M1,t,A,{AT},C1\n", folder).counts == (0, 1, 0)
    assert import_text("listings", f"{header}\nL1,M1,u,A,{AT}\n", folder).counts == (0, 1, 0)
    # The carton that is stored belongs to another merchant than the row that the file states.
    moved = import_text("listings", f"{header}\nL1,M2,u,A,{AT}\n", folder)
    assert [(line, column, reason) for line, column, _value, reason in moved.errors] == [
        (2, "carton_no", "belongs to merchant M1, and the row to M2: both must be the same")
    ]


def test_items_are_recorded_and_claimed_by_programs_and_buyers_are_for_the_platform(folder: Path) -> None:
    platform, merchant = program("read", "claim", "facts"), program("read", of="M1")
    terms = {"claim": "{at: order.first_payment_at}", "conditions": "[{fact: listing.category_l1, is: A}]"}
    publish(offer("i", subject="order_item", benefit="{fee: item_amount, percent: 10}", settlement="", **terms))
    receipt("R1", "T1", "02")
    item = {"order_no": "T1", "listing_no": "L1", "quantity": 1, "amount_usd": "50.00"}
    answer = platform.post("claims/", {"subject": "order_item", "fact": item})
    assert (answer.status, answer.body["key"], answer.body["answers"][0]["amount"]) == (201, "T1/L1", "5.00")
    assert merchant.get("claims/order_item/T1%2FL1/").body["outcome"] == "granted"
    assert platform.get("facts/carton_specs/C1/").body["fact"]["empty_weight_kg"] == "0.125"
    codes = [row["fact"]["buyer_code"] for row in platform.get("facts/buyers/").body["results"]]
    assert (codes, merchant.get("facts/buyers/").body["results"]) == (["B1", "B2"], [])
    # An optional row that is named for the first time, or no more, is no move to another owner.
    named = {"order_no": "T2", "buyer_code": "B1"}
    for change in (named, {**named, "buyer_code": "B2"}, {**named, "buyer_code": None}):
        assert platform.post("facts/trade_orders/", {"facts": [change]}).body["changed"] == 1
