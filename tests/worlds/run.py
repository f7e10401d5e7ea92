"""Run of a world through the doors that operators and programs use: imports, publishing, ticks and acts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import DatabaseError, transaction

from campaigns.allowances import instant_uses
from campaigns.allowances.published import published as published_allowances
from campaigns.coupons import attachment
from campaigns.eligibility.claims import UnknownSubjectError
from campaigns.engine import instant_claims, ticker
from campaigns.grants import reviews, revocations
from campaigns.grants.transitions import NotLiveError
from campaigns.models import Grant, Offer
from campaigns.offers import pausing, publishing
from core.facts import COUPON_FEES
from definitions import parser
from definitions.errors import DefinitionError
from imports.json_rows import JsonOptions, Mode, import_json_rows
from imports.registry import find_schema
from imports.schema import RowError
from merchants.models import Merchant
from tests.worlds.values import START
from tests.worlds.world import OfferData, Sections, Step, World

BY, WHY = "operator", "generated"
REFUSALS = (NotLiveError, pausing.NotNowError, attachment.NotAttachableError, UnknownSubjectError)
MISSING = (attachment.NoOrderError, Merchant.DoesNotExist, Grant.DoesNotExist, Offer.DoesNotExist)


DOCUMENTS = {"scorecards", "allowances", "entitlements"}
"""Sections that can be published without an offer."""
PLAIN: OfferData = {
    "code": "plain",
    "names": {"en": "plain", "zh": "plain"},
    "subject": "freight_order",
    "where": "all",
    "claim": {"at": "paid_at"},
    "conditions": "everyone",
    "benefit": {"fee": "freight", "percent": "10"},
}


class PropertyError(Exception):
    """A property that a world broke: `kind` names it, the text says what was expected and found."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class VacuousError(Exception):
    """The world says nothing: an import of it was refused, or none of its offers could be published."""


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo everything that the block stored, also where a statement in it failed."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def play(world: World, *, after_step: Callable[[Step], None] = lambda _step: None) -> tuple[OfferData, ...]:
    """Publish the offers that are definitions, and take every step. Returns the offers that were published.

    Raises PropertyError where a step raises what it must not, or the tick leaves out a step.
    """
    world = with_sections_that_are_definitions(world)
    offers = tuple(offer for offer in world.offers if _is_definition(world, (offer,)))
    if not offers and not DOCUMENTS & world.sections.keys():
        raise VacuousError("no offer is a definition")
    published = _publish(world, offers)
    for (verb, _, _), batch in groupby(world.steps, key=_batch):
        steps = list(batch)
        with _failing(f"{verb} raised", str(steps[0])):
            if verb == "import":
                _import(steps)
            else:
                _take(world, published, steps[0])
        after_step(steps[-1])
    return published


def _batch(step: Step) -> tuple[Any, ...]:
    """Rows of one file that arrive at one instant are one import; every other step stands alone."""
    return step.verb, (step.at, step.target), 0 if step.verb == "import" else id(step)


def with_sections_that_are_definitions(world: World) -> World:
    """Return the world without those items of its sections that a definition refuses."""
    kept: Sections = {}
    for name, section in world.sections.items():
        for more in _added(name, section):
            before = kept.get(name, type(section)())
            grown = {**kept, name: {**before, **more} if isinstance(more, dict) else [*before, *more]}
            if _is_definition(replace(world, sections=grown), (PLAIN,)):
                kept = grown
    return replace(world, sections=kept)


def _added(name: str, section: Any) -> Iterator[Any]:
    """Yield the items of a section, each in a section of its own; declared facts as a whole."""
    if isinstance(section, list):
        yield from ([part] for part in section)
    elif name == "measures":
        yield from ({key: part} for key, part in section.items())
    else:
        yield section


def _is_definition(world: World, offers: tuple[OfferData, ...]) -> bool:
    try:
        parser.read(world.yaml(offers))
    except DefinitionError:
        return False
    return True


