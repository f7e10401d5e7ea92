"""Rights of the PostgreSQL role that serves: it reads and writes rows, and cannot change tables, triggers or records.

The role that migrates owns the tables. Only an owner, or a superuser, can alter a table or disable its triggers.
"""

from django.db import connection, transaction
from psycopg import sql

APPEND_ONLY = """
SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE proname = 'fairground_append_only' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
RIGHTS = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}",
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",  # imports and simulations use temporary tables
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
)


def append_only_tables() -> list[str]:
    """Return the tables whose rows the database refuses to change, delete or truncate."""
    with connection.cursor() as cursor:
        cursor.execute(APPEND_ONLY)
        return [name for (name,) in cursor.fetchall()]


@transaction.atomic
def grant_serving_rights(role: str, *, password: str = "") -> None:
    """Give a role the rights that web processes and workers need, and no others. With a password, create the role.

    Call this as the owner of the tables, after each migration: new tables give no rights to others.
    """
    with connection.cursor() as cursor:
        if password:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            options = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")
            text = sql.SQL(f"{verb} ROLE {{}} {{}} PASSWORD {{}}")
            cursor.execute(text.format(sql.Identifier(role), options, sql.Literal(password)))
        names = {"role": sql.Identifier(role), "database": sql.Identifier(connection.settings_dict["NAME"])}
        for right in RIGHTS:
            cursor.execute(sql.SQL(right).format(**names))
        for table in append_only_tables():
            text = sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}")
            cursor.execute(text.format(sql.Identifier(table), names["role"]))


def is_owner_or_superuser() -> bool:
    """Return True if the role of the present connection could disable the guards of a record."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR EXISTS(SELECT 1 FROM pg_tables WHERE schemaname = 'public' "
            "AND pg_has_role(current_user, tableowner, 'USAGE')) FROM pg_roles WHERE rolname = current_user"
        )
        return bool(cursor.fetchone()[0])
