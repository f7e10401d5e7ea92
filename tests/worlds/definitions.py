"""Offers drawn from the registry of facts and the vocabulary of `docs/definition.md`."""

from collections.abc import Iterable
from typing import Any

from core.facts import COLLECTIONS, COUPON_FEES, SUBJECTS
from tests.worlds.offer_writer import OfferWriter
from tests.worlds.values import START, Values
from tests.worlds.world import OfferData


def offers(values: Values) -> tuple[OfferData, ...]:
    """Return one to three offers. A definition may refuse what it holds; the run leaves such offers out.

    Coupons often meet a discount on the freight that they could take.
    """
    several = [OfferWriter(values, n).data() for n in range(values.rng.randint(1, 3))]
    if any("coupons" in offer["benefit"] for offer in several) and values.chance(0.6):
        several.append(OfferWriter(values, len(several), subject="freight_order").data())
    return tuple(several)


def revision(values: Values, offer: OfferData) -> OfferData:
    """Return the parts that a new version of the offer replaces: its quota, conditions, scope or course."""
    quotas: tuple[Any, ...] = ({}, {"limit": 1}, {"limit": 3}, {"per_merchant": 1}, {"limit": 5, "per_merchant": 2})
    if values.chance(0.4):
        bands = OfferWriter(values, 0, subject=offer["subject"]).bands(offer["benefit"])
        return {"quota": values.rng.choice((*quotas, bands, bands))}
    other = OfferWriter(values, int(offer["code"][1:]), subject=offer["subject"]).data()
    names = [name for name in ("conditions", "where", "claim", "settlement") if name in other]
    if "coupons" in offer["benefit"]:
        names = [name for name in names if name != "settlement"]
    return {name: other[name] for name in values.rng.sample(names, values.rng.choice((1, 1, 2)))}


def contest(values: Values) -> tuple[OfferData, ...]:
    """Return an offer of coupons that fit most orders of a kind, and one or two offers on the fee of these orders.

    Some contests have two offers of coupons.
    """
    kind = values.rng.choice(("freight_order", "freight_order", "service_order"))
    several = [_coupons(values, n, kind) for n in range(values.rng.choice((1, 1, 2)))]
    offers = (_offer_on_fee(values, n, kind) for n in range(len(several), values.rng.randint(2, 3) + len(several) - 1))
    return *several, *offers


def _coupons(values: Values, number: int, kind: str) -> OfferData:
    """Return an offer of coupons for most orders of a kind."""
    coupons = OfferWriter(values, number, subject="merchant").data()
    benefit = {name: part for name, part in coupons["benefit"]["coupons"].items() if name != "for"}
    if kind != "freight_order":
        benefit["for"] = kind
    fee = COUPON_FEES[kind]
    fits = {"code": "c9", "fact": fee.fact, "at_least": values.rng.choice(("0.00", "60.00"))}
    if values.chance(0.6):
        nth = {
            "number": 1,
            "of": fee.collection.name,
            "at": values.rng.choice(("placed_at", "paid_at")),
            "where": [fits],
        }
        coupons["claim"] = {"nth": nth}
    valid = {"from": f"{START:%Y-%m-%d %H:%M:%S}", "to": f"{values.marks[-1]:%Y-%m-%d %H:%M:%S}"}
    coupons["benefit"] = {"coupons": {**benefit, "where": [fits], **({"valid": valid} if values.chance(0.7) else {})}}
    coupons |= {"where": "all", "conditions": "everyone"}
    coupons.pop("quota", None)
    return coupons


def _offer_on_fee(values: Values, number: int, kind: str) -> OfferData:
    offer = OfferWriter(values, number, subject=kind).data()
    offer["benefit"] = {"fee": COUPON_FEES[kind].name, "percent": values.rng.choice(("10", "50"))}
    if values.chance(0.6):
        offer |= {"where": "all", "conditions": "everyone"}
    if values.chance(0.4):
        offer["settling_hours"] = values.rng.choice((1, 24, 30, 72))
    return offer


def collections_named(definition: OfferData) -> set[str]:
    """Return the names of the collections whose rows an offer is about."""
    named = {SUBJECTS[definition["subject"]].name}
    if "coupons" in definition["benefit"]:
        named.add(SUBJECTS[definition["benefit"]["coupons"].get("for", "freight_order")].name)
    if "over_threshold" in definition["claim"]:
        named.add("receipts")
    return named | set(_counted(definition))


def words(part: Any) -> set[str]:
    """Return every word of a definition: names of facts among them, those of other rows without their prefix."""
    match part:
        case dict():
            return {str(key) for key in part}.union(*map(words, part.values()))
        case list() | tuple():
            return set[str]().union(*map(words, part))
        case _:
            return {str(part).rpartition(".")[2]}


def _counted(part: Any) -> Iterable[str]:
    match part:
        case dict():
            words = ("count", "of", "share", "distinct", "sum", "average", "latest")
            named = (part[word].partition(".")[0] for word in words if isinstance(part.get(word), str))
            yield from (name for name in named if name in COLLECTIONS)  # a band counts grants or amounts
            for value in part.values():
                yield from _counted(value)
        case list():
            for value in part:
                yield from _counted(value)
