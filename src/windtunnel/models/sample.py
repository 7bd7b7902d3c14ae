"""The model `test`: answers at once, without a network, with the smallest value that its schema allows.

For wiring: it proves that a prompt goes out and a typed answer comes back, and says nothing of sense. A text
pattern or a format is not imitated; a schema that refers to itself is followed to a set depth.
"""

from __future__ import annotations

import json
from typing import Any

from windtunnel.models.talk import Ask, Reply, Usage

NAME = "test"
TEXT = "This is the test model."
DEPTH = 12
WORDS_OF_A_TOKEN = 4  # characters, about


async def answer(ask: Ask) -> Reply:
    text = json.dumps(instance(ask.schema)) if ask.schema is not None else TEXT
    said = sum(len(message.text) for message in ask.messages)
    usage = Usage(input=said // WORDS_OF_A_TOKEN + 1, output=len(text) // WORDS_OF_A_TOKEN + 1)
    return Reply(text=text, model=NAME, usage=usage)


def instance(schema: dict[str, Any]) -> Any:
    """The smallest value that the schema allows."""
    return _make(schema, schema, DEPTH)


def _make(schema: Any, root: dict[str, Any], left: int) -> Any:  # noqa: C901, PLR0912 - one case for each word
    if not isinstance(schema, dict) or left <= 0:
        return {} if schema is True else None
    if "$ref" in schema:
        return _make(_follow(str(schema["$ref"]), root), root, left - 1)
    if "const" in schema:
        return schema["const"]
    for word in ("enum", "examples"):
        if schema.get(word):
            return schema[word][0]
    if "default" in schema:
        return schema["default"]
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            options = [_make({**_rest(schema, word), **option}, root, left - 1) for option in schema[word]]
            return next((option for option in options if option is not None), None)
    if schema.get("allOf"):
        return _make(_joined(schema, root), root, left - 1)
    kind = schema.get("type", "object" if "properties" in schema else None)
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        wanted = schema.get("required", ())
        properties = schema.get("properties", {})
        return {name: _make(properties.get(name, True), root, left - 1) for name in wanted}
    if kind == "array":
        first = schema.get("prefixItems", ())
        items = [_make(item, root, left - 1) for item in first]
        short = min(int(schema.get("minItems", 0)), 100) - len(items)
        return items + [_make(schema.get("items", True), root, left - 1) for _ in range(short)]
    if kind in {"integer", "number"}:
        return _number(schema, whole=kind == "integer")
    if kind == "string":
        return "a" * min(int(schema.get("minLength", 1)), 10_000)
    return {"boolean": False, "null": None}.get(str(kind), {})


def _rest(schema: dict[str, Any], word: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != word}


def _follow(ref: str, root: dict[str, Any]) -> Any:
    found: Any = root
    for step in ref.removeprefix("#").split("/")[1:]:
        found = found.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
    return found


def _joined(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    whole = _rest(schema, "allOf")
    for part in schema["allOf"]:
        one = _follow(str(part["$ref"]), root) if "$ref" in part else part
        properties = {**whole.get("properties", {}), **one.get("properties", {})}
        required = [*whole.get("required", ()), *one.get("required", ())]
        whole = {**whole, **one, "properties": properties, "required": list(dict.fromkeys(required))}
    return whole


def _number(schema: dict[str, Any], *, whole: bool) -> float:
    """The number nearest to zero that the bounds leave."""
    low, high = schema.get("minimum"), schema.get("maximum")
    step = schema.get("multipleOf", 1 if whole else None)
    if (above := schema.get("exclusiveMinimum")) is not None:
        low = above + (step or 1e-6 * max(1.0, abs(above)))
    if (below := schema.get("exclusiveMaximum")) is not None:
        high = below - (step or 1e-6 * max(1.0, abs(below)))
    value: float = max(low, 0) if low is not None else 0
    value = min(value, high) if high is not None else value
    if step:
        steps = value / step
        value = (int(steps) + (steps > int(steps))) * step
    return int(value) if whole else value
