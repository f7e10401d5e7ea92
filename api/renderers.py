"""JSON responses; errors have the media type of problems (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from rest_framework.renderers import JSONRenderer

PROBLEM = "application/problem+json"


class Renderer(JSONRenderer):
    """JSON renderer that labels error responses as `application/problem+json`."""

    def render(self, data: Any, accepted: str | None = None, context: Any = None) -> bytes:
        response = (context or {}).get("response")
        if response is not None and response.status_code >= HTTPStatus.BAD_REQUEST:
            response["Content-Type"] = PROBLEM
        return super().render(data, accepted, context)
