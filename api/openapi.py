"""Parts of the OpenAPI schema that no view states: authentication, error responses, links, columns of facts."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from api import examples, fact_columns, webhook_docs
from api.problem_types import CATALOGUE
from imports.registry import all_schemas

ERRORS = ("400", "401", "403", "404", "405", "406", "429", "500", "503")
WRITE_ERRORS = (*ERRORS, "409", "413", "415", "422")
PROBLEM = {"$ref": "#/components/schemas/Problem"}
NOT_MODIFIED = {"description": "Unchanged since the response whose ETag the request named."}
BODY = "$response.body#"
# Links from a response to other operations: (operation, status) to operation to its parameters in the response.
LINKS: dict[tuple[str, str], dict[str, dict[str, str]]] = {
    ("list_offers", "200"): {
        name: {"code": f"{BODY}/results/0/code"} for name in ("get_offer", "get_quota", "get_quota_history")
    },
    ("claim", "201"): {
        "explain": {"subject": f"{BODY}/subject", "key": f"{BODY}/key"},
        "follow_claim": {"subject": f"{BODY}/subject", "key": f"{BODY}/key", "step": "cancel"},
        "get_quota": {"code": f"{BODY}/answers/0/offer"},
    },
    ("attach_coupon", "201"): {
        "detach_coupon": {"number": f"{BODY}/order_no"},
        "list_coupons": {"merchant": f"{BODY}/merchant"},
    },
}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """Authentication of programs: `Authorization: Bearer fg_…`."""

    target_class = "api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002  # signature of the library
        return {"type": "http", "scheme": "bearer", "bearerFormat": "fg_prefix_secret"}


def complete(result: dict[str, Any], **_options: object) -> dict[str, Any]:
    """Add error responses, links and the columns of facts (post-processing hook of drf-spectacular)."""
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if not path.endswith("/schema/"):
                _add_errors(operation["responses"], ERRORS if method == "get" else WRITE_ERRORS)
                if method == "get":
                    operation["responses"]["304"] = NOT_MODIFIED
                _add_links(operation)
                examples.add(operation)
    components = result["components"]["schemas"]
    for schema in all_schemas():
        components[f"Fact_{schema.name}"] = fact_columns.json_schema(schema)
    any_fact = {"anyOf": [{"$ref": f"#/components/schemas/Fact_{schema.name}"} for schema in all_schemas()]}
    components["WebhookEvent"] = webhook_docs.EVENT
    result["webhooks"] = webhook_docs.webhooks()
    components["Facts"]["properties"]["facts"]["items"] = any_fact
    components["ClaimRequest"]["properties"]["fact"] = any_fact
    components["Delivery"]["properties"]["event"] = {"$ref": "#/components/schemas/WebhookEvent"}
    components["Fact"]["properties"]["fact"] = any_fact
    components["Fact"]["properties"]["kind"]["enum"] = [schema.name for schema in all_schemas()]
    for name in ("Problem", "Refusal"):
        components[name]["properties"]["code"]["enum"] = sorted(CATALOGUE)
    components["ClaimRequest"]["oneOf"] = [{"required": ["key"]}, {"required": ["fact"]}]
    return result


def _add_errors(responses: dict[str, Any], statuses: tuple[str, ...]) -> None:
    for status in statuses:
        declared = responses.get(status, {})
        description = declared.get("description") or "An error; see its code."
        schemas = [content["schema"] for content in declared.get("content", {}).values()]
        if schemas and PROBLEM not in schemas:
            schemas.append(PROBLEM)
        schema = {"anyOf": schemas} if len(schemas) > 1 else PROBLEM
        responses[status] = {"content": {"application/problem+json": {"schema": schema}}, "description": description}


def _add_links(operation: dict[str, Any]) -> None:
    for (name, status), links in LINKS.items():
        if name == operation["operationId"]:
            operation["responses"][status]["links"] = {
                target: {"operationId": target, "parameters": parameters} for target, parameters in links.items()
            }
