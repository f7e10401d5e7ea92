"""Lines of offers: what a merchant has of an offer, what is missing, and by when it must do what."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.eligibility.merchant_status import Holding, Kind, MerchantOfferStatus
from campaigns.models import Coupon, Grant
from campaigns.offers.band_usage import BandUsage
from core.facts import COLLECTIONS
from core.formatting import format_money, format_number, format_short_date
from dashboard import due_dates
from dashboard.due_dates import Due
from definitions import benefit_sentences
from definitions.claim_terms import ClaimNth

PENDING = (Grant.Status.RESERVED, Grant.Status.LOCKED)


class Group(StrEnum):
    """Group of offers on the home page."""

    AVAILABLE = "available"
    SOON = "soon"
    PLACED = "placed"
    QUALIFIED = "qualified"
    FULL = "full"
    ENDED = "ended"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class OfferLine:
    """Texts for one offer and one merchant, as of `at`."""

    status: MerchantOfferStatus
    at: datetime

    @property
    def name(self) -> str:
        return self.status.offer.row.name

    @property
    def benefit(self) -> str:
        return benefit_sentences.describe_benefit(self.status.offer.terms.benefit, self.status.offer.terms.collection)

    @cached_property
    def dues(self) -> list[Due]:
        """Dates by which something must be done, the next one first."""
        return [] if self.status.is_closed else list(due_dates.upcoming(self.status.offer.terms, at=self.at))

    @property
    def next_due(self) -> Due | None:
        return self.dues[0] if self.dues else None

    @property
    def opens_in(self) -> str:
        """The days until an offer opens, or the time on the day itself."""
        opens = self.status.opens
        days = due_dates.days_between(self.at, opens.instant) if opens else 0
        if opens and not days:
            return _("Opens today at %(time)s") % {"time": f"{timezone.localtime(opens.instant):%H:%M}"}
        return ngettext("Opens in %(n)s day", "Opens in %(n)s days", days) % {"n": format_number(days)}

    @property
    def group(self) -> Group:
        """The group of the home page: each offer is in exactly one."""
        status = self.status
        is_open = Group.AVAILABLE if status.takes_orders else Group.PLACED
        match status.kind:
            case Kind.NOT_ELIGIBLE:
                return Group.EXCLUDED
            case Kind.QUALIFIED:
                return Group.QUALIFIED
            case Kind.SOON:
                return Group.SOON
            case Kind.GRANTED if not status.is_closed:
                return is_open if status.open_to_more else Group.FULL
            case Kind.GRANTED | Kind.OVER:
                return Group.ENDED
            case _:
                return is_open

    @property
    def summary(self) -> str:
        """One line: what is missing, else what the merchant has and how much is left."""
        return " · ".join(filter(None, (*self.holdings(), self.quota))) if self.status.grants else self._start()

    def _start(self) -> str:
        return self.shortfall or self.quota

    @property
    def shortfall(self) -> str:
        """The rows or the receipts that are missing to qualify; empty where nothing is counted or all is reached."""
        found, needed = self.status.target
        missing = needed - found
        if not needed or missing <= 0:
            return ""
        claim = self.status.offer.terms.claim
        if not isinstance(claim, ClaimNth):
            return _("Receive %(amount)s more to qualify") % {"amount": format_money(missing, "USD")}
        rows = COLLECTIONS[claim.nth.of]
        words = {"n": format_number(missing), "rows": rows.singular if missing == 1 else rows.label}
        return _("%(n)s more %(rows)s to qualify") % words

    @property
    def progress(self) -> str:
        """The progress towards the claim: `3 of 5 freight orders counted`; empty where nothing is counted."""
        found, needed = self.status.target
        if not needed:
            return ""
        claim = self.status.offer.terms.claim
        if not isinstance(claim, ClaimNth):
            words = {"received": format_money(found, "USD"), "needed": format_money(needed, "USD")}
            return _("%(received)s of %(needed)s received") % words
        words = {"counted": format_number(found), "needed": format_number(needed)}
        return _("%(counted)s of %(needed)s %(rows)s counted") % {**words, "rows": COLLECTIONS[claim.nth.of].label}

    def holdings(self) -> Iterator[str]:
        """Yield what the merchant has of the offer, one phrase for each status and currency."""
        if self.status.offer.terms.bundle:
            yield from map(_coupons, self.status.coupons)
            return
        rows = self.status.offer.terms.collection
        for held in self.status.grants:
            words = {
                "n": format_number(held.count),
                "rows": str(rows.singular if held.count == 1 else rows.label),
                "amount": format_money(held.amount, held.currency),
            }
            yield _grant_text(held) % words

    @property
    def quota(self) -> str:
        """Quota left for the merchant under its own limit, else for all merchants together."""
        status, row = self.status, self.status.offer.row
        if status.bands and not (status.own_left == 0 or status.left == 0):
            return self._band(min(status.bands, key=lambda usage: usage.left / usage.limit))
        if status.own_left is not None and (status.grants or status.left is None):
            limit = row.limit_per_merchant or 0
            words = {"used": format_number(limit - status.own_left), "limit": format_number(limit)}
            return _("%(used)s of your %(limit)s used") % words
        if status.left is None:
            return _("no limit")
        words = {"left": format_number(status.left), "limit": format_number(row.limit)}
        if status.left == row.limit and status.offer.terms.decided_at:
            return _("%(limit)s in all") % words  # "left" would tell nothing of those in line
        return _("%(left)s left of %(limit)s") % words

    @property
    def _own_limit_reached(self) -> bool:
        return self.status.own_left == 0 or any(usage.is_own and usage.is_full for usage in self.status.bands)

    def _band(self, usage: BandUsage) -> str:
        """Return what is left of the band that is nearest to its limit, and when its next period begins."""
        words = {"used": usage.shown_used, "limit": usage.shown_limit, "left": usage.shown_left}
        text = _("%(used)s of your %(limit)s used") if usage.is_own else _("%(left)s left of %(limit)s")
        if not usage.is_full or usage.ends is None:
            return text % words
        at = format_short_date(usage.ends, timezone.get_current_timezone_name(), now=usage.ends)
        return _("%(text)s, again from %(at)s") % {"text": text % words, "at": at}

    @property
    def pending(self) -> dict[str, Decimal]:
        """The amounts that are granted and not settled yet, by currency; coupons on unpaid orders among them."""
        amounts: dict[str, Decimal] = {}
        held = [each for each in self.status.coupons if each.status == Coupon.Status.LOCKED]
        if not self.status.offer.terms.bundle:
            held = [each for each in self.status.grants if each.status in PENDING]
        for holding in held:
            amounts[holding.currency] = amounts.get(holding.currency, Decimal(0)) + holding.amount
        return amounts

    def coupons(self, status: str) -> Holding | None:
        """Return the merchant's coupons in a status, None without any."""
        return next((held for held in self.status.coupons if held.status == status), None)

    @property
    def state(self) -> tuple[str, str]:
        """The tone of a pill and its text, for an offer that gives nothing more."""
        status = self.status
        if self.pending:
            return "info", _("On its way")
        if self.coupons(Coupon.Status.ISSUED):
            return "ok", _("In your wallet")
        if any(held.status == Grant.Status.SETTLED for held in status.grants):
            return "ok", str(capfirst(Grant.Status.SETTLED.label))
        if status.is_closed:
            return "idle", _("Ended")
        return "idle", _("Limit reached") if self._own_limit_reached else _("Quota used up")


