"""The one JSON object that a reply must end with: its schema, its types in words, and how it is read.

Read from the last whole object of the reply and from nothing else. What is wrong with a reply has one of five
labels (truncated, empty, refused, unparsable, illegal), whoever asked: an agent, a game master, a judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from windtunnel.agents.render import short
from windtunnel.codec import find_unfit
from windtunnel.errors import Undecided
from windtunnel.models.parsing import last_object
from windtunnel.models.signature import schema_of
from windtunnel.models.talk import Reply
from windtunnel.words import characters

WHY = "why"
MOST_SAID = 300  # characters of an answer that are told back

UNUSABLE = {
    "truncated": "the reply was cut off before its end: answer more briefly",
    "empty": "the reply was empty",
    "refused": "the model refused to answer",
}


def schema_for(fields: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    """The schema of an object with a reason and these fields, each of a type."""
    parts: dict[str, Any] = {}
    properties: dict[str, Any] = {
        WHY: {"type": "string", "description": "Your reason, in a sentence or two."},
    }
    for name, wanted in fields.items():
        properties[name] = schema_of(wanted)
        parts |= properties[name].pop("$defs", {})
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": [WHY, *required],
        "additionalProperties": False,
    }
    if parts:
        schema["$defs"] = parts
    return schema


def union_of(types: Sequence[type]) -> Any:
    union: Any = types[0]
    for one in types[1:]:
        union = union | one
    return union


def in_words(types: Sequence[type]) -> str:
    """Types with their fields and bounds, as a list that a model can read."""
    lines = []
    for one in types:
        schema = schema_of(one)
        said = " ".join(str(schema.get("description", "")).split())
        lines.append(f"- `{one.__name__}`: {said}" if said else f"- `{one.__name__}`")
        required = schema.get("required", ())
        for field, about in schema.get("properties", {}).items():
            if field != "type":
                optional = "" if field in required else " (optional)"
                lines.append(f"  - `{field}`{optional}: {type_in_words(about)}")
    return "\n".join(lines)


def object_in(reply: Reply) -> dict[str, Any]:
    """The object that a reply ends with. Undecided says what is wrong, and how it is labelled."""
    found = last_object(reply.text)
    if reply.label != "ok" and not (reply.label == "truncated" and found):
        raise Undecided(reply.label, UNUSABLE[reply.label])
    if found is None:
        raise Undecided("unparsable", f"no whole JSON object in it: {short(reply.text, MOST_SAID)}")
    return found


def typed(given: Any, wanted: Any) -> Any:
    """What was given, as its type, with its bounds; a number too large for JSON is none."""
    try:
        value = msgspec.convert(given, wanted, str_keys=True)
    except msgspec.ValidationError as error:
        raise Undecided("illegal", f"{characters(str(error))}: {short(given, MOST_SAID)}") from None
    except RecursionError:
        raise Undecided("illegal", "nested too deep") from None
    if problem := find_unfit(value):
        raise Undecided("illegal", f"{problem}: {short(given, MOST_SAID)}")
    return value


def reason_in(found: Mapping[str, Any]) -> str:
    why = found.get(WHY, "")
    return characters(why) if isinstance(why, str) else short(why)


def on_a_line(text: str, most: int = 500) -> str:
    """A reason as it is told to others: on one line, and not for ever."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}…"


def type_in_words(about: dict[str, Any]) -> str:
    """A field's type and bounds in a few words."""
    kind = str(about.get("type") or (about.get("$ref", "").rpartition("/")[2]) or "any of several")
    if "anyOf" in about:
        kind = " or ".join(
            "nothing" if one.get("type") == "null" else type_in_words(one) for one in about["anyOf"]
        )
    if "enum" in about:
        kind = "one of " + ", ".join(str(one) for one in about["enum"])
    elif kind == "array":
        kind = f"list of {type_in_words(about.get('items', {}))}"
    elif kind == "object" and isinstance(about.get("additionalProperties"), dict):
        kind = f"mapping to {type_in_words(about['additionalProperties'])}"
    low, high = about.get("minimum"), about.get("maximum")
    if low is not None or high is not None:
        reach = [f"from {low:g}" if low is not None else "", f"to {high:g}" if high is not None else ""]
        kind = f"{kind} {' '.join(part for part in reach if part)}"
    said = about.get("description")
    return f"{kind}. {' '.join(str(said).split())}" if said else kind
