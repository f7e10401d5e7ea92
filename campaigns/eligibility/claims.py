"""Claims: the queries that turn facts into claims. The engine and the explanations share them.

Rows of subjects carry two instants: `claimed_at`, at which the subject claims, and `seen_at`, as of which its
conditions see the facts. Both are the same, unless the offer decides all claims at one instant.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    DateTimeField,
    Exists,
    F,
    FilteredRelation,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext as _

from campaigns.eligibility.timeline import SubjectTimeline
from campaigns.models import Attachment, Coupon, Decision, Tag
from campaigns.offers import schedule
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, Parameter, compiled_query, instant
from core.facts import COLLECTIONS, FEES
from definitions.benefits import Discount
from definitions.benefits.amounts import charged_amount, stated_value
from definitions.claim_terms import ClaimAt, ClaimNth, ClaimOverThreshold, Nth
from rules.conditions import all_of
from rules.moments import moment_expression
from rules.query_row import as_boolean

Rows = QuerySet[Any]
Build = Callable[[tuple[Any, ...]], "Subject"]


class UnknownSubjectError(Exception):
    """An offer has no subject with this key."""

    def __init__(self, offer: PublishedOffer, subject: str) -> None:
        kind = offer.terms.collection.singular
        super().__init__(_("There is no %(kind)s %(subject)s.") % {"kind": kind, "subject": subject})


def subjects(offer: PublishedOffer, *, only: Q | None = None) -> Rows:
    """Return all subjects of the offer with `claimed_at`, NULL for those without a claim, and `seen_at`.

    `only` is the first condition of the statement: nothing is computed for rows that do not meet it.
    """
    scoped: Rows = rows_with_claims(offer, only=only).filter(all_of(offer.terms.scope, offer.terms.row))
    return scoped


def rows_with_claims(offer: PublishedOffer, *, only: Q | None = None) -> Rows:
    """Return all rows of the table of the offer's subjects as `subjects` does, whether in its scope or not."""
    decided = offer.terms.decision_instant
    rows = with_claimed_at(offer, all_rows(offer).filter(only) if only else all_rows(offer))
    rows_: Rows = rows.annotate(seen_at=constant(decided) if decided else F("claimed_at"))
    return rows_


def all_rows(offer: PublishedOffer) -> Rows:
    """Return all rows of the table of the offer's subjects, whether in its scope or not."""
    rows: Rows = offer.terms.collection.model._default_manager.all()
    claim = offer.terms.claim
    if isinstance(claim, ClaimAt) and claim.first is not None and claim.last is not None:
        during = {"starts_at__gte": claim.first.instant, "starts_at__lt": claim.last.after}
        rows = rows.filter(recurrence=offer.terms.recurrence, **during)
    return rows