def _publish(world: World, offers: tuple[OfferData, ...]) -> tuple[OfferData, ...]:
    """Publish each offer that publishing accepts. Returns those."""
    accepted: list[OfferData] = []
    if DOCUMENTS & world.sections.keys():
        try:
            publish(world, (), at=START)
        except (ValueError, DefinitionError) as refusal:
            raise VacuousError(f"the sections could not be published: {refusal}") from refusal
    for offer in offers:
        try:
            publish(world, (*accepted, offer), at=START)
        except (ValueError, DefinitionError):
            continue
        except Exception as error:
            raise PropertyError(f"publish raised {type(error).__name__}", str(error)) from error
        accepted.append(offer)
    if not accepted and not DOCUMENTS & world.sections.keys():
        raise VacuousError("no offer could be published")
    return tuple(accepted)


def publish(world: World, offers: tuple[OfferData, ...], *, at: datetime) -> None:
    source = world.yaml(offers)
    publishing.publish(parser.read(source), source=source, at=at, by=BY)


@contextmanager
def _failing(kind: str, step: str) -> Iterator[None]:
    """Turn an error that no door documents into a PropertyError."""
    try:
        yield
    except (PropertyError, VacuousError):
        raise
    except Exception as error:
        raise PropertyError(f"{kind} {type(error).__name__}", f"{step}: {error}") from error


def _import(steps: list[Step]) -> None:
    """Import rows of one file together, or one by one where one of them is refused."""
    schema, errors = find_schema(steps[0].target), list[RowError]()
    rows = {tuple(step.row[name] for name in schema.key): step.row for step in steps}
    options = JsonOptions(name=schema.name, now=steps[0].at, mode=Mode.REPLACE, allow_moves=True)
    import_json_rows(schema, list(rows.values()), options, on_error=errors.append)
    if errors and len(steps) > 1:
        for step in steps:
            _import([step])


def tick(at: datetime) -> None:
    """Tick. Raises PropertyError where a step is skipped."""
    run = ticker.tick(at=at)
    if run.skipped_steps:
        raise PropertyError("a step is skipped", f"tick {at:%Y-%m-%d %H:%M:%S}: {run.skipped_steps}")


def _take(world: World, published: tuple[OfferData, ...], step: Step) -> None:
    if step.verb == "tick":
        return tick(step.at)
    if step.verb == "accept":
        return _accept(step)
    try:
        with transaction.atomic():
            _act(world, published, step)
    except (*REFUSALS, *MISSING, DefinitionError):
        pass  # a documented refusal; a generated version may be no definition
    except ValueError as refusal:
        if step.verb != "publish" or isinstance(refusal, DatabaseError):
            raise
    return None


def _act(world: World, published: tuple[OfferData, ...], step: Step) -> None:
    recorded: dict[str, Any] = {"at": step.at, "by": BY, "reason": WHY}
    match step.verb:
        case "pause" | "resume" | "stop":
            getattr(pausing, step.verb)(Offer.objects.get(code=step.target), **recorded)
        case "publish":
            offers = (_revised(offer, step) if offer["code"] == step.target else offer for offer in published)
            publish(world, tuple(offers), at=step.at)
        case "claim":
            instant_claims.claim(step.key, of=step.target, at=step.at)
        case "revoke":
            live = Grant.objects.filter(status__in=Grant.LIVE)
            recorded["by"] = f"{BY} {step.key}"  # one person revokes only so much within a day
            revocations.revoke(live.get(offer__code=step.target, subject=step.key), **recorded)
        case "reopen":
            for grant in _for_review():
                with transaction.atomic():
                    _refusable(reviews.reopen, grant, **recorded)
        case "attach" | "detach":
            kind = step.target or "freight_order"
            merchant = Merchant.objects.get(**{COUPON_FEES[kind].collection.name: step.key})
            getattr(attachment, step.verb)(step.key, kind=kind, merchant=merchant, at=step.at, by=BY)
        case "use" | "collect":
            _use_at_once(step)


