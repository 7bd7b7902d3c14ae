"""An agent that asks a language model, and is bound by nothing the model says.

What it is told is its role and the actions of its world; what it answers is one of these, typed, or it is
asked again with the reason. Every call is an effect: durable before it is used, never paid twice. The
conversation of a decision ends with it; what lasts is in `mind.py`.
"""

from __future__ import annotations

import inspect
from typing import Any

from windtunnel.agents.answers import WHY, Answers
from windtunnel.agents.instructions import instructions
from windtunnel.agents.mind import Mind, remember, remembered
from windtunnel.agents.render import render
from windtunnel.agents.settings import KEY, read_settings
from windtunnel.agents.tools import Tools
from windtunnel.errors import EffectFailed, ScenarioError, Undecided
from windtunnel.models.talk import Ask, Message, Reply
from windtunnel.world import AgentSpec, Context, Outcome, Role, Scenario, World

HOUSE = "house"
MIND = "mind"  # the member of its context that keeps what it has in mind
TURN = "Turn {turn} of {turns}.\n\n{memory}# What you observe\n\n{observation}\n\nWhat do you do?"
AGAIN = "That was not taken: {why}\nAnswer again, in the form that was asked for."
NO_MORE_TOOLS = "You have called tools often enough. Answer now."
MOST_CALLS = 16  # of one reply; what is called beyond them is told back
LONGEST = 16  # characters a token: what is longer was never asked for, and is not paid for again


class Llm:
    def __init__(self, spec: AgentSpec, role: Role, world: World, scenario: Scenario) -> None:
        where = f"agents.{spec.id}"
        if spec.size > 1:
            raise ScenarioError(
                f"{spec.id!r} is a crowd of {spec.size}, and a model decides for one",
                where=where,
                remedy="kind: rule, or size: 1",
            )
        self._model = spec.model or scenario.model
        if self._model == "rule":
            raise ScenarioError("rule is no language model", where=f"{where}.model", remedy="kind: rule")
        self._settings = read_settings(spec.settings, f"{where}.settings.{KEY}")
        self._role, self._turns = role, scenario.turns
        self._policy = house_policy(spec, role)
        self._answers = Answers(role)
        self._told = instructions(spec, role, world, scenario, self._answers)
        self._tools = Tools(world, scenario.mcp, self._settings.tools, f"{where}.settings.{KEY}.tools")
        self._talk: list[Message] = []
        self._why = ""
        kept = self._settings.memory
        self.memories = {MIND: Mind} if kept.recent or kept.reflect else {}

    async def decide(self, observation: Any, context: Context) -> Any:
        if context.attempt == 1:
            self._why = ""
            self._talk = [Message("system", self._told), Message("user", self._shown(observation, context))]
        else:
            self._talk.append(Message("user", AGAIN.format(why=context.rejection)))
        house = await self._as_house(observation, context) if self._model == HOUSE else None
        reply = await self._reply(context, house)
        action, self._why = self._answers.read(reply)
        return action

    async def consolidate(self, outcome: Outcome, context: Context) -> None:
        if self.memories and outcome.action is not None:
            mind = context.member(MIND)
            await remember(mind.memory, outcome, self._why, self._settings, self._model, mind)

    # --- the conversation ---

    def _shown(self, observation: Any, context: Context) -> str:
        memory = remembered(context.member(MIND).memory) if self.memories else ""
        return TURN.format(
            turn=context.turn,
            turns=self._turns,
            memory=f"# What you remember\n\n{memory}\n\n" if memory else "",
            observation=render(observation, self._settings.observation),
        )

    async def _reply(self, context: Context, house: Any) -> Reply:
        """The model's answer, once it calls no more tools."""
        offered = await self._tools.offered(context)
        for left in range(self._settings.tool_rounds, -1, -1):
            if offered and not left:
                self._talk.append(Message("user", NO_MORE_TOOLS))
            reply = await self._asked(context, offered if left else (), house)
            calls, wrong = self._tools.sound(reply.calls[:MOST_CALLS], offered) if left else ((), ())
            if (text := self._shortened(reply.text)) or calls:
                self._talk.append(Message("assistant", text, calls=calls))
            if not reply.calls or not left:
                return reply
            for call in calls:
                result = await self._tools.run(call, offered, context)
                self._talk.append(Message("tool", result, call.name, answers=call.id))
            if len(reply.calls) > MOST_CALLS:
                wrong = (*wrong, f"error: {len(reply.calls)} calls at once; {MOST_CALLS} were looked at")
            if wrong:
                self._talk.append(Message("user", "\n".join(wrong)))
        raise AssertionError("unreachable: the last round returns")

    def _shortened(self, text: str) -> str:
        most = LONGEST * self._settings.max_tokens
        return text if len(text) <= most else f"{text[:most]}… (cut: {len(text):,} characters)"

    async def _asked(self, context: Context, tools: Any, house: Any) -> Reply:
        settings = self._settings
        ask = Ask(
            self._model,
            tuple(self._talk),
            tools=tools,
            schema=self._answers.schema,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            task=settings.task,
        )
        try:
            reply: Reply = await context.ask(ask, house=house)
        except EffectFailed as error:
            raise Undecided("empty", error.message) from None
        return reply

    async def _as_house(self, observation: Any, context: Context) -> Any:
        """Made each time, in a replay too: what a policy keeps in memory must not depend on the record."""
        name, policy = self._policy
        action = policy(observation, context)
        if inspect.isawaitable(action):
            action = await action
        return {WHY: f"the policy {name} says so", "action": action}


def house_policy(spec: AgentSpec, role: Role) -> tuple[str, Any]:
    """The policy by which `house` answers for a seat: the one it names, else the role's first."""
    if not role.policies:
        return "no_op", lambda _observation, _context: role.no_op
    name = spec.policy or next(iter(role.policies))
    return name, role.policies[name]
