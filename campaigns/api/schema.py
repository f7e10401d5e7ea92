"""What the OpenAPI schema says that no view does."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How a program proves itself."""

    target_class = "campaigns.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002  # the library hands it over
        return {"type": "http", "scheme": "bearer", "bearerFormat": "fg_prefix_secret"}
