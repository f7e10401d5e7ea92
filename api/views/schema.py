"""The OpenAPI schema: generated once in a process for each language and format, because visitors may fetch it."""

from functools import cache
from threading import Lock
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from django.utils.encoding import force_bytes
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SCHEMA_KWARGS, SpectacularAPIView
from rest_framework.request import Request

_generating = Lock()


class SchemaView(SpectacularAPIView):
    """Schema in YAML or JSON, in the language of the request or of the parameter `lang`."""

    @extend_schema(**SCHEMA_KWARGS)
    def get(self, request: Request, *_args: object, **_kwargs: object) -> HttpResponse:
        renderer: Any = type(request.accepted_renderer)
        wanted = (request.GET.get("lang"), translation.get_language())
        language = next((each for each in wanted if each in dict(settings.LANGUAGES)), settings.LANGUAGE_CODE)
        name = f'inline; filename="Fairground.{renderer.format}"'
        content = rendered(renderer, language)
        return HttpResponse(content, content_type=renderer.media_type, headers={"Content-Disposition": name})


@cache
def rendered(renderer: Any, language: str) -> bytes:
    """Return the schema as the renderer writes it."""
    with translation.override(language):
        return force_bytes(renderer().render(generate(), renderer.media_type, {}))


def generate() -> dict[str, Any]:
    """Return the schema in the language in force. One thread at a time: the library loads its extensions unguarded."""
    generator: Any = SchemaGenerator
    with _generating:
        schema: dict[str, Any] = generator().get_schema(request=None, public=True)
        return schema
