"""A team in a seat (`kind: team`): its members talk, and what comes of it is one of the role's actions.

The team is described under `settings.team`. It is given what an agent that asks a model is given; its answer
is read in the same way, and asked for again with the reason in the same way.
"""

from __future__ import annotations

import inspect
from typing import Any

from windtunnel.agents.answers import WHY, Answers
from windtunnel.agents.instructions import filled, instructions
from windtunnel.agents.llm import HOUSE, house_policy
from windtunnel.agents.render import render
from windtunnel.agents.settings import KEY, read_settings
from windtunnel.agents.tools import APART, Tools
from windtunnel.errors import ScenarioError, Undecided
from windtunnel.models.talk import Reply
from windtunnel.teams.building import build_team
from windtunnel.teams.conversation import as_text
from windtunnel.teams.inrun import InRun
from windtunnel.world import AgentSpec, Context, Role, Scenario, World

TEAM = "team"
TASK = """\
{told}
# Turn {turn} of {turns}: what you observe

{observation}

Decide together. The last word of the team must end with the one JSON object.
"""
AGAIN = "\nYour last answer was not taken: {why}\n"


class TeamSeat:
    def __init__(self, spec: AgentSpec, role: Role, world: World, scenario: Scenario) -> None:
        where = f"agents.{spec.id}"
        if spec.size > 1:
            raise ScenarioError(f"{spec.id!r} is a crowd, and a team decides for one", where=where)
        if TEAM not in spec.settings:
            raise ScenarioError(
                "an agent of kind team does not say which",
                where=f"{where}.settings",
                remedy="settings: {team: {pattern: sequential, members: [{name: …}]}}",
            )
        self._settings = read_settings(spec.settings, f"{where}.settings.{KEY}")
        self._turns = scenario.turns
        self._model = spec.model or scenario.model
        self._policy = house_policy(spec, role)
        self._answers = Answers(role)
        self._told = instructions(spec, role, world, scenario, self._answers)
        self._tools = Tools(world, scenario.mcp, self._settings.tools, f"{where}.settings.{KEY}.tools")
        described = _filled(spec.settings[TEAM], spec, world, scenario)
        servers = [server.name for server in scenario.mcp]
        named = [name for name in _strings(described) if name.partition(APART)[0] in servers]
        self._team = build_team(
            described,
            name=spec.id,
            model=self._model,
            offered=[*world.queries, *named],
            where=f"{where}.settings.{TEAM}",
        )
        self._runtime: InRun | None = None

    async def decide(self, observation: Any, context: Context) -> Any:
        if self._runtime is None or context.attempt == 1:
            self._runtime = await self._runtime_for(observation, context)
        task = TASK.format(
            told=self._told,
            turn=context.turn,
            turns=self._turns,
            observation=render(observation, self._settings.observation),
        )
        if context.rejection:
            task += AGAIN.format(why=context.rejection)
        result = await self._team.invoke(task, self._runtime)
        if result.status == "failed":
            raise Undecided("empty", f"the team came to no answer: {result.reason}")
        text = result.text or as_text(result.value)
        return self._answers.read(Reply(text=text, label="ok" if text.strip() else "empty"))[0]

    async def _runtime_for(self, observation: Any, context: Context) -> InRun:
        offered = await self._tools.offered(context)

        async def run_tool(call: Any, where: Context) -> Any:
            return await self._tools.run(call, offered, where)

        house = await self._as_house(observation, context)
        return InRun(context, model=self._model, house=house, tools=offered, run_tool=run_tool)

    async def _as_house(self, observation: Any, context: Context) -> Any:
        """Made each time, in a replay too, as in `agents/llm.py`; only where some member may be house."""
        if self._model != HOUSE:
            return None
        name, policy = self._policy
        action = policy(observation, context)
        if inspect.isawaitable(action):
            action = await action
        return {WHY: f"the policy {name} says so", "action": action}


def _filled(settings: Any, spec: AgentSpec, world: World, scenario: Scenario) -> Any:
    """The description with the variables of its texts replaced."""
    if isinstance(settings, str):
        return filled(settings, spec, world, scenario)
    if isinstance(settings, dict):
        return {key: _filled(value, spec, world, scenario) for key, value in settings.items()}
    return (
        [_filled(one, spec, world, scenario) for one in settings] if isinstance(settings, list) else settings
    )


def _strings(settings: Any) -> list[str]:
    if isinstance(settings, str):
        return [settings]
    inside = settings.values() if isinstance(settings, dict) else settings
    return [text for one in inside for text in _strings(one)] if isinstance(settings, (dict, list)) else []
