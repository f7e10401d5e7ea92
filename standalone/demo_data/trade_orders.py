"""Trade orders with their receipts, and financing draws."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from standalone.demo_data.csv_rows import FinancingDraw, Receipt, TradeOrder, money
from standalone.demo_data.merchant_profiles import Profile
from standalone.demo_data.reference_data import TRADES
from standalone.demo_data.timing import AUTUMN, SEASONS, SEPTEMBER, Season, Span, recorded

DESTINATIONS = ("US", "GB", "DE", "AU", "CA", "NL", "IT", "RU", "FR", "ES", "BR", "MX", "JP", "AE", "SA", "ZA")
DESTINATION_WEIGHTS = (26, 9, 8, 7, 7, 4, 4, 4, 5, 4, 4, 4, 3, 4, 3, 4)
EXPORT_MODES = ("onetouch_agency", "market_procurement", "self_operated", "convenient_shipping")
CATEGORIES = tuple(trade.category_l1 for trade in TRADES.values())
EARLIER_DRAWS = Season(date(2021, 8, 1), date(2022, 8, 31))


@dataclass(frozen=True)
class Deal:
    """Terms agreed between merchant and buyer."""

    retail: bool
    amount: Decimal
    export_mode: str
    open_account: bool


def _deal(rng: Random, profile: Profile) -> Deal:
    retail = rng.random() < profile.retail
    price = rng.lognormvariate(6, 0.8) if retail else profile.ticket * rng.lognormvariate(0, 0.8)
    mode = profile.export_mode if rng.random() < 0.8 else rng.choice(EXPORT_MODES)
    insured = profile.open_account and not retail and rng.random() < 0.5
    return Deal(retail, money(max(price, 25)), mode, insured)


def trade_rows(rng: Random, profile: Profile) -> Iterator[TradeOrder | Receipt]:
    """Yield each trade order, followed by its receipts."""
    numbers = count(1)
    for season, times in zip(SEASONS, profile.trade, strict=True):
        for drafted in season.moments(rng, times):
            deal = _deal(rng, profile)
            order = _order(rng, profile, deal, drafted, next(numbers))
            receipts = list(_run_course(rng, deal, order))
            yield order
            yield from receipts


def _order(rng: Random, profile: Profile, deal: Deal, drafted: datetime, number: int) -> TradeOrder:
    product = "trade_assurance" if rng.random() < 0.8 else "e_collection"
    returns = profile.easy_return and deal.retail and product == "trade_assurance" and rng.random() < 0.75
    rate = 0.015 if product == "trade_assurance" else 0.005
    own = rng.random() < 0.9
    return TradeOrder(
        order_no=f"T{drafted:%y%m%d}{profile.number:05d}{number:04d}",
        merchant_code=profile.code,
        account_code=rng.choice(profile.accounts),
        product=product,
        export_mode=deal.export_mode,
        payment_product=_payment_product(rng, profile, deal),
        drafted_at=drafted,
        amount_usd=deal.amount,
        is_rts=deal.retail or rng.random() < 0.1,
        category_l1=profile.company.trade.category_l1 if own else rng.choice(CATEGORIES),
        destination=rng.choices(DESTINATIONS, DESTINATION_WEIGHTS)[0],
        oa_mode=rng.choices(("platform_insured", "self_insured"), (75, 25))[0] if deal.open_account else "",
        easy_return=returns,
        easy_return_premium_usd=money(float(deal.amount) * rng.uniform(0.025, 0.045)) if returns else None,
        service_fee_usd=money(min(float(deal.amount) * rate, 350)),
    )


def _payment_product(rng: Random, profile: Profile, deal: Deal) -> str:
    if deal.retail or deal.open_account or not profile.letters_of_credit or rng.random() < 0.4:
        return ""
    return rng.choice(("TALC", "TAPLC", "TAOLC"))


def _run_course(rng: Random, deal: Deal, order: TradeOrder) -> Iterator[Receipt]:
    """Set the instants of the order's steps and yield its receipts."""
    fate = rng.random()
    if fate < 0.02:
        return  # the buyer never answered
    confirmed = Span(0.2, 90).after(rng, order.drafted_at)
    order.buyer_confirmed_at = recorded(confirmed)
    if fate < 0.06:
        order.cancelled_at = recorded(Span(2, 200).at_work(rng, confirmed))
        return
    if fate < 0.08:
        return  # confirmed, never paid
    first = Span(0.3, 100).at_work(rng, confirmed)
    shipped: datetime | None = _ship(rng, deal, first)
    if deal.open_account and rng.random() < 0.4:  # pays after delivery
        first = Span(200, 900).at_work(rng, shipped or first)
    if fate < 0.12:
        order.cancelled_at = recorded(Span(12, 400).at_work(rng, first))
        shipped = None
    elif fate < 0.135:
        order.abnormal_at = recorded(Span(24, 800).at_work(rng, first))
    yield from _receipts(rng, deal, order, first, shipped)


