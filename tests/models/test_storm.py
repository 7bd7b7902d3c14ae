"""Many calls under mixed faults: no reply is lost, no budget passed, and every call comes to an end."""

import asyncio
import random

import pytest

from tests.models.fakes import Fake, Stage
from windtunnel.config.models import Breaker, Price, Retry
from windtunnel.errors import BudgetReached, ModelError
from windtunnel.models.budget import Ceiling, Purse
from windtunnel.models.talk import Ask, Message, Reply, Usage
from windtunnel.models.triggers import Failure, Unanswered

CALLS = 500
FAULTS = (
    Failure("busy", "slow down", 429, 2.0),
    Failure("server", "in trouble", 503),
    Failure("server", "gave up waiting", 504, None, None),
    Failure("connection", "cut off", None, None, None),
    Failure("output", "garbage", None, None, None),
    Failure("quota", "pay first", 402),
)


class Stormy(Fake):
    """Fails as often as it is told; keeps what it would bill: also replies that never arrived."""

    def __init__(self, seed: int, share: float) -> None:
        super().__init__()
        self.luck, self.share = random.Random(seed), share
        self.billed = self.under_way = self.widest = 0

    async def ask(self, ask: Ask, key: str, limit: float) -> Reply:
        self.asked.append((ask, key, limit))
        self.under_way += 1
        self.widest = max(self.widest, self.under_way)
        for _ in range(self.luck.randrange(1, 6)):
            await asyncio.sleep(0)
        self.under_way -= 1
        used = Usage(self.luck.randrange(1, 20), self.luck.randrange(1, ask.max_tokens))
        if self.luck.random() < self.share:
            fault = self.luck.choice(FAULTS)
            if fault.paid is None:
                self.billed += used.input + used.output
            raise Unanswered(fault)
        self.billed += used.input + used.output
        return Reply(f"answer to {key}", usage=used)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("share", "budget"), [(0.1, None), (0.5, None), (0.5, 60_000), (1.0, 200_000)])
def test_a_storm_over_500_calls(seed, share, budget):
    stormy = Stormy(seed, share), Stormy(seed + 100, share)
    price = {"first": Price(1, 1), "second": Price(1, 1)}  # a micro-dollar a token: bills can be compared
    stage = Stage(*stormy, prices=price, retry=Retry(attempts=3), breaker=Breaker(failures=5, rest=5))
    purse = Purse("run", Ceiling(budget))

    async def one(number: int) -> Reply:
        messages = (Message("user", "hello"),)
        return await stage.ask(
            messages=messages, key=f"k{number}", accounts=(purse,), max_tokens=200, run=f"r{number % 5}"
        )

    async def storm() -> list[Reply | BaseException]:
        return await asyncio.gather(*(one(number) for number in range(CALLS)), return_exceptions=True)

    ends = asyncio.run(storm())
    assert {type(end) for end in ends} <= {Reply, ModelError, BudgetReached}
    for number, end in enumerate(ends):
        if isinstance(end, Reply):
            assert end.text == f"answer to k{number}"
    paid = sum(end.cost for end in ends if isinstance(end, Reply))
    noted = sum(body["cost"] for kind, body in stage.notes if kind == "model_attempt")
    assert paid == noted == purse.spent.money
    doubts = sum(body["doubt"]["money"] for _, body in stage.notes if "doubt" in body)
    assert purse.reserved.money == doubts
    assert sum(one.billed for one in stormy) <= purse.spent.money + purse.reserved.money
    if budget is not None:
        assert purse.spent.money + purse.reserved.money <= budget
    asked = sum(len(one.asked) for one in stormy)
    assert asked == sum(kind == "model_attempt" for kind, _ in stage.notes)
    assert all(line.busy == 0 and line.waiting == 0 for line in stage.gateway.health())
    if share <= 0.1:
        assert sum(isinstance(end, Reply) for end in ends) >= CALLS * 0.95
