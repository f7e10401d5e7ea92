"""Every operation of version 1, by the name it has in the schema."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fairground_client import responses
from fairground_client.transport import Wire


class Fairground:
    """A server and a key. Raises `Problem` where it says no, `UnavailableError` where it does not answer.

    Options are those of `wire.Wire`: language, timeout in seconds, tries, gap in seconds before the second try.
    """

    def __init__(self, url: str, key: str, **options: Any) -> None:
        self.wire = Wire(url, key, **options)

    def list_campaigns(self) -> list[responses.Campaign]:
        """All campaigns."""
        found: list[responses.Campaign] = self.wire.get("campaigns/")
        return found

    def list_offers(self, campaign: str | None = None) -> list[responses.Offer]:
        """Published offers, of one campaign or all."""
        found: list[responses.Offer] = self.wire.get("offers/", campaign=campaign)
        return found

    def get_offer(self, code: str) -> responses.OfferDetail:
        """An offer with its terms, as data and as sentences."""
        found: responses.OfferDetail = self.wire.get(f"offers/{_part(code)}/")
        return found

    def get_quota(self, code: str) -> responses.Quota:
        """How many places there are, are taken and are left."""
        found: responses.Quota = self.wire.get(f"offers/{_part(code)}/quota/")
        return found

    def get_quota_history(self, code: str) -> list[responses.HistoryPoint]:
        """How places went, by the hour or the day."""
        found: list[responses.HistoryPoint] = self.wire.get(f"offers/{_part(code)}/quota/history/")
        return found

    def get_statement(
        self, month: str, *, offer: str | None = None, merchant: str | None = None
    ) -> list[responses.StatementLine]:
        """What was settled and redeemed in a month such as `2022-09`."""
        path = f"statements/{_part(month)}/"
        found: list[responses.StatementLine] = self.wire.get(path, offer=offer, merchant=merchant)
        return found

    def list_benefits(self, merchant: str) -> list[responses.Benefit]:
        """Where a merchant stands with every offer."""
        found: list[responses.Benefit] = self.wire.get(f"merchants/{_part(merchant)}/benefits/")
        return found

    def list_grants(self, merchant: str, **filters: str) -> Iterator[responses.Grant]:
        """A merchant's grants, newest first, page by page; `offer` and `status` filter."""
        return self._pages(f"merchants/{_part(merchant)}/grants/", filters)

    def list_coupons(self, merchant: str, **filters: str) -> Iterator[responses.Coupon]:
        """A merchant's coupons, newest first, page by page; `offer` and `status` filter."""
        return self._pages(f"merchants/{_part(merchant)}/coupons/", filters)

    def list_decisions(self, merchant: str, **filters: str) -> Iterator[responses.Decision]:
        """What was decided of a merchant's claims, newest first, each explained; `offer` and `outcome` filter."""
        return self._pages(f"merchants/{_part(merchant)}/decisions/", filters)

    def explain(self, subject: str, key: str) -> list[responses.Explanation]:
        """What every offer about such a subject says to this one, condition by condition."""
        found: list[responses.Explanation] = self.wire.get(f"subjects/{_part(subject)}/{_part(key)}/")
        return found

    def quote(
        self, subject: str, key: str | None = None, *, fact: Mapping[str, object] | None = None
    ) -> responses.ClaimResult:
        """What a claim would get now; nothing is held."""
        found: responses.ClaimResult = self.wire.ask("quotes/", _claimed(subject, key, fact))
        return found

    def claim(
        self,
        subject: str,
        key: str | None = None,
        *,
        fact: Mapping[str, object] | None = None,
        once: str | None = None,
    ) -> responses.ClaimResult:
        """Decide a subject's claims at once, by its key or by its facts. Raises `Refused` where it gets nothing."""
        found: responses.ClaimResult = self.wire.write("POST", "claims/", _claimed(subject, key, fact), once=once)
        return found

    def follow_claim(
        self, subject: str, key: str, step: str, *, at: str | None = None, once: str | None = None
    ) -> responses.ClaimResult:
        """Tell that a subject was paid (`pay`), fulfilled (`fulfil`), cancelled (`cancel`), now or `at` an instant."""
        path = f"claims/{_part(subject)}/{_part(key)}/{_part(step)}/"
        found: responses.ClaimResult = self.wire.write("POST", path, {"at": at}, once=once)
        return found

    def record_facts(
        self, kind: str, facts: Sequence[Mapping[str, object]], *, once: str | None = None
    ) -> responses.ImportResult:
        """Record up to 1,000 facts of a kind, new or changed: all or none."""
        found: responses.ImportResult = self.wire.write(
            "POST", f"facts/{_part(kind)}/", {"facts": list(facts)}, once=once
        )
        return found

    def attach_coupon(self, order: str, *, once: str | None = None) -> responses.Coupon:
        """Attach the oldest coupon that fits to a freight order that is placed and not paid."""
        path = f"freight-orders/{_part(order)}/coupon/"
        found: responses.Coupon = self.wire.write("POST", path, None, once=once)
        return found

    def detach_coupon(self, order: str, *, once: str | None = None) -> responses.Coupon:
        """Take the coupon off a freight order that is not paid yet."""
        path = f"freight-orders/{_part(order)}/coupon/"
        found: responses.Coupon = self.wire.write("DELETE", path, None, once=once)
        return found

    def _pages(self, path: str, filters: Mapping[str, str]) -> Iterator[Any]:
        page = self.wire.get(path, **filters)
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self.wire.get(page["next"])


def _part(text: str) -> str:
    return quote(text, safe="")


def _claimed(subject: str, key: str | None, fact: Mapping[str, object] | None) -> dict[str, object]:
    return {"subject": subject, **({"key": key} if fact is None else {"fact": dict(fact)})}
