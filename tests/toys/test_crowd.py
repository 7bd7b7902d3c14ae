"""Crowds: ten thousand alike are one actor, with a mask, and metrics that are arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.toys import crowd
from tests.toys.flight import fly
from windtunnel.testing.lab import Lab
from windtunnel.world import AgentSpec, Scenario

SIZE = 10_000


def scenario(kind: str = "rule", size: int = SIZE, turns: int = 5) -> Scenario:
    return Scenario("crowd", "toy", turns=turns, agents=(AgentSpec("all", kind=kind, size=size),))


def test_it_flies(tmp_path: Path) -> None:
    with fly(crowd.world, scenario(), tmp_path) as lab:
        assert lab.at().frame.state.wealth.shape == (SIZE,)
        total = [body["metrics"]["world"]["total"] for body in lab.bodies("scored")]
        assert total == pytest.approx([total[0]] * 5)


def test_the_mask_is_recorded_and_holds_back_only_those_who_may_not(tmp_path: Path) -> None:
    with fly(crowd.world, scenario(size=50, turns=2), tmp_path, stops=set()) as lab:
        from windtunnel.codec import decode_body, encode_body

        before = lab.at(1).frame.state.wealth
        raw = lab.bodies("decided", 2)[0]["actions"]["all"]
        offered = decode_body(encode_body(raw), crowd.Pay).amounts
        mask = decode_body(encode_body(lab.bodies("judged", 2)[0]["verdicts"]["all"]["allowed"]), np.ndarray)
        assert mask.tolist() == (offered <= before).tolist()
        assert 0 < mask.sum() < 50


@pytest.mark.parametrize(
    "amounts",
    [
        {}, [], 1.0, "x", {"dtype": "O", "shape": [1], "data": "AAAA"},
        {"dtype": "<f8", "shape": [10**12], "data": ""},
        {"dtype": "no", "shape": [], "data": ""}, {"dtype": "<f8", "shape": "x", "data": "AAAAAAAAAAA="},
        {"dtype": "<f8", "shape": [1], "data": "!"}, np.full(SIZE, np.nan), np.full(3, 1.0), np.array(["a"]),
        np.array([object()]), np.full(SIZE, 1 + 2j),
    ],
    ids=[f"{number}" for number in range(14)],
)  # fmt: skip
def test_arrays_that_are_none_are_refused_and_the_run_goes_on(tmp_path: Path, amounts: Any) -> None:
    players = {"all": lambda seen, context: {"type": "Pay", "amounts": amounts}}
    with Lab(crowd.world, folder=tmp_path, players=players) as lab:
        lab.play(scenario("python", turns=2))
        assert lab.row().status == "completed"
        assert lab.bodies("judged", 1)[-1]["verdicts"]["all"]["kind"] == "no_op"
        assert lab.replay().identical
