"""What a model may answer: one of its role's actions, with its reason, as one JSON object.

Nothing is guessed from prose, and what does not fit the action's type is told back as it is.
"""

from __future__ import annotations

from typing import Any

from windtunnel.agents.forms import (
    MOST_SAID,
    UNUSABLE,
    WHY,
    in_words,
    object_in,
    reason_in,
    schema_for,
    typed,
    union_of,
)
from windtunnel.agents.render import short
from windtunnel.errors import Undecided
from windtunnel.models.talk import Reply
from windtunnel.world import Role

__all__ = ["UNUSABLE", "WHY", "Answers"]


class Answers:
    """The answers that a role may give."""

    def __init__(self, role: Role) -> None:
        self._actions = role.actions
        self._union = union_of(role.actions)
        self.schema = schema_for({"action": self._union}, ["action"])

    def told(self) -> str:
        """The actions in words, for the instructions."""
        return in_words(self._actions)

    def read(self, reply: Reply) -> tuple[Any, str]:
        """The action, and the reason that was given. Undecided says what is wrong, and how it is labelled."""
        found = object_in(reply)
        given = found.get("action", found if "type" in found else None)
        if given is None:
            raise Undecided("unparsable", f"its object has no `action`: {short(found, MOST_SAID)}")
        return typed(given, self._union), reason_in(found)
