"""Statements in pipelines (`core.db.pipeline`): their rows, their order, their errors, and their plans."""

from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from campaigns.eligibility import claims
from campaigns.offers import published_offers
from core.db import bulk_insert, prepared_statements
from core.db.pipeline import (
    combined_statement,
    execute,
    execute_deferred,
    fetch_all,
    in_pipeline,
    outside_pipeline,
    pipeline,
)
from identity.models import LoginAttempt
from tests.support.processes import url
from tests.support.world import merchant, offer, publish, t

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
TABLE = LoginAttempt._meta.db_table
COLUMNS = ("key", "since", "count")
HOW_MANY = f"SELECT count(*) FROM {TABLE}"


def write(*keys: str) -> None:
    bulk_insert.write(TABLE, COLUMNS, [(key, t("01"), 1) for key in keys])


def test_rows_can_be_fetched_in_any_order() -> None:
    with transaction.atomic(), pipeline():
        one, two = (
            execute_deferred("SELECT %s::int", [1]),
            execute_deferred("SELECT %s::int", [2]),
        )
        write("a")
        three = execute_deferred(HOW_MANY, [])
        assert (three(), two(), one()) == ([(1,)], [(2,)], [(1,)])
    assert LoginAttempt.objects.count() == 1


def test_an_error_is_raised_at_the_end_at_the_latest_and_nothing_is_written() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), pipeline():
        write("a")
        write("a")
    assert not LoginAttempt.objects.exists()
    write("b")  # the session still works
    assert LoginAttempt.objects.get().key == "b"


def test_outside_the_pipeline_each_statement_is_answered_at_once() -> None:
    with transaction.atomic(), pipeline():
        write("a")
        with outside_pipeline():
            assert not in_pipeline()
            assert LoginAttempt.objects.count() == 1
            bulk_insert.write_in_chunks(TABLE, COLUMNS, iter([("b", t("01"), 1)]))  # COPY
        assert in_pipeline()
        assert fetch_all(HOW_MANY, []) == [(2,)]


def test_combined_statements_are_sent_as_one_and_later_ones_see_their_rows() -> None:
    with transaction.atomic(), pipeline():
        fetch_all(HOW_MANY, [])  # prepares a new session
        with CaptureQueriesContext(connection) as queries:
            with combined_statement():
                write("a", "b")
                write("c")
                execute(f"UPDATE {TABLE} SET count = 5 WHERE key = %s", ["z"])
                assert fetch_all(HOW_MANY, []) == [(0,)]  # not sent yet
            assert fetch_all(HOW_MANY, []) == [(3,)]
        assert len(queries) == 3
    assert LoginAttempt.objects.count() == 3


def test_combined_statements_fail_together() -> None:
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        pipeline(),
        combined_statement(),
    ):
        write("a", "b")
        write("b")
    assert not LoginAttempt.objects.exists()


def test_a_combined_statement_is_not_sent_when_its_block_fails() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        transaction.atomic(),
        pipeline(),
        combined_statement(),
    ):
        write("a")
        raise ZeroDivisionError
    assert not LoginAttempt.objects.exists()
    with transaction.atomic(), pipeline():
        write("a")  # sent at once again
    assert LoginAttempt.objects.count() == 1


def test_one_statement_is_sent_unchanged_and_outside_a_pipeline_at_once() -> None:
    with transaction.atomic(), pipeline(), combined_statement():
        write("a")
    with transaction.atomic(), combined_statement():
        write("b")
        assert fetch_all(HOW_MANY, []) == [(2,)]
    with transaction.atomic(), pipeline(), combined_statement():
        pass


def test_no_statement_runs_between_an_error_and_its_rollback() -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic(), pipeline():
            write("a")
            write("a")
        assert fetch_all(HOW_MANY, []) == [(0,)]
    with transaction.atomic(), pipeline():
        transaction.set_rollback(True)
        broken: Any = pytest.raises(TransactionManagementError)
        with broken:
            fetch_all(HOW_MANY, [])


@pytest.mark.plants_violation
@pytest.mark.parametrize("decided", [0, 600, 2_000])
def test_decisions_are_found_by_subject_before_there_are_statistics(decided: int) -> None:
    """The plan of an offer without statistics: found by the offer alone, all of its later decisions would be read."""
    merchant()
    publish(offer("o"))
    found = published_offers.find("o")
    columns = ("offer_id", "subject", "merchant_id", "version_id", "claimed_at", "outcome", "failed", "queue_position")
    rows = [(found.id, f"X{n}", "M1", found.version_id, t("01"), 1, 0, n + 1) for n in range(decided)]
    bulk_insert.write_in_chunks("campaigns_decision", columns, rows)
    claims.send_undecided(found, ["A"], until=t("02"))()  # prepares the statement
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%failed%campaigns_decision%'")
        [[name]] = cursor.fetchall()
        cursor.execute(f"EXPLAIN EXECUTE {name} ('2022-09-02', '{{A}}')")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "decision_once" in plan
    assert "subject = " in plan.split("decision_once")[1].splitlines()[1], plan


def test_a_lost_session_is_an_error_of_django_when_plans_are_renewed() -> None:
    """Otherwise the response would be 500, and not 503 with the time to try again."""
    for renew in (prepared_statements.discard_plans, lambda: None):
        fetch_all(HOW_MANY, [])
        with psycopg.connect(url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        renew()
        with pytest.raises(OperationalError):
            fetch_all(HOW_MANY, [])
        connection.close()
    assert fetch_all(HOW_MANY, []) == [(0,)]