def merchants_of(offer: PublishedOffer, subjects: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of the merchants that own the subjects. Raises UnknownSubjectError if a subject is unknown."""
    found = owners(offer, subjects)
    for subject in subjects:
        if subject not in found:
            raise UnknownSubjectError(offer, subject)
    return tuple(sorted(set(found.values())))


def owners(offer: PublishedOffer, subjects: Sequence[str]) -> dict[str, str]:
    """Return the code of the merchant that owns each subject; unknown ones are left out."""
    return dict(_owners(offer)(subjects=subjects))


@compiled_query
def _owners(offer: PublishedOffer) -> Rows:
    return all_rows(offer).filter(AnyOfParameter("pk", "subjects")).values_list("pk", offer.terms.collection.merchant)


def constant(at: datetime) -> Value:
    """Return an instant as an expression."""
    return Value(at, output_field=DateTimeField())


def with_claimed_at(offer: PublishedOffer, rows: Rows, *, name: str = "claimed_at") -> Rows:
    """Annotate rows with the instant at which they claim; NULL while they do not."""
    match offer.terms.claim:
        case ClaimAt(at=moment):
            claims_at: Any = moment_expression(moment, offer.terms.collection)
        case ClaimNth(nth=nth):
            due = counted(nth, decided=offer.terms.decision_instant)
            column = COLLECTIONS[nth.of].column(nth.at)
            claims_at = Subquery(due.order_by(column, "pk").values(column)[nth.number - 1 : nth.number])
        case ClaimOverThreshold():
            # A join, not a subquery: Django writes an annotation out wherever a condition refers to it.
            candidate = Q(tags__offer=offer.id, tags__kind=Tag.Kind.CANDIDATE)
            rows = rows.alias(candidate=FilteredRelation("tags", condition=candidate))
            claims_at = F("candidate__tagged_at")
    annotated: Rows = rows.annotate(**{name: claims_at})
    return annotated


def counted(nth: Nth, *, decided: datetime | None) -> QuerySet[Model]:
    """Return the rows of an outer merchant that count towards its n-th, as of `decided` or each as of its instant."""
    rows = counting(nth, at=constant(decided) if decided else F(COLLECTIONS[nth.of].column(nth.at)))
    return rows.filter(**{COLLECTIONS[nth.of].merchant: OuterRef("pk")})


def counting(nth: Nth, *, at: object) -> QuerySet[Model]:
    """Return the rows of all merchants that count towards an n-th, as of the expression `at`."""
    row = replace(nth.row, at=at)
    rows = row.collection.model._default_manager.filter(all_of(nth.where, row))
    return rows.filter(LessThanOrEqual(F(row.collection.column(nth.at)), at))


def undecided(offer: PublishedOffer, *, until: datetime | Parameter, only: Q | None = None) -> Rows:
    """Return the subjects that have claimed by `until` and have no decision yet; `only` as in `subjects`.

    A claim before the offer opens is not decided: a later correction may move it into the window.
    """
    decided = Decision.objects.filter(offer=offer.id, subject=OuterRef("pk"))
    opening = schedule.first_claim(offer.terms)
    in_time = {"claimed_at__lte": until} | ({"claimed_at__gte": opening} if opening else {})
    return subjects(offer, only=only).filter(~Exists(decided), **in_time)


def eligible_claims(offer: PublishedOffer, rows: Rows) -> Rows:
    """Return those of `rows` that meet every condition."""
    return rows.filter(all_of(offer.terms.asked, offer.terms.row))


def with_failed_conditions(offer: PublishedOffer, rows: Rows) -> Rows:
    """Return `rows` with a bit mask `failed`: bit n is set if condition n did not pass."""
    mask: Any = Value(0, output_field=BigIntegerField())
    for n, condition in enumerate(offer.terms.asked):
        passed = condition.q(offer.terms.row)
        mask = mask + Case(When(passed, then=Value(0)), default=Value(1 << n), output_field=BigIntegerField())
    result: Rows = rows.annotate(failed=mask)
    return result


def _annotations(offer: PublishedOffer) -> dict[str, Any]:
    """Return expressions for the fee of each subject, for a coupon that reduces it already, and for its timeline."""
    terms, row = offer.terms, offer.terms.row
    settlement = terms.settlement
    wanted: dict[str, Any] = {}
    if isinstance(terms.benefit, Discount):
        wanted["fee"] = charged_amount(terms.benefit, row)
        if FEES[terms.fee].currency_fact:
            wanted["paid_in"] = row.expression(FEES[terms.fee].currency_fact)
        if (stated := stated_value(terms.benefit, row)) is not None:
            wanted["stated"] = stated
        if FEES[terms.fee].takes_coupons:
            wanted["fee_already_reduced"] = _has_coupon(terms.subject, terms.decision_instant)
    for holder in terms.limits.holders:
        wanted[f"{HOLDER}{holder}"] = row.collection.holder_key(holder)
    if settlement.released_by:
        wanted["released_at"] = row.expression(settlement.released_by)
    if not settlement.at_claim:
        wanted["settles_at"] = moment_expression(settlement.at, row.collection)
        for name, moment in (("locked_at", settlement.locked_at), ("fulfilled_at", settlement.fulfilled_at)):
            if moment is not None:
                wanted[name] = moment_expression(moment, row.collection)
        if settlement.revoked_by:
            wanted["revoked_at"] = row.expression(settlement.revoked_by)
    return wanted


def _has_coupon(kind: str, decided: datetime | None) -> Any:
    """Return whether an order of a kind had a coupon no later than it claimed and was decided, or has one now."""
    when_claimed = Q(placed_at__lte=OuterRef("claimed_at"))
    if decided is not None:
        when_claimed |= Q(placed_at__lte=constant(decided))
    order = {"order_kind": kind, "order_no": OuterRef("pk")}
    had = Attachment.objects.filter(when_claimed, coupon__isnull=False, **order)
    return as_boolean(Q(Exists(had)) | Q(Exists(Coupon.objects.filter(**order))))


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject with everything that allocation and settlement need.

    `amount` is the benefit in `currency`; `passed` and `failed` are filled by the queries that ask for them. `holders`
    are those for whom bands of the quota count, other than the merchant.
    """

    key: str
    merchant: str
    timeline: SubjectTimeline
    amount: Decimal
    currency: str
    fee_already_reduced: bool
    passed: bool
    failed: int
    holders: Mapping[str, str | None] = field(default_factory=dict)


def read(offer: PublishedOffer, rows: Rows, *, evaluate: bool = False) -> Iterator[Subject]:
    """Stream `rows` in the order of claim time and key. With `evaluate`, `passed` says if every condition passed."""
    extra = {"passed": as_boolean(all_of(offer.terms.asked, offer.terms.row))} if evaluate else {}
    values, build = _reading(offer, rows, extra)
    return map(build, values.iterator(chunk_size=5_000))


def send_undecided(offer: PublishedOffer, subjects: Sequence[str], *, until: datetime) -> Callable[[], list[Subject]]:
    """Ask for those of `subjects` that have claimed by `until` and have no decision yet, with `failed`.

    Returns a function that waits for them.
    """
    return _undecided_among(offer).execute_deferred(subjects=subjects, until=until)


@compiled_query
def _undecided_among(offer: PublishedOffer) -> tuple[Rows, Build]:
    return evaluated(offer, undecided(offer, until=instant("until")).filter(AnyOfParameter("pk", "subjects")))


def evaluated(offer: PublishedOffer, rows: Rows) -> tuple[Rows, Build]:
    """Return a query for `rows` with the conditions that each fails, and the function from its rows to subjects.

    Its columns begin with `claimed_at`, `pk` and `x_merchant`, and end with `x_failed`.
    """
    return _reading(offer, with_failed_conditions(offer, rows), {"failed": F("failed")})


def _reading(offer: PublishedOffer, rows: Rows, extra: dict[str, Any]) -> tuple[Rows, Build]:
    """Return a query for the values that subjects are made of, `extra` among them, and the function that makes them."""
    wanted = _annotations(offer)
    # A prefix keeps the names apart from the fields of the model.
    rows = rows.annotate(x_merchant=F(offer.terms.collection.merchant))
    rows = rows.annotate(**{f"x_{name}": expression for name, expression in wanted.items()})
    if offer.terms.settlement.requires:
        at_settlement = replace(offer.terms.row, at=F("x_settles_at"), claims=False)
        rows = rows.annotate(x_requirements_met=as_boolean(all_of(offer.terms.settlement.requires, at_settlement)))
        wanted["requirements_met"] = True
    rows = rows.annotate(**{f"x_{name}": expression for name, expression in extra.items()})
    names = [*wanted, *extra]
    ordered = rows.order_by("claimed_at", "pk")
    values = ordered.values_list("claimed_at", "pk", "x_merchant", *[f"x_{name}" for name in names])
    return values, _builder(offer, names)


HOLDER = "holder_"
TIMELINE = tuple(field.name for field in fields(SubjectTimeline))
DEFAULTS = {
    "fee": None,
    "paid_in": None,
    "stated": None,
    "fee_already_reduced": False,
    "passed": True,
    "failed": 0,
    **dict.fromkeys(TIMELINE[1:]),
    "requirements_met": True,
}
"""Values of columns that the query of an offer leaves out."""
READ = ("fee", "paid_in", "stated", "fee_already_reduced", "passed", "failed")


def _builder(offer: PublishedOffer, names: list[str]) -> Build:
    """Return a function from a row of values to a Subject. The positions of the columns are looked up once."""
    columns = {name: n for n, name in enumerate(("claimed_at", "key", "merchant", *names, *DEFAULTS))}
    columns |= {name: n for n, name in enumerate(names, start=3)}  # what was queried comes before the defaults
    defaults = tuple(DEFAULTS.values())
    pick = itemgetter(*(columns[name] for name in READ))
    pick_timeline = itemgetter(*(columns[name] for name in TIMELINE))
    amount, currency = _benefit(offer)
    holders = {name: columns[f"{HOLDER}{name}"] for name in offer.terms.limits.holders}

    def build(row: tuple[Any, ...]) -> Subject:
        values = (*row, *defaults)
        fee, paid_in, stated, fee_already_reduced, passed, failed = pick(values)
        return Subject(
            key=row[1],
            merchant=row[2],
            timeline=SubjectTimeline(*pick_timeline(values)),
            amount=amount(fee, paid_in or currency, stated),
            currency=currency if paid_in is None else paid_in,
            fee_already_reduced=bool(fee_already_reduced),
            passed=bool(passed),
            failed=failed,
            holders={name: values[n] for name, n in holders.items()} if holders else {},
        )

    return build


Worth = Callable[[Decimal | None, str, Decimal | int | None], Decimal]


def _benefit(offer: PublishedOffer) -> tuple[Worth, str]:
    """Return a function from a fee, its currency and the fact of a discount to the amount of the benefit.

    With it comes the currency of the benefit, unless the row has one.
    """
    bundle, benefit = offer.terms.bundle, offer.terms.benefit
    if bundle is not None:
        worth = bundle.face_value
        return lambda _fee, _currency, _stated: worth, bundle.currency
    assert isinstance(benefit, Discount)
    fee = FEES[offer.terms.fee]
    return benefit.value, fee.currency if fee.currency_fact else benefit.fixed_currency
