"""The judge of actions. A wish that makes no sense is refused, so that its author can mend it; one that goes
too far is cut to what a parliament, or a committee, would let pass in a quarter, and says so."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.world import ACCEPT, Actor, Context, Verdict, amend, reject
from windtunnel.worlds.economy.actions import Budget, Rebalance, SetRate, Spend
from windtunnel.worlds.economy.parameters import parameters
from windtunnel.worlds.economy.state import State


class Institutions:
    def check(self, state: State, actor: Actor, action: Any, context: Context) -> Verdict:
        if type(action) is Budget:
            return _budget(state, actor, action, context)
        if type(action) is SetRate:
            return _rate(state, actor, action, context)
        if type(action) is Rebalance:
            return _portfolio(state, action)
        if type(action) is Spend:
            return _spending(state, actor, action)
        return ACCEPT


def _budget(state: State, actor: Actor, action: Budget, context: Context) -> Verdict:
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
        partner: _step(nation.tariffs.get(partner, 0.0), rate, p.tariff_step, f"tariff on {partner}", reasons)
        for partner, rate in action.tariffs.items()
    }
    return amend(Budget(spending, tax, tariffs), "; ".join(reasons)) if reasons else ACCEPT


def _rate(state: State, actor: Actor, action: SetRate, context: Context) -> Verdict:
    p = parameters(context)
    now = state.nations[state.central[actor.id]].rate
    reasons: list[str] = []
    rate = _step(now, action.rate, p.rate_step, "the rate", reasons)
    if rate > p.max_rate:
        reasons.append(f"the rate may be {p.max_rate:g} at most")
        rate = p.max_rate
    return amend(SetRate(rate, action.defend), "; ".join(reasons)) if reasons else ACCEPT


def _step(now: float, wished: float, step: float, name: str, reasons: list[str]) -> float:
    if abs(wished - now) <= step + 1e-12:
        return wished
    reasons.append(f"{name} may change by at most {step:g} a turn, not from {now:.4g} to {wished:.4g}")
    return now + step if wished > now else now - step


def _portfolio(state: State, action: Rebalance) -> Verdict:
    wishes = [*action.cash.items(), *action.bonds.items(), *action.goods.items()]
    for name, _ in wishes:
        if name not in state.nations:
            return reject(f"{name!r} is no nation here; they are: {', '.join(state.nations)}")
    if (whole := sum(share for _, share in wishes)) > 1.0 + 1e-9:
        return reject(f"the shares add up to {whole:.3f}, and may add up to one at most")
    return ACCEPT


def _spending(state: State, actor: Actor, action: Spend) -> Verdict:
    crowd = state.nations[state.crowds[actor.id]].people
    if action.cents.size and action.cents.shape != crowd.cash.shape:
        return reject(
            f"`cents` has shape {list(action.cents.shape)}; the crowd is {crowd.cash.size} households"
        )
    if action.cents.size and float(np.min(action.cents)) < 0.0:
        return reject("nobody can spend less than nothing")
    return ACCEPT
