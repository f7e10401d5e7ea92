"""Facts of buyers, listings, order items and services, with usual values where a test names none."""

from decimal import Decimal
from typing import Any

from buyers.models import Buyer, BuyerLevel
from catalog.models import Listing, StoreDiscount
from compliance.models import Violation
from merchants.models import Account
from services.models import ClaimRequest, ServiceOrder
from tests.support.world import tell
from trade.models import OrderItem, Review


def buyer(code: str = "B1", **fields: Any) -> Buyer:
    """Record a buyer from the United States, registered in 2020."""
    return tell(Buyer, code=code, **{"country": "US", "registered_at": "2020-01-01", **fields})


def level(of: str, level: int, from_at: str) -> BuyerLevel:
    """Record the level of a buyer from an instant on."""
    return tell(BuyerLevel, buyer_id=of, level=level, from_at=from_at)


def listing(number: str = "L1", of: str = "M1", **fields: Any) -> Listing:
    """Record a ready-to-ship listing of chairs, live since 2020."""
    usual = {"title": "a chair", "category": "Furniture>Chairs", "is_rts": True, "published_at": "2020-01-01"}
    return tell(Listing, listing_no=number, merchant_id=of, **{**usual, **fields})


def item(order: str, listing: str = "L1", **fields: Any) -> OrderItem:
    """Record an item of an order: one piece for 100.00 USD."""
    usual = {"quantity": 1, "amount_usd": Decimal(100)}
    return tell(OrderItem, item_no=f"{order}/{listing}", order_id=order, listing_id=listing, **{**usual, **fields})


def product_review(number: str, order: str, reviewed_at: str, stars: int = 5, **fields: Any) -> Review:
    """Record a review of listing L1 by buyer B1."""
    usual = {"listing_id": "L1", "buyer_id": "B1", "stars": stars, "quality_stars": stars}
    return tell(Review, review_no=number, order_id=order, reviewed_at=reviewed_at, **{**usual, **fields})


def violation(number: str, found_at: str, of: str = "M1", **fields: Any) -> Violation:
    """Record a violation: false information."""
    usual = {"kind": "false_information"}
    return tell(Violation, violation_no=number, merchant_id=of, found_at=found_at, **{**usual, **fields})


def account(code: str = "A1", of: str = "M1", role: str = "main") -> Account:
    """Record a main account of a merchant."""
    return tell(Account, code=code, merchant_id=of, role=role)


def service_order(number: str, placed_at: str, of: str = "M1", **fields: Any) -> ServiceOrder:
    """Record an order of a photo tool for 99.00 CNY by account A1."""
    usual = {"account_id": "A1", "service": "photo_tool", "list_price": Decimal(99), "currency": "CNY"}
    return tell(ServiceOrder, order_no=number, merchant_id=of, placed_at=placed_at, **{**usual, **fields})


def request(number: str, offer: str, requested_at: str, of: str = "M1", account: str = "A1") -> ClaimRequest:
    """Record a request for an offer."""
    return tell(
        ClaimRequest, request_no=number, offer=offer, merchant_id=of, account_id=account, requested_at=requested_at
    )


def store_discount(number: str, percent: str, *, stock: int = 9, of: str = "M1", **fields: Any) -> StoreDiscount:
    """Record a discount on listing L1, in force since 1 September."""
    usual = {"listing_id": "L1", "starts_at": "01"}
    more = {**usual, "percent": Decimal(percent), "stock": stock, **fields}
    return tell(StoreDiscount, discount_no=number, merchant_id=of, **more)