def _use_at_once(step: Step) -> None:
    """Use an allowance, or collect one, as a program does."""
    of = {"merchant": step.row["merchant_code"], "account": step.row["account_code"]}
    if step.verb == "collect":
        terms = next(
            (one.terms for one in published_allowances() if one.code == step.target and one.terms.collected), None
        )
        if terms is not None:
            locked = instant_uses.lock(terms.use)
            instant_uses.collect(locked, step.key, code=step.target, at=step.at, **of)
        return
    if step.target not in instant_uses.uses_by_buyer():
        new = instant_uses.NewUse(number=step.key, use=step.target, quantity=int(step.row["quantity"]), **of)
        instant_uses.spend(instant_uses.lock(step.target), [new], at=step.at)


def _refusable(verb: Callable[..., object], grant: Grant, **recorded: Any) -> None:
    try:
        with transaction.atomic():
            verb(grant, **recorded)
    except NotLiveError:
        pass


def _revised(offer: OfferData, step: Step) -> OfferData:
    """Return the offer with the parts that its new version replaces; an empty quota is none."""
    return {name: part for name, part in {**offer, **step.terms}.items() if (name, part) != ("quota", {})}


def _for_review() -> list[Grant]:
    return list(Grant.objects.filter(status__in=Grant.LIVE).exclude(review="").order_by("pk"))


def _accept(step: Step) -> None:
    """Accept every grant that is marked for review. Nothing changes then, so the next tick may mark none of them."""
    followed = Offer.objects.exclude(grants_followed_until=None).values_list("grants_followed_until", flat=True)
    at = max([step.at, *(until for until in followed if until)])
    tick(at)
    accepted = _for_review()
    for grant in accepted:
        reviews.accept(grant, at=at, by=BY, reason=WHY)
    tick(at)
    again = {grant.pk for grant in _for_review()} & {grant.pk for grant in accepted}
    if again:
        marked = Grant.objects.filter(pk__in=again).values_list("offer__code", "subject", "review")
        raise PropertyError("an accepted review comes back", "; ".join(map(str, marked)))


def spaced(world: World, *, ticks: bool) -> World:
    """Return the world with a tick before each import and act, so that other ticks make no difference.

    Its own ticks between them are kept or left out; the last one is kept.
    """
    steps: list[Step] = []
    for step in world.steps:
        if step.verb == "tick" and not ticks and step is not world.steps[-1]:
            continue
        if step.verb != "tick" and (not steps or steps[-1].verb == "tick" or steps[-1].at != step.at):
            steps.append(Step("tick", step.at))
        steps.append(step)
    return world.copy(steps=tuple(steps))


def at_once(world: World) -> World:
    """Return the timely world with one tick alone, at the end."""
    steps = [step for step in world.steps if step.verb != "tick"]
    return world.copy(steps=(*steps, Step("tick", world.end)))


def grown(world: World) -> World:
    """Return the timely world told as it happens: before each tick, rows with the instants reached by then.

    Rows that carry no event yet are there from the start: facts without a date have their present value.
    """
    steps: list[Step] = []
    for tick_step in (step for step in world.steps if step.verb == "tick"):
        steps += [replace(step, at=tick_step.at, row=_known(step, tick_step.at)) for step in world.imports()]
        steps.append(tick_step)
    return world.copy(steps=tuple(step for step in steps if step.verb != "import" or _is_storable(step)))


def _known(step: Step, at: datetime) -> dict[str, str]:
    later = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    events = {column.name for column in find_schema(step.target).instant_columns if not column.required}
    events -= {"ends_at"}  # an interval is known with its end
    return {name: "" if name in events and cell > later else cell for name, cell in step.row.items()}


def _is_storable(step: Step) -> bool:
    """A receipt that is neither booked nor cancelled yet does not exist."""
    return step.target != "receipts" or bool(step.row["booked_at"] or step.row["cancelled_at"])
