"""Python types and functions as the JSON schemas that models are shown."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from windtunnel.errors import UsageError

HERE = "#/$defs/{name}"


def schema_of(wanted: Any) -> dict[str, Any]:
    """The schema of a type, with what it refers to inside it."""
    (schema,), parts = msgspec.json.schema_components([wanted], ref_template=HERE)
    if "$ref" not in schema:
        return {**schema, "$defs": parts} if parts else schema
    own = dict(parts.pop(schema["$ref"].rpartition("/")[2]))
    own.pop("title", None)
    return {**own, "$defs": parts} if parts else own


def arguments_of(function: Callable[..., Any], name: str, *, skip: int = 0) -> type[Struct]:
    """The arguments that a model may give, as a type; the first `skip` parameters are not its business."""
    hints = get_type_hints(function, include_extras=True)
    fields: list[Any] = []
    for parameter in list(inspect.signature(function).parameters.values())[skip:]:
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            raise UsageError(
                f"the tool {name} takes {parameter}, which a model cannot give",
                remedy="take plain arguments by name",
            )
        wanted = hints.get(parameter.name, Any)
        if parameter.default is parameter.empty:
            fields.append((parameter.name, wanted))
        else:
            fields.append((parameter.name, wanted, msgspec.field(default_factory=_giver(parameter.default))))
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _giver(value: Any) -> Callable[[], Any]:
    return lambda: value
