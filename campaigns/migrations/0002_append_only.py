"""Make the audit log and the journal append-only: the database refuses to change or delete their rows."""

from django.db import migrations

TABLES = ("campaigns_auditevent", "campaigns_journalentry")
FUNCTION = """
CREATE FUNCTION fairground_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
ON_POSTGRESQL = "CREATE TRIGGER {0}_append_only BEFORE UPDATE OR DELETE ON {0} FOR EACH ROW EXECUTE FUNCTION fairground_append_only()"
# SQLite empties a table for the tests by deleting its rows, so it guards against changes alone.
ON_SQLITE = "CREATE TRIGGER {0}_append_only BEFORE UPDATE ON {0} BEGIN SELECT RAISE(ABORT, '{0} is append-only'); END"


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION, params=None)
    for table in TABLES:
        text = ON_POSTGRESQL if schema_editor.connection.vendor == "postgresql" else ON_SQLITE
        schema_editor.execute(text.format(table), params=None)


def release(apps, schema_editor):
    for table in TABLES:
        on = f" ON {table}" if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER {table}_append_only{on}", params=None)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION fairground_append_only()", params=None)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]
    operations = [migrations.RunPython(guard, release, elidable=False)]
