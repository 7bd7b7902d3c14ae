"""The company's needs: a day of many turns, money in cents, one operator after the other, periods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.toys import shop
from tests.toys.flight import fly
from windtunnel.world import AgentSpec, Scenario


def scenario(**more: Any) -> Scenario:
    return Scenario("shop", "toy", turns=24, agents=(AgentSpec("ann"), AgentSpec("bo")), **more)


def test_it_flies(tmp_path: Path) -> None:
    with fly(shop.world, scenario(), tmp_path) as lab:
        assert sum(lab.at().frame.state.accounts.values()) == 0


def test_a_day_has_many_turns_and_a_period_is_told_at_its_end(tmp_path: Path) -> None:
    with fly(shop.world, scenario(), tmp_path, stops=set()) as lab:
        scored = lab.bodies("scored")
        assert all(body["progress"][2] == "day" for body in scored)
        ends = [number for number, body in enumerate(scored, 1) if body.get("period", True)]
        days = [body["progress"][0] for body in scored]
        assert ends
        assert len(ends) == days[-1]
        assert all(days[end - 1] == days[end - 2] + 1 for end in ends)
        actors = [next(iter(body["actions"])) for body in lab.bodies("decided")]
        assert actors[:6] == ["ann"] * 3 + ["bo"] * 3


def test_what_is_too_much_is_made_less_and_recorded_so(tmp_path: Path) -> None:
    agents = (AgentSpec("ann", kind="python"), AgentSpec("bo"))
    greedy = {"ann": lambda seen, context: shop.Buy(1000) if seen.acts == 0 else shop.EndDay()}
    with fly(
        shop.world, Scenario("shop", turns=12, agents=agents), tmp_path, players=lambda: greedy, stops=set()
    ) as lab:
        assert lab.bodies("judged", 1)[0]["verdicts"]["ann"]["action"] == {"type": "Buy", "units": 142}
        assert lab.at(1).frame.state.shops["ann"].stock == 142


def test_a_fork_may_change_a_parameter_that_the_engine_reads(tmp_path: Path) -> None:
    import msgspec

    from windtunnel.run.fork import Change

    def dearth(scenario: Scenario) -> Scenario:
        return msgspec.structs.replace(scenario, parameters=shop.Parameters(demand=0))

    with fly(shop.world, scenario(), tmp_path, stops=set()) as lab:
        lab.fork("6", change=Change(edit=dearth))
        lab.go("fork")
        assert lab.replay("fork").identical
        sold = [
            event["body"] for body in lab.bodies("applied", run_id="fork")[6:] for event in body["events"]
        ]
        assert sold
        assert max(sold) < 5
