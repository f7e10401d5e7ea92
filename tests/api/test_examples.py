"""Examples of the schema: every operation has some, and they are as the schema declares."""

from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from api import examples
from tests.support import contract

OPERATIONS = contract.operations()


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": contract._closed_components()}, validate_formats=True)


@pytest.mark.parametrize("operation", OPERATIONS, ids=[each.name for each in OPERATIONS])
def test_every_success_and_every_request_has_an_example_that_is_valid(operation: contract.Operation) -> None:
    declared = operation.declared
    contents = [
        content
        for status, response in declared["responses"].items()
        if status.startswith("2")
        for content in response["content"].values()
    ]
    contents += declared.get("requestBody", {}).get("content", {}).values()
    for content in contents:
        faults = [error.message for error in validator(content["schema"]).iter_errors(content["example"])]
        assert faults == []


def test_there_are_no_examples_of_operations_that_do_not_exist() -> None:
    assert set(examples.RESPONSES) | set(examples.REQUESTS) == {operation.name for operation in OPERATIONS}


def test_the_refusal_of_a_claim_has_an_example_with_the_shortfall() -> None:
    [claim] = [each for each in OPERATIONS if each.name == "claim"]
    content = claim.declared["responses"]["409"]["content"]["application/problem+json"]
    assert validator(content["schema"]).is_valid(content["example"])
    assert content["example"]["answers"][0]["conditions"][0]["shortfall"] == "280.00"
