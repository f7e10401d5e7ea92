"""Files of the clients that are made from the OpenAPI schema: run `python -m tests.generate_clients` after a change.

It writes `clients/openapi.json`, the types and the asynchronous class of the Python client, and, where Node.js is
installed, the types of the TypeScript client. Tests compare what is there with what it would write.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.runner import ROOT

CLIENTS = ROOT / "clients"
PYTHON = CLIENTS / "python" / "src" / "fairground_client"
TYPESCRIPT = CLIENTS / "typescript"
HEAD = '''"""Types of the responses, made from the OpenAPI schema by `python -m tests.generate_clients`.

Instants are ISO 8601 text in UTC, money is decimal text.
"""

from typing import Literal, NotRequired, TypedDict

'''
REQUESTS = (
    "Facts",
    "PatchedFacts",
    "ClaimRequest",
    "CollectRequest",
    "KeyRequest",
    "OfferRequest",
    "Rotation",
    "Step",
    "UseRequest",
    "WebhookRequest",
)
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
FUNCTION = r"    def (?=(?!__init__|_pages)\w+\((?:[^()]|\([^()]*\))*\) -> (?!AsyncIterator))"
CLOSE = "await self._transport.http.aclose()"
WORDS = {
    "Administration": "AsyncAdministration",
    "Connection": "AsyncConnection",
    "Fairground": "AsyncFairground",
    "Marketplace": "AsyncMarketplace",
    "Transport": "AsyncTransport",
    "httpx.Client": "httpx.AsyncClient",
    "Iterator": "AsyncIterator",
    "Callable[[float], object]": "Callable[[float], Awaitable[object]]",
    "Callable, ": "Awaitable, Callable, ",
    "fairground_client._sync": "fairground_client._async",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
}


def schema() -> dict[str, Any]:
    """Return the schema in English, as JSON has it."""
    from django.utils import translation

    from api.views.schema import generate

    with translation.override("en"):
        plain: dict[str, Any] = json.loads(json.dumps(generate(), default=str))
        return plain


def openapi_json() -> str:
    """Return the text of `openapi.json`."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def results() -> str:
    """Return the module of the types of responses."""
    components = schema()["components"]["schemas"]
    shown = {name: each for name, each in components.items() if _is_shown(name)}
    enums = {name: each for name, each in shown.items() if "enum" in each and name != "BlankEnum"}
    objects = {name: each for name, each in shown.items() if each.get("type") == "object"}
    definitions = [f"{name} = {_literal(each['enum'])}\n" for name, each in sorted(enums.items())]
    definitions += [_typed_dict(name, objects[name]) for name in _ordered(objects)]
    return HEAD + "\n".join(definitions)


def _is_shown(name: str) -> bool:
    return not name.startswith(("Fact_", "Patched")) and not name.endswith("Page") and name not in REQUESTS


def _ordered(objects: dict[str, Any]) -> list[str]:
    """Return the names so that each comes after those that it uses."""
    done: list[str] = []
    waiting = sorted(objects)
    while waiting:
        ready = [n for n in waiting if not (_used(objects[n]) & set(objects)) - set(done)]
        done += ready
        waiting = [name for name in waiting if name not in ready]
    return done


def _used(part: object) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", json.dumps(part)))


def _typed_dict(name: str, shape: dict[str, Any]) -> str:
    required = shape.get("required", [])
    lines = [f"class {name}(TypedDict):"]
    if text := shape.get("description", "").partition("\n")[0].strip():
        lines += [f'    """{text}"""', ""]
    for field, of in shape["properties"].items():
        kind = _type(of)
        lines.append(f"    {field}: {kind if field in required else f'NotRequired[{kind}]'}")
    return "\n" + "\n".join(lines) + "\n"


def _type(of: dict[str, Any]) -> str:
    return " | ".join(sorted(dict.fromkeys(_parts(of)), key="None".__eq__))


def _parts(of: dict[str, Any]) -> Iterator[str]:
    if "$ref" in of:
        name = of["$ref"].rpartition("/")[2]
        yield "Literal['']" if name == "BlankEnum" else _fact() if name.startswith("Fact_") else name
        return
    for several in ("allOf", "anyOf", "oneOf"):
        if several in of:
            for each in of[several]:
                yield from _parts(each)
            return
    if "enum" in of:
        yield _literal(of["enum"])
        return
    kinds = of.get("type", "object")
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind == "array":
            yield f"list[{_type(of.get('items', {}))}]"
        elif kind == "object":
            yield _object(of)
        else:
            yield PLAIN[kind]


def _object(of: dict[str, Any]) -> str:
    values = {kind for each in of.get("properties", {}).values() for kind in _parts(each)}
    return f"dict[str, {' | '.join(sorted(values, key=lambda kind: (kind == 'None', kind))) or 'object'}]"


def _fact() -> str:
    return "dict[str, str | int | bool | None]"


def _literal(values: list[Any]) -> str:
    return f"Literal[{', '.join(json.dumps(value) for value in values)}]"


def async_module(name: str) -> str:
    """Return a module of the asynchronous client, made from that of the other."""
    text = (PYTHON / "_sync" / name).read_text(encoding="utf-8")
    body = text.partition('"""\n')[2]
    for word, other in WORDS.items():
        body = re.sub(rf"(?<![\w.]){re.escape(word)}", other, body)
    # What sends waits; what yields pages is an iterator at once.
    body = re.sub(FUNCTION, "    async def ", body)
    body = re.sub(r"(?<=return )(?=self\._(send|write_facts)\()|(?<== )(?=self\._transport\.send)", "await ", body)
    body = body.replace("self.close()", "await self.close()").replace("self._transport.http.close()", CLOSE)
    return f'"""Made from `_sync/{name}` by `python -m tests.generate_clients`."""\n{body}'


def formatted(text: str, name: str) -> str:
    """Return Python text as ruff sorts its imports and formats it."""
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", name, "-"],
            input=text,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        text = done.stdout
    return text


def generated() -> dict[Path, str]:
    """Return the text of each file that is made without Node.js."""
    modules = {PYTHON / "results.py": results()}
    for each in sorted((PYTHON / "_sync").glob("*.py")):
        modules[PYTHON / "_async" / each.name] = async_module(each.name) if each.stat().st_size else ""
    texts = {path: formatted(text, str(path)) for path, text in modules.items()}
    return {CLIENTS / "openapi.json": openapi_json(), **texts}


def main() -> None:
    """Write all files."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
    if shutil.which("npm") and (TYPESCRIPT / "node_modules").exists():
        subprocess.run(["npm", "run", "--silent", "generate"], cwd=TYPESCRIPT, check=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    main()
