"""Requests for offers, allowances and their uses, entitlements, ratings, and coupons on service orders."""

from collections.abc import Iterator

from fairground_client import results
from fairground_client._calls import given, path, read, write
from fairground_client._sync.administration import Administration


class Marketplace(Administration):
    """Operations on what merchants ask for, collect, use and are rated by."""

    # ---- Requests

    def request_offer(
        self, offer: str, account_code: str, *, idempotency_key: str | None = None
    ) -> results.ClaimResult:
        """Request an offer for an account. Raises `Refused` if it gets no benefit."""
        body = {"offer": offer, "account_code": account_code}
        return self._send(results.ClaimResult, write("POST", "claim-requests/", body, idempotency_key=idempotency_key))

    # ---- Allowances

    def list_allowances(self, merchant: str | None = None) -> Iterator[results.Allowance]:
        """Yield what a merchant may use now. A key of a merchant leaves out the merchant."""
        return self._pages("allowances/", merchant=merchant)

    def collect_allowance(
        self, offer: str, account_code: str, *, idempotency_key: str | None = None
    ) -> results.Allowance:
        """Collect an allowance, named by its code, for an account. Raises `Problem` (`not_collected`) if it is not."""
        body = {"offer": offer, "account_code": account_code}
        return self._send(results.Allowance, write("POST", "allowances/", body, idempotency_key=idempotency_key))

    def use_allowance(
        self,
        usage_no: str,
        use: str,
        *,
        merchant_code: str | None = None,
        account_code: str | None = None,
        quantity: int | None = None,
        buyer_code: str | None = None,
        idempotency_key: str | None = None,
    ) -> results.UseResult:
        """Use an allowance now. Raises `Problem` (`no_allowance` or `nothing_left`) if it is refused."""
        body = given(
            usage_no=usage_no,
            use=use,
            merchant_code=merchant_code,
            account_code=account_code,
            quantity=quantity,
            buyer_code=buyer_code,
        )
        return self._send(results.UseResult, write("POST", "usages/", body, idempotency_key=idempotency_key))

    def get_use(self, number: str) -> results.UseResult:
        """Return the result of a use as it is now."""
        return self._send(results.UseResult, read(path("usages", number)))

    # ---- Entitlements and ratings

    def list_merchant_entitlements(self, merchant: str) -> Iterator[results.Entitlement]:
        """Yield what a merchant is entitled to now."""
        return self._pages(path("merchants", merchant, "entitlements"))

    def list_buyer_entitlements(self, buyer: str) -> Iterator[results.Entitlement]:
        """Yield what a buyer is entitled to now. For keys of the platform."""
        return self._pages(path("buyers", buyer, "entitlements"))

    def list_merchant_ratings(self, merchant: str) -> Iterator[results.MerchantRatings]:
        """Yield a merchant's ratings by scorecard: in force, predicted and earlier, explained."""
        return self._pages(path("merchants", merchant, "ratings"))

    # ---- Coupons on service orders

    def attach_coupon_of_service_order(self, order: str, *, idempotency_key: str | None = None) -> results.Coupon:
        """Attach the oldest coupon that fits to a service order that is placed and not paid."""
        call = write("POST", path("service-orders", order, "coupon"), idempotency_key=idempotency_key)
        return self._send(results.Coupon, call)

    def detach_coupon_of_service_order(self, order: str, *, idempotency_key: str | None = None) -> results.Coupon:
        """Detach the coupon from a service order that is not paid yet."""
        call = write("DELETE", path("service-orders", order, "coupon"), idempotency_key=idempotency_key)
        return self._send(results.Coupon, call)
