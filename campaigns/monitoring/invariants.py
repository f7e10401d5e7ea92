"""What must always hold, each as one SQL statement that returns the rows that break it.

Written in SQL and not in the ORM on purpose: a check that shares code with what it checks is wrong together with it.
The statements run on PostgreSQL and SQLite alike; money is compared in whole cents. The names are those of the
requirements; I16 to I18 are our own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.monitoring.invariants_sql import QUERIES

SHOWN = 20

MEANING: dict[str, str | Promise] = {
    "I01": _("An offer's counters are what they count: its grants not released, and the places in its line."),
    "I02": _("Within the limit: each grant has a seat of its own, and none was given when all were taken."),
    "I03": _("Within the merchant's cap: each grant has a seat of the merchant's own, none beyond the cap."),
    "I04": _("Nothing was decided before its time, and coupons were used only while they were valid."),
    "I05": _("Each journal entry of a grant takes up where the one before left off."),
    "I06": _("What the journal says is held in each state is what the grants say."),
    "I07": _("A coupon is where its last move led; its moves have no gaps and each is a legal one."),
    "I08": _("Each grant has exactly the coupons it is owed, or none of them yet; the counters of the issue agree."),
    "I09": _("Merchant, offer and version agree along decision, grant, coupon, use and journal."),
    "I10": _("A grant made only legal moves, ended once at most, and says when it ended."),
    "I11": _("A coupon is redeemed if and only if it was redeemed once more than given back, on the order it names."),
    "I12": _("One decision for a claim, one live grant for a subject, and each of them has the other."),
    "I13": _("First come, first served: none was refused for want of a place that was free and went to a later claim."),
    "I14": _("What is told did happen, and is told only to members of the merchant to whom it did."),
    "I15": _("Imports add up, no fact lacks its import, and tags are on the right side of their threshold."),
    "I16": _("Money is never negative, and a discount leaves 0.01 of the freight to pay."),
    "I17": _("One live benefit on one fee; a coupon on an order replaces the discount of its freight."),
    "I18": _("A coupon of a grant that was taken away cannot be spent."),
}


@dataclass(frozen=True)
class Invariant:
    """A rule with its name, what it means, and the statement that finds what breaks it."""

    name: str
    meaning: str | Promise
    sql: str

    def __str__(self) -> str:
        return f"{self.name}: {self.meaning}"


INVARIANTS = tuple(Invariant(name, meaning, QUERIES[name]) for name, meaning in MEANING.items())


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold: how many rows break it, and the first of them."""

    invariant: Invariant
    count: int
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __str__(self) -> str:
        shown = [
            ", ".join(f"{name} {value}" for name, value in zip(self.columns, row, strict=True)) for row in self.rows
        ]
        more = [f"… {self.count - len(shown)} more"] if self.count > len(shown) else []
        return "\n  ".join([f"{self.invariant} ({self.count})", *shown, *more])


def check(invariants: Sequence[Invariant] = INVARIANTS) -> list[Violation]:
    """The invariants that do not hold, all seen in one snapshot. Inside a transaction: as that one sees things."""
    with _snapshot():
        return [violation for invariant in invariants if (violation := _broken(invariant))]


def _broken(invariant: Invariant) -> Violation | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT q.*, count(*) OVER () FROM ({invariant.sql}) AS q LIMIT {SHOWN}")  # noqa: S608  constants
        rows = cursor.fetchall()
        names = tuple(column[0] for column in cursor.description or ())
    return Violation(invariant, rows[0][-1], names[:-1], tuple(row[:-1] for row in rows)) if rows else None


@contextmanager
def _snapshot() -> Iterator[None]:
    """One view of the database for several statements, without a lock on it. Django's own `atomic` would take
    SQLite's only write lock."""
    if connection.in_atomic_block:
        yield
        return
    isolation = " ISOLATION LEVEL REPEATABLE READ READ ONLY" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"BEGIN{isolation}")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
