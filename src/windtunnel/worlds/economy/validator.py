"""The judge of budgets. A wish that names nobody's border is refused, so that its author can mend it; one
that goes too far is cut to what a parliament would let pass in a turn, and says so."""

from __future__ import annotations

from typing import Any

from windtunnel.world import ACCEPT, Actor, Context, Verdict, amend, reject
from windtunnel.worlds.economy.actions import Budget
from windtunnel.worlds.economy.engine import parameters
from windtunnel.worlds.economy.state import Nation, State


class Parliament:
    def check(self, state: State, actor: Actor, action: Any, context: Context) -> Verdict:
        if type(action) is not Budget:
            return ACCEPT
        nation = state.nations[actor.id]
        for partner in action.tariffs:
            if partner == actor.id or partner not in state.nations:
                others = ", ".join(name for name in state.nations if name != actor.id)
                what = "itself" if partner == actor.id else f"{partner!r}, which is no nation here"
                return reject(f"a tariff on {what}; the partners are: {others}")
        p = parameters(context)
        reasons: list[str] = []
        spending = _step(nation.spending, action.spending, p.budget_step, "spending", reasons)
        tax = _step(nation.tax, action.tax, p.budget_step, "tax", reasons)
        tariffs = {
            partner: _step(
                nation.tariffs.get(partner, 0.0), rate, p.tariff_step, f"tariff on {partner}", reasons
            )
            for partner, rate in action.tariffs.items()
        }
        spending, tax = _within_ceiling(nation, spending, tax, p.debt_ceiling, reasons)
        return amend(Budget(spending, tax, tariffs), "; ".join(reasons)) if reasons else ACCEPT


def _step(now: float, wished: float, step: float, name: str, reasons: list[str]) -> float:
    if abs(wished - now) <= step + 1e-12:
        return wished
    reasons.append(f"{name} may change by at most {step:g} a turn, not from {now:.4g} to {wished:.4g}")
    return now + step if wished > now else now - step


def _within_ceiling(
    nation: Nation, spending: float, tax: float, ceiling: float, reasons: list[str]
) -> tuple[float, float]:
    debt = nation.books.bonds / max(nation.annual, 1.0)
    if debt < ceiling or (spending <= nation.spending and tax >= nation.tax):
        return spending, tax
    reasons.append(
        f"debt of {debt:.0%} of a year's output stands at the ceiling of {ceiling:.0%}: no looser budget"
    )
    return min(spending, nation.spending), max(tax, nation.tax)
