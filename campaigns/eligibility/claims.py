"""Who claims what, and when: the queries that turn facts into claims, read one way by the engine and by `explain`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    DateTimeField,
    Exists,
    F,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext as _

from campaigns.eligibility.timeline import SubjectTimeline
from campaigns.models import Attachment, Decision, Tag
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, Parameter, compiled_query, instant
from core.facts import COLLECTIONS, FEES
from definitions.benefits import Discount
from definitions.offer_terms import ClaimAt, ClaimNth, ClaimOverThreshold, Nth
from rules.conditions import all_of, as_boolean
from rules.moments import moment_expression
from rules.query_row import QueryRow

Rows = QuerySet[Any]
Build = Callable[[tuple[Any, ...]], "Subject"]


class UnknownSubjectError(Exception):
    """There is no row of that key among those an offer is about."""

    def __init__(self, offer: PublishedOffer, subject: str) -> None:
        kind = offer.terms.collection.singular
        super().__init__(_("There is no %(kind)s %(subject)s.") % {"kind": kind, "subject": subject})


def subjects(offer: PublishedOffer) -> Rows:
    """Every subject of the offer, with `claimed_at`, NULL until it claims, and `seen_at`, as of which it is judged."""
    decided = offer.terms.decision_instant
    rows = all_rows(offer).annotate(claimed_at=claimed_at(offer))
    rows = rows.annotate(seen_at=constant(decided) if decided else F("claimed_at"))
    scoped: Rows = rows.filter(all_of(offer.terms.scope, offer.terms.row))
    return scoped


def all_rows(offer: PublishedOffer) -> Rows:
    """Every row of the table that the offer's subjects are in."""
    rows: Rows = offer.terms.collection.model._default_manager.all()
    return rows


def merchants_of(offer: PublishedOffer, subjects: Sequence[str]) -> tuple[str, ...]:
    """The codes of the merchants whose rows they are. Raises UnknownSubjectError where one of the rows is not there."""
    owners = dict(_owners(offer)(subjects=subjects))
    for subject in subjects:
        if subject not in owners:
            raise UnknownSubjectError(offer, subject)
    return tuple(sorted(set(owners.values())))


@compiled_query
def _owners(offer: PublishedOffer) -> Rows:
    return all_rows(offer).filter(AnyOfParameter("pk", "subjects")).values_list("pk", offer.terms.collection.merchant)


def constant(at: datetime) -> Value:
    """An instant as an expression."""
    return Value(at, output_field=DateTimeField())


def claimed_at(offer: PublishedOffer) -> Any:
    """The instant at which a row claims, as an expression: NULL while it does not."""
    match offer.terms.claim:
        case ClaimAt(at=moment):
            return moment_expression(moment, offer.terms.collection)
        case ClaimNth(nth=nth):
            rows = counted(nth, decided=offer.terms.decision_instant)
            return Subquery(rows.order_by(nth.at, "pk").values(nth.at)[nth.number - 1 : nth.number])
        case ClaimOverThreshold():
            tags = Tag.objects.filter(offer=offer.id, subject=OuterRef("pk"), kind=Tag.Kind.CANDIDATE)
            return Subquery(tags.values("tagged_at"))


def counted(nth: Nth, *, decided: datetime | None) -> QuerySet[Model]:
    """The rows of an outer merchant that count towards its n-th, seen at the decision, or each at its own instant."""
    return counting(nth, at=constant(decided) if decided else F(nth.at)).filter(
        **{COLLECTIONS[nth.of].merchant: OuterRef("pk")}
    )


def counting(nth: Nth, *, at: Any) -> QuerySet[Model]:
    """The rows of all merchants that count towards an n-th, seen at the instant that `at` expresses."""
    row = QueryRow(COLLECTIONS[nth.of], at=at)
    rows = row.collection.model._default_manager.filter(all_of(nth.where, row))
    return rows.filter(LessThanOrEqual(F(nth.at), at))


def undecided(offer: PublishedOffer, *, until: datetime | Parameter) -> Rows:
    """Subjects that have claimed by `until` and were not decided yet."""
    decided = Decision.objects.filter(offer=offer.id, subject=OuterRef("pk"))
    return subjects(offer).filter(~Exists(decided), claimed_at__lte=until)


def eligible_claims(offer: PublishedOffer, rows: Rows) -> Rows:
    """Those of `rows` that meet every condition."""
    return rows.filter(all_of(offer.terms.asked, offer.terms.row))


def with_failed_conditions(offer: PublishedOffer, rows: Rows) -> Rows:
    """The same rows with `failed`: bit n set where condition n does not hold."""
    mask: Any = Value(0, output_field=BigIntegerField())
    for n, condition in enumerate(offer.terms.asked):
        held = condition.q(offer.terms.row)
        mask = mask + Case(When(held, then=Value(0)), default=Value(1 << n), output_field=BigIntegerField())
    asked: Rows = rows.annotate(failed=mask)
    return asked


