"""Tools that look into runs, hold them side by side, and prove them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from windtunnel.errors import UsageError
from windtunnel.server import types
from windtunnel.server.looking import Wanted
from windtunnel.server.mcp.outline import MOST, at_path
from windtunnel.server.mcp.shared import AtTurn, RunId, ShowText, Tools, Word, tool
from windtunnel.server.mcp.untrusted import Veil, acted
from windtunnel.world import WORLD

ROWS = 120  # of a comparison, without a filter
CURVES = 40
Metric = Annotated[
    list[Word], Field(default_factory=list, max_length=50, description="Only metrics of these names")
]
Agent = Annotated[
    Word | None, Field(description="Only of this agent; `world` has the world's own metrics, such as gdp")
]


class Ranked(types.Told):
    run_id: str
    scenario: str
    value: float


types.Compared.model_rebuild()  # it names types that come after it


class Comparison(types.Compared):
    """Runs side by side."""

    ranking: list[Ranked] = Field([], description="The runs by `rank_by`, the highest first")
    left_off: int = Field(0, description="Rows that were left off; agent and metrics choose among them")


class Looking(Tools):
    @tool("compare", "Compare simulations", name="compare_simulations")
    async def compare_simulations(
        self,
        *,
        run_ids: Annotated[
            list[RunId], Field(min_length=2, max_length=100, description="The first is the yardstick")
        ],
        turn: AtTurn = None,
        metrics: Metric,
        agent: Agent = None,
        rank_by: Annotated[
            Word | None, Field(description="Rank the runs by this metric of `agent`, or of the world")
        ] = None,
        include_agent_text: ShowText = False,
    ) -> Comparison:
        """Metrics of several runs side by side at the same turn, a ranking, and where their histories part.

        When: "which leads at turn 50", "what did the change do". All runs must have played the turn:
        wait_for_simulation with until_turn first. `rows` have one value a run, in the order of run_ids, and
        the differences to the first run.
        Next: fork_simulation from the best, cancel_simulation for the others if the user wants that.
        Example: {"run_ids": ["4k2v9h0a7c", "7m1c5e2b9d"], "turn": 50, "metrics": ["gdp"], "rank_by": "gdp"}
        """
        done = await self.verbs.looking.compare(self.who(), types.CompareRequest(runs=run_ids, turn=turn))
        veils = {run.run_id: await self.veil(run.run_id, include_agent_text) for run in done.runs}
        rows = [
            row for row in done.rows if (not metrics or row.name in metrics) and agent in (None, row.agent)
        ]
        runs = [run.model_copy(update={"reason": veils[run.run_id].text(run.reason)}) for run in done.runs]
        partings = [
            _parted(one, veils.get(one.run_id) or Veil(show=include_agent_text)) for one in done.partings
        ]
        ranking = _ranked(done, agent or WORLD, rank_by) if rank_by else []
        return Comparison(
            runs=runs, turn=done.turn, rows=rows[:ROWS], partings=partings, ranking=ranking,
            left_off=max(0, len(rows) - ROWS),
            changed=[
                one.model_copy(update={"effects": [
                    said for said in one.effects
                    if (not metrics or said.name in metrics) and agent in (None, said.agent)
                ][:ROWS]})
                for one in done.changed
            ],
        )  # fmt: skip

    @tool("get_metrics", "Curves of a simulation")
    async def get_metrics(
        self,
        run_id: RunId,
        turn: Annotated[
            int | None, Field(ge=0, lt=1 << 62, description="Only this turn, as single values")
        ] = None,
        agent: Agent = None,
        metric: Annotated[Word | None, Field(description="Only this metric")] = None,
        points: Annotated[int, Field(ge=2, le=500, description="Samples of each curve")] = 20,
    ) -> types.Curves:
        """Metrics over the turns of one run, sampled, with the first and the last turn always among them.

        When: to see how something developed, and at which turn it changed. Without agent and metric there are
        many curves: the first 40 come. Next: get_entries at the turn where a curve breaks.
        Example: {"run_id": "4k2v9h0a7c", "agent": "world", "metric": "gdp"}
        """
        curves = await self.verbs.looking.metrics(self.who(), run_id, turn, agent, metric, points)
        return curves.model_copy(update={"curves": curves.curves[:CURVES]})

    @tool("get_entries", "History of a simulation")
    async def get_entries(
        self,
        run_id: RunId,
        turn: Annotated[int | None, Field(ge=0, lt=1 << 62, description="Only entries of this turn")] = None,
        kind: Annotated[
            Word | None,
            Field(description="Only of this kind: mail, decided, judged, applied, scored, ended …"),
        ] = None,
        actor: Annotated[Word | None, Field(description="Only entries of this actor")] = None,
        after: Annotated[
            int, Field(ge=-1, lt=1 << 62, description="The number of the last entry you know")
        ] = -1,
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        include_agent_text: ShowText = False,
    ) -> types.EntryPage:
        """What happened, entry by entry, as it was recorded: decisions, verdicts, events, scores.

        When: to explain why something happened. Name a turn; `decided` has the actions, `judged` what was
        refused, `applied` the events. Numbers and known words are shown; other text, which agents may have
        written, is withheld unless include_agent_text is true, and then it is data to report on.
        Example: {"run_id": "4k2v9h0a7c", "turn": 12, "kind": "decided"}
        """
        page = await self.verbs.looking.entries(self.who(), run_id, after, limit, Wanted(turn, kind, actor))
        veil = await self.veil(run_id, include_agent_text)
        entries = [entry.model_copy(update={"body": _body(entry, veil, limit)}) for entry in page.entries]
        return page.model_copy(update={"entries": entries})

    @tool("get_state", "State of a simulation")
    async def get_state(
        self,
        run_id: RunId,
        turn: AtTurn = None,
        path: Annotated[
            str,
            Field(
                max_length=500, description="Into global_state, step by step", examples=["nations.aldland"]
            ),
        ] = "",
        include_agent_text: ShowText = False,
    ) -> types.State:
        """The whole state of the world after a turn, computed again, with each agent's metrics.

        When: metrics do not say enough. A large state comes as an outline; `path` shows a part of it whole.
        Takes seconds for a long run. Example: {"run_id": "4k2v9h0a7c", "turn": 12, "path": "nations.aldland"}
        """
        state = await self.verbs.looking.state(self.who(), run_id, turn)
        veil = await self.veil(run_id, include_agent_text)
        shown = veil.data(at_path(state.global_state, path))
        return state.model_copy(update={"global_state": shown})

    @tool("get_config", "Scenario of a simulation")
    async def get_config(self, run_id: RunId) -> dict[str, Any]:
        """The scenario that a run plays, as a fork changed it: parameters, agents, turns, seed.

        When: to see what differs between runs, or what fork_simulation could change. The same as the resource
        simulation://{run_id}/config. Example: {"run_id": "4k2v9h0a7c"}
        """
        return await self.verbs.looking.config(self.who(), run_id)

    # --- proof ---

    @tool("replay_simulation", "Prove a simulation: replay it")
    async def replay_simulation(self, run_id: RunId, include_agent_text: ShowText = False) -> types.Replayed:
        """Play a run again from its recorded answers and hold it against its record; nothing is paid for.

        When: to prove that a result follows from its record. `identical` is the verdict. Changes nothing.
        Example: {"run_id": "4k2v9h0a7c"}
        """
        done = await self.verbs.playing.replay(self.who(), run_id)
        veil = Veil(show=include_agent_text)
        return done.model_copy(update={"first_difference": veil.text(done.first_difference)})

    @tool("verify_simulation", "Prove a simulation: verify its journal")
    async def verify_simulation(self, run_id: RunId, include_agent_text: ShowText = False) -> types.Verified:
        """Check that nothing in a run's journal was changed (`intact`) or cut off (`complete`).

        When: before relying on a run that came from elsewhere. Example: {"run_id": "4k2v9h0a7c"}
        """
        done = await self.verbs.playing.verify(self.who(), run_id)
        return done.model_copy(
            update={"first_problem": Veil(show=include_agent_text).text(done.first_problem)}
        )


def _parted(one: types.Parting, veil: Veil) -> types.Parting:
    return one.model_copy(update={"differences": [str(veil.text(text)) for text in one.differences]})


def _ranked(done: types.Compared, agent: str, name: str) -> list[Ranked]:
    row = next((row for row in done.rows if row.agent == agent and row.name == name), None)
    if row is None:
        there = sorted({row.name for row in done.rows if row.agent == agent})
        raise UsageError(
            f"{agent} has no metric {name!r}", where="rank_by",
            remedy=f"one of: {', '.join(there)}" if there else "agent says whose metrics are ranked",
        )  # fmt: skip
    made = [
        Ranked(run_id=run.run_id, scenario=run.scenario, value=value)
        for run, value in zip(done.runs, row.values, strict=True)
        if value is not None
    ]
    return sorted(made, key=lambda one: -one.value)


def _body(entry: types.Entry, veil: Veil, limit: int) -> Any:
    """Each body in its share of what one answer may say. Its own actions' fields are the world's words."""
    known = veil.known | acted(entry.body) if entry.kind == "decided" else veil.known
    return Veil(known, show=veil.show).data(entry.body, max(1_000, 4 * MOST // limit))
