"""One world in one scenario with one seed, as the checks look at it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from windtunnel.journal import Entry, RunRow, Status
from windtunnel.testing.lab import Answer, Lab
from windtunnel.testing.report import Finding, Verdict
from windtunnel.world import AgentSpec, EffectKind, Role, Scenario, World


class Subject:
    """Players are rules, models are the house's, the mode is simulated, no deadline depends on a watch:
    whatever is left that differs between two plays is the world's own doing."""

    def __init__(
        self,
        world: World,
        scenario: Scenario,
        *,
        seed: int,
        turns: int,
        players: Mapping[str, Any] | None = None,
        effects: Mapping[str, EffectKind] | None = None,
        answer: Answer | None = None,
    ) -> None:
        self.world, self.answer = world, answer
        self.players, self.effects = dict(players or {}), dict(effects or {})
        self.scenario = msgspec.structs.replace(
            scenario,
            world=world.name,
            seed=seed,
            turns=min(turns, scenario.turns),
            mode="simulated",
            model="house",  # of a game master or a judge that the world itself brings
            deadline=None,
            agents=tuple(self._recast(agent) for agent in scenario.agents),
        )
        self._base: Lab | None = None
        self.seconds = 0.0

    def _recast(self, agent: AgentSpec) -> AgentSpec:
        if agent.id in self.players:
            return msgspec.structs.replace(agent, kind="python", deadline=None)
        policy = agent.policy if agent.kind == "rule" else ""
        return msgspec.structs.replace(agent, kind="rule", policy=policy, model="", deadline=None)

    # --- finding ---

    @property
    def where(self) -> str:
        return f"{self.scenario.name or self.scenario.world}, seed {self.scenario.seed}"

    def find(self, check: str, verdict: Verdict, what: str = "", todo: str = "") -> Finding:
        return Finding(check, verdict, what, todo, self.where if verdict in ("lacks", "warns") else "")

    # --- playing ---

    def lab(self, players: Mapping[str, Any] | None = None) -> Lab:
        return Lab(self.world, players=self.players if players is None else players, effects=self.effects)

    def base(self) -> Lab:
        """The run that the others are compared with, played once."""
        if self._base is None:
            lab = self.lab()
            try:
                started = time.perf_counter()  # ambient: how fast a world plays is told, never checked
                lab.play(self.scenario, answer=self.answer)
                self.seconds = time.perf_counter() - started  # ambient: as above
            except BaseException:
                lab.close()
                raise
            self._base = lab
        return self._base

    def close(self) -> None:
        if self._base is not None:
            self._base.close()

    @property
    def row(self) -> RunRow:
        return self.base().row()

    def some_turns(self, most: int = 4) -> list[int]:
        """A few turns of the run, the first and the last among them."""
        last = self.row.turn
        return sorted({1 + (last - 1) * part // (most - 1) for part in range(most)}) if last else [0]

    def other(self, seed: int) -> Scenario:
        return msgspec.structs.replace(self.scenario, seed=seed)

    def disturb(self) -> None:
        """Play something else for a moment: what a world keeps outside its state is lost by that."""
        with self.lab() as lab:
            lab.begin(self.other(self.scenario.seed + 1000))
            lab.go(stop_after=2)

    def seats(self) -> list[tuple[AgentSpec, Role]]:
        roles = self.world.roles
        alone = next(iter(roles), "")
        return [(agent, roles[agent.role or alone]) for agent in self.scenario.agents]


def differs(mine: list[Entry], theirs: list[Entry]) -> str:
    """The first entry in which two histories differ, in words; empty if none does."""
    for one, other in zip(mine, theirs, strict=False):
        if one[:6] != other[:6]:
            before, after = one.body.decode(), other.body.decode()
            start = next(
                (i for i, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0
            )
            cut = slice(max(start - 30, 0), start + 50)
            return f"{one.place}: …{before[cut]}… became …{after[cut]}…"
    if len(mine) != len(theirs):
        return f"one has {len(mine)} entries, the other {len(theirs)}"
    return ""


def settled(row: RunRow) -> bool:
    return row.status in (Status.COMPLETED, Status.WAITING)
