"""Deferred statements (`core.db.prepared_statements`): their rows, their order and their errors."""

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


def test_answers_are_had_when_they_are_called_for_in_any_order() -> None:
    with transaction.atomic(), pipeline():
        one, two = (
            execute_deferred("SELECT %s::int", [1]),
            execute_deferred("SELECT %s::int", [2]),
        )
        write("a")
        three = execute_deferred(HOW_MANY, [])
        assert (three(), two(), one()) == ([(1,)], [(2,)], [(1,)])
    assert LoginAttempt.objects.count() == 1


def test_what_is_wrong_is_raised_at_the_latest_at_the_end_and_nothing_stays() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), pipeline():
        write("a")
        write("a")
    assert not LoginAttempt.objects.exists()
    write("b")  # the session is as good as before
    assert LoginAttempt.objects.get().key == "b"


def test_apart_of_it_everything_is_answered_at_once() -> None:
    with transaction.atomic(), pipeline():
        write("a")
        with outside_pipeline():
            assert not in_pipeline()
            assert LoginAttempt.objects.count() == 1
            bulk_insert.write_in_chunks(TABLE, COLUMNS, iter([("b", t("01"), 1)]))  # COPY
        assert in_pipeline()
        assert fetch_all(HOW_MANY, []) == [(2,)]


def test_told_as_one_it_is_one_statement_and_seen_behind_it() -> None:
    with transaction.atomic(), pipeline():
        fetch_all(HOW_MANY, [])  # whatever a new session has to be told first
        with CaptureQueriesContext(connection) as queries:
            with combined_statement():
                write("a", "b")
                write("c")
                execute(f"UPDATE {TABLE} SET count = 5 WHERE key = %s", ["z"])
                assert fetch_all(HOW_MANY, []) == [(0,)]  # not told yet
            assert fetch_all(HOW_MANY, []) == [(3,)]
        assert len(queries) == 3
    assert LoginAttempt.objects.count() == 3


def test_told_as_one_it_stays_or_goes_as_one() -> None:
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        pipeline(),
        combined_statement(),
    ):
        write("a", "b")
        write("b")
    assert not LoginAttempt.objects.exists()


def test_a_block_that_fails_tells_nothing() -> None:
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
        write("a")  # is not gathered for ever
    assert LoginAttempt.objects.count() == 1


def test_alone_in_a_block_it_is_itself_and_outside_of_a_flight_it_is_told_at_once() -> None:
    with transaction.atomic(), pipeline(), combined_statement():
        write("a")
    with transaction.atomic(), combined_statement():
        write("b")
        assert fetch_all(HOW_MANY, []) == [(2,)]
    with transaction.atomic(), pipeline(), combined_statement():
        pass


def test_after_an_error_nothing_is_asked_before_the_rollback() -> None:
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
def test_what_was_decided_is_looked_up_by_subject_before_there_are_statistics(decided: int) -> None:
    """Planned for an offer that statistics do not know; by the offer alone it would read all that come to be."""
    merchant()
    publish(offer("o"))
    found = published_offers.find("o")
    columns = ("offer_id", "subject", "merchant_id", "version_id", "claimed_at", "outcome", "failed", "queue_position")
    made = [(found.id, f"X{n}", "M1", found.version_id, t("01"), 1, 0, n + 1) for n in range(decided)]
    bulk_insert.write_in_chunks("campaigns_decision", columns, made)
    claims.send_undecided(found, ["A"], until=t("02"))()  # keeps its plan
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%failed%campaigns_decision%'")
        [[name]] = cursor.fetchall()
        cursor.execute(f"EXPLAIN EXECUTE {name} ('2022-09-02', '{{A}}')")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "decision_once" in plan
    assert "subject = " in plan.split("decision_once")[1].splitlines()[1], plan


def test_a_session_that_is_gone_is_an_error_of_django_also_where_plans_are_made_anew() -> None:
    """Else who asks is told of a fault of ours, a 500, rather than to ask again."""
    for renew in (prepared_statements.discard_plans, lambda: None):
        fetch_all(HOW_MANY, [])
        with psycopg.connect(url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        renew()
        with pytest.raises(OperationalError):
            fetch_all(HOW_MANY, [])
        connection.close()
    assert fetch_all(HOW_MANY, []) == [(0,)]
