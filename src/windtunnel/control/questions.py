"""What waits for a person, and what may be answered: the same for a terminal, a script and a page.

The answer to an agent's question is one of its role's actions, and is checked here before it is sent, so that
a slip of the keys costs nothing. What else a run asks is answered in words, or in JSON.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from windtunnel.codec import decode_body
from windtunnel.control.catalog import Found, opened
from windtunnel.control.history import overview
from windtunnel.control.verbs import Asked, Control
from windtunnel.errors import NotFound, UsageError, WindtunnelError
from windtunnel.models.signature import schema_of
from windtunnel.scenario import scenario_from_plain
from windtunnel.words import suggest
from windtunnel.world import Action, Role, World

# action: an agent's decision · approve: a tool that a team's member wants to call · look: a step of a team ·
# text: a member of a team speaks · doubt: what came of something that a crash cut off · other: a world's own
Way = Literal["action", "approve", "look", "text", "doubt", "other"]
TEXT = {"type": "string"}
APPROVE = {
    "type": "object",
    "properties": {"approve": {"type": "boolean"}, "reason": TEXT},
    "required": ["approve"],
}


class Question(Struct):
    asked: Asked
    way: Way
    role: str = ""
    actions: tuple[type[Action], ...] = ()  # empty where the world is not at hand
    no_op: Action | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """What an answer looks like; an empty schema takes anything."""
        request = self.asked.request
        if self.actions:
            return schema_of(_union(self.actions))
        if self.way == "approve":
            return APPROVE
        if self.way == "look":
            said = [
                {"type": "object", "properties": {key: TEXT}, "required": [key]} for key in request["decide"]
            ]
            return {"anyOf": [{"const": "pass"}, *said]}
        return TEXT if self.way == "text" else {}

    def check(self, answer: Any) -> Any:
        """The answer as it is sent. UsageError if it is none of the actions."""
        if not self.actions:
            return answer
        names = [action.__name__ for action in self.actions]
        named = answer.get("type") if isinstance(answer, dict) else None
        if named not in names:
            raise UsageError(
                f"{named!r} is no action of {self.asked.actor}"
                if named
                else "an action is an object with a type",
                where=self.asked.effect,
                remedy=suggest(str(named or ""), names),
            )
        try:
            return msgspec.to_builtins(msgspec.convert(answer, _union(self.actions)))
        except msgspec.ValidationError as error:
            raise UsageError(
                f"this is no {named}: {error}",
                where=self.asked.effect,
                remedy=f"windtunnel answer {self.asked.run_id} --json shows what it takes",
            ) from None

    def plain(self) -> dict[str, Any]:
        """For scripts."""
        told = {name: getattr(self.asked, name) for name in self.asked.__struct_fields__}
        no_op = msgspec.to_builtins(self.no_op) if self.no_op is not None else None
        return {**told, "role": self.role, "way": self.way, "schema": self.schema, "no_op": no_op}


def open_questions(control: Control, found: Found) -> list[Asked]:
    """What waits for an answer, those that are posted and not yet taken in left out. Votes are none of it."""
    with opened(found, read_only=True) as store:
        letters = store.mail(found.row.run_id)
    answered = {
        decode_body(one.body).get("effect") for one in letters if one.kind == "answer" and one.taken is None
    }
    waiting = control.waiting(found.address)
    return [one for one in waiting if one.kind != "approval" and one.effect not in answered]


def questions(control: Control, name: str, effect: str = "", *, world: World | None = None) -> list[Question]:
    """What of a run waits for an answer, or the one thing that is named; NotFound if nothing does."""
    found = control.find(name)
    asked = open_questions(control, found)
    if not asked:
        raise _nothing(control, found)
    if effect:
        names = [one.effect for one in asked]
        if effect not in names:
            raise NotFound(f"nothing called {effect!r} waits for an answer", remedy=suggest(effect, names))
        asked = [one for one in asked if one.effect == effect]
    roles = _roles(control, found, world)
    return [_question(one, roles) for one in asked]


def _nothing(control: Control, found: Found) -> NotFound:
    kinds = {one.kind for one in control.waiting(found.address)}
    if kinds - {"approval"}:
        return NotFound("it is answered already", where=found.name, remedy=f"windtunnel resume {found.name}")
    if kinds:
        remedy = f"windtunnel approvals list {found.name}"
        return NotFound("only votes are waited for", where=found.name, remedy=remedy)
    return NotFound("nothing waits for an answer", where=found.name, remedy=f"windtunnel show {found.name}")


def _question(asked: Asked, roles: dict[str, tuple[str, Role]]) -> Question:
    way = _way(asked)
    name, role = roles.get(asked.actor.partition("/")[0], ("", None))
    if way == "action" and role is not None:
        return Question(asked, way, name, role.actions, role.no_op)
    return Question(asked, way, name)


def _way(asked: Asked) -> Way:
    if asked.kind not in ("ask", "listen"):
        return "doubt" if asked.kind in ("tool", "tool_again", "work", "model", "tools") else "other"
    request = asked.request if isinstance(asked.request, dict) else {}
    if "actions" in request and "observation" in request:
        return "action"
    if "approve" in request:
        return "approve"
    if "decide" in request:
        return "look"
    return "text" if "conversation" in request else "other"


def _roles(control: Control, found: Found, world: World | None) -> dict[str, tuple[str, Role]]:
    """Who plays which role, as far as the run's world is at hand: a question can be read without it."""
    try:
        world = world or control.find_world(found.row.world)
        told = overview(found)
        scenario = scenario_from_plain(
            told.forks[-1].scenario if told.forks else told.started.scenario, world
        )
    except WindtunnelError:
        return {}
    only = next(iter(world.roles)) if len(world.roles) == 1 else ""
    names = {agent.id: agent.role or only for agent in scenario.agents}
    return {who: (name, world.roles[name]) for who, name in names.items() if name in world.roles}


def _union(actions: tuple[type[Action], ...]) -> Any:
    union: Any = actions[0]
    for action in actions[1:]:
        union = union | action
    return union
