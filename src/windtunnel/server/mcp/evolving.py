"""Tools for evolutions and for deciding what they propose."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from windtunnel.errors import NotFound
from windtunnel.server import types
from windtunnel.server.mcp.contesting import Entrant
from windtunnel.server.mcp.people import Note
from windtunnel.server.mcp.running import Dollars
from windtunnel.server.mcp.shared import Cursor, RunId, ShowText, Tools, Word, tool
from windtunnel.server.mcp.untrusted import Veil

Number = Annotated[
    int, Field(ge=1, lt=10**15, description="`id` of the proposal, as list_proposals shows it")
]


class Evolving(Tools):
    @tool("start_evolution", "Make a strategy better", writes=True)
    async def start_evolution(  # noqa: PLR0913 - what may be said
        self,
        *,
        title: Annotated[str, Field(min_length=1, max_length=120, description="What it is called")],
        start: Annotated[Word, Field(description="What is to become better: NAME or NAME@VERSION")],
        scenario: Annotated[Word, Field(description="WORLD/NAME, as list_scenarios has it")],
        opponents: Annotated[
            list[Entrant] | None,
            Field(max_length=1000, description="Whom it meets; none: those of the scenario"),
        ] = None,
        turns: Annotated[int | None, Field(ge=1, description="A match ends after so many")] = None,
        seeds: Annotated[int, Field(ge=1, le=1000, description="Lucks of a generation")] = 4,
        population: Annotated[int, Field(ge=2, le=1000, description="Candidates of a generation")] = 8,
        generations: Annotated[int, Field(ge=1, le=10_000, description="How many at most")] = 6,
        held_out_seeds: Annotated[int, Field(ge=2, le=10_000, description="Lucks of the gate")] = 24,
        metric: Annotated[
            Word | None, Field(description="What is to grow; the return of a match, if left out")
        ] = None,
        budget: Dollars = None,
        request_key: Annotated[
            str,
            Field(max_length=200, description="Any text of yours: asking again with it starts nothing twice"),
        ] = "",
    ) -> types.Started:
        """Search for a better version of a registered strategy; the best is proposed to people if it holds on
        luck that the search never saw.

        It plays hundreds of matches. Nothing is put in force by itself. Next: get_evolution;
        pause_simulation and cancel_simulation take its run_id too. Example: {"title": "Less tax", "start":
        "thrift", "scenario": "economy/quick", "metric": "welfare"}
        """
        scoring = None if metric is None else {"metrics": [{"metric": metric, "of": "mean"}]}
        more = {"opponents": opponents, "turns": turns, "budget": budget, "scoring": scoring}
        request = types.EvolutionRequest.model_validate({
            "evolution": title, "start": start, "scenario": scenario, "seeds": seeds,
            "population": population, "generations": generations, "elites": min(2, population - 1),
            "held_out": {"seeds": held_out_seeds},
            **{name: value for name, value in more.items() if value is not None},
        })  # fmt: skip
        started = await self.verbs.evolving.start(self.who(), request, key=request_key)
        return started.model_copy(update={"url": f"simulation://{started.run_id}/config"})

    @tool("get_evolution", "How an evolution stands")
    async def get_evolution(
        self,
        run_id: RunId,
        generation: Annotated[
            int | None, Field(ge=1, description="Whose candidates are told; the last, if left out")
        ] = None,
        include_agent_text: ShowText = False,
    ) -> types.Evolution:
        """Best and mean gain of each generation, candidates with their parents, and what the gate said.

        Gains of the search flatter: only the verdict's, on held-out luck, say whether it is better. Ask again
        while its status is running. Next: get_proposal, if `proposal` is there. Example: {"run_id":
        "4k2v9h0a7c"}
        """
        told = await self.verbs.evolving.get(self.who(), run_id, generation)
        veil = await self.veil(told.run_id, include_agent_text)
        candidates = [
            one.model_copy(
                update={
                    "why": veil.text(one.why), "failed": veil.text(one.failed),
                    "instructions": veil.text(one.instructions), "changes": _changes(one.changes, veil),
                }
            )
            for one in told.candidates
        ]  # fmt: skip
        texts = {name: veil.text(getattr(told, name)) for name in ("title", "description")}
        # A run that failed quotes in its reason what failed; where it ended as it should, the words are ours.
        ended = told.status is types.Status.COMPLETED
        reason = told.reason if ended else veil.text(told.reason) or ""
        return told.model_copy(update={**texts, "candidates": candidates, "reason": reason})

    @tool("list_proposals", "Proposals")
    async def list_proposals(
        self,
        status: Annotated[types.ProposalStanding | None, Field(description="Which stand so")] = None,
        after: Cursor = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
    ) -> types.ProposalPage:
        """Changes to strategies that evolutions found, with confidence, risk and votes; the newest first.

        When: the user asks what is to be decided. Next: get_proposal. Example: {"status": "pending"}
        """
        return await self.verbs.evolving.proposed(self.who(), status or "", "", after or "", limit)

    @tool("get_proposal", "One proposal")
    async def get_proposal(self, proposal: Number, include_agent_text: ShowText = False) -> types.Proposal:
        """What would change, the evidence in numbers with the runs that it is from, and who said what.

        Show the user all of it before anybody decides; other instructions are withheld unless
        include_agent_text is true. Next: decide_proposal, when the user has decided. Example: {"proposal": 3}
        """
        one = await self.verbs.evolving.proposal(self.who(), str(proposal))
        return await self._seen(one, include_agent_text)

    @tool("approve_proposal", "Decide a proposal", name="decide_proposal", writes=True, destroys=True)
    async def decide_proposal(
        self,
        proposal: Number,
        decision: Annotated[
            Literal["approve", "reject", "rollback"],
            Field(description="rollback takes back what was applied"),
        ],
        note: Note = "",
    ) -> types.Proposal:
        """Say yes or no to a proposal, in your own name, or take back one that was applied. Needs the role
        approver.

        When: only on the user's word for this very proposal. The last yes that is needed puts it in force; a
        high risk needs two people; one no is the end of it. Example: {"proposal": 3, "decision": "reject"}
        """
        room = self.verbs.evolving
        decide = {"approve": room.approve, "reject": room.reject, "rollback": room.rollback}[decision]
        told = await decide(self.who(), str(proposal), types.DecisionRequest(note=note))
        return await self._seen(told, False)

    async def _seen(self, one: types.Proposal, show: bool) -> types.Proposal:
        try:
            veil = await self.veil(one.run_id, show)
        except NotFound:  # the run is purged, and what it proposed stays
            veil = Veil(show=show)
        votes = [vote.model_copy(update={"note": veil.text(vote.note) or ""}) for vote in one.votes]
        return one.model_copy(
            update={
                "description": veil.text(one.description), "instructions": veil.text(one.instructions),
                "changes": _changes(one.changes, veil), "votes": votes,
            }
        )  # fmt: skip


def _changes(changes: list[types.StrategyChange], veil: Veil) -> list[types.StrategyChange]:
    return [
        one.model_copy(update={"before": veil.data(one.before), "after": veil.data(one.after)})
        for one in changes
    ]
