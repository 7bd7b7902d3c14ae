"""The market's needs: a clock, held orders, fills as mail, an outside that a simulated run cannot reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.run.clocks import HandClock
from tests.toys import broker
from tests.toys.broker import Desk, Order, Wait
from tests.toys.flight import fly
from windtunnel.errors import WorldError
from windtunnel.journal import Status
from windtunnel.testing.lab import Lab
from windtunnel.world import AgentSpec, Scenario


def scenario(**more: Any) -> Scenario:
    given: dict[str, Any] = {"turns": 10, "agents": (AgentSpec("ann"), AgentSpec("bo")), **more}
    return Scenario("broker", "toy", **given)


class Once:
    """Offers one big order in its second session, then rests."""

    def decide(self, seen: Any, context: Any) -> Any:
        return Order(90) if context.turn == 2 else Wait()


BIG = scenario(agents=(AgentSpec("ann", kind="python"), AgentSpec("bo")), parameters={"limit": 50})


def test_it_flies(tmp_path: Path) -> None:
    with fly(broker.world, scenario(), tmp_path) as lab:
        assert lab.at(3).frame.state.session == 3
        assert lab.at().frame.clock == broker.FIRST + 9 * broker.SESSION


def test_an_order_over_the_limit_waits_for_a_vote_and_is_sent_then(tmp_path: Path) -> None:
    vote = {4: lambda lab, run_id: lab.vote("2.validate.ann.0", run_id=run_id)}
    with fly(broker.world, BIG, tmp_path, players=lambda: {"ann": Once()}, script=vote) as lab:
        assert lab.at(4).frame.state.accounts["ann"].shares == 0
        # The gate still finds it too large; a person said yes, and only a rejection undoes that.
        assert lab.at(5).frame.state.accounts["ann"].shares == 90


def test_an_order_nobody_votes_on_expires(tmp_path: Path) -> None:
    with fly(broker.world, BIG, tmp_path, players=lambda: {"ann": Once()}) as lab:
        assert lab.at().frame.state.tape == ["expired ann"]
        assert lab.at().frame.state.accounts["ann"].shares == 0


def test_an_approved_order_that_can_no_longer_be_paid_is_refused(tmp_path: Path) -> None:
    class Spends:
        def decide(self, seen: Any, context: Any) -> Any:
            return {2: Order(90), 3: Order(50), 4: Order(40)}.get(context.turn, Wait())

    vote = {4: lambda lab, run_id: lab.vote("2.validate.ann.0", run_id=run_id)}
    with fly(broker.world, BIG, tmp_path, players=lambda: {"ann": Spends()}, script=vote) as lab:
        assert lab.at().frame.state.tape == ["refused ann"]
        assert lab.at().frame.state.accounts["ann"].shares == 90


PAPER = scenario(turns=6, mode="paper", agents=(AgentSpec("ann", kind="python"),), parameters={"limit": 500})


def fills(lab: Lab, run_id: str) -> None:
    for name, order in list(lab.at(run_id=run_id).frame.state.orders.items()):
        lab.inject("fill", {"order": name, "shares": order.shares // 2}, run_id=run_id)
        lab.inject("fill", {"order": name, "shares": order.shares - order.shares // 2}, run_id=run_id)


def test_on_paper_orders_go_out_fills_come_in_and_the_clock_is_slept(tmp_path: Path) -> None:
    desk = Desk()
    with fly(
        broker.world, PAPER, tmp_path, players=lambda: {"ann": Once()}, clock=HandClock, script={3: fills},
        effects={"order": broker.order_kind(desk)},
    ) as lab:  # fmt: skip
        assert lab.at(3).frame.state.orders
        assert lab.at(4).frame.state.accounts["ann"].shares == 90
        assert len(desk.orders) == 1  # both runs have the same name, so the desk knows the order by its key
        assert lab.clock is not None
        assert lab.clock.wall() >= broker.FIRST + 5 * broker.SESSION


def test_an_order_left_in_doubt_is_found_again_at_the_desk_and_not_sent_twice(tmp_path: Path) -> None:
    desk = Desk()
    desk.dies = True
    with Lab(
        broker.world, folder=tmp_path, players={"ann": Once()}, clock=HandClock(),
        effects={"order": broker.order_kind(desk)},
    ) as lab:  # fmt: skip
        lab.begin(PAPER)
        with pytest.raises(KeyboardInterrupt):
            lab.go()
        assert lab.go().status is Status.COMPLETED
        assert (len(desk.orders), desk.asked) == (1, 1)
        assert lab.replay().identical


def test_a_simulated_run_cannot_reach_the_outside_whatever_its_scenario_says(tmp_path: Path) -> None:
    desk = Desk()
    with Lab(broker.world, folder=tmp_path, effects={"order": broker.order_kind(desk)}) as lab:
        lab.begin(scenario(parameters={"outside": True}))
        with pytest.raises(WorldError, match="this run is simulated"):
            lab.go()
        assert desk.orders == {}
        assert lab.row().status is Status.FAILED
