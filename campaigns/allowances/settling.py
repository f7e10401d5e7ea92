"""Settling: what some merchants collect and use of the allowances of one use, decided anew from an instant of each.

Everything is computed before anything is written. The results before those instants stay as they are.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Max, QuerySet

from campaigns.allocation import uses
from campaigns.allocation.uses import Balance, Key, Outcome, Use
from campaigns.allowances.collecting import Collected, collect
from campaigns.allowances.published import PublishedAllowance, UseGroup
from campaigns.models import Allowance, DocumentVersion, UsageDecision
from campaigns.offers import documents
from core.db.compiled_queries import AnyOfParameter, compiled_query, instant
from definitions.allowances import AllowanceTerms
from definitions.case_numbers import number_expression
from rules.conditions import all_of
from rules.periods import bounds_of
from rules.query_row import as_boolean
from services.models import Usage

ALLOWANCE = [field.attname for field in Allowance._meta.concrete_fields]
USAGE = ("pk", "merchant_id", "use", "used_at", "quantity", "buyer_id", "cancelled_at")
DECISION = ("use", "merchant_id", "used_at", "result", "document_id", "period", "taken", "returned", "returned_at")
Place = tuple[str, Key]
"""A merchant, and an allowance in one part of the period."""
Option = tuple[tuple[datetime, str], tuple[Key, Balance]]


@dataclass(frozen=True, slots=True)
class RecordedUse:
    """A use as it is recorded, with the decision that is stored, and what the query found of each allowance."""

    number: str
    merchant: str
    use: str
    used_at: datetime
    quantity: int
    buyer: str | None
    cancelled_at: datetime | None
    stored: UsageDecision | None = None
    had: tuple[Any, ...] = ()

    @classmethod
    def read(cls, row: tuple[Any, ...]) -> "RecordedUse":
        """Return a use from the columns USAGE, DECISION and those of the allowances."""
        decision = dict(zip(DECISION, row[len(USAGE) :], strict=False))
        stored = UsageDecision(usage_id=row[0], **decision) if decision["result"] is not None else None
        number, merchant, use, used_at, quantity, buyer, cancelled_at = row[: len(USAGE)]
        had = row[len(USAGE) + len(DECISION) :]
        return cls(number, merchant, use, used_at, quantity, buyer, cancelled_at, stored, had)

    @property
    def outcome(self) -> Outcome | None:
        """Return the stored outcome, if it is one of the use as it is recorded now."""
        old = self.stored
        if old is None or (old.use, old.merchant_id, old.used_at) != (self.use, self.merchant, self.used_at):
            return None
        return Outcome(old.result, _key(old), old.taken, old.returned, old.returned_at)

    def differs(self, outcome: Outcome) -> bool:
        """Return whether an outcome is another one than that which is stored."""
        return self.outcome != outcome


def _key(decision: UsageDecision) -> Key | None:
    return (decision.document_id, decision.period) if decision.document_id is not None else None


@dataclass
class Settlement:
    """Allowances and decisions of some merchants as they shall be.

    `rows` are the stored allowances, `balances` all of that time as they shall be, `collected` those that a request
    collects. `decided` are the uses whose outcome is another one than is stored. `versions` are those in force.
    """

    rows: dict[Place, Allowance]
    balances: dict[Place, Balance] = field(default_factory=dict)
    collected: dict[Place, Collected] = field(default_factory=dict)
    decided: list[tuple[RecordedUse, Outcome]] = field(default_factory=list)
    versions: dict[int, int] = field(default_factory=dict)


def settle(group: UseGroup, affected: Sequence[tuple[str, datetime]], *, until: datetime) -> Settlement:
    """Decide the requests and uses of merchants of a group, each from an instant on; see the module.

    A use or a request may have been decided at once, at an instant after `until`, which was chosen before: it is
    settled too, since an allowance holds what all decided uses took of it.
    """
    since = dict(affected)
    decided = UsageDecision.objects.filter(group.q(), merchant__in=list(since), used_at__gt=until)
    collected = [allowance.id for allowance in group.collected]
    rows = Allowance.objects.filter(document__in=collected, merchant__in=list(since), collected_at__gt=until)
    latest = (decided.aggregate(at=Max("used_at"))["at"], rows.aggregate(at=Max("collected_at"))["at"])
    return Settling(group, since, max(filter(None, (until, *latest)))).settle()


def append(group: UseGroup, merchants: Sequence[str], buyers: Sequence[str], *, at: datetime) -> Settlement:
    """Decide the uses of an instant that are the latest of their merchants, from the stored balances.

    The result is that of `settle`, without reading the earlier uses of the period, provided that all of these are
    decided and what was cancelled has come back: see `unsettled`. `buyers` are those of the new uses.
    """
    return Appending(group, dict.fromkeys(merchants, at), at, buyers).settle()


class Settling:
    """Work on some merchants of a group: `since` has the instant from which on each is decided anew."""

    def __init__(self, group: UseGroup, since: Mapping[str, datetime], until: datetime) -> None:
        self.group, self.since, self.until = group, since, until
        self.by_id = {allowance.id: allowance for allowance in group.allowances}
        self.starts = {one.id: {m: one.start_of(at) for m, at in since.items()} for one in group.allowances}
        self.first = {m: min((of[m] for of in self.starts.values()), default=at) for m, at in since.items()}
        versions = {allowance.id: allowance.version_id for allowance in group.allowances}
        self.settlement = Settlement(self._stored_rows(), versions=versions)

    def settle(self) -> Settlement:
        """Return what the merchants have and use."""
        self._collect()
        for merchant, rows in groupby(self._rows_of_uses(), itemgetter(1)):
            self._settle_uses(merchant, rows)
        self._complete()
        return self.settlement

    def _stored_rows(self) -> dict[Place, Allowance]:
        """Return the stored allowances of each merchant from the start of its part of the period on."""
        earliest = min((start for of in self.starts.values() for start in of.values()), default=None)
        if earliest is None:
            return {}
        rows = _allowances()(documents=list(self.by_id), merchants=list(self.since), earliest=earliest)
        return {
            (row.merchant_id, (row.document_id, row.period)): row
            for row in rows
            if row.starts_at >= self.starts[row.document_id][row.merchant_id]
        }

    def _collect(self) -> None:
        for allowance in self.group.collected:
            stored = {(m, key[1]): row for (m, key), row in self.settlement.rows.items() if key[0] == allowance.id}
            collected = collect(allowance, self.starts[allowance.id], stored, until=self.until)
            for (merchant, period), one in collected.items():
                self.settlement.collected[merchant, (allowance.id, period)] = one

    def _rows_of_uses(self) -> Iterator[tuple[Any, ...]]:
        """Stream the uses of the merchants in order, each with what it needs to be decided."""
        rows = Usage.objects.filter(self.group.q(), merchant__in=list(self.first))
        rows = rows.filter(used_at__gte=min(self.first.values()), used_at__lte=self.until)
        yield from with_allowances(self.group, rows).iterator(chunk_size=2_000)

    def _settle_uses(self, merchant: str, rows: Iterable[tuple[Any, ...]]) -> None:
        balances = self._balances(merchant)
        recorded: dict[str, RecordedUse] = {}

        def in_order() -> Iterator[Use]:
            for row in rows:
                use = RecordedUse.read(row)
                if use.used_at >= self.first[merchant]:
                    recorded[use.number] = use
                    yield self._as_use(use, balances)

        for use, outcome in uses.decide(in_order(), balances, until=self.until):
            if recorded[use.number].differs(outcome):
                self.settlement.decided.append((recorded[use.number], outcome))
        self.settlement.balances |= {(merchant, key): balance for key, balance in balances.items()}

    def _balances(self, merchant: str) -> dict[Key, Balance]:
        """Return the balances with which the uses of a merchant start, all unused.

        Of an allowance that is had without collecting, the units of its row hold where uses that stay as they are took
        some, or where an earlier version wrote it.
        """
        balances: dict[Key, Balance] = {}
        for (owner, key), row in self.settlement.rows.items():
            allowance = self.by_id[key[0]]
            stays = row.starts_at < self.since[owner] or row.version_id != allowance.version_id
            if owner == merchant and not allowance.terms.collected and stays:
                by_buyer = terms_of(allowance, row.version_id).is_by_buyer
                balances[key] = Balance(row.units, row.starts_at, row.ends_at, by_buyer)
        for (owner, key), one in self.settlement.collected.items():
            if owner == merchant:
                by_buyer = terms_of(self.by_id[key[0]], one.version_id).is_by_buyer
                balances[key] = Balance(one.units, one.starts_at, one.ends_at, by_buyer)
        return balances

    def _as_use(self, use: RecordedUse, balances: Mapping[Key, Balance]) -> Use:
        cancelled_at = use.cancelled_at
        known = cancelled_at if cancelled_at is not None and cancelled_at <= self.until else None
        had = sorted(self._had(use, balances), key=itemgetter(0))
        kept = use.outcome if use.used_at < self.since[use.merchant] else None
        options = tuple(option for _order, option in had)
        return Use(use.number, use.used_at, use.quantity, use.buyer or "", known, options, kept)

    def _had(self, use: RecordedUse, balances: Mapping[Key, Balance]) -> Iterator[Option]:
        """Yield the allowances that the merchant has at the use, with what orders them: that which ends first."""
        for allowance in self.group.collected:
            key = (allowance.id, allowance.period_key(use.used_at) or "")
            one = self.settlement.collected.get((use.merchant, key))
            if one is not None and one.at <= use.used_at:
                yield (one.ends_at, allowance.code), (key, balances[key])
        for allowance, meets, units in zip(self.group.at_hand, use.had[::2], use.had[1::2], strict=True):
            bounds = bounds_of(allowance.terms.in_, use.used_at)
            if meets and units is not None and bounds is not None:
                key = (allowance.id, str(allowance.period_key(use.used_at)))
                fresh = Balance(int(units), *bounds, allowance.terms.is_by_buyer)
                yield (bounds[1], allowance.code), (key, balances.get(key, fresh))

    def _complete(self) -> None:
        """Add the collected allowances of merchants without uses; leave out those of which nothing was ever used."""
        for place, one in self.settlement.collected.items():
            self.settlement.balances.setdefault(place, Balance(one.units, one.starts_at, one.ends_at))
        for place, balance in list(self.settlement.balances.items()):
            if not balance.uses and place not in self.settlement.collected:
                del self.settlement.balances[place]


def with_allowances(group: UseGroup, rows: "QuerySet[Usage]") -> "QuerySet[Any, Any]":
    """Return uses in order, as the columns USAGE and DECISION, and two for each allowance that is at hand."""
    annotated: Any = rows.annotate(seen_at=F("used_at"))
    names: list[str] = []
    for n, allowance in enumerate(group.at_hand):
        terms, row = allowance.terms, allowance.terms.row_of_use
        meets, units = as_boolean(all_of(terms.asked, row)), number_expression(terms.units, row)
        annotated = annotated.annotate(**{f"x_meets_{n}": meets, f"x_units_{n}": units})
        names += [f"x_meets_{n}", f"x_units_{n}"]
    ordered = annotated.order_by("merchant_id", "used_at", "pk")
    decision = [f"decision__{name}" for name in DECISION]
    return ordered.values_list(*USAGE, *decision, *names)  # type: ignore[no-any-return]


@compiled_query
def _allowances() -> "tuple[QuerySet[Allowance, Any], Any]":
    """Select the allowances of some merchants from an instant on."""
    rows = Allowance.objects.filter(
        AnyOfParameter("document_id", "documents", numbers=True),
        AnyOfParameter("merchant_id", "merchants"),
        starts_at__gte=instant("earliest"),
    )
    return rows.values_list(*ALLOWANCE), lambda values: Allowance.from_db(DEFAULT_DB_ALIAS, ALLOWANCE, values)


@compiled_query
def _latest_uses(group: UseGroup) -> "QuerySet[Any, Any]":
    """Select the uses of some merchants at one instant."""
    rows = Usage.objects.filter(AnyOfParameter("merchant_id", "merchants"), group.q(), used_at=instant("at"))
    return with_allowances(group, rows)


class Appending(Settling):
    """Settling of the latest uses alone, from the balances that are stored."""

    def __init__(self, group: UseGroup, since: Mapping[str, datetime], until: datetime, buyers: Sequence[str]) -> None:
        self._fetch_uses = _latest_uses(group).execute_deferred(merchants=list(since), at=until)
        super().__init__(group, since, until)
        self.first = dict(since)
        self.live = self._live_uses(buyers)

    def _rows_of_uses(self) -> Iterator[tuple[Any, ...]]:
        yield from self._fetch_uses()

    def _live_uses(self, buyers: Sequence[str]) -> dict[Place, Counter[str]]:
        """Return the uses for some buyers that are accepted and not cancelled, by allowance."""
        live: dict[Place, Counter[str]] = {}
        if not buyers or not any(allowance.terms.is_by_buyer for allowance in self.group.allowances):
            return live
        accepted = UsageDecision.objects.order_by().filter(
            self.group.q(),
            merchant__in=list(self.since),
            used_at__gte=min(start for of in self.starts.values() for start in of.values()),
            usage__buyer__in=buyers,
            document__isnull=False,
            returned_at=None,
        )
        for merchant, document, period, buyer in accepted.values_list(
            "merchant_id", "document_id", "period", "usage__buyer_id"
        ):
            live.setdefault((merchant, (document, period)), Counter())[buyer] += 1
        return live

    def _balances(self, merchant: str) -> dict[Key, Balance]:
        balances = super()._balances(merchant)
        for (owner, key), row in self.settlement.rows.items():
            if owner == merchant:
                by_buyer = terms_of(self.by_id[key[0]], row.version_id).is_by_buyer
                balance = balances.setdefault(key, Balance(row.units, row.starts_at, row.ends_at, by_buyer))
                balance.used, balance.uses = row.used, 1
                balance.live = self.live.get((merchant, key), Counter())
        return balances


def terms_of(allowance: PublishedAllowance, version_id: int) -> AllowanceTerms:
    """Return the terms of the version in force, or of an earlier one."""
    if version_id == allowance.version_id:
        return allowance.terms
    terms = documents.terms_of(DocumentVersion.objects.select_related("document").get(pk=version_id))
    assert isinstance(terms, AllowanceTerms)
    return terms
