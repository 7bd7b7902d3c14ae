"""The strategies of `examples/`: they hold against their world, and their numbers are what policies read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from windtunnel.strategies import Number, Strategy, content_hash, read_strategy, seat
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.observing import Partner, Seen

FOLDER = Path(__file__).parents[2] / "examples" / "strategies"
ROLE = world.roles["government"]


def partner(ours: float, theirs: float, exports: int) -> Partner:
    return Partner(1.0, 1.0, theirs, ours, exports, 100, 0.01)


QUIET = Seen(
    turn=5, spending=0.2, tax=0.24, treasury=0, debt=500, debt_ratio=0.5, bond_yield=0.01, deficit=0.001,
    gdp=100.0, growth=0.0, inflation=0.0, unemployment=0.0505, rate=0.01, trade_balance=0.0,
    partners={"b": partner(0.0, 0.03, 100), "c": partner(0.19, 0.0, 50)}, statistics=[],
)  # fmt: skip
SITUATIONS = [
    QUIET,
    structs.replace(QUIET, unemployment=0.058, deficit=0.02, debt_ratio=0.51),
    structs.replace(QUIET, unemployment=0.041, deficit=-0.01, debt_ratio=0.2),
    structs.replace(QUIET, unemployment=0.05, debt_ratio=0.6, spending=0.155),
    structs.replace(QUIET, unemployment=0.05, debt_ratio=0.29, spending=0.19),
    structs.replace(QUIET, partners={"b": partner(0.05, 0.03, 100), "c": partner(0.79, 0.0, 50)}),
]


def examples() -> list[Strategy]:
    return [read_strategy(folder, world) for folder in sorted(FOLDER.iterdir())]


def decisions(policy: str, settings: dict[str, Any]) -> list[Any]:
    context: Any = SimpleNamespace(settings=settings)
    return [ROLE.policies[policy](seen, context) for seen in SITUATIONS]


def test_there_are_nine_and_each_is_named_by_its_folder_and_like_no_other():
    found = examples()
    assert [one.name for one in found] == [folder.name for folder in sorted(FOLDER.iterdir())]
    assert len({content_hash(one) for one in found}) == len(found) == 9
    assert {one.policy for one in found} == set(ROLE.policies)


@pytest.mark.parametrize("policy", ROLE.policies)
def test_the_plain_ones_decide_as_their_policies_do_by_themselves(policy):
    plain = read_strategy(FOLDER / policy, world)
    assert decisions(policy, seat(plain, "a").settings) == decisions(policy, {})


def test_every_number_of_theirs_makes_a_difference():
    for one in examples():
        before = decisions(one.policy, dict(one.parameters))
        for name, bounds in one.schema.items():
            assert isinstance(bounds, Number)
            ends = [
                decisions(one.policy, {**one.parameters, name: end})
                for end in (bounds.minimum, bounds.maximum)
            ]
            assert any(end != before for end in ends), f"{one.name}: {name} changes nothing"
