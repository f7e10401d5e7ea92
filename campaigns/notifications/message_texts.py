"""Sentences that report an event to a member, in the language in force."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.models import AllowanceNotice, Message, OutboxEvent
from campaigns.offers.published_offers import terms_of
from core.formatting import format_money, format_short_instant

Kind = OutboxEvent.Kind

NO_PLACE = {
    "quota_exhausted": gettext_lazy("the quota was used up"),
    "merchant_cap": gettext_lazy("you have reached your limit"),
    "holder_cap": gettext_lazy("the limit of a buyer, listing or other holder was reached"),
    "stopped": gettext_lazy("the offer was stopped"),
}
"""Reasons of refusals that become messages. A claim that failed a condition is explained on the page of its order and
sends no message: most orders meet the conditions of few offers."""

REASONS = {
    **NO_PLACE,
    "cancelled": gettext_lazy("the order was cancelled"),
    "found abnormal": gettext_lazy("the order was found abnormal"),
    "not fulfilled at settlement": gettext_lazy("the order was not fulfilled by its settlement"),
    "fulfilled after the deadline": gettext_lazy("the order was fulfilled after the deadline"),
    "requirements not met at settlement": gettext_lazy("the requirements were not met at settlement"),
    "not fulfilled by the deadline": gettext_lazy("the order was not fulfilled by the deadline"),
    "not locked in time": gettext_lazy("the order was not paid in time"),
}
"""Texts for the reasons that `campaigns.grants.steps` records. A reason that an operator wrote is shown as written."""

TEXTS = {
    Kind.GRANTED: gettext_lazy("%(offer)s: benefit of %(amount)s granted for %(subject)s."),
    Kind.LOCKED: gettext_lazy(
        "%(offer)s: the benefit of %(amount)s for %(subject)s is locked in and will be settled later."
    ),
    Kind.SETTLED: gettext_lazy("%(offer)s: the benefit of %(amount)s for %(subject)s is settled."),
    Kind.RELEASED: gettext_lazy(
        "%(offer)s: the benefit for %(subject)s was cancelled and its quota released. Reason: %(reason)s"
    ),
    Kind.FORFEITED: gettext_lazy(
        "%(offer)s: the benefit of %(amount)s for %(subject)s was forfeited. Reason: %(reason)s"
    ),
    Kind.REVOKED: gettext_lazy("%(offer)s: the benefit of %(amount)s for %(subject)s was revoked. Reason: %(reason)s"),
    Kind.REFUSED: gettext_lazy("%(offer)s: no benefit for %(subject)s. Reason: %(reason)s"),
    Kind.COUPON_LOCKED: gettext_lazy("%(offer)s: a coupon of %(amount)s is attached to order %(order)s."),
    Kind.COUPON_RETURNED: gettext_lazy("%(offer)s: the coupon on order %(order)s is back in your wallet."),
    Kind.COUPON_REDEEMED: gettext_lazy("%(offer)s: a coupon of %(amount)s was redeemed on order %(order)s."),
    Kind.COUPON_EXPIRED: gettext_lazy("%(offer)s: coupons that you had not redeemed have expired."),
    Kind.COUPON_VOID: gettext_lazy("%(offer)s: your unused coupons were withdrawn. Reason: %(reason)s"),
}


def describe_message(message: Message) -> str:
    """Return a message as text: what an operator wrote, or the event as one sentence."""
    if message.allowance is not None:
        return _describe_allowance(message.allowance)
    if message.event is None:
        return message.note.text if message.note else ""
    return describe(message.event)


def _describe_allowance(notice: AllowanceNotice) -> str:
    zone, last = timezone.get_current_timezone_name(), notice.ends_at - timedelta(microseconds=1)
    words = {"name": notice.document.name, "end": format_short_instant(last, zone, now=notice.sent_at)}
    return _("%(name)s: yours for this period, without collecting. Use it by %(end)s.") % words


def describe(event: OutboxEvent) -> str:
    """Return the event as one sentence. Reads the event's offer and the version of the offer."""
    values = {
        "offer": event.offer.name,
        "subject": _("your company") if event.subject == event.merchant_id else event.subject,
        "order": event.order_no,
        "amount": format_money(event.amount, event.currency) if event.amount is not None else "",
        "reason": str(REASONS.get(event.reason, event.reason)),
    }
    match event.kind:
        case Kind.COUPON_ISSUED:
            return _describe_issue(event, values)
        case Kind.COUPON_EXPIRING:
            return _describe_expiry(event, values)
        case kind:
            return str(TEXTS[Kind(kind)]) % values


def _describe_issue(event: OutboxEvent, values: dict[str, str]) -> str:
    bundle = terms_of(event.offer.version).bundle if event.offer.version else None
    n = bundle.count if bundle else 1
    if bundle is not None and bundle.price is not None:
        text = ngettext(
            "%(offer)s: you received %(n)d coupon that sets the %(fee)s to %(price)s.",
            "%(offer)s: you received %(n)d coupons that each set the %(fee)s to %(price)s.",
            n,
        )
        price = format_money(bundle.price, bundle.currency)
        return text % {**values, "n": n, "fee": bundle.fee.label, "price": price}
    text = ngettext(
        "%(offer)s: you received %(n)d coupon of %(amount)s.",
        "%(offer)s: you received %(n)d coupons of %(amount)s each.",
        n,
    )
    return text % {**values, "n": n}


def _describe_expiry(event: OutboxEvent, values: dict[str, str]) -> str:
    n = int(event.reason)  # `coupons.expiry_notices` records the number of coupons as the reason
    if not event.amount:  # coupons that set a price
        text = ngettext("%(offer)s: %(n)d coupon expires in 5 days.", "%(offer)s: %(n)d coupons expire in 5 days.", n)
        return text % {**values, "n": n}
    text = ngettext(
        "%(offer)s: %(n)d coupon, worth %(amount)s, expires in 5 days.",
        "%(offer)s: %(n)d coupons, worth %(amount)s in all, expire in 5 days.",
        n,
    )
    return text % {**values, "n": n}
