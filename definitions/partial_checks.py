"""Checks of an offer that has errors: facts and conditions are checked in the parts that can be read all the same."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from core.declared_facts import declared_facts
from core.facts import COLLECTIONS, COUPON_FEES, FEES, SUBJECTS, Collection
from definitions.benefits.coupons import DEFAULT_ORDERS
from definitions.benefits.values import FactValue
from definitions.checks import check_moment, check_names_once
from definitions.offer_terms import check_fee_owner
from rules.conditions import Comparison, Condition
from rules.errors import ErrorCollector
from rules.lookups import valid_lookups, with_lookups
from rules.moments import Moment
from rules.offer_facts import BENEFIT, OFFER_FACTS, OfferFact
from rules.query_row import QueryRow

CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)
COMPARISON: TypeAdapter[Any] = TypeAdapter(Comparison)
MOMENT: TypeAdapter[Any] = TypeAdapter(Moment)
MOMENTS = ("at", "locked_at", "fulfilled_at", "released_by", "revoked_by")


def find_errors(offers: Sequence[object], context: dict[str, Any]) -> list[ErrorDetails]:
    """Return the errors between the parts of each offer, at their places below `offers`."""
    errors = ErrorCollector()
    for n, offer in enumerate(offers):
        if isinstance(offer, dict):
            checker = OfferChecker(offer, context)
            checker.check()
            with errors.at("offers", n):
                checker.errors.raise_collected("OfferTerms")
    return errors.details("CampaignDefinition")


class OfferChecker:
    """Checker of one offer as it is written, whose parts may have errors; it collects those between them."""

    def __init__(self, offer: dict[str, Any], context: dict[str, Any]) -> None:
        self.offer = offer
        self.context = context
        self.errors = ErrorCollector()

    def check(self) -> None:
        """Collect the errors of every part that can be read."""
        subject, settlement = self.offer.get("subject"), _mapping(self.offer.get("settlement"))
        claim, benefit = _mapping(self.offer.get("claim")), _mapping(self.offer.get("benefit"))
        if isinstance(subject, str) and subject in SUBJECTS:
            rows = SUBJECTS[subject].with_declared(declared_facts())
            rows = with_lookups(rows, valid_lookups(self.offer.get("lookups"), rows, self.context))
            row = QueryRow(rows, offer_facts=_offer_facts(settlement), claims=True)
            self._check_list(self.offer.get("where"), COMPARISON, row, "where")
            names = self._check_list(self.offer.get("conditions"), CONDITION, row, "conditions")
            check_names_once(names, self.errors)
            self._check_list(settlement.get("requires"), CONDITION, row, "settlement", "requires")
            over = _mapping(claim.get("over_threshold"))
            plain = QueryRow(SUBJECTS[subject])
            self._check_list(over.get("where"), COMPARISON, plain, "claim", "over_threshold", "where")
            self._check_moments({"at": claim.get("at")}, row, "claim")
            self._check_moments({name: settlement.get(name) for name in MOMENTS}, row, "settlement")
            if _word(benefit, "fee") in FEES:
                check_fee_owner(benefit["fee"], subject, self.errors)
                self._check_values(benefit, rows)
        coupons = _mapping(benefit.get("coupons"))
        if (kind := _word(coupons, "for") or DEFAULT_ORDERS) in COUPON_FEES:
            orders = QueryRow(COUPON_FEES[kind].collection)
            self._check_list(coupons.get("where"), COMPARISON, orders, "benefit", "coupons", "where")
        self._check_counted(_mapping(claim.get("nth")), "of", "claim", "nth")

    def _check_values(self, benefit: dict[str, Any], rows: Collection) -> None:
        """Check the facts that hold the percentage or the amount of a discount."""
        for word in ("percent", "amount"):
            with self.errors.at("benefit", word, "fact"):
                if fact := _word(_mapping(benefit.get(word)), "fact"):
                    FactValue(fact=fact).check(rows)

    def _check_list(
        self, entries: object, adapter: TypeAdapter[Any], row: QueryRow, *place: str | int
    ) -> dict[int, str]:
        """Check the conditions of a list and return the names of those that can be read, by their number."""
        names: dict[int, str] = {}
        for n, entry in enumerate(entries if isinstance(entries, list) else ()):
            condition = self._read(adapter, entry)
            if condition is None:
                self._check_unreadable(_mapping(entry), row, *place, n)
            else:
                names[n] = condition.name
                with self.errors.at(*place, n):
                    condition.check(row)
        return names

    def _check_unreadable(self, entry: dict[str, Any], row: QueryRow, *place: str | int) -> None:
        """Check the facts that a condition with errors names."""
        with self.errors.at(*place, "fact"):
            if fact := _word(entry, "fact"):
                row.fact(fact)
        self._check_counted(entry, "count", *place)
        self._check_list(entry.get("any"), CONDITION, row, *place, "any")

    def _check_counted(self, part: dict[str, Any], word: str, *place: str | int) -> None:
        """Check the conditions on counted rows, whose collection stands at `word`, and the instant of an n-th row."""
        if _word(part, word) not in COLLECTIONS:
            return
        counted = QueryRow(COLLECTIONS[part[word]])
        self._check_list(part.get("where"), COMPARISON, counted, *place, "where")
        with self.errors.at(*place, "at"):
            if at := _word(part, "at"):
                counted.check_instant(at, column=True)

    def _check_moments(self, moments: dict[str, Any], row: QueryRow, place: str) -> None:
        for name, value in moments.items():
            moment = self._read(MOMENT, value)
            if moment is not None and (place, name, moment) != ("settlement", "at", "claim"):
                with self.errors.at(place, name):
                    check_moment(row, moment)

    def _read(self, adapter: TypeAdapter[Any], value: object) -> Any:
        """Return the part that a value describes, None if it has errors, which are reported with all others."""
        try:
            return adapter.validate_python(value, context=self.context)
        except ValidationError:
            return None


def _offer_facts(settlement: dict[str, Any]) -> dict[str, OfferFact]:
    """Return the facts of the offer that conditions may name; the parts behind them have their own checks."""
    settles_later, fulfilled = settlement.get("at", "claim") != "claim", "fulfilled_at" in settlement
    names = [BENEFIT, *(["settlement"] if settles_later else []), *(["fulfilment"] if fulfilled else [])]
    return {name: OfferFact(OFFER_FACTS[name], "") for name in names}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(part: dict[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""
