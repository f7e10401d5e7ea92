"""Invariants: statements about the whole database that must always hold.

The statement of an invariant is in a file of its own, named after it, and returns the rows that violate it, with the
reason. It is SQL and not the ORM on purpose: a check that shares code with what it checks is wrong together with it.
Each runs on PostgreSQL and SQLite alike, and compares money in whole cents.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.monitoring.invariants import subject_rows
from imports.models import ImportedRecord

SHOWN = 20
FOLDER = Path(__file__).parent
RULES: dict[str, str | Promise] = {
    "I01": _("An offer's counters agree with its grants and decisions."),
    "I02": _("The limit of an offer holds: nothing was granted when the quota was used up."),
    "I03": _("The limit per merchant holds: nothing was granted when the merchant had reached it."),
    "I04": _(
        "Nothing was decided before its time; coupons were used only while they were valid, and expired at the end."
    ),
    "I05": _("Each ledger entry of a grant begins in the state in which the one before it ended."),
    "I06": _("The amount and number of grants in each state agree with the ledger."),
    "I07": _("A coupon is in the state of its last ledger entry; its entries have no gaps, and each is permitted."),
    "I08": _("Each grant has exactly the coupons that it promises, or none of them yet; the counters agree."),
    "I09": _("Merchant, offer and version agree along decision, grant, coupon, attachment and ledger."),
    "I10": _("A grant makes only permitted transitions, ends at most once, and records when it ended."),
    "I11": _("A coupon is redeemed if and only if it was redeemed once more than returned, on the order it names."),
    "I12": _("A claim has one decision, a subject has one live grant, and the two agree."),
    "I13": _("First come, first served: no claim was refused for the quota while some was left."),
    "I14": _("Every event happened, and messages about it go only to members of its merchant."),
    "I15": _("Imports add up, each record names its import, and tags are on the right side of their threshold."),
    "I16": _("Money is never negative, and a discount is at most its fee: of freight it leaves 0.01 to pay."),
    "I17": _("A fee has one live benefit; a coupon on an order replaces the discount of its fee."),
    "I18": _("Coupons of a grant that was revoked cannot be spent."),
    "I19": _("Grants, coupons in use and tags have the merchant of their order, or the grant is marked for review."),
    "I20": _("A subject that was cancelled after its claim uses no quota."),
    "I21": _("An allowance is never overspent: its uses, its balance and its journal agree."),
    "I22": _("An allowance was collected only with the rating that it asks for."),
    "I23": _("A subject has one official rating in force at a time, of an evaluation, with the level of its points."),
}
"""The rule of each invariant, for operators."""


@dataclass(frozen=True)
class Invariant:
    """Rule with its name, its text for operators, and the statement that returns the rows that violate it."""

    name: str
    rule: str | Promise
    sql: str

    def __str__(self) -> str:
        return f"{self.name}: {self.rule}"


def _statement(name: str) -> str:
    """Read the statement of an invariant; a subquery over all imported records replaces `{imported_records}`."""
    [file] = FOLDER.glob(f"{name}_*.sql")
    tables = [model._meta.db_table for model in apps.get_models() if issubclass(model, ImportedRecord)]
    counts = (f"SELECT batch_id, count(*) AS n FROM {table} GROUP BY batch_id" for table in tables)  # noqa: S608  own names
    return file.read_text(encoding="utf-8").replace("{imported_records}", f"({' UNION ALL '.join(counts)})")


INVARIANTS = tuple(Invariant(name, rule, _statement(name)) for name, rule in RULES.items())


@dataclass(frozen=True)
class Violation:
    """Invariant that does not hold: the number of rows that violate it, and the first SHOWN of them."""

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
    """Return a violation for each invariant that does not hold, all read from one snapshot.

    Inside a transaction, its own view of the database is checked.
    """
    with _snapshot():
        return [violation for invariant in invariants if (violation := _violation(invariant))]


UNITS_OF_GRANT = {
    "postgresql": "json_each_text(CAST(NULLIF(g.band_units, '') AS json))",
    "sqlite": "json_each(NULLIF(g.band_units, ''))",
}
"""The rows (key, value) of the units that a grant `g` takes from bands."""


def _items_of_version(name: str) -> dict[str, str]:
    """Return the rows (value) of a list in the definition of a version `v`, by database; none if it is no list."""
    rows = {
        "postgresql": "LATERAL (SELECT value FROM jsonb_array_elements(CASE jsonb_typeof(v.definition -> '{}') "
        "WHEN 'array' THEN v.definition -> '{}' ELSE '[]' END))",
        "sqlite": "json_each(CASE json_type(v.definition, '$.{}') WHEN 'array' "
        "THEN json_extract(v.definition, '$.{}') ELSE '[]' END)",
    }
    return {vendor: text.replace("{}", name) for vendor, text in rows.items()}


ROWS_IN_COLUMNS = {
    "{units_of_grant}": UNITS_OF_GRANT,
    "{conditions_of_version}": _items_of_version("conditions"),
    "{levels_of_version}": _items_of_version("levels"),
    "{points_of_rating}": {"postgresql": "jsonb_each_text(r.parts)", "sqlite": "json_each(r.parts)"},
}
"""Rows inside columns, such as the points (value) of a rating `r`: only here do the databases differ."""


ROWS_OF_SUBJECTS = {
    "{owners}": subject_rows.owners,
    "{cancellations}": subject_rows.cancellations,
    "{charges}": subject_rows.charges,
    "{coupon_fees}": subject_rows.coupon_fees,
}
"""Subqueries over the rows of every kind of subject in the registry of facts."""


def _violation(invariant: Invariant) -> Violation | None:
    sql = invariant.sql
    for word, rows in ROWS_IN_COLUMNS.items():
        sql = sql.replace(word, rows[connection.vendor])
    for word, statement in ROWS_OF_SUBJECTS.items():
        sql = sql.replace(word, statement() if word in sql else "")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT q.*, count(*) OVER () FROM ({sql}) AS q LIMIT {SHOWN}")  # noqa: S608  constants
        rows = cursor.fetchall()
        names = tuple(column[0] for column in cursor.description or ())
    return Violation(invariant, rows[0][-1], names[:-1], tuple(row[:-1] for row in rows)) if rows else None


@contextmanager
def _snapshot() -> Iterator[None]:
    """Give the statements of the block one view of the database, without locks.

    Not `transaction.atomic`, which takes SQLite's only write lock.
    """
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
