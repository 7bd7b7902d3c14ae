"""What a model may answer: one of its role's actions, with its reason, as one JSON object.

Read from the last whole object of the reply and from nothing else: nothing is guessed from prose, and what
does not fit the action's type is told back as it is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from windtunnel.agents.render import short
from windtunnel.errors import Undecided
from windtunnel.models.parsing import last_object
from windtunnel.models.signature import schema_of
from windtunnel.models.talk import Reply
from windtunnel.words import characters
from windtunnel.world import Role

WHY = "why"
MOST_SAID = 300  # characters of an answer that are told back

UNUSABLE = {
    "truncated": "the reply was cut off before its end: answer more briefly",
    "empty": "the reply was empty",
    "refused": "the model refused to answer",
}


class Answers:
    """The answers that a role may give."""

    def __init__(self, role: Role) -> None:
        union: Any = role.actions[0]
        for action in role.actions[1:]:
            union = union | action
        self._union = union
        actions = schema_of(union)
        parts = actions.pop("$defs", {})
        self._actions = {action.__name__: parts.get(action.__name__, actions) for action in role.actions}
        self.schema: dict[str, Any] = {
            "type": "object",
            "properties": {
                WHY: {"type": "string", "description": "Your reason, in a sentence or two."},
                "action": actions,
            },
            "required": [WHY, "action"],
            "additionalProperties": False,
        }
        if parts:
            self.schema["$defs"] = parts

    def told(self) -> str:
        """The actions in words, for the instructions."""
        lines = []
        for name, schema in self._actions.items():
            said = " ".join(str(schema.get("description", "")).split())
            lines.append(f"- `{name}`: {said}" if said else f"- `{name}`")
            required = schema.get("required", ())
            for field, about in schema.get("properties", {}).items():
                if field != "type":
                    lines.append(f"  - `{field}`{'' if field in required else ' (optional)'}: {_type(about)}")
        return "\n".join(lines)

    def read(self, reply: Reply) -> tuple[Any, str]:
        """The action, and the reason that was given. Undecided says what is wrong, and how it is labelled."""
        if reply.label != "ok" and not (reply.label == "truncated" and last_object(reply.text)):
            raise Undecided(reply.label, UNUSABLE[reply.label])
        found = last_object(reply.text)
        if found is None:
            raise Undecided("unparsable", f"no whole JSON object in it: {short(reply.text, MOST_SAID)}")
        why = found.get(WHY, "")
        given = found.get("action", found if "type" in found else None)
        if given is None:
            raise Undecided("unparsable", f"its object has no `action`: {short(found, MOST_SAID)}")
        try:
            action = msgspec.convert(given, self._union, str_keys=True)
        except msgspec.ValidationError as error:
            raise Undecided("illegal", f"{characters(str(error))}: {short(given, MOST_SAID)}") from None
        except RecursionError:
            raise Undecided("illegal", "nested too deep") from None
        return action, characters(why) if isinstance(why, str) else short(why)


def _type(about: dict[str, Any]) -> str:
    """A field's type and bounds in a few words."""
    kind = str(about.get("type") or (about.get("$ref", "").rpartition("/")[2]) or "any of several")
    if "enum" in about:
        kind = "one of " + ", ".join(str(one) for one in about["enum"])
    elif kind == "array":
        kind = f"list of {_type(about.get('items', {}))}"
    elif kind == "object" and isinstance(about.get("additionalProperties"), dict):
        kind = f"mapping to {_type(about['additionalProperties'])}"
    low, high = about.get("minimum"), about.get("maximum")
    if low is not None or high is not None:
        reach = [f"from {low:g}" if low is not None else "", f"to {high:g}" if high is not None else ""]
        kind = f"{kind} {' '.join(part for part in reach if part)}"
    said = about.get("description")
    return f"{kind}. {' '.join(str(said).split())}" if said else kind