def _ship(rng: Random, deal: Deal, ordered: datetime) -> datetime:
    """Draw the shipping instant: days for goods in stock, weeks for goods made to order."""
    return (Span(20, 180) if deal.retail else Span(100, 1100)).at_work(rng, ordered)


def _receipts(
    rng: Random, deal: Deal, order: TradeOrder, first: datetime, shipped: datetime | None
) -> Iterator[Receipt]:
    whole = deal.retail and rng.random() < 0.85
    deposit = order.amount_usd if whole else money(float(order.amount_usd) * rng.choice((0.2, 0.3, 0.3, 0.4, 0.5)))
    yield from _booked(rng, order, "first", deposit, first)
    if shipped is None:
        return
    balance = None if whole else _balance_due(rng, first, shipped)
    if balance:
        yield from _booked(rng, order, "balance", order.amount_usd - deposit, balance)
    done = shipped if deal.open_account or balance is None else max(shipped, balance)
    _fulfil(rng, order, shipped, done)


def _balance_due(rng: Random, first: datetime, shipped: datetime) -> datetime:
    """Draw when the balance is paid: two of three buyers pay before shipping, the others against documents."""
    if first < shipped and rng.random() < 0.65:
        return first + (shipped - first) * round(rng.uniform(0.6, 0.98), 3)
    return Span(40, 500).at_work(rng, max(first, shipped))


def _booked(rng: Random, order: TradeOrder, kind: str, amount: Decimal, moment: datetime) -> Iterator[Receipt]:
    booked = recorded(moment.replace(microsecond=0))
    if booked is None:
        return
    cancelled = Span(5, 400).at_work(rng, booked) if rng.random() < 0.015 else None
    if order.cancelled_at and rng.random() < 0.7:
        cancelled = order.cancelled_at + timedelta(minutes=rng.randint(5, 3000))
    number = 1 if kind == "first" else 2
    yield Receipt(
        receipt_no=f"R{order.order_no[1:]}-{number}",
        order_no=order.order_no,
        kind=kind,
        amount_usd=amount,
        booked_at=booked,
        cancelled_at=recorded(cancelled),
    )


def _fulfil(rng: Random, order: TradeOrder, shipped: datetime, done: datetime) -> None:
    order.shipped_at = recorded(shipped)
    if order.export_mode == "onetouch_agency":
        cleared = Span(4, 80).after(rng, shipped)
        order.customs_cleared_at = recorded(cleared)
        order.port_data_at = recorded(Span(24, 150).after(rng, cleared))
        done = max(done, cleared)
    if order.abnormal_at is None and rng.random() < 0.93:
        order.completed_at = recorded(Span(120, 900).after(rng, done))


def financing_draws(rng: Random, profile: Profile) -> Iterator[FinancingDraw]:
    """Yield draws on letters of credit of merchants that use them; most drew none in the year before."""
    if not profile.letters_of_credit:
        return
    earlier = EARLIER_DRAWS.moments(rng, rng.choice((0, 0, 0, 1, 2)))
    drawn = earlier + SEPTEMBER.moments(rng, rng.choice((1, 1, 2, 3))) + AUTUMN.moments(rng, rng.randint(0, 3))
    for number, moment in enumerate(drawn, start=1):
        yield FinancingDraw(
            draw_no=f"LC{moment:%y%m%d}{profile.number:05d}{number:02d}",
            merchant_code=profile.code,
            product="other" if rng.random() < 0.2 else "lc_post_document",
            drawn_at=moment,
            fee=money(rng.lognormvariate(5.3, 0.6)),
            currency="EUR" if rng.random() < 0.2 else "USD",
        )
