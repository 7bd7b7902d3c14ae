"""Which policy wins where: the table of the world's README, line by line."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

from tests.worlds.economy.conftest import Table, scenario, seated
from windtunnel.world import AgentSpec, Scenario

SEEDS = (1, 2, 3)
GOVERNMENTS = ("steady", "balanced", "austerity", "keynesian", "mercantilist")
BANKS = ("taylor", "hawk", "dove")
TRADERS = ("carry", "value", "hedger")
TURNS = {
    "growth": 100,
    "trade_war": 100,
    "recession": 60,
    "stimulus": 60,
    "debt_crisis": 60,
    "currency_attack": 60,
}


def with_seat(given: Scenario, role: str, policy: str) -> Scenario:
    """The scenario with one more seat, and no other of that role."""
    others = tuple(agent for agent in given.agents if agent.role != role)
    settings = {"nation": "aldland"} if role == "central_bank" else {}
    return msgspec.structs.replace(
        given, agents=(*others, AgentSpec("seat", role, policy=policy, settings=settings))
    )


@cache
def played(name: str, role: str, policy: str, seed: int) -> Table:
    given = scenario(name)
    if role == "government":
        given = seated(given, **{"borland" if name == "debt_crisis" else "aldland": policy})
    else:
        given = with_seat(given, role, policy)
    return Table(given, seed).play(TURNS[name])


def outcome(name: str, role: str, policy: str, measure: str, seeds: tuple[int, ...]) -> float:
    """More is better, whatever is measured; the mean over the seeds."""
    if measure == "work":
        idle = [played(name, role, policy, seed).mean("unemployment", "aldland") for seed in seeds]
        return -sum(idle) / len(idle)
    who = "seat" if role != "government" else "borland" if name == "debt_crisis" else "aldland"
    values = []
    for seed in seeds:
        curve = played(name, role, policy, seed).curve("wealth" if measure == "worst year" else measure, who)
        if measure == "worst year":
            values.append(min(later / earlier for earlier, later in zip(curve, curve[4:], strict=False)))
        else:
            values.append(
                -curve[-1] if measure == "loss" else curve[-1] / (curve[0] if role == "trader" else 1.0)
            )
    return sum(values) / len(values)


def figures(name: str, role: str, measure: str, seeds: tuple[int, ...]) -> dict[str, float]:
    policies = {"government": GOVERNMENTS, "central_bank": BANKS, "trader": TRADERS}[role]
    return {policy: outcome(name, role, policy, measure, seeds) for policy in policies}


WINS = [
    ("government", "steady", "growth", "welfare"),
    ("government", "steady", "trade_war", "welfare"),
    ("government", "balanced", "growth", "wealth"),
    ("government", "austerity", "debt_crisis", "welfare"),
    ("government", "keynesian", "stimulus", "welfare"),
    ("government", "mercantilist", "debt_crisis", "wealth"),
    ("central_bank", "taylor", "growth", "loss"),
    ("central_bank", "dove", "growth", "work"),
    ("central_bank", "hawk", "currency_attack", "loss"),
    ("trader", "carry", "growth", "wealth"),
    ("trader", "value", "debt_crisis", "wealth"),
    ("trader", "hedger", "debt_crisis", "worst year"),
]
LOSES = [  # against whom; the last of all where nobody is named
    ("government", "steady", "debt_crisis", "wealth", ""),
    ("government", "balanced", "recession", "welfare", "keynesian"),
    ("government", "austerity", "growth", "welfare", ""),
    ("government", "austerity", "recession", "welfare", ""),
    ("government", "keynesian", "trade_war", "welfare", "steady"),
    ("government", "mercantilist", "trade_war", "welfare", ""),
    ("central_bank", "taylor", "trade_war", "loss", "hawk"),
    ("central_bank", "dove", "currency_attack", "loss", ""),
    ("central_bank", "hawk", "recession", "loss", ""),
    ("trader", "carry", "debt_crisis", "worst year", "hedger"),
    ("trader", "value", "growth", "wealth", "carry"),
    ("trader", "hedger", "growth", "wealth", ""),
]


# So close that the luck of one seed may turn them: only the soak's three seeds show them.
CLOSE = [
    ("government", "balanced", "growth", "wealth"),
    ("central_bank", "hawk", "currency_attack", "loss"),
    ("central_bank", "dove", "currency_attack", "loss", ""),
]


def wins(role: str, policy: str, name: str, measure: str, seeds: tuple[int, ...]) -> None:
    found = figures(name, role, measure, seeds)
    assert max(found, key=lambda one: found[one]) == policy, found


def loses(role: str, policy: str, name: str, measure: str, against: str, seeds: tuple[int, ...]) -> None:
    if against:  # the others are not asked: each is a run of its own
        found = {one: outcome(name, role, one, measure, seeds) for one in (policy, against)}
        assert found[policy] < found[against], found
    else:
        found = figures(name, role, measure, seeds)
        assert min(found, key=lambda one: found[one]) == policy, found


@pytest.mark.slow
@pytest.mark.parametrize(("role", "policy", "name", "measure"), [one for one in WINS if one not in CLOSE])
def test_it_wins_with_one_seed_where_the_table_says(role: str, policy: str, name: str, measure: str) -> None:
    wins(role, policy, name, measure, SEEDS[:1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "policy", "name", "measure", "against"), [one for one in LOSES if one not in CLOSE]
)
def test_it_loses_with_one_seed_where_the_table_says(
    role: str, policy: str, name: str, measure: str, against: str
) -> None:
    loses(role, policy, name, measure, against, SEEDS[:1])


@pytest.mark.soak
@pytest.mark.parametrize(("role", "policy", "name", "measure"), WINS)
def test_it_wins_where_the_table_says(role: str, policy: str, name: str, measure: str) -> None:
    wins(role, policy, name, measure, SEEDS)


@pytest.mark.soak
@pytest.mark.parametrize(("role", "policy", "name", "measure", "against"), LOSES)
def test_it_loses_where_the_table_says(role: str, policy: str, name: str, measure: str, against: str) -> None:
    loses(role, policy, name, measure, against, SEEDS)


def test_every_policy_wins_somewhere_and_loses_somewhere() -> None:
    everyone = {*GOVERNMENTS, *BANKS, *TRADERS}
    assert {line[1] for line in WINS} == everyone
    assert {line[1] for line in LOSES} == everyone
