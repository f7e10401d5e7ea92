"""Client with one method for each operation of version 1, by its name in the OpenAPI schema."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fairground_client import responses
from fairground_client.transport import Transport

PAGE_SIZE = 100
"""Rows that the client asks for at once."""


class Fairground:
    """A server and an API key. Options are those of `transport.Transport`: language, timeout, attempts, first_wait.

    All methods raise `Problem` for an error that the server returns, and `UnavailableError` if it does not respond.
    Methods that write accept an `idempotency_key`; without it each call is a write of its own.
    """

    def __init__(self, url: str, key: str, **options: Any) -> None:
        self.transport = Transport(url, key, **options)

    def list_campaigns(self) -> list[responses.Campaign]:
        """List all campaigns."""
        return list(self._pages("campaigns/", {}))

    def list_offers(self, campaign: str | None = None) -> list[responses.Offer]:
        """List published offers, of one campaign or all."""
        return list(self._pages("offers/", {"campaign": campaign}))

    def get_offer(self, code: str) -> responses.OfferDetail:
        """Return an offer with its terms, as data and as sentences."""
        result: responses.OfferDetail = self.transport.get(f"offers/{_quote(code)}/")
        return result

    def get_quota(self, code: str) -> responses.Quota:
        """Return how many places an offer has, how many are taken and how many are left."""
        result: responses.Quota = self.transport.get(f"offers/{_quote(code)}/quota/")
        return result

    def get_quota_history(self, code: str) -> list[responses.HistoryPoint]:
        """Return the places taken over time, by the hour or the day."""
        return list(self._pages(f"offers/{_quote(code)}/quota/history/", {}))

    def get_statement(
        self, month: str, *, offer: str | None = None, merchant: str | None = None
    ) -> list[responses.StatementLine]:
        """Return what was settled and redeemed in a month such as `2022-09`, by offer and merchant."""
        return list(self._pages(f"statements/{_quote(month)}/", {"offer": offer, "merchant": merchant}))

    def list_merchants(self) -> Iterator[responses.Merchant]:
        """Yield the merchants that the key may see."""
        return self._pages("merchants/", {})

    def get_merchant(self, code: str) -> responses.Merchant:
        """Return a merchant."""
        result: responses.Merchant = self.transport.get(f"merchants/{_quote(code)}/")
        return result

    def get_grant(self, id: int) -> responses.Grant:
        """Return a grant as it is now."""
        result: responses.Grant = self.transport.get(f"grants/{id}/")
        return result

    def get_coupon(self, code: str) -> responses.Coupon:
        """Return a coupon as it is now."""
        result: responses.Coupon = self.transport.get(f"coupons/{_quote(code)}/")
        return result

    def get_claim(self, subject: str, key: str) -> responses.ClaimResult:
        """Return the claim of a subject as it is now."""
        result: responses.ClaimResult = self.transport.get(f"claims/{_quote(subject)}/{_quote(key)}/")
        return result

    def list_facts(self, kind: str, merchant: str | None = None) -> Iterator[responses.Fact]:
        """Yield the recorded facts of a kind, of one merchant or of all."""
        return self._pages(f"facts/{_quote(kind)}/", {"merchant": merchant})

    def get_fact(self, kind: str, key: str) -> responses.Fact:
        """Return a recorded fact of a kind that has one column as its key."""
        result: responses.Fact = self.transport.get(f"facts/{_quote(kind)}/{_quote(key)}/")
        return result

    def list_benefits(self, merchant: str) -> list[responses.Benefit]:
        """List a merchant's status with every offer."""
        return list(self._pages(f"merchants/{_quote(merchant)}/benefits/", {}))

    def list_grants(self, merchant: str, **filters: str) -> Iterator[responses.Grant]:
        """Yield a merchant's grants, newest first. Filters: `offer`, `status`."""
        return self._pages(f"merchants/{_quote(merchant)}/grants/", filters)

    def list_coupons(self, merchant: str, **filters: str) -> Iterator[responses.Coupon]:
        """Yield a merchant's coupons, newest first. Filters: `offer`, `status`."""
        return self._pages(f"merchants/{_quote(merchant)}/coupons/", filters)

    def list_decisions(self, merchant: str, **filters: str) -> Iterator[responses.Decision]:
        """Yield the decisions about a merchant's claims, newest first, explained. Filters: `offer`, `outcome`."""
        return self._pages(f"merchants/{_quote(merchant)}/decisions/", filters)

    def explain(self, subject: str, key: str) -> list[responses.Explanation]:
        """Explain the decision of every offer for a subject of this type, condition by condition."""
        return list(self._pages(f"subjects/{_quote(subject)}/{_quote(key)}/", {}))

    def quote(
        self, subject: str, key: str | None = None, *, fact: Mapping[str, object] | None = None
    ) -> responses.ClaimResult:
        """Return what a claim would get now. Nothing is reserved."""
        result: responses.ClaimResult = self.transport.post("quotes/", _claim_body(subject, key, fact))
        return result

    def claim(
        self,
        subject: str,
        key: str | None = None,
        *,
        fact: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
    ) -> responses.ClaimResult:
        """Decide the claims of a subject, given by its key or by its facts. Raises `Refused` if it gets no benefit.

        The result's `state` is `waiting` if the claim is decided at `decides_at`, `not_claimed` or `not_applicable` if
        there is nothing to decide.
        """
        result: responses.ClaimResult = self.transport.write(
            "POST", "claims/", _claim_body(subject, key, fact), idempotency_key=idempotency_key
        )
        return result

    def follow_claim(
        self, subject: str, key: str, step: str, *, at: str | None = None, idempotency_key: str | None = None
    ) -> responses.ClaimResult:
        """Record that a subject was paid (step `pay`), fulfilled (`fulfil`) or cancelled (`cancel`), by default now."""
        path = f"claims/{_quote(subject)}/{_quote(key)}/{_quote(step)}/"
        result: responses.ClaimResult = self.transport.write("POST", path, {"at": at}, idempotency_key=idempotency_key)
        return result

    def record_facts(
        self,
        kind: str,
        facts: Sequence[Mapping[str, object]],
        *,
        allow_moves: bool = False,
        idempotency_key: str | None = None,
    ) -> responses.ImportResult:
        """Record up to 1,000 facts of a kind, new or changed. All or nothing. Columns left out keep their values.

        A fact moves to another merchant or order only with `allow_moves`.
        """
        return self._write_facts("POST", kind, facts, allow_moves, idempotency_key)

    def change_facts(
        self,
        kind: str,
        facts: Sequence[Mapping[str, object]],
        *,
        allow_moves: bool = False,
        idempotency_key: str | None = None,
    ) -> responses.ImportResult:
        """Change up to 1,000 recorded facts: the key and the columns that change. All or nothing."""
        return self._write_facts("PATCH", kind, facts, allow_moves, idempotency_key)

    def replace_facts(
        self,
        kind: str,
        facts: Sequence[Mapping[str, object]],
        *,
        allow_moves: bool = False,
        idempotency_key: str | None = None,
    ) -> responses.ImportResult:
        """Record up to 1,000 facts of a kind, each as a whole: columns left out are emptied. All or nothing."""
        return self._write_facts("PUT", kind, facts, allow_moves, idempotency_key)

    def attach_coupon(self, order: str, *, idempotency_key: str | None = None) -> responses.Coupon:
        """Attach the oldest coupon that fits to a freight order that is placed and not paid."""
        path = f"freight-orders/{_quote(order)}/coupon/"
        result: responses.Coupon = self.transport.write("POST", path, None, idempotency_key=idempotency_key)
        return result

    def detach_coupon(self, order: str, *, idempotency_key: str | None = None) -> responses.Coupon:
        """Detach the coupon from a freight order that is not paid yet."""
        path = f"freight-orders/{_quote(order)}/coupon/"
        result: responses.Coupon = self.transport.write("DELETE", path, None, idempotency_key=idempotency_key)
        return result

    def _write_facts(
        self,
        method: str,
        kind: str,
        facts: Sequence[Mapping[str, object]],
        allow_moves: bool,
        idempotency_key: str | None,
    ) -> responses.ImportResult:
        body = {"facts": list(facts), **({"allow_moves": True} if allow_moves else {})}
        result: responses.ImportResult = self.transport.write(
            method, f"facts/{_quote(kind)}/", body, idempotency_key=idempotency_key
        )
        return result

    def _pages(self, path: str, filters: Mapping[str, str | None]) -> Iterator[Any]:
        page = self.transport.get(path, **{"size": str(PAGE_SIZE), **filters})
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self.transport.get(page["next"])


def _quote(text: str) -> str:
    return quote(text, safe="")


def _claim_body(subject: str, key: str | None, fact: Mapping[str, object] | None) -> dict[str, object]:
    return {"subject": subject, **({"key": key} if fact is None else {"fact": dict(fact)})}
