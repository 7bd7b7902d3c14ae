"""The gate: whether the one that the search brought out is better than the start, on luck it never saw.

It is asked once, after the search. Every candidate that was made counts as tried, so that of evolutions over
nothing but noise no more than `alpha` promote, however many candidates each looks at.
"""

from __future__ import annotations

from collections.abc import Mapping

from windtunnel.errors import WorldError
from windtunnel.evolution.model import START, Plan, Record, Verdict
from windtunnel.evolution.trials import Results, error_of, held_out_seeds, mean_of, records_of, seal_of
from windtunnel.tournaments.rating.correction import promote


def opened(plan: Plan) -> tuple[int, ...]:
    """The held-out seeds, if they are what was sealed before the first match."""
    if seal_of(plan) != plan.seal:
        raise WorldError(
            "the held-out seeds, scenarios or opponents are not those that were sealed", where="seal",
            remedy="the plan was changed after it was begun: begin another evolution",
        )  # fmt: skip
    return held_out_seeds(plan)


def brought_out(records: Mapping[str, Record]) -> str | None:
    """Whom the search recommends: the highest gain of which its own luck is taken off, a standard error.
    None where nobody did better than the start."""
    sound = {name: one for name, one in records.items() if name != START and one.gains and not one.failed}
    known = {name: one for name, one in sound.items() if error_of(one) is not None} or sound
    best = max(known, key=lambda name: mean_of(known[name]) - (error_of(known[name]) or 0.0), default=None)
    return best if best is not None and mean_of(known[best]) > 0 else None


def judged(plan: Plan, candidate: str, tried: int, results: Results) -> Verdict:
    """What the held-out matches say. One that did not end as the start's in the same place speaks against."""
    record = records_of(results).get(candidate, Record())
    (trial,) = promote({candidate: record.gains}, tried=tried, alpha=plan.alpha)
    spoilt = _spoilt(candidate, results)
    interval = "" if trial.low is None else f", and more than {trial.low:+.4g} with {1 - plan.alpha:.0%}"
    told = (
        f"on {trial.blocks} held-out lucks it gains {trial.gain:+.4g}{interval} confidence"
        f" (chance {trial.corrected:.2g}, corrected for {tried} tried)"
    )
    if trial.low is None:
        told = f"on {trial.blocks} held-out lucks it gains {trial.gain:+.4g}, too few to tell"
    if spoilt:
        told = f"{spoilt} of its held-out matches came to no end; {told}"
    return Verdict(
        trial.promoted and not spoilt,
        told,
        candidate,
        tried,
        plan.alpha,
        trial,
        tuple(record.gains),
        tuple(bout.number for bout, _ in results),
        opened(plan),
        plan.seal,
    )


def _spoilt(candidate: str, results: Results) -> int:
    ended = {
        (bout.stage, bout.seed, bout.opponent, bout.seat): outcome.ending
        for bout, outcome in results
        if bout.candidate == START
    }
    return sum(
        outcome.ending != "played"
        and (
            outcome.fault == candidate
            or ended.get((bout.stage, bout.seed, bout.opponent, bout.seat)) == "played"
        )
        for bout, outcome in results
        if bout.candidate == candidate
    )
