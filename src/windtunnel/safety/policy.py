"""Judging by a policy: what a world accepted may still wait for people, or be refused. Never looser.

The rules are asked in their order; the first that fits decides. Where a rule that holds or refuses asks for
an amount and nobody can say it (or says it in another unit), it fits: what cannot be shown to be small is not
taken for small. A rule that allows fits only what can be shown. Whatever the rules say, what is of high or
critical risk waits for two people.

Nothing here knows a world, a clock or chance: the same state and action always get the same word.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from windtunnel.scenario import GRAVE, PolicyFile, PolicyRule, fits_type
from windtunnel.world import Hold, Risk, Stakes, Verdict, reject

RISKS: tuple[Risk, ...] = get_args(Risk)
FLOOR = PolicyRule("hold", name="grave", approvers=2, reason="what is of high or critical risk waits for two")


class Policy:
    """The policy of a scenario, as it is recorded with the run."""

    def __init__(self, plain: Mapping[str, Any]) -> None:
        given = msgspec.convert(plain, PolicyFile)
        self.name, self.rules = given.name, given.rules

    def rule(self, action: Any, stakes: Stakes) -> PolicyRule | None:
        """The first rule that fits."""
        return next((rule for rule in self.rules if fits(rule, action, stakes)), None)

    def judge(self, verdict: Verdict, action: Any, stakes: Stakes) -> Verdict:
        """The stricter of two words: the world's `verdict`, and the policy's on what would then be done."""
        if verdict.kind == "reject":
            return verdict
        theirs = verdict.hold if verdict.kind == "hold" else None
        if theirs is not None:
            stakes = msgspec.structs.replace(
                stakes,
                risk=riskier(stakes.risk, theirs.risk),
                amount=stakes.amount if theirs.amount is None else theirs.amount,
                unit=stakes.unit if theirs.amount is None else theirs.unit or stakes.unit,
            )
        rule = self.rule(action, stakes)
        if rule is not None and rule.do == "refuse":
            return reject(self._why(rule, stakes))
        if rule is None or rule.do == "allow":
            if stakes.risk not in GRAVE:
                return verdict
            rule = FLOOR
        return self._held(verdict, theirs, rule, action, stakes)

    def _held(
        self, verdict: Verdict, theirs: Hold | None, rule: PolicyRule, action: Any, stakes: Stakes
    ) -> Verdict:
        why = "; ".join(part for part in (self._why(rule, stakes), verdict.reason) if part)
        least = 2 if stakes.risk in GRAVE else 1
        known = amount_of(rule, action, stakes) if rule.amount else stakes.amount
        mode = theirs.mode if theirs is not None else rule.mode
        if verdict.allowed is not None:
            mode = "park"  # what comes back as an event has no mask
        terms = Hold(
            why,
            mode,
            stakes.risk,
            known,
            max(rule.approvers or 1, least, theirs.approvers if theirs else 1),
            sooner(rule.expires_seconds, theirs.expires_seconds if theirs else None),
            sooner(rule.expires_turns, theirs.expires_turns if theirs else None),
            stakes.summary or (theirs.summary if theirs else ""),
            rule.amount or stakes.unit,
            f"{self.name}: {rule.name}" if rule.name else self.name,
            tuple(dict.fromkeys((*rule.tell, *(theirs.tell if theirs else ())))),
        )
        instead = verdict.action if verdict.kind in ("amend", "hold") else None
        return Verdict("hold", why, action=instead, allowed=verdict.allowed, hold=terms)

    def _why(self, rule: PolicyRule, stakes: Stakes) -> str:
        if rule.reason:
            return rule.reason
        called = f" {rule.name!r}" if rule.name else ""
        does = "is refused" if rule.do == "refuse" else "waits"
        return f"what the rule{called} of the policy {self.name!r} speaks of {does} ({stakes.risk} risk)"


def fits(rule: PolicyRule, action: Any, stakes: Stakes) -> bool:
    """Whether a rule speaks of an action."""
    if not fits_type(rule, type(action).__name__) or (rule.risk and stakes.risk not in rule.risk):
        return False
    if rule.over is None and rule.under is None:
        return True
    if rule.amount and not hasattr(action, rule.amount):
        return False
    known = amount_of(rule, action, stakes)
    if known is None:
        return rule.do != "allow"
    return (rule.over is None or known > rule.over) and (rule.under is None or known < rule.under)


def amount_of(rule: PolicyRule, action: Any, stakes: Stakes) -> float | None:
    """The amount that a rule asks for; None where it cannot be said."""
    if rule.amount:
        return magnitude(getattr(action, rule.amount, None))
    if rule.unit and rule.unit != stakes.unit:
        return None
    return stakes.amount


def magnitude(value: Any) -> float | None:
    """How much a field says, whichever way it goes: of a number itself, of a crowd's array, of the numbers
    in a mapping or list all together."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(abs(value)) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        parts = [magnitude(item) for item in value]
        return None if None in parts else sum(part for part in parts if part is not None)
    if hasattr(value, "dtype") and value.dtype.kind in "iuf":
        total = float(abs(value.astype(float)).sum())
        return total if math.isfinite(total) else None
    return None


def riskier(one: Risk, other: Risk) -> Risk:
    return max(one, other, key=RISKS.index)


def sooner(one: Any, other: Any) -> Any:
    given = [value for value in (one, other) if value is not None]
    return min(given) if given else None
