"""Sections of a campaign beside its offers: measures, scorecards, allowances, entitlements, declared facts."""

from collections.abc import Iterator
from typing import Any

from core.facts import Collection, countable
from tests.worlds.offer_writer import OfferWriter, instants_of
from tests.worlds.values import AMOUNTS, START, Values
from tests.worlds.world import Row, Sections

Data = dict[str, Any]
USES = ("mail", "fax")
SCORECARD, EVENT_KIND = "stars", "webinar"
NAMES = {"en": "Name", "zh": "名称"}
ATTRIBUTES: dict[str, dict[str, Data]] = {
    "merchant": {"opened_at": {"type": "instant", "names": NAMES}, "vip": {"type": "flag", "names": NAMES}},
    "trade_order": {
        "size": {"type": "number", "names": NAMES},
        "colour": {"type": "choice", "names": NAMES, "values": {"red": NAMES, "blue": NAMES}},
    },
}
EVENTS = {EVENT_KIND: {"names": NAMES, "attributes": {"minutes": {"type": "number", "names": NAMES}}}}
FILES = {"merchants": "merchant", "trade_orders": "trade_order"}


def sections(values: Values) -> Sections:
    """Return the sections of a world, none in most worlds. A definition may refuse an item; the run leaves it out."""
    found: Sections = {}
    if values.chance(0.3):
        found |= {"attributes": ATTRIBUTES, "events": EVENTS}
    if values.chance(0.35):
        writer = OfferWriter(values, 8, subject="merchant")
        found["measures"] = {f"m{n}": writer.measure(_rated_rows(values)) for n in range(2)}
        found["scorecards"] = [_scorecard(values, writer)]
    if values.chance(0.4):
        found["allowances"] = [_allowance(values, n, found) for n in range(values.rng.randint(1, 3))]
    if values.chance(0.2):
        found["entitlements"] = [_entitlement(values, n, found) for n in range(2)]
    return found


def _rated_rows(values: Values) -> Collection:
    """Return rows that a scorecard may measure: no ratings, which would be its own."""
    rows = [rows for rows in countable().values() if instants_of(rows)]
    while (drawn := values.rng.choice(rows)).name == "ratings":
        pass
    return drawn


def files_named(found: Sections) -> set[str]:
    """Return the files with more rows than usual, because a section is about them."""
    named = {"usages", "accounts"} if "allowances" in found else set()
    if any("collected" in one for one in found.get("allowances", ())):
        named.add("claim_requests")
    return named | ({"events", "trade_orders"} if "events" in found else set())


def conditions(values: Values, found: Sections, subject: str) -> list[Data]:
    """Return conditions on ratings and declared facts, with which an offer may ask for more."""
    several = [*(_rated(values) if "scorecards" in found else ())]
    if "attributes" in found:
        several += _declared(values, subject)
    return [values.rng.choice(several)] if several and values.chance(0.6) else []


def _rated(values: Values) -> Iterator[Data]:
    yield {"code": "x_level", "rating": SCORECARD, values.rng.choice(("at_least", "at_most")): "1"}
    yield {"code": "x_score", "rating": SCORECARD, "of": "score", "more_than": "1.00"}
    yield {"code": "x_metric", "rating": SCORECARD, "of": "m1", "at_least": "1"}


def _declared(values: Values, subject: str) -> Iterator[Data]:
    yield {"code": "x_vip", "fact": "merchant.attributes.vip", "is": values.rng.choice(("yes", "no"))}
    yield {"code": "x_opened", "fact": "merchant.attributes.opened_at", "by": values.bound()}
    attended = [{"fact": "kind", "is": EVENT_KIND}, {"code": "c8", "fact": "attributes.minutes", "at_least": "2"}]
    yield {"code": "x_events", "count": "events", "where": attended, "at_least": "1"}
    if subject == "trade_order":
        yield {"code": "x_size", "fact": "attributes.size", "at_least": "2"}
        yield {"code": "x_colour", "fact": "attributes.colour", values.rng.choice(("is", "is_not")): "red"}


