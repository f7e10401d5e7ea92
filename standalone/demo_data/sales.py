"""Parts of trade orders that buyers and merchants add: buyer, promised dates, items, reviews and payments."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from random import Random

from standalone.demo_data.buyers import Customers
from standalone.demo_data.csv_rows import Receipt, Row, TradeOrder, money
from standalone.demo_data.marketplace_rows import BuyerPayment, Listing, OrderItem, Review
from standalone.demo_data.timing import Span, recorded

PUNCTUAL = 0.94
"""Share of orders that ship by the promised instant."""


def sold(
    rng: Random, rows: Iterable[TradeOrder | Receipt], known: Customers, listings: Sequence[Listing]
) -> Iterator[Row]:
    """Yield trade orders and receipts with the buyer of each order, and its items, review and payment after it."""
    order: TradeOrder | None = None
    for row in rows:
        if isinstance(row, TradeOrder):
            order = _with_buyer(rng, row, known)
            yield order
            yield from _items(rng, order, listings)
        else:
            yield row
            if order is not None and row.kind == "first" and order.buyer_code and rng.random() < 0.05:
                yield _payment(rng, order, row)


def _with_buyer(rng: Random, order: TradeOrder, known: Customers) -> TradeOrder:
    order.buyer_code = rng.choice(known.codes) if rng.random() < 0.97 else ""
    if order.buyer_confirmed_at is None:
        return order
    if order.shipped_at is None:
        order.promised_ship_at = order.buyer_confirmed_at + timedelta(days=rng.randint(10, 40))
        return order
    punctual = rng.random() < PUNCTUAL
    order.promised_ship_at = order.shipped_at + timedelta(hours=rng.randint(1, 96) * (1 if punctual else -1))
    if rng.random() < 0.015:
        order.disputed_at = recorded(Span(48, 700).after(rng, order.shipped_at))
    return order


def _items(rng: Random, order: TradeOrder, listings: Sequence[Listing]) -> Iterator[Row]:
    fitting = [listing for listing in listings if listing.is_rts == order.is_rts] or listings
    chosen = rng.sample(fitting, min(len(fitting), rng.choice((1, 1, 2))))
    share = money(float(order.amount_usd) / len(chosen))
    for listing in chosen:
        quantity = rng.choice((1, 20, 100, 500))
        yield OrderItem(order_no=order.order_no, listing_no=listing.listing_no, quantity=quantity, amount_usd=share)
    reviewed = recorded(Span(24, 600).after(rng, order.completed_at)) if order.completed_at else None
    if reviewed and order.buyer_code and rng.random() < 0.35:
        stars = rng.choices((2, 3, 4, 5), (4, 8, 30, 58))[0]
        yield Review(
            review_no=f"V{order.order_no[1:]}",
            order_no=order.order_no,
            listing_no=chosen[0].listing_no,
            buyer_code=order.buyer_code,
            stars=stars,
            quality_stars=min(5, max(1, stars + rng.choice((-1, 0, 0, 1)))),
            reviewed_at=reviewed,
        )


def _payment(rng: Random, order: TradeOrder, receipt: Receipt) -> BuyerPayment:
    return BuyerPayment(
        payment_no=f"P{order.order_no[1:]}",
        buyer_code=order.buyer_code,
        order_no=order.order_no,
        product="bnpl" if rng.random() < 0.7 else "oa_credit",
        amount_usd=receipt.amount_usd,
        paid_at=receipt.booked_at,
    )
