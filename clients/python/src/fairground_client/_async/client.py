"""Made from `_sync/client.py` by `python -m tests.generate_clients`."""

from collections.abc import AsyncIterator, Mapping, Sequence

from fairground_client import results
from fairground_client._async.marketplace import AsyncMarketplace
from fairground_client._calls import ask, claim_body, path, read, write


class AsyncFairground(AsyncMarketplace):
    """A server and an API key. Options are those of `Options`: language, timeout, attempts, first_wait, jitter.

    All methods raise `Problem` for an error that the server returns, and `UnavailableError` if it does not respond.
    Methods that write accept an `idempotency_key`; without it each call is a write of its own.
    """

    # ---- Campaigns and offers

    def list_campaigns(self) -> AsyncIterator[results.Campaign]:
        """Yield all campaigns."""
        return self._pages("campaigns/")

    def list_offers(self, campaign: str | None = None) -> AsyncIterator[results.Offer]:
        """Yield published offers, of one campaign or all."""
        return self._pages("offers/", campaign=campaign)

    async def get_offer(self, code: str) -> results.OfferDetail:
        """Return an offer with its terms, as data and as sentences."""
        return await self._send(results.OfferDetail, read(path("offers", code)))

    async def get_quota(self, code: str) -> results.Quota:
        """Return how many places an offer has, how many are taken and how many are left."""
        return await self._send(results.Quota, read(path("offers", code, "quota")))

    def get_quota_history(self, code: str) -> AsyncIterator[results.HistoryPoint]:
        """Yield the places taken over time, by the hour or the day."""
        return self._pages(path("offers", code, "quota", "history"))

    def get_statement(
        self, month: str, *, offer: str | None = None, merchant: str | None = None, payer: str | None = None
    ) -> AsyncIterator[results.StatementLine]:
        """Yield what was settled and redeemed in a month such as `2022-09`, by offer and merchant.

        With a `payer` (platform, merchant or carrier) the amounts are what that party pays of them.
        """
        return self._pages(path("statements", month), offer=offer, merchant=merchant, payer=payer)

    # ---- Merchants, and what they hold

    def list_merchants(self) -> AsyncIterator[results.Merchant]:
        """Yield the merchants that the key may see."""
        return self._pages("merchants/")

    async def get_merchant(self, code: str) -> results.Merchant:
        """Return a merchant."""
        return await self._send(results.Merchant, read(path("merchants", code)))

    def list_benefits(self, merchant: str) -> AsyncIterator[results.Benefit]:
        """Yield a merchant's status with every offer."""
        return self._pages(path("merchants", merchant, "benefits"))

    def list_grants(
        self, merchant: str, *, offer: str | None = None, status: results.GrantStatus | None = None
    ) -> AsyncIterator[results.Grant]:
        """Yield a merchant's grants, newest first."""
        return self._pages(path("merchants", merchant, "grants"), offer=offer, status=status)

    async def get_grant(self, id: int) -> results.Grant:
        """Return a grant as it is now."""
        return await self._send(results.Grant, read(path("grants", id)))

    def list_coupons(
        self, merchant: str, *, offer: str | None = None, status: results.CouponStatus | None = None
    ) -> AsyncIterator[results.Coupon]:
        """Yield a merchant's coupons, newest first."""
        return self._pages(path("merchants", merchant, "coupons"), offer=offer, status=status)

    async def get_coupon(self, code: str) -> results.Coupon:
        """Return a coupon as it is now."""
        return await self._send(results.Coupon, read(path("coupons", code)))

    def list_decisions(
        self, merchant: str, *, offer: str | None = None, outcome: str | None = None
    ) -> AsyncIterator[results.Decision]:
        """Yield the decisions about a merchant's claims, newest first, each explained."""
        return self._pages(path("merchants", merchant, "decisions"), offer=offer, outcome=outcome)

    # ---- Claims

    def explain(self, subject: str, key: str) -> AsyncIterator[results.Explanation]:
        """Explain the decision of every offer for a subject of this type, condition by condition."""
        return self._pages(path("subjects", subject, key))

    async def quote(
        self, subject: str, key: str | None = None, *, fact: Mapping[str, object] | None = None
    ) -> results.ClaimResult:
        """Return what a claim would get now. Nothing is reserved."""
        return await self._send(results.ClaimResult, ask("quotes/", claim_body(subject, key, fact)))

    async def claim(
        self,
        subject: str,
        key: str | None = None,
        *,
        fact: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
    ) -> results.ClaimResult:
        """Decide the claims of a subject, given by its key or by its facts. Raises `Refused` if it gets no benefit.

        The result's `state` is `waiting` if the claim is decided at `decides_at`, `not_claimed` or `not_applicable` if
        there is nothing to decide.
        """
        body = claim_body(subject, key, fact)
        return await self._send(results.ClaimResult, write("POST", "claims/", body, idempotency_key=idempotency_key))

    async def get_claim(self, subject: str, key: str) -> results.ClaimResult:
        """Return the claim of a subject as it is now. Nothing is decided."""
        return await self._send(results.ClaimResult, read(path("claims", subject, key)))

    async def follow_claim(
        self, subject: str, key: str, step: str, *, at: str | None = None, idempotency_key: str | None = None
    ) -> results.ClaimResult:
        """Record that a subject was paid (step `pay`), fulfilled (`fulfil`) or cancelled (`cancel`), by default now."""
        call = write("POST", path("claims", subject, key, step), {"at": at}, idempotency_key=idempotency_key)
        return await self._send(results.ClaimResult, call)

    async def attach_coupon(self, order: str, *, idempotency_key: str | None = None) -> results.Coupon:
        """Attach the oldest coupon that fits to a freight order that is placed and not paid."""
        call = write("POST", path("freight-orders", order, "coupon"), idempotency_key=idempotency_key)
        return await self._send(results.Coupon, call)

    async def detach_coupon(self, order: str, *, idempotency_key: str | None = None) -> results.Coupon:
        """Detach the coupon from a freight order that is not paid yet."""
        call = write("DELETE", path("freight-orders", order, "coupon"), idempotency_key=idempotency_key)
        return await self._send(results.Coupon, call)

    # ---- Facts

    def list_facts(self, kind: str, *, merchant: str | None = None) -> AsyncIterator[results.Fact]:
        """Yield the recorded facts of a kind, of one merchant or of all."""
        return self._pages(path("facts", kind), merchant=merchant)

    async def get_fact(self, kind: str, key: str) -> results.Fact:
        """Return a recorded fact of a kind that has one column as its key."""
        return await self._send(results.Fact, read(path("facts", kind, key)))

    async def record_facts(
        self,
        kind: str,
        facts: Sequence[Mapping[str, object]],
        *,
        allow_moves: bool = False,
        idempotency_key: str | None = None,
    ) -> results.ImportResult:
        """Record up to 1,000 facts of a kind, new or changed. All or nothing. Columns left out keep their values.

        A fact moves to another merchant or order only with `allow_moves`.
        """
        return await self._write_facts("POST", kind, facts, allow_moves, idempotency_key)

    async def change_facts(
        self,
        kind: str,
        facts: Sequence[Mapping[str, object]],
        *,
        allow_moves: bool = False,
        idempotency_key: str | None = None,
    ) -> results.ImportResult:
        """Change up to 1,000 recorded facts: the key and the columns that change. All or nothing."""
        return await self._write_facts("PATCH", kind, facts, allow_moves, idempotency_key)

    async def replace_facts(
        self,
        kind: str,
        facts: Sequence[Mapping[str, object]],
        *,
        allow_moves: bool = False,
        idempotency_key: str | None = None,
    ) -> results.ImportResult:
        """Record up to 1,000 facts of a kind, each as a whole: columns left out are emptied. All or nothing."""
        return await self._write_facts("PUT", kind, facts, allow_moves, idempotency_key)

    # ---- Requests

    async def _write_facts(
        self,
        method: str,
        kind: str,
        facts: Sequence[Mapping[str, object]],
        allow_moves: bool,
        idempotency_key: str | None,
    ) -> results.ImportResult:
        body = {"facts": list(facts), **({"allow_moves": True} if allow_moves else {})}
        call = write(method, path("facts", kind), body, idempotency_key=idempotency_key)
        return await self._send(results.ImportResult, call)
