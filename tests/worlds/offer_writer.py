"""Writer of one offer, drawn from the registry of facts and the vocabulary of `docs/definition.md`."""

from collections.abc import Callable
from typing import Any

from core.facts import FEES, STATES, SUBJECTS, Collection, Fact, countable
from rules.offer_facts import BENEFIT, OFFER_FACTS
from rules.operators import OPERATORS
from tests.worlds.values import TEXTS, Values
from tests.worlds.world import OfferData

Data = dict[str, Any]
SUBJECT_WEIGHTS = {
    "freight_order": 8,
    "trade_order": 8,
    "financing_draw": 2,
    "merchant": 6,
    "order_item": 3,
    "merchant_period": 5,
    "service_order": 4,
    "claim_request": 4,
}


class OfferWriter:
    """Writer of one offer."""

    def __init__(self, values: Values, number: int, *, subject: str = "") -> None:
        self.values, self.rng, self.number = values, values.rng, number
        names = [name for name in SUBJECTS if SUBJECT_WEIGHTS.get(name, 1)]
        drawn = self.rng.choices(names, [SUBJECT_WEIGHTS.get(name, 1) for name in names])[0]
        self.subject = subject or drawn
        self.collection = SUBJECTS[self.subject]
        self.codes = 0

    def data(self) -> OfferData:
        code = f"o{self.number}"
        claim, benefit = self._claim(), self._benefit()
        offer: OfferData = {"code": code, "names": {"en": code, "zh": code}, "subject": self.subject}
        offer["where"] = self._scope(code)
        offer["claim"] = claim
        if self.values.chance(0.15):
            offer["decided_at"] = self.values.bound()
        if self.values.chance(0.15):
            offer["settling_hours"] = self.rng.choice((1, 24, 30))
        offer["conditions"] = self._some(self._condition, most=self.rng.choice((0, 1, 1, 2))) or "everyone"
        offer["benefit"] = benefit
        if quota := self._quota(benefit):
            offer["quota"] = quota
        if self.values.chance(0.2):
            payers = self.rng.sample(["platform", "merchant", "carrier"], self.rng.randint(1, 3))
            offer["funded_by"] = {payer: self.rng.choice((1, 2, 25)) for payer in payers}
        if "coupons" not in benefit and (settlement := self._settlement()):
            offer["settlement"] = settlement
        return offer

    def _scope(self, code: str) -> Any:
        scope = self._some(self.comparison, most=int(self.values.chance(0.4)))
        if self.subject == "claim_request":
            scope.append({"code": "named", "fact": "offer", "is": code})
        return scope or "all"

    def _quota(self, benefit: Data) -> Any:
        if self.values.chance(0.35):
            return self.bands(benefit)
        quota: Data = {"limit": self.rng.randint(1, 4)} if self.values.chance(0.5) else {}
        return quota | ({"per_merchant": self.rng.randint(1, 3)} if self.values.chance(0.3) else {})

    def bands(self, benefit: Data) -> list[Data]:
        """Return one or two limits of grants, or of money where the benefit comes in one currency."""
        return [self._band(benefit) for _ in range(self.rng.choice((1, 1, 2)))]

    def _band(self, benefit: Data) -> Data:
        per = self.rng.choice(("all", "merchant", "merchant", *self.collection.holders))
        period = self.rng.choice(("", "day", "week", "month", {"calendar": "day", "zone": "Asia/Shanghai"}))
        shared = {"per": per, **({"in": period} if period else {})}
        fee = FEES.get(benefit.get("fee", ""))
        currency = benefit.get("currency") or (fee.currency if fee else benefit["coupons"]["currency"])
        if not currency or self.values.chance(0.5):
            return {"of": "grants", "at_most": self.rng.randint(1, 3), **shared}
        partly = {"last": "partly"} if "coupons" not in benefit and self.values.chance(0.6) else {}
        at_most = self.rng.choice(("0.01", "12.34", "60.00", "150.00"))
        return {"of": "amount", "at_most": at_most, "currency": currency, **partly, **shared}

    def _claim(self) -> Data:
        if self.subject == "merchant":
            rows = self.rng.choice([rows for rows in countable().values() if instants_of(rows)])
            at = self.rng.choice(instants_of(rows)).name
            where = self._some(lambda: self.comparison(rows, claims=False), least=1, most=2)
            return {"nth": {"number": self.rng.randint(1, 2), "of": rows.name, "at": at, "where": where}}
        if self.subject == "trade_order" and self.values.chance(0.3):
            timeless = self._some(lambda: self.comparison(instants=False), least=1, most=1)
            height = self.rng.choice(("60.00", "100.00"))
            return {"over_threshold": {"height": height, "window": self.values.named_window(), "where": timeless}}
        if self.collection.bounds:
            each = self.rng.choice(("week", "week", "month", {"sessions": [self.values.window()]}))
            during = {} if isinstance(each, dict) else {"during": self.values.named_window()}
            return {"each": each, **during, "at": self.rng.choice(self.collection.bounds)}
        return {"at": self._moment()}

    def _moment(self) -> Any:
        facts, choices = instants_of(self.collection), [f for f in self.collection.facts.values() if f.choices]
        name = self.rng.choice(facts).name
        form = self.rng.choice(("fact", "fact", "fact", "latest_of", "day_after", "by"))
        if form == "latest_of" and len(facts) > 1:
            return {"latest_of": [fact.name for fact in self.rng.sample(facts, 2)]}
        if form == "day_after":
            return {"day_after": name, "zone": "Asia/Shanghai"}
        if form == "by" and choices:
            fact = self.rng.choice(choices)
            cases = {str(fact.choices[0][0]): name}
            otherwise = {"otherwise": self.rng.choice(facts).name} if self.values.chance(0.6) else {}
            return {"by": fact.name, "cases": cases, **otherwise}
        return name

    def _some(self, make: Callable[[], Data], *, most: int, least: int = 0) -> list[Data]:
        return [make() for _ in range(self.rng.randint(least, most))]

    def _coded(self, condition: Data) -> Data:
        self.codes += 1
        return {"code": f"c{self.codes}", **condition}

    def _condition(self) -> Data:
        form = self.rng.choices(("comparison", "state", "count", "measure", "any"), (6, 2, 2, 2, 1))[0]
        if form == "state":
            return self.state()
        if form == "count":
            return self._coded(self.count())
        if form == "measure":
            return self._coded(self._measured())
        if form == "any":
            return self._coded({"any": [self.comparison(), self._condition()]})
        return self.comparison()

    def state(self) -> Data:
        """Return a condition on a state of the merchant."""
        state = self.rng.choice(list(STATES.values()))
        of = [self.rng.choice([value for value, _label in state.choices])]
        columns = [fact for fact in instants_of(self.collection) if fact.derived is None]
        at = {"at": self.rng.choice(columns).name} if columns and self.values.chance(0.3) else {}
        return self._coded({self.rng.choice(("in_force", "not_in_force")): state.name, "of": of, **at})

    def count(self) -> Data:
        """Return a condition on the number of rows of the merchant."""
        rows = self.rng.choice(list(countable().values()))
        where = self._some(lambda: self.comparison(rows, claims=False), least=1, most=2)
        bound = self.rng.choice(({"at_least": 1}, {"at_least": 2}, {"at_most": 0}, {"at_most": 1}))
        return {"count": rows.name, "where": where, **bound}

    def _measured(self) -> Data:
        """Return a condition on a measure written out in place, or on one in percent of another."""
        number = str(self.rng.choice((0, 1, 2, 50, 100)))
        bound = {self.rng.choice(("at_least", "more_than", "at_most", "less_than")): number}
        rows = self.rng.choice([rows for rows in countable().values() if instants_of(rows)])
        measure = self.measure(rows)
        if self.values.chance(0.2):
            measure = {"percent": {"count": rows.name}, "of": self.measure(rows, form="count"), "otherwise": "100.00"}
        return {"measure": measure, **bound}

    def measure(self, rows: Collection, *, form: str = "") -> Data:
        amounts = [f for f in rows.facts.values() if f.kind == "number" or (f.kind == "money" and f.currency)]
        words = [fact for fact in rows.facts.values() if fact.kind in ("text", "choice")]
        forms = ["count", "share", *(["distinct"] if words else [])]
        forms += ["sum", "average", "latest"] if amounts else []
        form = form or self.rng.choice(forms)
        of = rows.name
        if form not in ("count", "share"):
            of = f"{of}.{self.rng.choice(words if form == 'distinct' else amounts).name}"
        where = self._some(lambda: self.comparison(rows, claims=False), least=int(form == "share"), most=1)
        over = {"over": self._over(rows)} if form == "latest" or self.values.chance(0.7) else {}
        otherwise = {"otherwise": self.rng.choice(("0.00", "50.00"))} if form in ("share", "average", "latest") else {}
        return {form: of, **({"where": where} if where else {}), **over, **otherwise}

    def _over(self, rows: Collection) -> Data:
        at = self.rng.choice(instants_of(rows)).name
        if rows is self.collection and self.values.chance(0.4):
            return {"earlier": at, **({"period": "month"} if self.values.chance(0.3) else {})}
        look_back = {"last_days": self.rng.choice((1, 3, 90))}
        period = self.rng.choice((look_back, self.values.named_window(), *self._periods(rows)))
        return {"period": period, "at": at}

    def _periods(self, rows: Collection) -> tuple[Any, ...]:
        zone = "America/Los_Angeles"
        return (
            self.rng.choice(("day", "week", "month", "year")),
            {"month_from": 5, "zone": zone},
            {"weekdays": ["mon", "thu", "sat"], "from": "08:00", "to": "20:00", "zone": zone},
            {"sessions": [self.values.window()]},
            {"first_days": 2, "after": self.rng.choice(instants_of(rows)).name},
        )

    def comparison(self, rows: Collection | None = None, *, claims: bool = True, instants: bool = True) -> Data:
        facts = list((rows or self.collection).facts.values())
        if claims and rows is None and instants and self.values.chance(0.15):
            facts = [OFFER_FACTS[BENEFIT]]
        fact = self.rng.choice([fact for fact in facts if instants or fact.kind != "instant"])
        operator = self.rng.choice([operator for operator in OPERATORS.values() if fact.kind in operator.kinds])
        return self._coded(
            {"fact": fact.name, operator.word: self._operand(operator.word, fact, claims, rows or self.collection)}
        )

    def _operand(self, word: str, fact: Fact, claims: bool, rows: Collection) -> Any:  # noqa: PLR0911  a table
        match word:
            case "in" | "not_in" if fact.kind == "text" and not fact.codes and self.values.chance(0.4):
                several, one = ("some-lines", "one-line") if fact.name == "line" else ("some-words", "one-word")
                return several if self.values.chance(0.6) else one
            case "in" | "not_in":
                return sorted({self.values.value(fact.name, fact.kind, fact.choices) for _ in range(2)})
            case "in_reference" | "not_in_reference":
                return self.rng.choice(TEXTS["list_code"])
            case "within":
                return self.rng.choice(self._periods(rows)) if self.values.chance(0.4) else self.values.named_window()
            case "from" | "by":
                return self.values.bound()
            case "not_before":
                return "claim" if claims and self.values.chance(0.6) else self.values.bound()
            case "within_hours":
                return self.rng.choice((1, 24, 72))
            case "happened" | "empty":
                return self.rng.choice(("yes", "no"))
            case _:
                return self.values.value(fact.name, fact.kind, fact.choices)

    def _benefit(self) -> Data:
        fees = [fee for fee in FEES.values() if fee.subject == self.subject]
        if not fees or self.values.chance(0.2):
            return {"coupons": self._bundle()}
        fee = self.rng.choice(fees)
        benefit: Data = {"fee": fee.name, **({"rate": "0.3"} if fee.rated else {})}
        form = self.rng.choice(("percent", "amount", "price") + (() if fee.rated else ("tiers", "slices")))
        currency = {"currency": fee.currency or ("USD" if fee.measured else "CNY")}
        if fee.measured:
            benefit |= {**currency, "of": {"measure": self._of_own_period()}}
        cap = {**currency, "at_most": "10.00"} if self.values.chance(0.3) else {}
        facts = [fact for fact in self.collection.facts.values() if fact.kind == "money"]
        if facts and form in ("percent", "amount") and self.values.chance(0.2):
            fact = self.rng.choice(facts)
            return {
                **benefit,
                **({"currency": fact.currency} if fact.currency else {}),
                form: {"fact": fact.name},
                **cap,
            }
        if form == "percent":
            return {**benefit, "percent": self.rng.choice(("10", "50", "100")), **cap}
        if form in ("amount", "price"):
            return {**benefit, **currency, form: self.rng.choice(("0.01", "100.00"))}
        if form == "slices":
            slices = [{"from": "0.00", "percent": "20"}, {"from": "99.99", "percent": "5"}]
            return {**benefit, "slices": slices, **self._along("after"), **cap}
        tiers = [{"from": "60.00", "below": "100.00", "amount": "5.00"}, {"from": "100.00", "percent": "10"}]
        return {**benefit, **currency, "tiers": tiers, **self._along("by"), **cap}

    def _bundle(self) -> Data:
        """Return coupons: most take a value off the freight, some set a price, some are for services."""
        worth = {"price": self.rng.choice(("1.00", "60.00"))} if self.values.chance(0.3) else {"value": "25.00"}
        kind = self.rng.choice(("freight_order", "freight_order", "service_order"))
        where = self._some(lambda: self.comparison(SUBJECTS[kind], claims=False), least=1, most=1)
        named = {"for": kind} if kind != "freight_order" else {}
        return {
            "count": self.rng.randint(1, 3),
            **named,
            **worth,
            "currency": "CNY",
            "valid": self.values.window(),
            "where": where,
        }

    def _of_own_period(self) -> Data:
        at = self.rng.choice(("drafted_at", "shipped_at", "first_payment_at"))
        where = {"where": [{"fact": "cancelled_at", "happened": "no"}]} if self.values.chance(0.5) else {}
        return {"sum": "trade_orders.amount_usd", **where, "over": {"period": "own", "at": at}}

    def _along(self, word: str) -> Data:
        """Return a running total of trade orders, by which a tier is chosen or after which slices are counted."""
        if self.subject != "trade_order" or self.values.chance(0.5):
            return {}
        over = {"earlier": self.rng.choice(("shipped_at", "drafted_at", "buyer_confirmed_at"))}
        return {word: {"measure": {"sum": "trade_orders.amount_usd", "over": over}}}

    def _settlement(self) -> Data:
        """Return the course of a grant: none, released after a settlement at the claim, or followed to its end."""
        instants = [fact.name for fact in instants_of(self.collection)]
        if not instants or self.values.chance(0.3):
            return {}
        released = {"released_by": self.rng.choice(instants)} if self.values.chance(0.6) else {}
        if self.values.chance(0.3):
            return {**released, "released_after_settlement": "yes"} if released else {}
        course: Data = {"at": self._moment(), **released}
        if released and self.values.chance(0.3):
            course["released_after_settlement"] = "yes"
        if self.values.chance(0.5):
            course["locked_at"] = self.rng.choice(instants)
            course |= {"lock_within_hours": self.rng.choice((1, 24, 48))} if self.values.chance(0.5) else {}
        if self.values.chance(0.5):
            course["deadline"] = self.values.bound()
            course |= {"fulfilled_at": self._moment()} if self.values.chance(0.5) else {}
        if self.values.chance(0.3):
            course["requires"] = [self._condition()]
        if self.values.chance(0.3):
            course["revoked_by"] = self.rng.choice(instants)
        return course


def instants_of(collection: Collection) -> list[Fact]:
    return [fact for fact in collection.facts.values() if fact.kind == "instant"]
