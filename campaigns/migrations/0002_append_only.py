"""Make records append-only: the database refuses to change, delete or truncate their rows."""

from django.db import migrations

# The audit log, the journal, closed months, published versions, and the admin's history of objects.
TABLES = (
    "campaigns_auditevent",
    "campaigns_journalentry",
    "campaigns_accountingperiod",
    "campaigns_version",
    "django_admin_log",
)
FUNCTION = """
CREATE FUNCTION fairground_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
ON_POSTGRESQL = {
    "append_only": "CREATE TRIGGER {0}_append_only BEFORE UPDATE OR DELETE ON {0} FOR EACH ROW EXECUTE FUNCTION fairground_append_only()",
    "no_truncate": "CREATE TRIGGER {0}_no_truncate BEFORE TRUNCATE ON {0} FOR EACH STATEMENT EXECUTE FUNCTION fairground_append_only()",
}
# SQLite has no TRUNCATE.
ON_SQLITE = {
    "append_only": "CREATE TRIGGER {0}_append_only BEFORE UPDATE ON {0} BEGIN SELECT RAISE(ABORT, '{0} is append-only'); END",
    "no_delete": "CREATE TRIGGER {0}_no_delete BEFORE DELETE ON {0} BEGIN SELECT RAISE(ABORT, '{0} is append-only'); END",
}


def triggers(schema_editor):
    return ON_POSTGRESQL if schema_editor.connection.vendor == "postgresql" else ON_SQLITE


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION, params=None)
    for table in TABLES:
        for text in triggers(schema_editor).values():
            schema_editor.execute(text.format(table), params=None)


def release(apps, schema_editor):
    for table in TABLES:
        on = f" ON {table}" if schema_editor.connection.vendor == "postgresql" else ""
        for name in triggers(schema_editor):
            schema_editor.execute(f"DROP TRIGGER {table}_{name}{on}", params=None)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION fairground_append_only()", params=None)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("admin", "0003_logentry_add_action_flag_choices")]
    operations = [migrations.RunPython(guard, release, elidable=False)]
