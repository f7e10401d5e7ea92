"""The JSON Schema of a campaign file, for editors."""

from typing import Any

from definitions.parser import CampaignDefinition


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a campaign definition, generated from its classes."""
    schema = CampaignDefinition.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
