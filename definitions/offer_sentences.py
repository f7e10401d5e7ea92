"""An offer's terms as sentences, in the language in force, from the definition alone.

What a merchant reads is made from what is computed, so the two cannot disagree.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from babel.numbers import format_decimal
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.facts import COLLECTIONS, FEES, Collection
from core.formatting import CITIES, babel_locale, format_money, format_number, join_and
from definitions.benefits import CouponBundle, Coupons, Discount, Reduction
from definitions.offer_terms import ClaimAt, ClaimNth, OfferTerms, Quota, Settlement, Threshold
from logistics.facts import FREIGHT_ORDERS
from rules.conditions import Row
from rules.moments import ByCase, DayAfter, LatestOf, Moment
from rules.sentences import bound, comparison, describe, event, value, window


@dataclass(frozen=True)
class Terms:
    """An offer in words: one benefit, and what each part of it says."""

    benefit: str
    claim: str
    conditions: tuple[str, ...]
    quota: str
    settlement: tuple[str, ...]


def terms(offer: OfferTerms) -> Terms:
    """All of an offer's terms."""
    scope = [describe(condition, offer.row) for condition in offer.scope]
    return Terms(
        benefit=benefit(offer),
        claim=claim(offer),
        conditions=tuple(scope + [describe(condition, offer.row) for condition in offer.asked]),
        quota=quota(offer.quota, offer.collection),
        settlement=tuple(settlement(offer)),
    )


def benefit(offer: OfferTerms) -> str:
    """What is given."""
    if isinstance(offer.benefit, Coupons):
        return bundle(offer.benefit.coupons)
    return discount(offer.benefit)


def discount(given: Discount) -> str:
    """How much is taken off which fee."""
    fee = str(FEES[given.fee].label)
    if given.rate is not None:
        fee = _("%(fee)s (%(rate)s of the amount)") % {"fee": fee, "rate": percent(given.rate)}
    currency = given.currency or FEES[given.fee].currency
    if given.tiers:
        steps = join_and(
            _("%(off)s from %(from)s") % {"off": _off(tier, currency), "from": format_money(tier.from_, currency)}
            for tier in given.tiers
        )
        return _("off the %(fee)s: %(steps)s") % {"fee": fee, "steps": steps}
    reduction = Reduction(percent=given.percent, amount=given.amount)
    return _("%(off)s off the %(fee)s") % {"off": _off(reduction, currency), "fee": fee}


def percent(number: object) -> str:
    """`5%`, `0.3%`."""
    return f"{format_decimal(number, '#,##0.####', locale=babel_locale())}%"  # type: ignore[arg-type]  # any number


def _off(reduction: Reduction, currency: str) -> str:
    return format_money(reduction.amount, currency) if reduction.amount is not None else percent(reduction.percent)


def bundle(coupons: CouponBundle) -> str:
    """How many coupons, worth what, for which orders, until when."""
    row = Row(FREIGHT_ORDERS)
    return _(
        "%(count)d coupons of %(value)s, one for each freight order with: %(where)s; valid from %(start)s to %(end)s"
    ) % {
        "count": coupons.count,
        "value": format_money(coupons.value, coupons.currency),
        "where": join_and(comparison(condition, row) for condition in coupons.where),
        "start": bound(coupons.valid.from_),
        "end": bound(coupons.valid.to),
    }


def claim(offer: OfferTerms) -> str:
    """Who comes first: what makes the claim time."""
    match offer.claim:
        case ClaimAt(at=moment):
            text = _("first come, first served by when it was %(moment)s") % {
                "moment": says_moment(moment, offer.collection)
            }
        case ClaimNth(nth=nth):
            collection = COLLECTIONS[nth.of]
            which = join_and(comparison(condition, Row(collection)) for condition in nth.where)
            text = _("first come, first served by when number %(n)d of these %(rows)s was %(event)s: %(which)s") % {
                "event": event(collection.facts[nth.at]), "n": nth.number, "rows": collection.label, "which": which,
            }  # fmt: skip
        case _:
            text = _over_threshold(offer.threshold, offer.row)
    if offer.decided_at is not None:
        text = _("%(claim)s; decided at %(at)s") % {"claim": text, "at": bound(offer.decided_at)}
    if offer.settling_hours:
        late = ngettext("%(n)d hour", "%(n)d hours", offer.settling_hours) % {"n": offer.settling_hours}
        text = _("%(claim)s; decided %(late)s later") % {"claim": text, "late": late}
    return text


