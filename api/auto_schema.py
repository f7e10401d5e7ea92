"""Operations of the OpenAPI schema, each with the scope that its key needs."""

from drf_spectacular.openapi import AutoSchema


class ScopedSchema(AutoSchema):
    """Schema of an operation whose security requirement names the scope: `key: [claim]`."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        scope_of = getattr(self.view, "scope_for", None)
        required: list[dict[str, list[str]]] = super().get_auth()
        if scope_of is None:
            return required
        return [{scheme: [scope_of(self.method)] for scheme in each} for each in required]
