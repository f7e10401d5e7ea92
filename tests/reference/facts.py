"""Facts in memory: one list for each file, with instants after `as_of` left out."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

SHANGHAI, LOS_ANGELES = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/Los_Angeles")


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def los_angeles(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOS_ANGELES).astimezone(UTC)


class Merchant(NamedTuple):
    country: str
    category_l1: str
    category_l2: str
    partner: bool


class Interval(NamedTuple):
    """Something in force at its start and not at its end."""

    kind: str
    starts_at: datetime
    ends_at: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


class FreightOrder(NamedTuple):
    number: str
    merchant: str
    service: str
    line: str
    freight: Decimal
    currency: str
    promo: bool
    use_coupon: bool
    placed: datetime | None
    paid: datetime | None
    shipped: datetime | None
    departed: datetime | None
    cancelled: datetime | None


class TradeOrder(NamedTuple):
    number: str
    merchant: str
    product: str
    mode: str
    payment: str
    drafted: datetime | None
    confirmed: datetime | None
    amount: Decimal
    ready: bool
    category: str
    destination: str
    oa_mode: str
    easy_return: bool
    premium: Decimal
    fee: Decimal
    shipped: datetime | None
    cleared: datetime | None
    port_data: datetime | None
    completed: datetime | None
    cancelled: datetime | None
    abnormal: datetime | None


class Receipt(NamedTuple):
    number: str
    order: str
    kind: str
    amount: Decimal
    booked: datetime
    cancelled: datetime | None


class Draw(NamedTuple):
    number: str
    merchant: str
    product: str
    drawn: datetime
    fee: Decimal
    currency: str


class Template(NamedTuple):
    line: str
    configured: datetime
    products: int


@dataclass
class World:
    """Everything known by `as_of`, grouped as the offers need it."""

    as_of: datetime
    merchants: dict[str, Merchant] = field(default_factory=dict)
    plans: dict[str, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    packages: dict[str, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    penalties: dict[str, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    categories: set[str] = field(default_factory=set)
    trade_orders: dict[str, TradeOrder] = field(default_factory=dict)
    receipts: dict[str, list[Receipt]] = field(default_factory=lambda: defaultdict(list))
    draws: list[Draw] = field(default_factory=list)
    freight: list[FreightOrder] = field(default_factory=list)
    freight_of: dict[str, list[FreightOrder]] = field(default_factory=lambda: defaultdict(list))
    templates: dict[str, list[Template]] = field(default_factory=lambda: defaultdict(list))

    def is_member(self, merchant: str, at: datetime) -> bool:
        return any(plan.holds(at) for plan in self.plans.get(merchant, ()))

    def is_barred(self, merchant: str, at: datetime) -> bool:
        """Return whether a penalty for embargoed or prohibited goods is in force."""
        kinds = ("embargo", "prohibited_goods")
        return any(state.kind in kinds and state.holds(at) for state in self.penalties.get(merchant, ()))

    def has_package(self, merchant: str, package: str, at: datetime) -> bool:
        return any(state.kind == package and state.holds(at) for state in self.packages.get(merchant, ()))

    def is_eligible_mainland_member(self, merchant: str, at: datetime) -> bool:
        mainland = self.merchants[merchant].country == "CN"
        return mainland and self.is_member(merchant, at) and not self.is_barred(merchant, at)


class Reader:
    """Reads files of facts; instants without an offset are Beijing time, later ones than `as_of` are not known."""

    def __init__(self, folder: Path, as_of: datetime) -> None:
        self.folder, self.as_of = folder, as_of
        self._known: dict[str, datetime | None] = {"": None}

    def rows(self, name: str) -> Iterator[dict[str, str]]:
        path = self.folder / f"{name}.csv"
        if path.exists():
            with path.open(newline="", encoding="utf-8-sig") as file:
                yield from csv.DictReader(file)

    def instant(self, text: str | None) -> datetime | None:
        """The instant in UTC; None where it is empty or later than `as_of`."""
        at = self.any_instant(text)
        return None if at is None or at > self.as_of else at

    def any_instant(self, text: str | None) -> datetime | None:
        if not text:
            return None
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def amount(text: str | None) -> Decimal:
    return Decimal(text) if text else Decimal(0)


def load(folder: Path, as_of: datetime) -> World:
    """Read a folder of facts."""
    world, read = World(as_of), Reader(folder, as_of)
    for row in read.rows("merchants"):
        world.merchants[row["merchant_code"]] = Merchant(
            row.get("country", ""),
            row.get("category_l1", ""),
            row.get("category_l2", ""),
            row.get("logistics_partner") == "1",
        )
    for name, kind, target in (
        ("memberships", "plan", world.plans),
        ("service_packages", "package", world.packages),
        ("penalties", "kind", world.penalties),
    ):
        for row in read.rows(name):
            starts_at = read.any_instant(row["starts_at"])
            assert starts_at is not None
            target[row["merchant_code"]].append(Interval(row[kind], starts_at, read.any_instant(row["ends_at"])))
    world.categories = {
        row["value"] for row in read.rows("reference_lists") if row["list_code"] == "easy_return_categories"
    }
    _load_trade(world, read)
    _load_freight(world, read)
    return world


def _load_trade(world: World, read: Reader) -> None:
    instant = read.instant
    for row in read.rows("trade_orders"):
        world.trade_orders[row["order_no"]] = TradeOrder(
            number=row["order_no"], merchant=row["merchant_code"], product=row["product"], mode=row["export_mode"],
            payment=row["payment_product"], drafted=instant(row["drafted_at"]),
            confirmed=instant(row["buyer_confirmed_at"]), amount=amount(row["amount_usd"]), ready=row["is_rts"] == "1",
            category=row["category_l1"], destination=row["destination"], oa_mode=row["oa_mode"],
            easy_return=row["easy_return"] == "1", premium=amount(row["easy_return_premium_usd"]),
            fee=amount(row["service_fee_usd"]), shipped=instant(row["shipped_at"]),
            cleared=instant(row["customs_cleared_at"]), port_data=instant(row["port_data_at"]),
            completed=instant(row["completed_at"]), cancelled=instant(row["cancelled_at"]),
            abnormal=instant(row["abnormal_at"]),
        )  # fmt: skip
    for row in read.rows("receipts"):
        booked = instant(row["booked_at"])
        if booked is not None:
            cancelled = instant(row["cancelled_at"])
            receipt = Receipt(
                row["receipt_no"], row["order_no"], row["kind"], amount(row["amount_usd"]), booked, cancelled
            )
            world.receipts[row["order_no"]].append(receipt)
    for row in read.rows("financing_draws"):
        drawn = instant(row["drawn_at"])
        if drawn is not None:
            draw = Draw(
                row["draw_no"], row["merchant_code"], row["product"], drawn, amount(row["fee"]), row["currency"]
            )
            world.draws.append(draw)


def _load_freight(world: World, read: Reader) -> None:
    instant = read.instant
    for row in read.rows("freight_orders"):
        order = FreightOrder(
            number=row["order_no"], merchant=row["merchant_code"], service=row["service"], line=row["line"],
            freight=amount(row["base_freight"]), currency=row["currency"], promo=row["promo_flag"] == "1",
            use_coupon=row["use_coupon"] == "1", placed=instant(row["placed_at"]), paid=instant(row["paid_at"]),
            shipped=instant(row["shipped_at"]), departed=instant(row["departed_at"]),
            cancelled=instant(row["cancelled_at"]),
        )  # fmt: skip
        world.freight.append(order)
        world.freight_of[order.merchant].append(order)
    for row in read.rows("freight_templates"):
        configured = instant(row["configured_at"])
        if configured is not None:
            template = Template(row["line"], configured, int(row["rts_products"] or 0))
            world.templates[row["merchant_code"]].append(template)
