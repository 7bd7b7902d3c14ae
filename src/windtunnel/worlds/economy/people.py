"""Households: what they earn, where they work, what they would spend. Everything is arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from windtunnel.world import Chance
from windtunnel.worlds.economy import ledger
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import Cents, Nation, Reals


class Hired(NamedTuple):
    """The labour market of one quarter."""

    vacancies: Reals  # by firm
    filled: Reals
    queue: float  # those without a job over the labour force, before anybody was hired


def staff(nation: Nation) -> Reals:
    """Skill at work, by firm."""
    people, count = nation.people, nation.firms.cash.size
    working = people.job >= 0
    found: Reals = np.bincount(people.job[working], people.skill[working], minlength=count).astype(np.float64)
    return found


def unemployment(nation: Nation) -> float:
    job = nation.people.job
    return float(np.count_nonzero(job < 0)) / job.size


def work(nation: Nation, wanted: Reals, p: Parameters, chance: Chance) -> Hired:
    """Some leave, some are let go, and vacancies meet those who look for work; better pay is seen first."""
    people, count = nation.people, wanted.size
    luck = chance.randoms(2 * people.job.size).reshape(2, -1)
    job = people.job
    leaves = (job >= 0) & (luck[0] < p.separation)
    job[leaves] = -1
    have = staff(nation)
    surplus = np.where(have > wanted, 1.0 - wanted / np.maximum(have, 1e-9), 0.0) * p.firing_speed
    working = np.flatnonzero(job >= 0)
    job[working[luck[1][working] < surplus[job[working]]]] = -1
    idle = np.flatnonzero(job < 0)
    queue = idle.size / job.size
    lacking = np.maximum(wanted - staff(nation), 0.0) / float(people.skill.mean())
    whole = np.floor(lacking)
    vacancies = whole + (chance.randoms(count) < lacking - whole)
    slots = np.repeat(np.arange(count), vacancies.astype(np.int64))
    appeal = nation.firms.wage[slots] * (0.9 + 0.2 * chance.randoms(slots.size))
    slots = slots[np.argsort(-appeal, kind="stable")]
    seekers = idle[chance.permutation(idle.size)]
    met = int(matches(seekers.size, slots.size, p.matching) + float(chance.random()))
    job[seekers[:met]] = slots[:met]
    return Hired(vacancies, np.bincount(slots[:met], minlength=count).astype(np.float64), queue)


def matches(seekers: int, vacancies: int, ease: float) -> float:
    """How many of them find each other: never more than there are of either (den Haan, Ramey, Watson
    2000)."""
    if not seekers or not vacancies:
        return 0.0
    found: float = seekers * (1.0 + (seekers / vacancies) ** ease) ** (-1.0 / ease)
    return min(found, seekers - 1e-9, vacancies - 1e-9)


def pay_wages(nation: Nation, bill: Cents, pay: Cents) -> int:
    """Wages, less the tax on them, which goes to the state at once. Returns the tax."""
    people = nation.people
    ledger.pay(nation, ledger.WAGES, ledger.FIRMS, ledger.HOUSEHOLDS, bill, pay)
    tax = (pay * nation.tax).astype(np.int64)
    people.income = pay - tax
    return ledger.pay(nation, ledger.TAXES, ledger.HOUSEHOLDS, ledger.GOVERNMENT, tax, int(tax.sum()))


def benefits_due(nation: Nation, p: Parameters) -> int:
    """What the state owes those without work this quarter."""
    idle = nation.people.job < 0
    count = int(np.count_nonzero(idle))
    if count == idle.size:
        net = nation.base_wage * (1.0 - nation.tax)
    else:
        net = float(nation.people.income[~idle].mean())
    return count * int(p.benefit * net)


def pay_benefits(nation: Nation, funds: int) -> int:
    """The same to everyone without work; less for all if the state has less."""
    people = nation.people
    idle = people.job < 0
    each = funds // max(int(np.count_nonzero(idle)), 1)
    benefits = np.where(idle, each, 0)
    people.income = people.income + benefits
    total = int(benefits.sum())
    return ledger.pay(nation, ledger.BENEFITS, ledger.GOVERNMENT, ledger.HOUSEHOLDS, total, benefits)


def receive(nation: Nation, row: int, payer: int, give: ledger.Amount, weights: Reals | None = None) -> int:
    """Dividends, by how much one owns: each household pays tax on its part."""
    people = nation.people
    total = give if isinstance(give, int) else int(give.sum())
    if total <= 0:
        return 0
    take = ledger.allocate(total, stakes(nation) if weights is None else weights)
    ledger.pay(nation, row, payer, ledger.HOUSEHOLDS, give, take)
    tax = (take * nation.tax).astype(np.int64)
    people.income = people.income + take - tax
    return ledger.pay(nation, ledger.TAXES, ledger.HOUSEHOLDS, ledger.GOVERNMENT, tax, int(tax.sum()))


def stakes(nation: Nation) -> Reals:
    """Who owns the firms and the bank: all, and the more skilled more than in proportion."""
    return np.square(nation.people.skill)


def spendable(nation: Nation, wish: Reals) -> Cents:
    """A wish, made a sum that is there."""
    clean = np.nan_to_num(wish, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(clean, 0.0, nation.people.cash.astype(np.float64)).astype(np.int64)
