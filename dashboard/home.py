"""Home page: one card for each offer, the most urgent first."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.eligibility import merchant_status
from campaigns.eligibility.merchant_status import Kind, MerchantOfferStatus
from campaigns.models import Campaign, Grant
from campaigns.offers import published_offers, schedule
from core import clock
from core.facts import COLLECTIONS
from core.formatting import format_money, format_number, join_and
from dashboard.rendering import render_page
from definitions import offer_sentences
from definitions.claim_terms import ClaimNth
from definitions.offer_terms import OfferTerms
from merchants.access import MemberRequest, for_members
from rules.sentences import describe_bound
from rules.time_windows import Bound


@dataclass(frozen=True)
class Card:
    """Texts for one offer: what the merchant has, what is missing, what happens next and until when."""

    status: MerchantOfferStatus

    @property
    def name(self) -> str:
        return self.status.offer.row.name

    @property
    def state(self) -> str:
        """Name of the status as a CSS class: `running_out`."""
        return self.status.kind.name.lower()

    @property
    def benefit(self) -> str:
        return offer_sentences.describe_benefit(self.status.offer.terms)

    @property
    def next_steps(self) -> tuple[str, ...]:
        """Sentences on what happens next with benefits that are not yet decided or settled."""
        terms = self.status.offer.terms
        if self.status.kind == Kind.QUALIFIED and terms.decided_at:
            return (_describe_decision(terms, terms.decided_at, limited=self.status.left is not None),)
        unsettled = {Grant.Status.RESERVED, Grant.Status.LOCKED}
        if any(held.status in unsettled for held in self.status.grants):
            return offer_sentences.describe_next_steps(terms)
        return ()

    @property
    def progress(self) -> str:
        """Progress towards the claim in one phrase; the offer's page shows every requirement."""
        counted, needed = self.status.target
        claim = self.status.offer.terms.claim
        if isinstance(claim, ClaimNth):
            reached = counted >= needed
            text = (
                _("Reached: %(counted)s of %(needed)s %(rows)s")
                if reached
                else _("%(counted)s of %(needed)s %(rows)s counted")
            )
            words = {
                "rows": COLLECTIONS[claim.nth.of].label,
                "counted": format_number(counted),
                "needed": format_number(needed),
            }
        else:
            text = _("%(received)s of %(needed)s received")
            words = {"received": format_money(counted, "USD"), "needed": format_money(needed, "USD")}
        return text % words

    @property
    def quota(self) -> str:
        """Quota left for all merchants together, then what is left for this one under the limit per merchant."""
        left, own_left, row = self.status.left, self.status.own_left, self.status.offer.row
        text = _("No limit.")
        if left is not None:
            text = _("%(left)s left of %(limit)s.") % {"left": format_number(left), "limit": format_number(row.limit)}
        return text if own_left is None else f"{text} {self._own_quota(own_left)}"

    def _own_quota(self, left: int) -> str:
        if left == 0:
            limit = format_number(self.status.offer.row.limit_per_merchant)
            return _("Limit per merchant reached (%(n)s of %(n)s).") % {"n": limit}
        return ngettext("You can get %(n)s more.", "You can get %(n)s more.", left) % {"n": format_number(left)}

    @property
    def deadline(self) -> str:
        """The next date to watch: the last day of coupons in the wallet, else the last orders or the closing."""
        status, bundle = self.status, self.status.offer.terms.bundle
        if bundle and status.coupons:
            return _("Coupons valid until %(at)s") % {"at": describe_bound(bundle.valid.to)}
        if status.next_end is None or status.is_closed:
            return ""
        at = describe_bound(status.next_end)
        if status.order_by is None:
            return _("Until %(at)s") % {"at": at}
        if status.takes_orders:
            return _("Order by %(at)s") % {"at": at}
        return _("For orders placed in time: %(date)s") % {"date": self._closing_date(at)}

    @property
    def later_deadline(self) -> str:
        """The date that follows the last orders: by when they must be paid or shipped."""
        status = self.status
        if status.order_by is None or status.closes is None or not status.takes_orders or status.is_closed:
            return ""
        return self._closing_date(describe_bound(status.closes))

    def _closing_date(self, at: str) -> str:
        return describe_closing(self.status.offer.terms, at)

    @property
    def can_have_more(self) -> bool:
        """True if the merchant has the benefit and could still be granted more of it."""
        return self.status.kind == Kind.GRANTED and self.status.open_to_more

    @property
    def is_closed(self) -> bool:
        """True if there is nothing left to do: the offer is over or does not apply."""
        return self.status.kind in (Kind.NOT_ELIGIBLE, Kind.OVER)


def _describe_decision(terms: OfferTerms, decided_at: Bound, *, limited: bool) -> str:
    """Return when a merchant that has qualified gets the benefit."""
    text = _("Qualified: the claim is decided on %(at)s")
    n = terms.bundle.count if terms.bundle else 0
    if n:
        text = ngettext("Qualified: %(n)d coupon arrives on %(at)s", "Qualified: %(n)d coupons arrive on %(at)s", n)
    if limited:
        text = _("%(sentence)s, while the quota lasts") % {"sentence": text}
    return text % {"n": n, "at": describe_bound(decided_at)}


def describe_closing(terms: OfferTerms, at: str) -> str:
    """Return by when what claims the benefit must happen, such as `shipped by 31 December`."""
    events = [str(fact.event or fact.label) for fact in schedule.closing_events(terms)]
    return _("%(event)s by %(at)s") % {"event": join_and(events) if events else _("closes"), "at": at}


@for_members
def home(request: MemberRequest) -> HttpResponse:
    """Show the merchant's status with every offer, grouped by campaign."""
    at = clock.now()
    cards: dict[Campaign, list[Card]] = {}
    for status in merchant_status.statuses(published_offers.published(), request.merchant, at=at):
        cards.setdefault(status.offer.row.campaign, []).append(Card(status))
    return render_page(request, "dashboard/home.html", at=at, campaigns=list(cards.items()))
