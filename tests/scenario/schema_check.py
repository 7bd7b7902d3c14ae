"""As much of JSON Schema as scenario schemas use; a keyword that it does not know fails loudly."""

import re
from typing import Any

KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip
SILENT = {"$schema", "title", "description", "default", "$defs", "discriminator", "if", "then", "items"}


def problems(
    value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "$"
) -> list[str]:
    root = root or schema
    found: list[str] = []
    for keyword, said in schema.items():
        if keyword not in SILENT:
            found += CHECKS[keyword](value, said, root, at, schema)
    if "if" in schema and not problems(value, schema["if"], root, at):
        found += problems(value, schema["then"], root, at)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            found += problems(item, schema["items"], root, f"{at}[{index}]")
    return found


def _wrong(condition: bool, at: str, what: str) -> list[str]:
    return [f"{at}: {what}"] if condition else []


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _ref(value, said, root, at, schema):
    return problems(value, root["$defs"][said.removeprefix("#/$defs/")], root, at)


def _properties(value, said, root, at, schema):
    if not isinstance(value, dict):
        return []
    return [
        one
        for key, part in said.items()
        if key in value
        for one in problems(value[key], part, root, f"{at}.{key}")
    ]


def _additional(value, said, root, at, schema):
    if not isinstance(value, dict):
        return []
    others = [key for key in value if key not in schema.get("properties", {})]
    if said is False:
        return [f"{at}: unknown {key}" for key in others]
    return (
        [one for key in others for one in problems(value[key], said, root, f"{at}.{key}")]
        if said is not True
        else []
    )


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


CHECKS: dict[str, Any] = {
    "$ref": _ref,
    "properties": _properties,
    "additionalProperties": _additional,
    "type": lambda v, s, r, at, _: _wrong(
        not any(_is(v, kind) for kind in ([s] if isinstance(s, str) else s)), at, "type"
    ),
    "required": lambda v, s, r, at, _: [f"{at}: lacks {k}" for k in s if isinstance(v, dict) and k not in v],
    "enum": lambda v, s, r, at, _: _wrong(v not in s, at, "enum"),
    "const": lambda v, s, r, at, _: _wrong(v != s, at, "const"),
    "not": lambda v, s, r, at, _: _wrong(not problems(v, s, r, at), at, "not"),
    "allOf": lambda v, s, r, at, _: [one for part in s for one in problems(v, part, r, at)],
    "anyOf": lambda v, s, r, at, _: _wrong(all(problems(v, part, r, at) for part in s), at, "anyOf"),
    "minimum": lambda v, s, r, at, _: _wrong(_number(v) and v < s, at, "minimum"),
    "maximum": lambda v, s, r, at, _: _wrong(_number(v) and v > s, at, "maximum"),
    "exclusiveMinimum": lambda v, s, r, at, _: _wrong(_number(v) and v <= s, at, "exclusiveMinimum"),
    "minItems": lambda v, s, r, at, _: _wrong(isinstance(v, list) and len(v) < s, at, "minItems"),
    "minLength": lambda v, s, r, at, _: _wrong(isinstance(v, str) and len(v) < s, at, "minLength"),
    "maxLength": lambda v, s, r, at, _: _wrong(isinstance(v, str) and len(v) > s, at, "maxLength"),
    "pattern": lambda v, s, r, at, _: _wrong(isinstance(v, str) and not re.search(s, v), at, "pattern"),
}