def _grant_text(held: Holding) -> str:
    match held.status:
        case Grant.Status.SETTLED:
            return _("%(n)s %(rows)s, %(amount)s saved")
        case Grant.Status.RESERVED | Grant.Status.LOCKED:
            return _("%(n)s %(rows)s, %(amount)s on its way")
        case Grant.Status.RELEASED:
            return _("%(n)s cancelled, quota given back")
        case _:
            return _("%(n)s %(rows)s, %(amount)s lost")


def _coupons(held: Holding) -> str:
    words = {"n": format_number(held.count), "amount": format_money(held.amount, held.currency)}
    n = held.count
    match held.status:
        case Coupon.Status.ISSUED:
            text = ngettext("%(n)s coupon, %(amount)s to use", "%(n)s coupons, %(amount)s to use", n)
            if not held.amount:  # coupons that set a price
                text = ngettext("%(n)s coupon to use", "%(n)s coupons to use", n)
        case Coupon.Status.LOCKED:
            text = ngettext("%(n)s coupon on an unpaid order", "%(n)s coupons on unpaid orders", n)
        case Coupon.Status.REDEEMED:
            text = ngettext("%(n)s coupon used, %(amount)s saved", "%(n)s coupons used, %(amount)s saved", n)
        case Coupon.Status.EXPIRED:
            text = ngettext("%(n)s coupon expired", "%(n)s coupons expired", n)
        case _:
            text = ngettext("%(n)s coupon void", "%(n)s coupons void", n)
    return text % words
