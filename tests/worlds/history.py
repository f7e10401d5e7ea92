"""Histories: when facts are imported, corrected and ticked over, and what operators and merchants do meanwhile."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from core.facts import COUPON_FEES, SUBJECTS
from imports.registry import all_schemas, find_schema
from tests.worlds import definitions, facts, sections
from tests.worlds.values import END, START, Values
from tests.worlds.world import OfferData, Row, Sections, Step, World

ACTS = ("pause", "resume", "resume", "publish", "claim", "claim", "revoke", "accept", "accept", "reopen", "stop")


def world(seed: int) -> World:
    """Return the world of a seed: the same one each time. Every third one is timely."""
    values = Values(Random(seed))
    timely = seed % 3 == 0
    contest, windows = values.chance(0.25), values.shared_windows()
    offers = definitions.contest(values) if contest else definitions.offers(values)
    found = sections.sections(values)
    offers = tuple(_asking_more(values, found, offer) for offer in offers)
    named = set().union(sections.files_named(found), *map(definitions.collections_named, offers))
    rows = facts.facts(values, named)
    for file, of_file in rows.items():
        for key, row in of_file.items():
            of_file[key] = sections.declared_cells(values, found, file, row)
    if contest:
        for fee in COUPON_FEES.values():
            facts.ask_for_coupons(values, rows[fee.collection.name])
    steps = _timely(values, rows) if timely else _eventful(values, rows, offers, named)
    if not timely and "allowances" in found:
        steps = in_order([*steps, *_instant_uses(values, rows)])
    return World(seed=seed, timely=timely, offers=offers, steps=tuple(steps), windows=windows, sections=found)


def _asking_more(values: Values, found: Sections, offer: OfferData) -> OfferData:
    """Return the offer with conditions on what the sections have."""
    more = sections.conditions(values, found, offer["subject"])
    asked = offer["conditions"] if isinstance(offer["conditions"], list) else []
    return {**offer, "conditions": [*asked, *more]} if more else offer


def _instant_uses(values: Values, rows: facts.Facts) -> list[Step]:
    """Return uses and requests that reach the server at once, of accounts that are there from the start."""
    accounts = [row for row in rows["accounts"].values() if row["merchant_code"]]
    steps = []
    for n in range(values.rng.randint(0, 3) if accounts else 0):
        row = {**values.rng.choice(accounts), "quantity": values.rng.choice(("1", "2"))}
        verb, target = values.rng.choice((("use", sections.USES[0]), ("use", sections.USES[0]), ("collect", "a0")))
        steps.append(Step(verb, _act_at(values), target, f"R{n}", row=row))
    return steps


def _timely(values: Values, rows: facts.Facts) -> list[Step]:
    imports = [Step("import", START, file, row=row) for file, of_file in rows.items() for row in of_file.values()]
    return [*imports, *_ticks(values)]


def _ticks(values: Values) -> list[Step]:
    stops = sorted({values.instant() for _ in range(values.rng.randint(2, 6))})
    return [Step("tick", at) for at in [*stops, END]]


def _eventful(values: Values, rows: facts.Facts, offers: tuple[OfferData, ...], named: set[str]) -> list[Step]:
    """Return a history of late facts, corrections and acts, in order of time."""
    steps = _ticks(values)
    arrived: dict[tuple[str, str], datetime] = {}
    arrivals: list[tuple[datetime, str, tuple[str, ...]]] = []
    for file, of_file in rows.items():
        for key, row in of_file.items():
            early = file in ("merchants", "accounts") or values.chance(0.75)
            at = max([START if early else _act_at(values), *_arrivals_of_parents(arrived, file, row)])
            steps.append(Step("import", at, file, row=row))
            arrived[file, key[0]] = at
            arrivals.append((at, file, key))
    words = definitions.words(offers)
    about = {*named, "receipts", "merchants"}
    known = [arrival for arrival in arrivals if arrival[1] in about or values.chance(0.2)] or arrivals
    for first, file, key in values.rng.choices(known, k=values.rng.randint(2, 6)):
        at, schema = max(first, _late(values)), find_schema(file)
        for later in range(values.rng.choice((1, 1, 2))):  # a grant under review meets the next correction
            row = facts.corrected(values, schema, rows, rows[file][key], words)
            rows[file][key] = row
            if file != "reference_lists" and values.chance(0.1):
                row = facts.strange(values, file, row)
            steps.append(Step("import", at + timedelta(hours=4 * later), file, row=row))
            steps.append(Step("tick", at + timedelta(hours=4 * later + 1)))
        if values.chance(0.3):
            steps.append(Step("accept", at + timedelta(hours=2)))
    steps += [_act(values, rows, offers) for _ in range(values.rng.randint(0, 6))]
    return in_order(steps)


def _arrivals_of_parents(arrived: dict[tuple[str, str], datetime], file: str, row: Row) -> Iterator[datetime]:
    """Yield when the rows arrive to which a row points."""
    for column, parent in find_schema(file).references.items():
        other = next(schema.name for schema in all_schemas() if schema.model is parent)
        yield arrived.get((other, row[column.name]), START)


def in_order(steps: list[Step]) -> list[Step]:
    """Return steps by time; at one instant facts arrive before acts, parents before children, and a tick is last."""
    files = {schema.name: n for n, schema in enumerate(all_schemas())}
    rank = {"import": 0, "tick": 2}
    return sorted(steps, key=lambda step: (step.at, rank.get(step.verb, 1), files.get(step.target, 0)))


def _act_at(values: Values) -> datetime:
    return values.mark() + values.rng.choice((timedelta(0), timedelta(hours=1), timedelta(hours=5)))


def _late(values: Values) -> datetime:
    """Return an instant by which much has been granted that a correction may concern."""
    return max(_act_at(values), values.marks[4])


def _act(values: Values, rows: facts.Facts, offers: tuple[OfferData, ...]) -> Step:
    offer, at = values.rng.choice(offers), values.rng.choice((_act_at, _late))(values)
    orders = [(kind, key[0]) for kind, fee in COUPON_FEES.items() for key in rows[fee.collection.name]]
    verb = values.rng.choice((*ACTS, *(("attach", "attach", "detach") if orders else ())))
    if verb in ("attach", "detach"):
        kind, key = values.rng.choice(orders)
        return Step(verb, at, kind, key)
    if verb == "publish":
        return Step(verb, at, offer["code"], terms=definitions.revision(values, offer))
    if verb in ("claim", "revoke"):
        keys = ["/".join(key) for key in rows.get(SUBJECTS[offer["subject"]].name, ())] or ["none"]
        return Step(verb, at, offer["subject"] if verb == "claim" else offer["code"], key=values.rng.choice(keys))
    return Step(verb, at, offer["code"] if verb in ("pause", "resume", "stop") else "")
