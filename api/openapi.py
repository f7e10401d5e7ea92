"""What the OpenAPI schema says that no view does: how programs prove themselves, refusals, the columns of facts."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from imports.registry import all_schemas
from imports.schema import FileSchema

REFUSALS = ("400", "401", "403", "404", "405", "406", "429", "503")
OF_WRITES = ("409", "413", "415", "422")
READ = "get"
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
BODY = "$response.body#"
# What leads on from an answer: operation, status; where, and which of its values are the parameters there.
LINKS: dict[tuple[str, str], dict[str, dict[str, str]]] = {
    ("list_offers", "200"): {
        name: {"code": f"{BODY}/0/code"} for name in ("get_offer", "get_quota", "get_quota_history")
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
CELL = {"type": ["string", "number", "boolean", "null"]}


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How a program proves itself."""

    target_class = "api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002  # the library hands it over
        return {"type": "http", "scheme": "bearer", "bearerFormat": "fg_prefix_secret"}


def complete(result: dict[str, Any], **_options: object) -> dict[str, Any]:
    """drf-spectacular's hook: refusals of every operation as problems, and what the rows of facts may hold."""
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if not path.endswith("/schema/"):
                _refuse(operation["responses"], REFUSALS if method == READ else REFUSALS + OF_WRITES)
                _lead_on(operation)
    shapes = result["components"]["schemas"]
    for file in all_schemas():
        shapes[f"Fact_{file.name}"] = _fact(file)
    some = {"anyOf": [{"$ref": f"#/components/schemas/Fact_{file.name}"} for file in all_schemas()]}
    shapes["FactsShape"]["properties"]["facts"]["items"] = some
    shapes["SubjectShape"]["properties"]["fact"] = some
    shapes["SubjectShape"]["oneOf"] = [{"required": ["key"]}, {"required": ["fact"]}]
    return result


def _refuse(responses: dict[str, Any], statuses: tuple[str, ...]) -> None:
    for status in statuses:
        described = responses.get(status, {}).get("description") or "A refusal; see its code."
        responses[status] = {"content": PROBLEM, "description": described}


def _lead_on(operation: dict[str, Any]) -> None:
    for (name, status), links in LINKS.items():
        if name == operation["operationId"]:
            operation["responses"][status]["links"] = {
                to: {"operationId": to, "parameters": parameters} for to, parameters in links.items()
            }


def _fact(file: FileSchema) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"A row of {file.name}, its columns named as in the file. What is left out is empty.",
        "properties": {column.name: CELL for column in file.columns},
        "required": [column.name for column in file.columns if column.required or column.name in file.key],
        "additionalProperties": False,
    }
