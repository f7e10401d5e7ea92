"""The JSON Schema of a campaign file, for editors."""

from typing import Any

from campaigns.definition.reading import CampaignText


def schema() -> dict[str, Any]:
    """The schema, made from the vocabulary itself."""
    made = CampaignText.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
