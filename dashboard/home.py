"""Home: a card for each offer, by what needs attention."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext as _

from campaigns.eligibility import merchant_status
from campaigns.eligibility.merchant_status import Kind, MerchantOfferStatus
from campaigns.models import Campaign, Grant
from campaigns.offers import published_offers
from core import clock
from core.formatting import format_money, format_number
from dashboard.rendering import show
from definitions import offer_sentences
from definitions.offer_terms import ClaimNth
from merchants.access import MemberRequest, for_members
from rules.facts import COLLECTIONS
from rules.sentences import bound
from rules.time_windows import Bound


@dataclass(frozen=True)
class Card:
    """A standing with the words that a card puts beside it."""

    standing: MerchantOfferStatus

    @property
    def name(self) -> str:
        return self.standing.offer.row.name

    @property
    def state(self) -> str:
        """The standing's kind as a name for style sheets."""
        return self.standing.kind.name.lower()

    @property
    def benefit(self) -> str:
        return offer_sentences.benefit(self.standing.offer.terms)

    @property
    def next(self) -> tuple[str, ...]:
        """What happens next with what the merchant holds and what is not settled or not decided yet."""
        terms, progress = self.standing.offer.terms, self.standing.progress
        if terms.decided_at and progress and progress.held and not (self.standing.grants or self.is_closed):
            return (_("places are given at %(at)s") % {"at": bound(terms.decided_at)},)
        waiting = {Grant.Status.RESERVED, Grant.Status.LOCKED}
        if any(held.status in waiting for held in self.standing.grants):
            return offer_sentences.following(terms)
        return ()

    @property
    def progress(self) -> str:
        """How far the merchant is on its way, in short; the whole is on the offer's page."""
        found, needed = self.standing.target
        claim = self.standing.offer.terms.claim
        if isinstance(claim, ClaimNth):
            text = _("%(needed)s %(rows)s needed, %(found)s counted")
            words = {
                "rows": COLLECTIONS[claim.nth.of].label,
                "found": format_number(found),
                "needed": format_number(needed),
            }
        else:
            text = _("%(found)s of %(needed)s received")
            words = {"found": format_money(found, "USD"), "needed": format_money(needed, "USD")}
        return text % words

    @property
    def places(self) -> str:
        """How many places are left for all."""
        if self.standing.left is None:
            return _("No limit to the number of places.")
        words = {"left": format_number(self.standing.left), "limit": format_number(self.standing.offer.row.limit)}
        return _("%(left)s of %(limit)s places left.") % words

    @property
    def until(self) -> Bound | None:
        """The date that matters next: the end of the coupons that are held, else of the offer while it is open."""
        bundle = self.standing.offer.terms.bundle
        if bundle and self.standing.coupons:
            return bundle.valid.to
        return None if self.standing.is_closed else self.standing.closes

    @property
    def can_have_more(self) -> bool:
        """Whether a further claim could be granted, besides what the merchant has."""
        return self.standing.kind == Kind.YOURS and self.standing.open_to_more

    @property
    def is_closed(self) -> bool:
        """Whether there is nothing left to do or to see."""
        return self.standing.kind in (Kind.NOT_FOR_YOU, Kind.OVER)


@for_members
def home(request: MemberRequest) -> HttpResponse:
    """Where the merchant stands with every offer, campaign by campaign."""
    at = clock.now()
    cards: dict[Campaign, list[Card]] = {}
    for found in merchant_status.standings(published_offers.published(), request.merchant, at=at):
        cards.setdefault(found.offer.row.campaign, []).append(Card(found))
    return show(request, "dashboard/home.html", at=at, campaigns=list(cards.items()))
