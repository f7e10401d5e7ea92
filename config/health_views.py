"""Health checks of the web process, and Prometheus metrics."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from campaigns.monitoring import prometheus


@require_safe
@never_cache
def live(_request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process runs. If this fails, restart it."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def ready(_request: HttpRequest) -> HttpResponse:
    """Answer 200 if the database answers and is migrated, else 503: send requests to other processes meanwhile.

    The broker is not checked: without it work is done a minute later.
    """
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return HttpResponse("the database does not answer\n", content_type="text/plain; charset=utf-8", status=503)
    if missing:
        return HttpResponse("migrations are missing\n", content_type="text/plain; charset=utf-8", status=503)
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return metrics in Prometheus' text format to requests with FAIRGROUND_METRICS_TOKEN as bearer token.

    Answer 404 without the right token, if none is set, and to requests without HTTPS where HTTPS is enforced.
    """
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise Http404
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not constant_time_compare(sent, settings.METRICS_TOKEN):
        raise Http404
    return HttpResponse(prometheus.render(now=timezone.now()), content_type=CONTENT_TYPE_LATEST)