def _over_threshold(threshold: Threshold | None, row: Row) -> str:
    assert threshold is not None
    return _(
        "once receipts booked %(window)s on orders with: %(which)s have reached %(height)s, each further order claims "
        "at its first booking"
    ) % {
        "window": window(threshold.window),
        "which": join_and(comparison(condition, row) for condition in threshold.where),
        "height": format_money(threshold.height, "USD"),
    }


def quota(places: Quota, collection: Collection) -> str:
    """How many places there are."""
    rows = str(collection.label)
    parts = []
    if places.limit is not None:
        shown = format_number(places.limit)
        parts.append(_("the first %(n)s %(rows)s") % {"n": shown, "rows": rows})
    if places.per_merchant is not None:
        parts.append(_("at most %(n)d for each merchant") % {"n": places.per_merchant})
    return join_and(parts) if parts else _("no limit to the number of %(rows)s") % {"rows": rows}


def settlement(offer: OfferTerms) -> Iterator[str]:
    """What happens after the claim."""
    terms_, collection = offer.settlement, offer.collection
    if terms_.at_claim:
        yield _("settled at once")
    else:
        yield from _followed(terms_, offer.row)
    if terms_.released_by:
        happens = event(collection.facts[terms_.released_by])
        after = _("also after settlement") if terms_.released_after_settlement else _("before settlement")
        yield _("the place comes back when %(event)s (%(when)s)") % {"event": happens, "when": after}
    if terms_.revoked_by:
        happens = event(collection.facts[terms_.revoked_by])
        yield _("taken away when %(event)s before settlement") % {"event": happens}


def following(offer: OfferTerms) -> tuple[str, ...]:
    """What a grant that is not settled yet waits for."""
    return tuple(_awaited(offer.settlement, offer.row)) if not offer.settlement.at_claim else ()


def _followed(terms_: Settlement, row: Row) -> Iterator[str]:
    if terms_.locked_at:
        happens = event(row.collection.facts[terms_.locked_at])
        yield _("reserved at the claim, locked when %(event)s") % {"event": happens}
    if hours := terms_.lock_within_hours:
        text = ngettext(
            "the place goes back if it is not locked within %(n)d hour of the claim",
            "the place goes back if it is not locked within %(n)d hours of the claim",
            hours,
        )
        yield text % {"n": hours}
    yield from _awaited(terms_, row)


def _awaited(terms_: Settlement, row: Row) -> Iterator[str]:
    collection = row.collection
    yield _("settled when %(event)s") % {"event": says_moment(terms_.at, collection)}
    if terms_.deadline:
        done = says_moment(terms_.fulfilled_at or terms_.at, collection)
        yield _("forfeited unless %(done)s no later than %(deadline)s") % {
            "done": done, "deadline": bound(terms_.deadline),
        }  # fmt: skip
    for condition in terms_.requires:
        yield _("required at settlement: %(condition)s") % {"condition": describe(condition, row)}


def says_moment(moment: Moment, collection: Collection) -> str:
    """What a moment points at."""
    match moment:
        case LatestOf(latest_of=names):
            several = join_and(event(collection.facts[name]) for name in names)
            return _("the last of: %(facts)s") % {"facts": several}
        case DayAfter(day_after=name, zone=zone):
            city = CITIES.get(zone, zone)
            return _("00:00 %(city)s on the day after it was %(fact)s") % {
                "city": city,
                "fact": event(collection.facts[name]),
            }
        case ByCase(by=by, cases=cases, otherwise=otherwise):
            fact = collection.facts[by]
            parts = [f"{says_moment(one, collection)} ({value(fact, case)})" for case, one in cases.items()]
            if otherwise is not None:
                parts.append(_("otherwise %(moment)s") % {"moment": says_moment(otherwise, collection)})
            return "; ".join(parts)
        case name:
            return _("the claim") if name == "claim" else event(collection.facts[str(name)])
