"""Plans of a tick and of an import do not depend on statistics that only autovacuum would renew."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction

from campaigns.eligibility import threshold_tags
from campaigns.eligibility.changes import Changes
from campaigns.engine import ticker
from campaigns.models import (
    Attachment,
    Coupon,
    Decision,
    Endpoint,
    Grant,
    JournalEntry,
    MerchantQuota,
    OutboxEvent,
    Tag,
)
from campaigns.offers import published_offers
from core.db import key_set, planner_hints
from imports.models import ImportBatch
from merchants.models import Merchant
from tests.benchmarks.season import changed_orders
from tests.support import guards

MERCHANTS = 150
MANY = 100
AS_OF = datetime(2023, 2, 1, tzinfo=UTC)
WITHOUT_AUTOVACUUM = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = {})', name);
  END LOOP;
END $$
"""
READ = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables"


def value(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def rows_read(work: Callable[[], object]) -> int:
    """Return the number of rows that PostgreSQL reads from tables while `work` runs."""
    counts = []
    for step in (lambda: None, work):
        step()
        value("SELECT 1 FROM pg_stat_force_next_flush()")
        value("SELECT 1")
        counts.append(value(READ))
    return counts[1] - counts[0]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_tick_reads_each_row_a_few_times_without_autovacuum(tmp_path: Path) -> None:
    guards.forget_statistics()
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_AUTOVACUUM.format("false"))
    try:
        call_command("demo_world", str(tmp_path / "facts"), merchants=MERCHANTS, season_only=True, stdout=StringIO())
        call_command("load_campaign", "september-2022", stdout=StringIO(), stderr=StringIO())
        call_command("import_facts", str(tmp_path / "facts"), stdout=StringIO())
        cold = rows_read(lambda: ticker.tick(at=AS_OF))
        changed_orders(tmp_path / "facts", tmp_path / "changed", count=400)
        call_command("import_facts", str(tmp_path / "changed"), stdout=StringIO())
        warm = rows_read(lambda: ticker.tick(at=AS_OF + timedelta(minutes=1)))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(WITHOUT_AUTOVACUUM.format("true"))
    facts = value("SELECT (SELECT count(*) FROM logistics_freightorder) + (SELECT count(*) FROM trade_receipt)")
    assert Grant.objects.count() > 500
    assert cold < 30 * facts
    assert warm < 10 * facts


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_every_table_that_an_import_or_a_tick_fills_has_statistics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner_hints, "MANY", MANY)
    Endpoint.objects.create(name="all", url="https://example.com/hook", secret="secret", created_at=AS_OF)
    call_command("demo_world", str(tmp_path), merchants=MERCHANTS, season_only=True, stdout=StringIO())
    call_command("load_campaign", "september-2022", stdout=StringIO(), stderr=StringIO())
    call_command("import_facts", str(tmp_path), stdout=StringIO())
    ticker.tick(at=AS_OF)
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed]
    counts = {table: value(f"SELECT count(*) FROM {table}") for table in tables}
    filled = {table: count for table, count in counts.items() if count >= MANY}
    known = {table: value(f"SELECT reltuples FROM pg_class WHERE oid = '{table}'::regclass") for table in filled}
    assert {Decision, Grant, JournalEntry, Tag, Coupon, Attachment, MerchantQuota, OutboxEvent} <= {
        model for model in apps.get_models() if model._meta.db_table in filled
    }
    assert {table: known[table] for table in filled if abs(known[table] - filled[table]) > filled[table] / 5} == {}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_tagging_all_orders_reads_each_receipt_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("demo_world", str(tmp_path), merchants=MERCHANTS, season_only=True, stdout=StringIO())
    call_command("load_campaign", "september-2022", stdout=StringIO(), stderr=StringIO())
    call_command("import_facts", str(tmp_path), stdout=StringIO())
    offer = published_offers.find("service-fee-half")
    assert offer.terms.threshold is not None
    threshold, everything = offer.terms.threshold, Changes(None, AS_OF)
    monkeypatch.setattr(threshold_tags, "MERCHANTS_AT_ONCE", 5)
    read = rows_read(lambda: transaction.atomic(threshold_tags.tag)(offer, threshold, everything))
    assert Tag.objects.count() > 500
    assert read < 4 * (value("SELECT count(*) FROM trade_receipt") + value("SELECT count(*) FROM trade_tradeorder"))


def merchants(count: int) -> list[Merchant]:
    batch = ImportBatch.objects.create(source="test", recorded_at=AS_OF, processed=True)
    return [Merchant(code=f"S{n:05}", country="CN", batch=batch) for n in range(count)]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_tick_renews_the_statistics_of_tables_that_grew() -> None:
    Merchant.objects.bulk_create(merchants(3_000))
    value("SELECT 1 FROM pg_stat_force_next_flush()")
    value("SELECT 1")
    ticker.tick(at=AS_OF)
    assert value("SELECT reltuples FROM pg_class WHERE oid = 'merchants_merchant'::regclass") == 3_000


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 5, key_set.FEW, key_set.FEW + 1, 3_000])
def test_a_set_of_few_or_many_keys_selects_the_same_rows_as_its_query(count: int) -> None:
    Merchant.objects.bulk_create(merchants(3_000))
    keys = Merchant.objects.order_by().filter(code__lt=f"S{count:05}").values_list("code", flat=True)
    selected = key_set.materialize(keys.union(keys, all=True), name="test")
    assert bool(selected.table) == (2 * count > key_set.FEW)
    assert selected.is_empty == (count == 0)
    assert set(Merchant.objects.filter(selected.contains("code"))) == set(Merchant.objects.filter(code__in=keys))
    key_set.materialize(keys.union(keys, all=True), name="test")
