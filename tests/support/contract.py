"""The OpenAPI schema as a contract: every response in the tests must be one that its operation declares.

A response may hold nothing that is not declared: objects of the schema are closed here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from jsonschema_rs import Draft202012Validator

from api.views.schema import generate

_loading = Lock()

BASE = "/api/v1/"
SLASHES = ("key", "merchant", "number", "code")
"""Parameters of paths that are keys of facts: they may hold slashes."""


@dataclass(frozen=True)
class Operation:
    """One operation of the schema."""

    method: str
    path: "re.Pattern[str]"
    declared: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.declared["operationId"])


def schema() -> dict[str, Any]:
    """Return the schema as the server serves it, generated once for all threads."""
    with _loading:
        return _schema()


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(generate(), default=str))
    return plain


@lru_cache(maxsize=1)
def operations() -> list[Operation]:
    """Return the operations of the schema, but for the schema itself."""
    return [
        Operation(method, _pattern(path), declared)
        for path, methods in schema()["paths"].items()
        for method, declared in methods.items()
        if not path.endswith("/schema/")
    ]


def find(method: str, path: str) -> Operation | None:
    """Return the operation at an address, without its query; None where the schema has none."""
    method = "get" if method.lower() == "head" else method.lower()
    address = path if path.endswith("/") else f"{path}/"
    matching = [each for each in operations() if each.method == method and each.path.fullmatch(address)]
    return max(matching, key=lambda each: each.path.pattern.count("/"), default=None)


def declared_statuses() -> Iterator[tuple[str, str]]:
    """Yield the name of each operation with each status of success that it declares."""
    for operation in operations():
        for status in operation.declared["responses"]:
            if status.startswith("2"):
                yield operation.name, status


def check(method: str, path: str, *, status: int, content_type: str, body: bytes) -> None:
    """Fail unless the response of a request is declared: its status, its type of content and every value."""
    operation = find(method, path)
    if operation is None or (status == 405 and method.upper() not in ("GET", "HEAD")):
        assert status in (404, 405, 401, 400), f"{method} {path} is not declared and answers {status}"
        return
    where = f"{operation.name} ({method.upper()} {path}) {status}"
    declared = operation.declared["responses"].get(str(status))
    assert declared is not None, f"{where} is not declared"
    content = declared.get("content")
    if not content:
        assert not body, f"{where} declares no body"
        return
    assert content_type in content, f"{where} answers {content_type}, declared are {', '.join(content)}"
    if method.upper() != "HEAD":
        faults = [
            f"{error.instance_path}: {error.message}"
            for error in _validator(operation.name, str(status), content_type).iter_errors(json.loads(body))
        ]
        assert not faults, f"{where} is not as declared: {'; '.join(faults[:5])}"


@cache
def _validator(name: str, status: str, content_type: str) -> Draft202012Validator:
    declared = next(each.declared for each in operations() if each.name == name)
    wanted = declared["responses"][status]["content"][content_type]["schema"]
    return Draft202012Validator({**wanted, "components": _closed_components()}, validate_formats=True)


@lru_cache(maxsize=1)
def _closed_components() -> dict[str, Any]:
    closed = {
        name: {"additionalProperties": False, **each} if "properties" in each else each
        for name, each in schema()["components"]["schemas"].items()
    }
    return {"schemas": closed}


def _pattern(path: str) -> "re.Pattern[str]":
    def parameter(found: "re.Match[str]") -> str:
        return "(?s:.+)" if found[1] in SLASHES else "[^/]+"

    return re.compile(re.sub(r"\\{(\w+)\\}", parameter, re.escape(path)))
