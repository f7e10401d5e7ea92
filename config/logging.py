"""Logs: lines for people, or with `FAIRGROUND_LOGS=json` one JSON object a line, with its request, program and run.

What a request is called there is its route, not its address: addresses hold codes of invitations, resets, calendars.
"""

from typing import TYPE_CHECKING, Any

import structlog
from django.dispatch import receiver
from django_structlog import signals
from django_structlog.middlewares import RequestMiddleware

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(allow=["decided", "moved", "issued", "user", "address"]),
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


def configured(*, as_json: bool, level: str) -> dict[str, Any]:
    """What Django's LOGGING is to be. With JSON the requests are told too, without it only what is out of order."""
    if as_json:
        structlog.configure(
            processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=True,
        )
    told = "INFO" if as_json else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": LINE, "json": JSON},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json" if as_json else "line"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            "django.request": {"level": "ERROR" if as_json else "WARNING"},  # which tells addresses
            "django_structlog": {"level": told},
            "campaigns.engine.ticker": {"level": told},
            "fairground.security": {"level": told},
            "celery.worker": {"level": level},
            "celery.app.trace": {"level": level},
        },
    }


class Requests(RequestMiddleware):
    """Each line that a request leaves bears its id; so does the answer, for whoever reports a fault."""

    @staticmethod
    def format_request(request: "HttpRequest") -> str:
        """`GET api/v1/merchants/<str:merchant>/grants/`; before it is resolved the method alone."""
        match = getattr(request, "resolver_match", None)
        return f"{request.method} {match.route}" if match else str(request.method)


@receiver(signals.bind_extra_request_finished_metadata)
def tell(request: "HttpRequest", response: "HttpResponse", log_kwargs: dict[str, Any], **_more: Any) -> None:
    """The request's id in the answer, the program's key in the log."""
    response["X-Request-ID"] = structlog.contextvars.get_contextvars().get("request_id", "")
    program = getattr(request, "program", None)
    if program is not None:
        log_kwargs["program"] = program