def _annotations(offer: PublishedOffer) -> dict[str, Any]:
    """Annotate each subject with its fee, whether that is reduced already, and its timeline."""
    terms, row = offer.terms, offer.terms.row
    settlement = terms.settlement
    wanted: dict[str, Any] = {}
    if isinstance(terms.benefit, Discount):
        wanted["fee"] = row.expression(FEES[terms.fee].fact)
        if FEES[terms.fee].currency_fact:
            wanted["paid_in"] = row.expression(FEES[terms.fee].currency_fact)
        if terms.fee == "freight":
            used = Attachment.objects.filter(order_no=OuterRef("pk"), coupon__isnull=False)
            wanted["fee_already_reduced"] = Exists(used.filter(placed_at__lte=OuterRef("claimed_at")))
    if settlement.released_by:
        wanted["freed_at"] = row.expression(settlement.released_by)
    if not settlement.at_claim:
        wanted["settles_at"] = moment_expression(settlement.at, row.collection)
        for name, moment in (("locks_at", settlement.locked_at), ("fulfils_at", settlement.fulfilled_at)):
            if moment is not None:
                wanted[name] = moment_expression(moment, row.collection)
        if settlement.revoked_by:
            wanted["revoked_at"] = row.expression(settlement.revoked_by)
    return wanted


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject as the folds see it."""

    key: str
    merchant: str
    life: SubjectTimeline
    amount: Decimal
    currency: str
    fee_already_reduced: bool
    held: bool
    failed: int


def read(offer: PublishedOffer, rows: Rows, *, judge: bool = False) -> Iterator[Subject]:
    """Stream `rows` in the order of claim time and subject. With `judge`, `held` says whether every condition holds."""
    held = {"held": as_boolean(all_of(offer.terms.asked, offer.terms.row))} if judge else {}
    values, build = _reading(offer, rows, held)
    return map(build, values.iterator(chunk_size=5_000))


def send_asked(offer: PublishedOffer, subjects: Sequence[str], *, until: datetime) -> Callable[[], list[Subject]]:
    """Ask for those of `subjects` that have claimed by `until` and were not decided yet, with `failed` as by `judged`.

    They are had by calling what is returned.
    """
    return _asked(offer).execute_deferred(subjects=subjects, until=until)


@compiled_query
def _asked(offer: PublishedOffer) -> tuple[Rows, Build]:
    rows = undecided(offer, until=instant("until")).filter(AnyOfParameter("pk", "subjects"))
    return _reading(offer, with_failed_conditions(offer, rows), {"failed": F("failed")})


def _reading(offer: PublishedOffer, rows: Rows, more: dict[str, Any]) -> tuple[Rows, Build]:
    """The values of `rows` that a Subject is made of, with `more` at the end, and what makes it."""
    wanted = _annotations(offer)
    rows = rows.annotate(**{f"x_{name}": expression for name, expression in wanted.items()})
    if offer.terms.settlement.requires:
        seen = QueryRow(offer.terms.collection, at=F("x_settles_at"), moments=offer.terms.row.moments)
        rows = rows.annotate(x_fit=as_boolean(all_of(offer.terms.settlement.requires, seen)))
        wanted["fit"] = True
    rows = rows.annotate(**{f"x_{name}": expression for name, expression in more.items()})
    names = [*wanted, *more]
    ordered = rows.order_by("claimed_at", "pk")
    values = ordered.values_list("claimed_at", "pk", offer.terms.collection.merchant, *[f"x_{name}" for name in names])
    return values, _builder(offer, names)


def _builder(offer: PublishedOffer, names: list[str]) -> Build:
    """A function from a row of values to a Subject, made once so that a million rows cost little."""
    terms = offer.terms
    at = {name: 3 + n for n, name in enumerate(names)}
    fee, paid_in, fee_already_reduced, held, fit, failed = (
        at.get(n) for n in ("fee", "paid_in", "fee_already_reduced", "held", "fit", "failed")
    )
    life = ("locks_at", "settles_at", "fulfils_at", "freed_at", "revoked_at")
    picked = itemgetter(*(at.get(name, 3 + len(names)) for name in life))  # one past the values: None
    bundle = terms.bundle
    worth = bundle.value * bundle.count if bundle else Decimal(0)
    discount = terms.benefit if isinstance(terms.benefit, Discount) else None
    currency = bundle.currency if bundle else (FEES[terms.fee].currency if terms.fee else "")

    def build(v: tuple[Any, ...]) -> Subject:
        lock, settle, fulfil, freed, revoked = picked((*v, None))
        return Subject(
            key=v[1],
            merchant=v[2],
            life=SubjectTimeline(v[0], lock, settle, fulfil, True if fit is None else v[fit], freed, revoked),
            amount=discount.value(v[fee]) if discount and fee else worth,
            currency=currency if paid_in is None else v[paid_in],
            fee_already_reduced=fee_already_reduced is not None and bool(v[fee_already_reduced]),
            held=held is None or bool(v[held]),
            failed=0 if failed is None else v[failed],
        )

    return build


def decision_cutoff(offers: Iterable[PublishedOffer], at: datetime) -> datetime:
    """Up to when claims are decided at `at`: earlier by the longest settling delay among competing offers."""
    return at - timedelta(hours=max(offer.terms.settling_hours for offer in offers))
