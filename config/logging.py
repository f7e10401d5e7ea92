"""Log format: plain lines, or with `FAIRGROUND_LOGS=json` one JSON object a line.

JSON lines carry the request's id, the API key's prefix and the tick run. A request is logged by its route, not by its
address: addresses contain the secrets of invitations, password resets and calendar feeds.
"""

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from django.dispatch import receiver
from django_structlog import signals
from django_structlog.middlewares import RequestMiddleware

from core.requests import described

if TYPE_CHECKING:
    from django.http import HttpRequest

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(allow=["decided", "moved", "issued", "user", "address", "by"]),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]
LINE = {
    "format": "{asctime} {levelname} {name}: {message}",
    "datefmt": "%Y-%m-%d %H:%M:%S%z",
    "style": "{",
}
JSON = {
    "()": structlog.stdlib.ProcessorFormatter,
    "processors": [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
    "foreign_pre_chain": SHARED,
}


class RouteFilter(logging.Filter):
    """Filter of Django's own lines about requests, which name addresses: they get the route instead."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple):
            plain = {request.path, request.path_info, request.get_full_path()}
            # Django escapes what is not ASCII, and control characters.
            addresses = plain | {each.encode("unicode_escape").decode("ascii") for each in plain}
            record.args = tuple(described(request) if part in addresses else part for part in record.args)
        return True


def build_config(*, as_json: bool, worker_level: str) -> dict[str, Any]:
    """Return Django's LOGGING. Requests, ticks and sign-ins are logged with JSON only; warnings always."""
    if as_json:
        structlog.configure(
            processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=True,
        )
    event_level = "INFO" if as_json else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": LINE, "json": JSON},
        "filters": {"route": {"()": RouteFilter}, "refusals": {"()": RefusalFilter}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "json" if as_json else "line",
                "filters": ["route"],
            }
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            "django.request": {
                "level": "ERROR" if as_json else "WARNING",  # JSON has a line for each request anyway
                "filters": ["refusals"],
            },
            "django_structlog": {"level": event_level},
            "campaigns.engine.ticker": {"level": event_level},
            "fairground.security": {"level": event_level},
            "celery.worker": {"level": worker_level},
            "celery.app.trace": {"level": worker_level},
        },
    }


class RefusalFilter(logging.Filter):
    """Filter that drops the traceback of refused requests: a missing permission is no fault of the program."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 0) == HTTPStatus.FORBIDDEN:
            record.exc_info, record.exc_text = None, None
        return True


class RequestLogging(RequestMiddleware):
    """Middleware that adds the request's id to its log lines, and logs each request by method and route."""

    @staticmethod
    def format_request(request: "HttpRequest") -> str:
        return described(request)


@receiver(signals.bind_extra_request_finished_metadata)
def add_program(request: "HttpRequest", log_kwargs: dict[str, Any], **_more: object) -> None:
    """Add the prefix of the API key to the log."""
    program = getattr(request, "program", None)
    if program is not None:
        log_kwargs["program"] = program
