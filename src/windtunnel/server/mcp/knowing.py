"""Tools that tell what there is to play, what it would cost, what is planned, and whether all is well."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from windtunnel.server import types
from windtunnel.server.mcp.running import Agents, Scenario, Settings, World
from windtunnel.server.mcp.shared import ShowText, Tools, Word, tool
from windtunnel.server.mcp.untrusted import Veil, words_of

Name = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[\w.@ -]+$", description="The schedule's name")
]


class Knowing(Tools):
    @tool("list_worlds", "Worlds")
    async def list_worlds(self) -> types.Worlds:
        """The worlds that are installed, with their roles and scenarios. Start here.

        Next: list_scenarios or get_scenario, then start_simulation. Example: {}
        """
        return await self.verbs.operating.worlds(self.who())

    @tool("list_scenarios", "Scenarios")
    async def list_scenarios(self, world: World = None) -> types.Scenarios:
        """The scenarios of one world or of all, and what each is about. start_simulation takes the `name`.

        Example: {"world": "economy"}
        """
        return await self.verbs.operating.scenarios(self.who(), world)

    @tool("get_scenario", "One scenario")
    async def get_scenario(
        self,
        name: Annotated[Word, Field(description="WORLD/NAME, as list_scenarios has it")],
        with_schema: Annotated[
            bool, Field(description="With the JSON schema of such files, which is long")
        ] = False,
    ) -> types.ScenarioDetail:
        """A scenario as it is written: its agents, parameters, events and turns.

        When: before changing something with `set` or `agents` in start_simulation or fork_simulation: the
        keys are here.
        Example: {"name": "economy/growth"}
        """
        detail = await self.verbs.operating.scenario(self.who(), name)
        return detail if with_schema else detail.model_copy(update={"json_schema": {}})

    @tool("list_models", "Models")
    async def list_models(self) -> dict[str, Any]:
        """The models that agents may ask, with prices, and whether they answer now. `house` is free.

        Example: {}
        """
        return await self.verbs.operating.models(self.who())

    @tool("estimate", "What a simulation would cost", name="estimate_cost")
    async def estimate_cost(
        self,
        *,
        scenario: Scenario = None,
        world: World = None,
        turns: Annotated[int | None, Field(ge=0, le=10_000_000)] = None,
        set: Settings,  # noqa: A002 - the word of every door
        agents: Agents,
        model: Annotated[Word | None, Field(description="One model for every agent that asks one")] = None,
    ) -> types.Estimate:
        """What a run would ask of its models and what that may cost, by a rehearsal that costs nothing.

        When: before starting a run whose agents ask a paid model. Takes what start_simulation takes.
        Example: {"scenario": "economy/llm_growth", "model": "house"}
        """
        request = types.StartRequest.model_validate(
            {
                "scenario": scenario,
                "world": world,
                "turns": turns,
                "set": set,
                "agents": agents,
                "model": model,
            }
        )
        return await self.verbs.playing.estimate(self.who(), request)

    # --- schedules ---

    @tool("list_schedules", "Schedules")
    async def list_schedules(self, include_agent_text: ShowText = False) -> types.ScheduleList:
        """What is planned to happen again and again, with the last and the next time and the errors in a row.

        Example: {}
        """
        found = await self.verbs.planning.list(self.who())
        return types.ScheduleList(schedules=[_seen(one, include_agent_text) for one in found.schedules])

    @tool("add_schedule", "Plan something", writes=True)
    async def add_schedule(
        self,
        *,
        name: Name,
        do: Annotated[Word, Field(description="run, or health")] = "run",
        arguments: Annotated[
            dict[str, Any], Field(default_factory=dict, description="For run: what start_simulation takes")
        ],
        when: Annotated[
            Word,
            Field(description="hourly, every 6 hours, daily at 07:30, weekly, or five fields of cron"),
        ],
        zone: Annotated[
            Word, Field(description="The time zone that is meant, such as Europe/Berlin")
        ] = "UTC",
        first_now: Annotated[bool, Field(description="Also do it once at once")] = True,
    ) -> types.Schedule:
        """Do something again and again, such as a run every night. Each time costs what its models cost.

        When: the user asks for it. Next: list_schedules, change_schedule.
        Example: {"name": "nightly", "when": "daily at 03:00", "arguments": {"scenario": "economy/growth"}}
        """
        request = types.ScheduleRequest(
            name=name, do=do, arguments=arguments, when=when, zone=zone, first_now=first_now
        )
        return _seen(await self.verbs.planning.add(self.who(), name, request), False)

    @tool(
        "enable_schedule", "Change a schedule", name="change_schedule", writes=True, destroys=True, again=True
    )
    async def change_schedule(
        self,
        name: Name,
        change: Annotated[Literal["enable", "disable", "remove"], Field(description="remove is for good")],
    ) -> types.ScheduleList:
        """Switch a schedule off and on, or remove it. Runs that it started stay. Returns all that are left.

        Example: {"name": "nightly", "change": "disable"}
        """
        planning = self.verbs.planning
        done = {"enable": planning.enable, "disable": planning.disable, "remove": planning.remove}[change]
        await done(self.who(), name)
        return await self.list_schedules()

    @tool("get_system", "Is it well?")
    async def get_system(self) -> types.System:
        """Version, runs by status, length of the queue, and the workers that play runs.

        When: a run stays queued, or tools fail. Example: {}
        """
        return await self.verbs.operating.system(self.who())


def _seen(one: types.Schedule, show: bool) -> types.Schedule:
    """An error of a run may quote what its agents wrote."""
    veil = Veil(words_of([one.name, one.do, one.arguments]), show=show)
    firings = [
        each.model_copy(update={"reason": veil.text(each.reason), "outcome": veil.data(each.outcome)})
        for each in one.firings
    ]
    told = {name: veil.text(getattr(one, name)) for name in ("last_error", "disabled_because")}
    return one.model_copy(update={**told, "firings": firings})