def _scorecard(values: Values, writer: OfferWriter) -> Data:
    every = values.rng.choice(("day", "week", "week"))
    series: Data = {"official": {"every": every, "from": f"{START:%Y-%m-%d %H:%M:%S}"}}
    if values.chance(0.3):
        series["predicted"] = {"every": "day", "from": f"{START:%Y-%m-%d %H:%M:%S}"}
    gate = {"where": [writer.comparison()]} if values.chance(0.4) else {}
    items: list[Data] = [
        {"measure": "m0", "bands": [{"from": "1.00", "points": "1.00"}, {"from": "60.00", "points": "2.00"}], **gate},
        {"code": "bonus", "where": [writer.comparison()], "points": "1.00"},
    ]
    part: Data = {"code": "p0", "names": NAMES, "add": items, **({"at_most": "2.50"} if values.chance(0.3) else {})}
    other = {
        "code": "p1",
        "names": NAMES,
        "measure": "m1",
        "times": values.rng.choice(("0.50", "1.00")),
        "at_most": "9",
    }
    versions: list[Data] = [{"parts": [part, other]}]
    if values.chance(0.5):
        changed = {**other, "times": "2.00"}
        versions.append({"from": f"{values.mark():%Y-%m-%d %H:%M:%S}", "parts": [changed]})
    return {
        "code": SCORECARD,
        "names": NAMES,
        "subjects": "merchants",
        "where": [writer.comparison()] if values.chance(0.2) else "all",
        "series": series,
        "levels": [{"level": "0"}, {"level": "1", "from": "1.00"}, {"level": "2", "from": "2.00"}],
        "level": values.rng.choice(("lowest", "score")),
        "score": values.rng.choice(("mean", "sum")),
        "metrics": ["m1"],
        "versions": versions,
    }


def _allowance(values: Values, number: int, found: Sections) -> Data:
    collected = values.chance(0.4)
    writer = OfferWriter(values, 7, subject="claim_request" if collected else "merchant")
    units: Any = values.rng.choice(("1", "2", "5"))
    if values.chance(0.3):
        units = {"cases": [{"when": [_of_merchant(values, number)], "is": units}], "otherwise": "3"}
    asked = [_of_merchant(values, number)] if values.chance(0.5) else []
    asked += [writer.comparison()] if collected and values.chance(0.2) else []
    asked += [one for one in conditions(values, found, "merchant") if "attributes" not in str(one)]
    return {
        "code": f"a{number}",
        "names": NAMES,
        "use": values.rng.choice((USES[0], *USES)),
        "in": values.rng.choice(("day", "week", "week", {"calendar": "month", "from_day": 3}, values.named_window())),
        **({"collected": "yes"} if collected else {}),
        "conditions": asked or "everyone",
        "units": units,
        **({"cost_per": "buyer"} if values.chance(0.25) else {}),
    }


def _of_merchant(values: Values, number: int) -> Data:
    """Return a condition on a merchant: its state, a fact of it, or a count of its rows."""
    writer = OfferWriter(values, 7, subject="merchant")
    condition = values.rng.choice((writer.state, writer.comparison, writer.count))()
    return {**condition, "code": f"y{number}{values.rng.randint(0, 99)}"}


def _entitlement(values: Values, number: int, found: Sections) -> Data:
    condition = _of_merchant(values, number)
    value: Data = {"cases": [{"when": [_of_merchant(values, number)], "is": "7.20"}]}
    return {
        "code": f"e{number}",
        "names": NAMES,
        "holder": "merchant",
        "conditions": values.rng.choice(("everyone", [condition])),
        **({"value": value} if values.chance(0.5) else {}),
    }


def declared_cells(values: Values, found: Sections, file: str, row: Row) -> Row:
    """Return a row with the columns of the facts that the world declares, mostly filled."""
    kinds = found.get("attributes", {}).get(FILES.get(file, ""), {})
    if "events" in found and file == "events":
        kinds = EVENTS[EVENT_KIND]["attributes"]
    return {**row, **{f"attributes.{name}": _cell(values, str(kind["type"])) for name, kind in kinds.items()}}


def _cell(values: Values, kind: str) -> str:
    if values.chance(0.2):
        return ""
    match kind:
        case "instant":
            return f"{values.instant():%Y-%m-%dT%H:%M:%SZ}"
        case "flag":
            return values.rng.choice(("1", "0"))
        case "number":
            return values.rng.choice(AMOUNTS)
        case _:
            return values.rng.choice(("red", "blue"))
