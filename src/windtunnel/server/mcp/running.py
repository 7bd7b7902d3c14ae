"""Tools that start runs, wait for them, and steer them."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from fastmcp import Context
from pydantic import Field

from windtunnel.control.index import Filter
from windtunnel.server import types
from windtunnel.server.mcp.shared import AtTurn, Cursor, RunId, ShowText, Tools, Word, tool
from windtunnel.server.mcp.untrusted import Veil

LOOK_EVERY = 1.0  # seconds between two looks at a run that is waited for
GOING = (types.Status.QUEUED, types.Status.RUNNING)
Scenario = Annotated[
    Word | None,
    Field(description="WORLD/NAME as list_scenarios has it, a name in `world`, or a file of the workspace"),
]
World = Annotated[Word | None, Field(description="The world, where `scenario` does not name it")]
Agents = Annotated[
    dict[str, str],
    Field(
        default_factory=dict,
        description="By agent, who sits there: a policy of the role, `house`, or a model of list_models",
    ),
]
Settings = Annotated[
    dict[str, Any],
    Field(
        default_factory=dict, description="Changes to the scenario by dotted key, as get_scenario shows them"
    ),
]
Dollars = Annotated[
    float | None, Field(ge=0, lt=1e9, description="The most that its models may cost, in dollars")
]


class Waited(types.RunDetail):
    """The run when waiting ended."""

    reached: bool = Field(description="Whether it came to the turn, or ended, or waits for somebody")
    next_step: str = Field(description="What to call now")


class Running(Tools):
    @tool("start_simulation", "Start a simulation", writes=True)
    async def start_simulation(  # noqa: PLR0913 - what may be said
        self,
        *,
        scenario: Scenario = None,
        world: World = None,
        repo: Annotated[Word | None, Field(description="Another word for `world`")] = None,
        config: Annotated[Word | None, Field(description="Another word for `scenario`")] = None,
        text: Annotated[
            str | None,
            Field(max_length=1_000_000, description="A whole scenario as YAML, in place of a name"),
        ] = None,
        seed: Annotated[
            int | None, Field(description="Same scenario and seed, same luck; the scenario's own if left out")
        ] = None,
        turns: Annotated[int | None, Field(ge=0, le=10_000_000, description="How many turns to play")] = None,
        set: Settings,  # noqa: A002 - the word of every door
        agents: Agents,
        model: Annotated[
            Word | None, Field(description="One model for every agent that asks one; `house` is free")
        ] = None,
        budget: Dollars = None,
        tags: Annotated[
            list[Word],
            Field(default_factory=list, max_length=50, description="Words to find it by in list_simulations"),
        ],
        request_key: Annotated[
            str,
            Field(max_length=200, description="Any text of yours: asking again with it starts nothing twice"),
        ] = "",
    ) -> types.Started:
        """Start one run of a scenario. It is queued at once and played in the background.

        When: to try a scenario, or one change to it. list_scenarios says what there is; estimate_cost says
        what models would cost. Start one run for each thing to compare, with the same seed.
        Returns run_id, status and max_turns. Next: wait_for_simulation, then get_simulation_results.
        Example: {"scenario": "economy/growth", "seed": 7, "agents": {"aldland": "balanced"}}
        """
        request = types.StartRequest.model_validate({
            "scenario": scenario, "world": world, "repo": repo, "config": config, "text": text,
            "seed": seed, "turns": turns,
            "set": set, "agents": agents, "model": model, "budget": budget, "tags": tags,
        })  # fmt: skip
        started = await self.verbs.playing.start(self.who(), request, key=request_key)
        return started.model_copy(update={"url": f"simulation://{started.run_id}/config"})

    @tool("get_simulation_status", "How a simulation stands")
    async def get_simulation_status(
        self, run_id: RunId, turn: AtTurn = None, include_agent_text: ShowText = False
    ) -> types.RunDetail:
        """Status, turn of max_turns, metrics and leader of one run, now or as it stood after a past turn.

        When: to see how far a run is, or who led at a turn, however far it has come since. Runs are compared
        at the same turn. `leader` is the agent with the most wealth. Does not wait: wait_for_simulation does.
        Next: compare_simulations for several runs; list_questions or list_approvals if its status is waiting.
        Example: {"run_id": "4k2v9h0a7c", "turn": 50}
        """
        return await self._detail(run_id, turn, include_agent_text)

    async def _detail(self, run_id: str, turn: int | None, show: bool) -> types.RunDetail:
        detail = await self.verbs.looking.get(self.who(), run_id, turn)
        veil = await self.veil(run_id, show)
        waiting = [veil.place(one) for one in detail.waiting]
        return detail.model_copy(update={"reason": veil.text(detail.reason), "waiting": waiting})

    @tool("list_simulations", "List simulations")
    async def list_simulations(  # noqa: PLR0913 - what may be said
        self,
        *,
        world: World = None,
        repo: Annotated[Word | None, Field(description="Another word for `world`")] = None,
        scenario: Annotated[Word | None, Field(description="Only runs of this scenario")] = None,
        status: Annotated[types.Status | None, Field(description="Only runs of this status")] = None,
        tag: Annotated[Word | None, Field(description="Only runs with this tag")] = None,
        text: Annotated[Word | None, Field(description="Part of an id, a scenario, a tag")] = None,
        forks_of: Annotated[Word | None, Field(description="Only forks of this run")] = None,
        after: Cursor = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
        include_agent_text: ShowText = False,
    ) -> types.RunPage:
        """Runs, newest first, with status and turn; filtered by world, scenario, status, tag, or parent.

        When: to find runs again, or to see what is going on. Metrics are not in the list.
        Next: compare_simulations with the ids, or get_simulation_status of one; `next` is `after` of the next
        page.
        Example: {"status": "running"}
        """
        wanted = Filter(
            world=world or repo or "",
            scenario=scenario or "",
            status=status or "",
            tag=tag or "",
            text=text or "",
            parent=forks_of or "",
        )
        page = await self.verbs.looking.list(self.who(), wanted, after=after, limit=limit)
        veil = Veil(show=include_agent_text)
        runs = [run.model_copy(update={"reason": veil.text(run.reason)}) for run in page.runs]
        return page.model_copy(update={"runs": runs})

    @tool("get_simulation_status", "Wait for a simulation", name="wait_for_simulation")
    async def wait_for_simulation(
        self,
        run_id: RunId,
        ctx: Context,
        until_turn: Annotated[
            int | None, Field(ge=0, lt=1 << 62, description="Wait for this turn; for the end if left out")
        ] = None,
        seconds: Annotated[float, Field(gt=0, le=300, description="Wait at most so long")] = 45.0,
    ) -> Waited:
        """Wait until a run has played a turn, or has ended, or waits for somebody; at most `seconds`.

        When: after start_simulation, fork_simulation or resume_simulation, in place of asking again and
        again.
        Returns the run as get_simulation_status does, as it stood after until_turn, with `reached` and
        `next_step`. If `reached` is false, call it again. Sends progress (turn of turns) meanwhile.
        Example: {"run_id": "4k2v9h0a7c", "until_turn": 50, "seconds": 120}
        """
        ends, told = time.monotonic() + seconds, -1  # ambient: how long a caller waits is the caller's time
        while True:
            now = await self.verbs.looking.get(self.who(), run_id)
            goal = now.max_turns if until_turn is None else until_turn
            if now.turn > told:
                await ctx.report_progress(min(now.turn, goal), goal, f"{now.status}, turn {now.turn}")
                told = now.turn
            there = until_turn is not None and now.turn >= until_turn
            left = ends - time.monotonic()  # ambient
            if there or now.status not in GOING or left <= 0:
                break
            await asyncio.sleep(min(LOOK_EVERY, left))
        detail = await self._detail(run_id, until_turn if there else None, False)
        reached = there or now.status not in GOING
        return Waited(**detail.model_dump(), reached=reached, next_step=_next(detail, reached, until_turn))

    @tool("get_simulation_results", "Results of a simulation")
    async def get_simulation_results(
        self, run_id: RunId, turn: AtTurn = None, include_agent_text: ShowText = False
    ) -> types.Results:
        """What came of a run: final metrics of every agent, standings by wealth, and what its models cost.

        When: a run has ended, or to see what it has come to so far. `headline` names the metrics to look at
        first.
        Next: get_metrics for curves, get_entries for why it happened, fork_simulation for what if.
        Example: {"run_id": "4k2v9h0a7c"}
        """
        results = await self.verbs.looking.results(self.who(), run_id, turn)
        veil = await self.veil(run_id, include_agent_text)
        return results.model_copy(update={"reason": veil.text(results.reason)})

    # --- steering ---

    @tool("cancel_simulation", "Cancel a simulation", writes=True, destroys=True, again=True)
    async def cancel_simulation(self, run_id: RunId) -> types.Run:
        """End a run for good. What it played stays, and fork_simulation can go on from any of its turns.

        When: a run is not worth playing on. It cannot be resumed: to stop for a while, use pause_simulation.
        Only cancel runs that the user asked you to cancel. A run being played ends within its turn.
        Example: {"run_id": "4k2v9h0a7c"}
        """
        return await self._steered(run_id, await self.verbs.steering.cancel(self.who(), run_id))

    @tool("pause_simulation", "Pause a simulation", writes=True, again=True)
    async def pause_simulation(self, run_id: RunId) -> types.Run:
        """Stop a run at the end of its turn, for a while.

        When: to look at it, or to send_event before it goes on. Next: resume_simulation.
        Example: {"run_id": "4k2v9h0a7c"}
        """
        return await self._steered(run_id, await self.verbs.steering.pause(self.who(), run_id))

    @tool("resume_simulation", "Resume a simulation", writes=True, again=True)
    async def resume_simulation(
        self,
        run_id: RunId,
        until_turn: Annotated[int | None, Field(ge=0, description="Pause again after this turn")] = None,
        budget: Dollars = None,
    ) -> types.Run:
        """Go on with a run that was paused, that crashed, or whose budget was used up (give a larger one).

        When: its status is paused, crashed or failed. One that is waiting goes on when it is answered.
        Next: wait_for_simulation. Example: {"run_id": "4k2v9h0a7c", "until_turn": 60}
        """
        request = types.ResumeRequest(until=until_turn, budget=budget)
        return await self._steered(run_id, await self.verbs.steering.resume(self.who(), run_id, request))

    async def _steered(self, run_id: str, run: types.Run) -> types.Run:
        return run.model_copy(update={"reason": (await self.veil(run_id, False)).text(run.reason)})

    @tool("fork_simulation", "What if: fork a simulation", writes=True)
    async def fork_simulation(  # noqa: PLR0913 - what may be said
        self,
        *,
        run_id: RunId,
        at: Annotated[
            str | int,
            Field(
                description="The turn after which it takes another course; or TURN.PHASE.AGENT",
                examples=["40"],
            ),
        ],
        set: Settings,  # noqa: A002 - the word of every door
        agents: Agents,
        model: Annotated[
            Word | None, Field(description="Another model for every agent that asks one")
        ] = None,
        instructions: Annotated[
            dict[str, types.Text],
            Field(default_factory=dict, description="New instructions for agents that ask a model, by agent"),
        ],
        event: Annotated[
            dict[str, Any] | None, Field(description="What happens in the first new turn: {kind, body}")
        ] = None,
        branches: Annotated[
            int, Field(ge=1, le=1000, description="More than one come with as many unchanged controls")
        ] = 1,
        budget: Dollars = None,
    ) -> types.Forked:
        """What if: take another course from a turn on, with something changed. The run itself stays as it is.

        When: to learn what a change would have done, or to play on from a good turn of a run. The shared past
        is neither played nor paid for again. One branch is an anecdote: use branches=5 and compare with
        `controls`, which share their luck, to see whether a difference is more than chance.
        Returns the ids of the new runs, which are queued. Next: wait_for_simulation, compare_simulations.
        Example: {"run_id": "4k2v9h0a7c", "at": 40, "agents": {"aldland": "balanced"}, "branches": 5}
        """
        request = types.ForkRequest.model_validate({
            "at": str(at), "set": set, "agents": agents, "model": model, "instructions": instructions,
            "event": event,
            "branches": branches, "budget": budget,
        })  # fmt: skip
        return await self.verbs.playing.fork(self.who(), run_id, request)

    @tool("send_event", "Send an event into a simulation", writes=True)
    async def send_event(
        self,
        run_id: RunId,
        kind: Annotated[
            Word, Field(description="What happens, in the world's own words", examples=["shock"])
        ],
        body: Annotated[Any, Field(description="What the world reads of it")] = None,
    ) -> types.Run:
        """Make something happen in a run: it reaches the world in the next turn.

        When: a run is going on and something shall strike it. For a run that has ended, give `event` to
        fork_simulation. get_scenario shows which events a world knows.
        Example: {"run_id": "4k2v9h0a7c", "kind": "shock", "body": {"size": 0.2}}
        """
        request = types.EventRequest(kind=kind, body=body)
        return await self._steered(run_id, await self.verbs.steering.event(self.who(), run_id, request))


def _next(run: types.RunDetail, reached: bool, until: int | None) -> str:
    if not reached:
        return "wait_for_simulation again; get_system shows whether workers are busy"
    after: dict[types.Status, str] = {
        types.Status.WAITING: "list_questions or list_approvals show what it waits for",
        types.Status.PAUSED: "resume_simulation goes on",
        types.Status.CRASHED: "resume_simulation goes on from its last turn",
        types.Status.FAILED: "get_simulation_status with include_agent_text=true tells why",
    }
    if until is not None and run.turn < until and run.status not in after:
        return f"it ended at turn {run.turn}; get_simulation_results tells what came of it"
    return after.get(run.status, "get_simulation_results, or compare_simulations with other runs")
