"""What was done and what moved is written once: the database refuses to change it, whoever asks."""

from django.db import migrations

TABLES = ("campaigns_act", "campaigns_entry")
FUNCTION = """
CREATE FUNCTION fairground_unalterable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is written once and never changed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
ON_POSTGRESQL = "CREATE TRIGGER {0}_unalterable BEFORE UPDATE OR DELETE ON {0} FOR EACH ROW EXECUTE FUNCTION fairground_unalterable()"
# SQLite empties a table for the tests by deleting its rows, so it guards against changes alone.
ON_SQLITE = (
    "CREATE TRIGGER {0}_unalterable BEFORE UPDATE ON {0} "
    "BEGIN SELECT RAISE(ABORT, '{0} is written once and never changed'); END"
)


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION, params=None)
    for table in TABLES:
        text = ON_POSTGRESQL if schema_editor.connection.vendor == "postgresql" else ON_SQLITE
        schema_editor.execute(text.format(table), params=None)


def release(apps, schema_editor):
    for table in TABLES:
        on = f" ON {table}" if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER {table}_unalterable{on}", params=None)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION fairground_unalterable()", params=None)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_operators_desk")]
    operations = [migrations.RunPython(guard, release, elidable=False)]
