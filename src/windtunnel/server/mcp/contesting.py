"""Tools for tournaments and strategies."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from windtunnel.server import types
from windtunnel.server.mcp.running import Dollars
from windtunnel.server.mcp.shared import Cursor, RunId, ShowText, Tools, Word, tool
from windtunnel.server.mcp.untrusted import Veil, words_of

Entrant = Word | dict[str, Any]
Format = Annotated[
    Word | None,
    Field(
        description="round-robin, swiss, single-elimination, double-elimination, free-for-all, ladder or"
        " gauntlet"
    ),
]


class Contesting(Tools):
    @tool("list_strategies", "Strategies")
    async def list_strategies(
        self,
        world: Annotated[Word | None, Field(description="Only those for this world")] = None,
        after: Cursor = None,
        limit: Annotated[int, Field(ge=1, le=200)] = 50,
        include_agent_text: ShowText = False,
    ) -> types.StrategyPage:
        """The registered ways to play a role, each with its version in force and its tags.

        When: before start_tournament, which takes them as NAME, NAME@VERSION or NAME@TAG; a rule of the role
        needs no registering. Example: {"world": "economy"}
        """
        page = await self.verbs.strategies.list(self.who(), after or "", limit, world or "")
        for one in page.strategies:
            veil = Veil(words_of([one.name, one.world, one.role]), show=include_agent_text)
            one.description = veil.text(one.description) or ""
        return page

    @tool("start_tournament", "Start a tournament", writes=True)
    async def start_tournament(  # noqa: PLR0913 - what may be said
        self,
        *,
        title: Annotated[str, Field(min_length=1, max_length=120, description="What it is called")],
        scenario: Annotated[Word, Field(description="WORLD/NAME, as list_scenarios has it")],
        entrants: Annotated[
            list[Entrant],
            Field(
                min_length=1,
                max_length=1000,
                description="NAME@VERSION, a rule of the role, {strategy, name} or {versions: NAME}; the best"
                " first",
            ),
        ],
        pool: Annotated[
            list[Entrant],
            Field(max_length=1000, description="Frozen: every entrant meets each of them; they do not meet"),
        ] = [],  # noqa: B006 - nobody changes it
        format: Format = None,  # noqa: A002 - the word of every door
        rounds: Annotated[int | None, Field(ge=1, description="Where the format lets you say")] = None,
        turns: Annotated[int | None, Field(ge=1, description="A match ends after so many")] = None,
        seeds: Annotated[int, Field(ge=1, le=10_000, description="Lucks a meeting is played with")] = 3,
        budget: Dollars = None,
        request_key: Annotated[
            str,
            Field(max_length=200, description="Any text of yours: asking again with it starts nothing twice"),
        ] = "",
    ) -> types.Started:
        """Play strategies against each other, to learn which is better, by how much, and how sure that is.

        Every meeting is played with each seed and each order of the seats: a few hundred matches are common.
        Next: get_tournament_standings; pause_simulation and cancel_simulation take its run_id too.
        Example: {"title": "Open or closed?", "scenario": "economy/growth", "entrants": ["balanced",
        "austerity"], "turns": 12, "seeds": 2}
        """
        kind = format or ("gauntlet" if pool else "round-robin")
        shape: Any = {"kind": kind, "rounds": rounds} if rounds is not None else kind
        more = {"turns": turns, "budget": budget, "pool": pool or None}
        request = types.TournamentRequest.model_validate({
            "tournament": title, "scenario": scenario, "entrants": entrants, "format": shape, "seeds": seeds,
            **{name: value for name, value in more.items() if value is not None},
        })  # fmt: skip
        started = await self.verbs.contesting.start(self.who(), request, key=request_key)
        return started.model_copy(update={"url": f"simulation://{started.run_id}/config"})

    @tool("get_tournament_standings", "How a tournament stands")
    async def get_tournament_standings(
        self, run_id: RunId, include_agent_text: ShowText = False
    ) -> types.TournamentStandings:
        """Places, points, ratings with 95% intervals, and the ranks that matches leave open (best to worst).

        Who has overlapping ranks is not shown to be better: say so. `notes` tell what else to know. Ask again
        while its status is running. Example: {"run_id": "4k2v9h0a7c"}
        """
        told = await self.verbs.contesting.standings(self.who(), run_id)
        veil = await self.veil(told.run_id, include_agent_text)
        # Reasons quoted in notes are those of matches, which a strategy may have written.
        notes = [veil.text(note) or "" if ": " in note else note for note in told.notes]
        return told.model_copy(
            update={"notes": notes, "reason": veil.text(told.reason) or "", "title": veil.text(told.title)}
        )
