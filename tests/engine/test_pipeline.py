"""Statements in pipelines (`core.db.pipeline`): their rows, their order, their errors, and their plans."""

from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from campaigns.eligibility import claims
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.db import bulk_insert, prepared_statements
from core.db.pipeline import execute_deferred, in_pipeline, outside_pipeline, pipeline
from identity.models import RateCount
from tests.support.processes import url
from tests.support.world import merchant, offer, publish, t

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
TABLE = RateCount._meta.db_table
COLUMNS = ("key", "ends_at", "count")
HOW_MANY = f"SELECT count(*) FROM {TABLE}"


def write(*keys: str) -> None:
    bulk_insert.write(TABLE, COLUMNS, [(key, t("01"), 1) for key in keys])


def test_rows_can_be_fetched_in_any_order() -> None:
    with transaction.atomic(), pipeline():
        fetch_one = execute_deferred("SELECT %s::int", [1])
        fetch_two = execute_deferred("SELECT %s::int", [2])
        write("a")
        fetch_count = execute_deferred(HOW_MANY, [])
        assert (fetch_count(), fetch_two(), fetch_one()) == ([(1,)], [(2,)], [(1,)])
    assert RateCount.objects.count() == 1


def test_an_error_is_raised_at_the_end_at_the_latest_and_nothing_is_written() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), pipeline():
        write("a")
        write("a")
    assert not RateCount.objects.exists()
    write("b")  # the session still works
    assert RateCount.objects.get().key == "b"


def test_outside_the_pipeline_each_statement_is_answered_at_once() -> None:
    with transaction.atomic(), pipeline():
        write("a")
        with outside_pipeline():
            assert not in_pipeline()
            assert RateCount.objects.count() == 1
            bulk_insert.write_in_chunks(TABLE, COLUMNS, iter([("b", t("01"), 1)]))  # COPY
        assert in_pipeline()
        assert execute_deferred(HOW_MANY, [])() == [(2,)]


def test_no_statement_runs_between_an_error_and_its_rollback() -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic(), pipeline():
            write("a")
            write("a")
        assert execute_deferred(HOW_MANY, [])() == [(0,)]
    with transaction.atomic(), pipeline():
        transaction.set_rollback(True)
        broken: Any = pytest.raises(TransactionManagementError)
        with broken:
            execute_deferred(HOW_MANY, [])()


@pytest.mark.plants_violation
def test_plans_follow_a_table_that_grows_without_statistics() -> None:
    """The plan made for an empty table reads all decisions of the offer; renewed, it finds them by subject."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE campaigns_decision CASCADE")  # earlier tests leave an empty table of many pages
    merchant()
    publish(offer("o"))
    published = published_offers.find("o")
    assert not _finds_by_subject(published)
    columns = ("offer_id", "subject", "merchant_id", "version_id", "claimed_at", "outcome", "failed", "queue_position")
    rows = [(published.id, f"X{n}", "M1", published.version_id, t("01"), 1, 0, n + 1) for n in range(10_000)]
    bulk_insert.write_in_chunks("campaigns_decision", columns, rows)
    assert not _finds_by_subject(published)
    prepared_statements.discard_plans()  # as after PLAN_LIFETIME
    assert _finds_by_subject(published)


def _finds_by_subject(published: PublishedOffer) -> bool:
    """Return true if the prepared query for undecided claims looks decisions up by subject."""
    claims.send_undecided(published, ["A"], until=t("02"))()  # prepares the statement
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%failed%campaigns_decision%'")
        [[name]] = cursor.fetchall()
        cursor.execute(f"EXPLAIN EXECUTE {name} ('2022-09-02', '{{A}}')")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    _, _, scan = plan.partition("decision_once")
    return "subject = " in "\n".join(scan.splitlines()[:2])


def test_a_lost_session_is_an_error_of_django_when_plans_are_renewed() -> None:
    """Otherwise the response would be 500, and not 503 with the time to try again."""
    for renew in (prepared_statements.discard_plans, lambda: None):
        execute_deferred(HOW_MANY, [])()
        with psycopg.connect(url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        renew()
        with pytest.raises(OperationalError):
            execute_deferred(HOW_MANY, [])()
        connection.close()
    assert execute_deferred(HOW_MANY, [])() == [(0,)]
