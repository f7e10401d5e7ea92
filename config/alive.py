"""For those who watch processes: whether this one lives, and whether it can serve."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def live(_request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all. Restart it where this fails."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(_request: HttpRequest) -> HttpResponse:
    """200 where the database answers and has its tables, else 503: send requests elsewhere meanwhile.

    The broker is not asked: without it everything goes on, a minute later.
    """
    try:
        executor = MigrationExecutor(connection)
        lacks = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return HttpResponse("the database does not answer\n", content_type="text/plain", status=503)
    if lacks:
        return HttpResponse("migrations are missing\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")
