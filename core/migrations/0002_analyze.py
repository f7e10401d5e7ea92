"""Let the role that serves renew the statistics of tables that it does not own.

ANALYZE passes over the tables of others. The function runs it with the rights of their owner, who migrates.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION fairground_analyze_as_owner(target regclass) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN EXECUTE format('ANALYZE (SKIP_LOCKED) %s', target);
END $$;

CREATE FUNCTION fairground_analyze(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role((SELECT relowner FROM pg_class WHERE oid = target), 'USAGE') THEN
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', target);
    ELSE
        PERFORM fairground_analyze_as_owner(target);
    END IF;
END $$;
"""
DROP = "DROP FUNCTION fairground_analyze(regclass); DROP FUNCTION fairground_analyze_as_owner(regclass);"


def run(statements):
    def on_postgresql(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statements, params=None)

    return on_postgresql


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunPython(run(CREATE), run(DROP), elidable=False)]
