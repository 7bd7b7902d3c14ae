"""From an evolution whose winner passed the gate to a proposal that people can decide on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from windtunnel.control.proposals import Proposals
from windtunnel.control.proposing import Proposal, Type, Wanted
from windtunnel.evolution.model import Genome, Plan, Verdict, expressed, genome_of
from windtunnel.evolution.operators import vector
from windtunnel.evolution.running import Story
from windtunnel.strategies.versions import compared
from windtunnel.tournaments.scoring import in_words
from windtunnel.world import Risk

FAR = 0.5  # of its bounds: a number that moved farther is no small change


def wanted_of(story: Story) -> Wanted | None:
    """What the evolution proposes; None where nothing passed its gate."""
    verdict, winner, plan = story.verdict, story.winner, story.plan
    if verdict is None or winner is None or verdict.trial is None or not verdict.promoted:
        return None
    start = plan.start.strategy
    candidate = expressed(start, winner.genome)
    kind, risk = _kind(plan, winner.genome)
    diff = compared(start, candidate)
    changes = ", ".join(f"{_short(one.field)} {one.before} to {one.after}" for one in diff.changes)
    words = "; ".join(part for part in ("other instructions" if diff.instructions else "", changes) if part)
    return Wanted(
        run_id=story.run_id,
        type=kind,
        title=f"{start.name}: {words}"[:200],
        description=f"{plan.title}: {verdict.reason}. Found by {winner.operator} of"
        f" {' and '.join(winner.parents)}{f' ({winner.why})' if winner.why else ''}.",
        confidence=1.0 - verdict.trial.corrected,
        risk=risk,
        evidence=_evidence(story.run_id, plan, verdict),
        diff=diff,
        start=start,
        candidate=candidate,
        operator=winner.operator,
        base=plan.base,
    )


def propose(story: Story, proposals: Proposals) -> Proposal | None:
    wanted = wanted_of(story)
    return None if wanted is None else proposals.propose(wanted)


def _kind(plan: Plan, genome: Genome) -> tuple[Type, Risk]:
    before = genome_of(plan.start.strategy)
    if genome.model != before.model:
        return "model", "high"
    if genome.instructions != before.instructions:
        return "prompt", "medium"
    schema = plan.start.strategy.schema
    old, new = vector(before.parameters, schema), vector(genome.parameters, schema)
    far = any(abs(a - b) > FAR for a, b in zip(old, new, strict=True))
    return "parameter", "medium" if far else "low"


def _evidence(run_id: str, plan: Plan, verdict: Verdict) -> dict[str, Any]:
    trial = verdict.trial
    assert trial is not None
    return {
        "run_id": run_id,
        "candidate": verdict.candidate,
        "tried": verdict.tried,
        "alpha": verdict.alpha,
        "lucks": trial.blocks,
        "gain": trial.gain,
        "low": trial.low,
        "chance": trial.chance,
        "corrected": trial.corrected,
        "gains": list(verdict.gains),
        "seeds": list(verdict.seeds),
        "seal": verdict.seal,
        "scenarios": [_name(stage) for stage in plan.held_out.stages],
        "opponents": [one.name for one in plan.held_out.opponents],
        "score": in_words(plan.scoring),
        "duel": _duel(plan),
        "matches": [f"{run_id}.{number}" for number in verdict.matches],
    }


def _duel(plan: Plan) -> str:
    """How a duel is told to play what the search played, by the same score."""
    stage = plan.training.stages[0]
    metrics = ",".join(
        f"{one.metric}:{one.of}{':lower' if one.better == 'lower' else ''}" for one in plan.scoring.metrics
    )
    turns = f" --turns {stage['turns']}" if "turns" in stage else ""
    return f"--scenario {_name(stage)}{turns}{f' --metric {metrics}' if metrics else ''}"


def _name(stage: Mapping[str, Any]) -> str:
    return str(stage.get("name") or stage.get("title", ""))


def _short(path: str) -> str:
    return path.removeprefix("parameters.")
