"""Sentences of benefits, in the language in force."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.facts import FEES, Collection
from core.formatting import format_money, format_percent, join_and
from definitions.benefits import Benefit, CouponBundle, Coupons, Discount, Reduction
from definitions.funding import PAYERS, Shares
from rules.measure_sentences import describe_measure, describe_number
from rules.sentences import describe_bound, describe_comparison


def describe_benefit(benefit: Benefit, rows: Collection) -> str:
    """Return a benefit as a sentence without a full stop. `rows` are the subjects of the offer."""
    return describe_coupons(benefit.coupons) if isinstance(benefit, Coupons) else describe_discount(benefit, rows)


def describe_discount(discount: Discount, rows: Collection) -> str:
    """Return the reduction, the fee that it reduces, and the cap."""
    text = _reduction(discount, rows)
    if discount.at_most is None:
        return text
    most = format_money(discount.at_most, discount.fixed_currency)
    return _("%(discount)s, at most %(most)s") % {"discount": text, "most": most}


def _reduction(discount: Discount, rows: Collection) -> str:
    fee, currency = str(FEES[discount.fee].label), discount.fixed_currency
    if discount.of is not None:
        return _rebate(discount, rows, describe_measure(discount.of.measure))
    if discount.rate is not None:
        fee = _("%(fee)s (%(rate)s of the amount)") % {"fee": fee, "rate": format_percent(discount.rate)}
    if discount.price is not None:
        price = format_money(discount.price, currency)
        return _("%(fee)s reduced to %(price)s") % {"fee": fee, "price": price}
    if discount.tiers or discount.slices:
        steps = _("; ").join([*_tiers(discount, currency), *_slices(discount, currency)])
        return _along(discount, fee, steps)
    return _("%(off)s off the %(fee)s") % {"off": _stated(discount, rows, currency), "fee": fee}


def _rebate(discount: Discount, rows: Collection, of: str) -> str:
    """Return the rebate of a measured amount."""
    currency = discount.fixed_currency
    if discount.price is not None:
        words = {"price": format_money(discount.price, currency), "of": of}
        return _("rebate of what is above %(price)s, of: %(of)s") % words
    if discount.tiers or discount.slices:
        steps = _("; ").join([*_tiers(discount, currency), *_slices(discount, currency)])
        return _along(discount, _("rebate of: %(of)s") % {"of": of}, steps)
    return _("rebate of %(off)s, of: %(of)s") % {"off": _stated(discount, rows, currency), "of": of}


def _stated(discount: Discount, rows: Collection, currency: str) -> str:
    """Return the percentage or the amount of a discount, or the fact that holds it."""
    if discount.fact:
        fact = rows.facts[discount.fact]
        text = _("the percentage in “%(fact)s”") if discount.amount is None else _("the amount in “%(fact)s”")
        return text % {"fact": fact.label}
    return _off(Reduction(percent=discount.percent, amount=discount.amount), currency)


def _along(discount: Discount, fee: str, steps: str) -> str:
    """Return the sentence of tiers or slices: of the fee, or along a measure."""
    if discount.measure is None:
        return _("off the %(fee)s: %(steps)s") % {"fee": fee, "steps": steps}
    words = {"measure": describe_measure(discount.measure), "fee": fee, "steps": steps}
    if discount.after is not None:
        return _("off the %(fee)s, counted on from the %(measure)s: %(steps)s") % words
    return _("off the %(fee)s, by the %(measure)s: %(steps)s") % words


def _tiers(discount: Discount, currency: str) -> Iterator[str]:
    for tier in discount.tiers:
        start = format_money(tier.from_, currency)
        if discount.by is not None:
            start = describe_number(discount.by.measure, tier.from_)
        yield _("%(off)s from %(from)s") % {"off": _off(tier, currency), "from": start}


def _slices(discount: Discount, currency: str) -> Iterator[str]:
    """Yield the parts of the fee that are reduced; those at 0 % go without saying."""
    for part, end in discount.parts():
        words = {"off": format_percent(part.percent), "start": format_money(part.from_, currency), "end": ""}
        if part.percent and end is None:
            yield _("%(off)s of the part above %(start)s") % words
        elif part.percent and end is not None:
            words["end"] = format_money(end, currency)
            yield _("%(off)s of the part from %(start)s to %(end)s") % words


def _off(reduction: Reduction, currency: str) -> str:
    return (
        format_money(reduction.amount, currency) if reduction.amount is not None else format_percent(reduction.percent)
    )


def describe_funding(shares: Shares) -> str:
    """Return who pays for a benefit; empty where the terms name nobody."""
    if len(shares) == 1:
        return _("paid for by %(payer)s") % {"payer": PAYERS[next(iter(shares))]}
    total = sum(shares.values())
    parts = [
        _("%(parts)d/%(total)d by %(payer)s") % {"parts": parts, "total": total, "payer": PAYERS[payer]}
        for payer, parts in shares.items()
    ]
    return _("paid for in parts: %(parts)s") % {"parts": join_and(parts)} if parts else ""


def describe_coupons(coupons: CouponBundle) -> str:
    """Return number, value or price, orders and validity of the coupons."""
    words = {
        "coupons": _coupons(coupons),
        "order": coupons.fee.collection.singular,
        "where": join_and(describe_comparison(condition, coupons.row) for condition in coupons.where),
        "end": describe_bound(coupons.valid.to),
    }
    if coupons.valid.from_ is None:
        text = _("%(coupons)s, one for each %(order)s with: %(where)s; valid from the claim to %(end)s")
        return text % words
    text = _("%(coupons)s, one for each %(order)s with: %(where)s; valid from %(start)s to %(end)s")
    return text % {**words, "start": describe_bound(coupons.valid.from_)}


def _coupons(coupons: CouponBundle) -> str:
    """Return the number of coupons and what each takes off a fee."""
    words = {"count": coupons.count, "value": format_money(coupons.each, coupons.currency)}
    if coupons.price is None:
        return ngettext("%(count)d coupon of %(value)s", "%(count)d coupons of %(value)s", coupons.count) % words
    words |= {"fee": str(coupons.fee.label), "price": format_money(coupons.price, coupons.currency)}
    text = ngettext(
        "%(count)d coupon that sets the %(fee)s to %(price)s",
        "%(count)d coupons that each set the %(fee)s to %(price)s",
        coupons.count,
    )
    return text % words
