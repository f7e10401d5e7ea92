"""Rows that differ in every fact that a condition can name, with missing values and instants on every edge."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from buyers.models import Buyer, BuyerLevel
from catalog.models import Listing, PriceTier
from imports.models import ImportBatch
from logistics.models import FreightOrder, FreightTemplate
from merchants.models import Membership, Merchant, Penalty, ReferenceValue, ServicePackage
from ratings.models import Evaluation, Rating
from tests.support.world import t
from trade.models import FinancingDraw, OrderItem, Receipt, TradeOrder

START, END = t("05"), t("10")
TICK = timedelta(microseconds=1)
EDGES = [START - TICK, START, START + TICK, t("07 12:00"), END - TICK, END, END + timedelta(seconds=1), t("20")]
MERCHANTS = 6


@pytest.fixture
def crowd(db: None) -> None:
    """Create merchants M0 to M5 with memberships, packages, penalties, orders, receipts, draws and templates."""
    dice = random.Random(7)
    batch = ImportBatch.objects.create(source="crowd")

    def edge_or_none() -> datetime | None:
        return dice.choice([None, *EDGES])

    merchants = [
        Merchant(
            code=f"M{n}",
            batch=batch,
            country=dice.choice(["CN", "US", ""]),
            category_l1=dice.choice(["A", "B", ""]),
            logistics_partner=n % 2 == 0,
        )
        for n in range(MERCHANTS)
    ]
    Merchant.objects.bulk_create(merchants)
    ReferenceValue.objects.create(batch=batch, list_code="covered", value="A")
    for n, merchant in enumerate(merchants):
        starts, ends = dice.choice(EDGES), None if n % 3 == 0 else t("30")
        Membership.objects.create(batch=batch, merchant=merchant, plan="global_pass", starts_at=starts, ends_at=ends)
        Penalty.objects.create(
            batch=batch, merchant=merchant, kind="embargo", starts_at=START, ends_at=START + TICK * (n + 1)
        )
        ServicePackage.objects.create(
            batch=batch, merchant=merchant, package="easy_return", starts_at=t("01"), ends_at=dice.choice(EDGES)
        )
        for configured in dice.sample(EDGES, 3):
            FreightTemplate.objects.create(
                batch=batch,
                merchant=merchant,
                line="a",
                configured_at=configured,
                rts_products=dice.choice([19, 20, 21]),
            )
    services = ["express", "multimodal"]
    FreightOrder.objects.bulk_create(
        FreightOrder(
            order_no=f"F{n:03}",
            batch=batch,
            merchant=dice.choice(merchants),
            service=dice.choice(services),
            line=dice.choice("abc"),
            base_freight=dice.choice([Decimal("99.99"), Decimal(100), Decimal("100.01")]),
            currency=dice.choice(["CNY", "USD"]),
            promo_flag=n % 2 == 0,
            placed_at=edge_or_none(),
            paid_at=edge_or_none(),
            shipped_at=edge_or_none(),
            departed_at=edge_or_none(),
            cancelled_at=edge_or_none(),
        )
        for n in range(80)
    )
    orders = [
        TradeOrder(
            order_no=f"T{n:03}",
            batch=batch,
            merchant=dice.choice(merchants),
            product="trade_assurance",
            export_mode=dice.choice(["", "self_operated", "onetouch_agency"]),
            payment_product=dice.choice(["", "TALC"]),
            drafted_at=edge_or_none(),
            buyer_confirmed_at=edge_or_none(),
            amount_usd=Decimal(dice.choice([999, 1000, 1001])),
            category_l1=dice.choice(["A", "B", ""]),
            easy_return_premium_usd=dice.choice([None, Decimal(5)]),
            service_fee_usd=dice.choice([None, Decimal(7)]),
            shipped_at=edge_or_none(),
            completed_at=edge_or_none(),
            port_data_at=edge_or_none(),
            cancelled_at=edge_or_none(),
        )
        for n in range(80)
    ]
    TradeOrder.objects.bulk_create(orders)
    Receipt.objects.bulk_create(
        Receipt(
            receipt_no=f"R{n:03}",
            batch=batch,
            order=dice.choice(orders),
            kind=dice.choice(["first", "balance"]),
            amount_usd=Decimal(5),
            booked_at=dice.choice(EDGES) if n % 5 else None,
            cancelled_at=t("09"),
        )
        for n in range(90)
    )
    FinancingDraw.objects.bulk_create(
        FinancingDraw(
            draw_no=f"D{n:03}",
            batch=batch,
            merchant=dice.choice(merchants),
            product=dice.choice(["lc_post_document", "other"]),
            drawn_at=dice.choice([*EDGES, START + timedelta(hours=24), START + timedelta(hours=24) - TICK]),
            fee=Decimal(n),
            currency="USD",
        )
        for n in range(40)
    )
    _items_of(orders, merchants, batch)
    _rate(merchants, batch)


def _items_of(orders: list[TradeOrder], merchants: list[Merchant], batch: ImportBatch) -> None:
    """Give most orders a buyer, whose level changes, and an item of a listing with or without price tiers."""
    dice = random.Random(8)
    buyers = [
        Buyer(code=f"B{n}", batch=batch, country=dice.choice(["US", "CA"]), registered_at=START) for n in range(6)
    ]
    Buyer.objects.bulk_create(buyers)
    levels = [(buyer, at) for buyer in buyers[1:] for at in dice.sample(EDGES, 3)]
    BuyerLevel.objects.bulk_create(
        BuyerLevel(buyer=buyer, batch=batch, from_at=at, level=dice.randint(0, 4)) for buyer, at in levels
    )
    listings = [
        Listing(
            listing_no=f"L{n}",
            batch=batch,
            merchant=dice.choice(merchants),
            title="t" * n,
            category=dice.choice(["A>B", "A", "B>A"]),
            is_rts=n % 2 == 0,
            published_at=START,
            growth_score=dice.choice([None, Decimal("50.49"), Decimal("50.50")]),
        )
        for n in range(8)
    ]
    Listing.objects.bulk_create(listings)
    PriceTier.objects.bulk_create(
        PriceTier(listing=listing, batch=batch, mode="piece", min_quantity=1, unit_price_usd=1)
        for listing in listings[::3]
    )
    for order in orders:
        order.buyer = dice.choice([None, *buyers])
    TradeOrder.objects.bulk_update(orders, ["buyer"])
    OrderItem.objects.bulk_create(
        OrderItem(
            item_no=f"{order.pk}/{listing.pk}", batch=batch, order=order, listing=listing, quantity=1, amount_usd=n
        )
        for n, order in enumerate(orders)
        for listing in [dice.choice(listings)]
    )


def _rate(merchants: list[Merchant], batch: ImportBatch) -> None:
    """Give most merchants official ratings for two periods with a border on an edge, and a predicted one."""
    spans = [
        ("official", "2022-08", t("01"), START),
        ("official", "2022-09", START, END),
        ("predicted", "x", t("01"), END),
    ]
    Evaluation.objects.bulk_create(
        Evaluation(
            scorecard="stars",
            series=series,
            period=period,
            evaluated_at=t("01"),
            starts_at=starts,
            ends_at=ends,
            version=2,
            finished=True,
        )
        for series, period, starts, ends in spans
    )
    Rating.objects.bulk_create(
        Rating(
            batch=batch,
            scorecard="stars",
            series=series,
            period=period,
            subject_kind="merchant",
            subject=merchant.pk,
            merchant=merchant,
            level=str((n + k) % 5),
            level_number=(n + k) % 5,
            score=Decimal("60.00") + n + k,
            parts={},
            metrics={"service_score": f"{78 + n}.50"} if n % 2 else {},
            inputs={},
            evaluated_at=t("01"),
            starts_at=starts,
            ends_at=ends,
            version=2,
        )
        for n, merchant in enumerate(merchants[1:])
        for k, (series, period, starts, ends) in enumerate(spans)
    )
