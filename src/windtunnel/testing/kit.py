"""The conformance kit: does a world keep its contract, and if not, what does it still lack?

Every check is a function that yields findings; it plays the world in stores of its own, in a temporary
folder, always simulated. A check that is broken off by the world's own error tells that as what is lacking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from windtunnel.errors import WindtunnelError
from windtunnel.scenario import load_scenario
from windtunnel.testing import abuse, panels, sameness, secrecy, shape, stakes
from windtunnel.testing.lab import Answer
from windtunnel.testing.report import Finding, Report
from windtunnel.testing.subject import Subject
from windtunnel.world import AgentSpec, EffectKind, Scenario, World

Check: TypeAlias = Callable[[Subject], Iterator[Finding]]

CHECKS: Mapping[str, Check] = {
    "determinism": sameness.determinism,
    "determinism elsewhere": sameness.determinism_elsewhere,
    "chance": sameness.other_seed,
    "checkpoint round trip": sameness.checkpoints,
    "resume": sameness.resume,
    "replay": sameness.replay,
    "fork": sameness.fork,
    "hidden information": secrecy.hidden,
    "only apply changes": secrecy.purity,
    "events": secrecy.known_names,
    "luck of one's own": secrecy.own_luck,
    "stakes": stakes.stakes,
    "panels": panels.panels,
    "metrics": abuse.metrics,
    "random actions": abuse.random_actions,
    "extreme actions": abuse.extreme_actions,
    "garbage refused": abuse.garbage_refused,
    "speed": abuse.speed,
}


def check_world(
    world: World,
    scenarios: Sequence[Scenario | str | Path] | None = None,
    *,
    turns: int = 30,
    seeds: Sequence[int] = (1,),
    only: Sequence[str] = (),
    players: Mapping[str, Any] | None = None,
    effects: Mapping[str, EffectKind] | None = None,
    answer: Answer | None = None,
) -> Report:
    """Run every check (or `only` some) over each scenario and seed.

    Without `scenarios` the world's own files are taken, or one with an agent for each role. `effects` are
    stand-ins for kinds that reach outside; `answer` says what a person would.
    """
    if unknown := set(only) - set(CHECKS) - {"contract"}:
        raise ValueError(f"no check {min(unknown)!r}; there are: contract, {', '.join(CHECKS)}")
    report = Report(world.name)
    report.findings += [*shape.contract(world), *panels.declared(world)]
    if report.lacks:
        return report  # a world that does not stand cannot be flown
    for scenario in _scenarios(world, scenarios):
        for seed in seeds:
            subject = Subject(
                world, scenario, seed=seed, turns=turns, players=players, effects=effects, answer=answer
            )
            try:
                _examine(subject, report, only)
            finally:
                subject.close()
    return report


def assert_world(
    world: World, scenarios: Sequence[Scenario | str | Path] | None = None, **more: Any
) -> Report:
    """The same as a test: an AssertionError says in words what the world still lacks."""
    report = check_world(world, scenarios, **more)
    if not report.ok:
        raise AssertionError(str(report))
    return report


def _examine(subject: Subject, report: Report, only: Sequence[str]) -> None:
    broken = list(_guarded(subject, "it plays", _plays))
    report.findings += broken
    if any(finding.verdict == "lacks" for finding in broken):
        return
    for name, check in CHECKS.items():
        if not only or name in only:
            report.findings += _guarded(subject, name, check)


def _plays(subject: Subject) -> Iterator[Finding]:
    row = subject.row
    yield subject.find("it plays", "ok", f"{row.turn} turns, {row.status}: {row.reason}")


def _guarded(subject: Subject, name: str, check: Check) -> list[Finding]:
    try:
        return list(check(subject))
    except WindtunnelError as error:
        return [subject.find(name, "lacks", str(error), error.remedy or "mend the world")]
    except Exception as error:  # noqa: BLE001 - whatever a stranger's world raises is the finding
        return [subject.find(name, "lacks", f"{type(error).__name__}: {error}", "mend the world")]


def _scenarios(world: World, given: Sequence[Scenario | str | Path] | None) -> list[Scenario]:
    chosen: Sequence[Scenario | str | Path] = given if given is not None else shape.scenario_files(world)
    if not chosen:
        seats = tuple(AgentSpec(f"{name}-{number}", name) for name in world.roles for number in (1, 2))
        return [Scenario(world.name, "two of each role", agents=seats)]
    return [item if isinstance(item, Scenario) else load_scenario(item, world) for item in chosen]
