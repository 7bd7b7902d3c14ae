"""Checks of what a world bears: random actions, extreme ones, garbage; and what it tells about itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from windtunnel.errors import RunError, WindtunnelError
from windtunnel.run.entries import DecidedEntry, read
from windtunnel.testing.lab import Lab
from windtunnel.testing.making import RandomPlayer, garbage
from windtunnel.testing.report import Finding
from windtunnel.testing.subject import Subject, settled
from windtunnel.world import Scenario

GARBAGE_RUNS = 50  # a game may end long before all of it was offered


def _cast(subject: Subject, players: dict[str, Any], **more: Any) -> tuple[Lab, Scenario]:
    """The scenario with other players in all its seats."""
    agents = tuple(
        msgspec.structs.replace(agent, kind="python", policy="") if agent.id in players else agent
        for agent in subject.scenario.agents
    )
    return subject.lab(players), msgspec.structs.replace(subject.scenario, agents=agents, **more)


def random_actions(subject: Subject) -> Iterator[Finding]:
    """Whatever the action types allow, the world bears it and its invariants hold."""
    yield from _play_wild(subject, "random actions", extreme=False)


def extreme_actions(subject: Subject) -> Iterator[Finding]:
    """The bounds themselves: the least, the most, the longest."""
    yield from _play_wild(subject, "extreme actions", extreme=True)


def _play_wild(subject: Subject, name: str, *, extreme: bool) -> Iterator[Finding]:
    names = tuple(agent.id for agent in subject.scenario.agents)
    players = {agent.id: RandomPlayer(role, names, extreme=extreme) for agent, role in subject.seats()}
    lab, scenario = _cast(subject, players)
    with lab:
        try:
            row = lab.play(scenario, answer=subject.answer)
        except RunError as error:
            yield subject.find(
                name, "lacks", f"turn {lab.row().turn + 1} broke: {error}",
                "bound the action's fields (msgspec.Meta), or let the validator reject what breaks it",
            )  # fmt: skip
            return
        if not settled(row):
            yield subject.find(name, "lacks", f"the run ended as {row.status}: {row.reason}")
            return
        if not lab.replay().identical:
            yield subject.find(name, "lacks", "the run does not replay", "keep everything in the state")
            return
        yield subject.find(name, "ok", f"{row.turn} turns, every invariant held")


class _Careless:
    """Offers one piece of garbage after another, and remembers which in which turn."""

    def __init__(self, corpus: list[tuple[str, Any]]) -> None:
        self.left = corpus[::-1]
        self.offered: dict[tuple[int, str], str] = {}

    def decide(self, _: Any, context: Any) -> Any:
        if not self.left:
            return {"type": "NoMoreGarbage"}
        what, piece = self.left.pop()
        self.offered[context.turn, context.actor] = what
        return piece


def garbage_refused(subject: Subject) -> Iterator[Finding]:
    """Garbage from an agent becomes a recorded no-op with a label, and the run goes on."""
    name = "garbage refused"
    refused = 0
    for role_name, role in subject.world.roles.items():
        mine = [agent.id for agent, its in subject.seats() if its is role]
        others = tuple(
            kind
            for other in subject.world.roles.values()
            for kind in other.actions
            if kind not in role.actions
        )
        careless = _Careless(list(garbage(role, others)))
        for _ in range(GARBAGE_RUNS):
            left = len(careless.left)
            if not left or not mine:
                break
            lab, scenario = _cast(subject, dict.fromkeys(mine, careless), turns=left, attempts=1)
            careless.offered.clear()
            with lab:
                try:
                    lab.play(scenario, answer=subject.answer)
                except WindtunnelError as error:
                    offered = list(careless.offered.values())[-1:]
                    yield subject.find(
                        name, "lacks", f"{offered}, offered as {role_name}, broke the run: {error}",
                        "the action was well typed: let the validator reject it, or bound its fields",
                    )  # fmt: skip
                    return
                count, heavy = _labels(lab, careless)
            refused += count
            if heavy:
                yield subject.find(name, "warns", f"{heavy} was taken", "give the field a max_length")
            if len(careless.left) == left:
                break  # this role did not get to act
    yield subject.find(name, "ok", f"{refused} pieces became a recorded no-op")


def _labels(lab: Lab, careless: _Careless) -> tuple[int, str]:
    """How many were refused, and the first of the heavy ones that were not."""
    refused, heavy = 0, ""
    for entry in lab.history(kind="decided"):
        body: DecidedEntry = read(entry)
        refused += sum(1 for refusal in body.refused.values() if refusal.label == "illegal")
        for who in body.actions:
            what = careless.offered.get((entry.turn, who), "")
            if "1 MB" in what and not heavy:
                heavy = what
    return refused, heavy


# --- what it tells ------------------------------------------------------------------------------------


def metrics(subject: Subject) -> Iterator[Finding]:
    """Each agent has its wealth, each headline exists, progress does not run backwards."""
    name = "metrics"
    agents = [agent.id for agent in subject.scenario.agents]
    done, seen = -math.inf, set()
    scored = subject.base().bodies("scored")
    for turn, body in enumerate(scored, 1):
        for who in agents:
            mine = body["metrics"].get(who, {})
            if "wealth" not in mine:
                yield subject.find(
                    name, "lacks", f"turn {turn}: score() gives {who} no wealth",
                    "what would it be worth if it stopped now? A number for each agent, in every turn",
                )  # fmt: skip
                return
        for who, mine in body["metrics"].items():
            seen |= set(mine)
            bad = [key for key, value in mine.items() if not _numeric(value)]
            if bad:
                yield subject.find(
                    name, "lacks", f"turn {turn}: metric {bad[0]!r} of {who} is {mine[bad[0]]!r}"[:200],
                    "metrics are finite numbers, or arrays of them for a crowd",
                )  # fmt: skip
                return
        if body["progress"][0] < done:
            yield subject.find(
                name, "lacks", f"turn {turn}: progress went back from {done} to {body['progress'][0]}",
                "progress() counts the world's own time, which only goes on",
            )  # fmt: skip
            return
        done = body["progress"][0]
    missing = [metric for metric in subject.world.headline if metric not in seen]
    if missing and scored:
        yield subject.find(
            name,
            "lacks",
            f"the headline metric {missing[0]!r} is never scored",
            "score it, or drop it from headline",
        )
        return
    yield subject.find(name, "ok", f"{len(seen)} metric(s), {len(agents)} agent(s) with wealth")


def _numeric(value: Any) -> bool:
    if isinstance(value, dict):
        return {"dtype", "shape", "data"} <= value.keys()
    return isinstance(value, (int, float)) and math.isfinite(value)


def speed(subject: Subject) -> Iterator[Finding]:
    """How many turns a second, told and never judged."""
    turns = subject.row.turn
    rate = turns / subject.seconds if subject.seconds else 0.0
    yield subject.find("speed", "told", f"{rate:,.0f} turns a second, {turns} turns")
    if subject.row.status == "waiting":
        yield subject.find(
            "speed", "warns", f"the run waits after turn {turns}: {subject.row.reason}",
            "hand the kit `answer=function(kind, request)` for what a person would say",
        )  # fmt: skip
