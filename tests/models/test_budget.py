import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.models.fakes import Fake, Stage, ok
from windtunnel.config.models import Budgets, Limit, Price, Retry
from windtunnel.errors import BudgetReached, ModelError, ModelSetup
from windtunnel.models.budget import Amount, Ceiling, Desk, Held, Purse
from windtunnel.models.prices import most_tokens
from windtunnel.models.talk import Ask, Reply, Usage
from windtunnel.models.triggers import Failure

CENT = 10_000
CUT = Failure("connection", "cut off", None, None, None)


def full(stage: Stage, tokens: int) -> Reply:
    """A reply that uses all that was reserved: at one dollar a million tokens, a micro-dollar each."""
    return Reply("ready", usage=Usage(tokens, 0))


def test_a_hundred_calls_for_one_remaining_cent_one_wins():
    ask = Ask("first", (), max_tokens=CENT - most_tokens(Ask("first", (), max_tokens=0)).input)
    stage = Stage(Fake(Reply("ready", usage=Usage(CENT, 0))), prices={"first": Price(1, 1)})
    purse = Purse("run", Ceiling(3 * CENT), [(Amount(2 * CENT, 0), Amount())])

    async def storm() -> list[object]:
        calls = (stage.gateway.ask(ask, key=f"k{n}", accounts=(purse,)) for n in range(100))
        return await asyncio.gather(*calls, return_exceptions=True)

    ends = asyncio.run(storm())
    assert sum(isinstance(end, Reply) for end in ends) == 1
    assert sum(isinstance(end, BudgetReached) for end in ends) == 99
    assert len(stage.fakes["first"].asked) == 1
    assert purse.spent.money == 3 * CENT


def test_a_hundred_threads_for_one_remaining_cent_one_wins():
    purse = Purse("run", Ceiling(CENT))

    def reserve(_: int) -> bool:
        try:
            purse.reserve("k", Amount(CENT))
        except BudgetReached:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(reserve, range(100))) == 1


def test_calls_wait_for_what_others_give_back_and_are_not_refused_for_it():
    """Each call may take half of the budget, and takes a hundredth: all of them fit."""
    ask = Ask("first", (), max_tokens=5_000)
    stage = Stage(Fake(ok()), prices={"first": Price(1, 1)})
    purse = Purse("run", Ceiling(12_000))

    async def storm() -> list[Reply]:
        calls = (stage.gateway.ask(ask, key=f"k{n}", accounts=(purse,)) for n in range(50))
        return await asyncio.gather(*calls)

    assert len(asyncio.run(storm())) == 50
    assert purse.spent == Amount(50 * 12, 50 * 12)
    assert purse.reserved == Amount()


def test_a_call_in_doubt_stays_reserved_and_is_noted():
    stage = Stage(Fake(CUT, ok()), prices={"first": Price(1, 1)})
    purse = Purse("run", Ceiling(1_000_000))
    asyncio.run(stage.ask("first", accounts=(purse,)))
    worst = stage.gateway.worst_case(Ask("first", stage.fakes["first"].asked[0][0].messages))
    assert purse.spent == Amount(12, 12)
    assert purse.reserved == worst
    assert stage.notes[0][1]["doubt"] == worst._asdict()


@pytest.mark.parametrize("trigger", ["busy", "server", "quota", "denied", "context"])
def test_what_was_turned_away_costs_nothing(trigger):
    stage = Stage(Fake(Failure(trigger, "no", 400)), prices={"first": Price(1, 1)}, retry=Retry(attempts=1))
    purse = Purse("run", Ceiling(1_000_000))
    with pytest.raises(ModelError):
        asyncio.run(stage.ask("first", accounts=(purse,)))
    assert (purse.spent, purse.reserved) == (Amount(), Amount())


def test_a_cancelled_call_stays_reserved_once_it_went_out():
    async def hang(_ask: Ask) -> Reply:
        await asyncio.sleep(60)
        return ok()

    stage = Stage(Fake(hang), prices={"first": Price(1, 1)})
    purse = Purse("run", Ceiling(1_000_000))

    async def play() -> None:
        task = asyncio.ensure_future(stage.ask("first", accounts=(purse,)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stage.gateway.health()[0].busy == 0

    asyncio.run(play())
    assert purse.reserved.money > 0
    assert stage.notes[-1][1]["outcome"] == "cut"


def test_the_limit_of_one_call_counts_its_retries():
    worst = Stage(Fake()).gateway.worst_case(Ask("first", (), max_tokens=100)).tokens
    budgets = Budgets(call=Limit(tokens=2 * worst))
    stage = Stage(Fake(CUT), budgets=budgets, retry=Retry(attempts=5))
    with pytest.raises(BudgetReached) as caught:
        asyncio.run(stage.ask("first", messages=(), max_tokens=100))
    assert len(stage.fakes["first"].asked) == 2
    assert caught.value.where == "call k"


def test_accounts_are_nested_all_of_them_or_none():
    inner, outer = Purse("run", Ceiling(100)), Purse("tournament", Ceiling(10))
    with pytest.raises(BudgetReached) as caught:
        Desk().reserve((inner, outer), "k", Amount(50))
    assert caught.value.where == "tournament"
    assert inner.reserved == Amount()


def test_a_model_without_a_price_is_refused_under_a_money_budget_only():
    stage = Stage(Fake())
    assert asyncio.run(stage.ask("first", accounts=(Purse("run", Ceiling(None, 10**6)),))).cost == 0
    stage.gateway._loop = None
    with pytest.raises(ModelSetup, match="no price") as caught:
        asyncio.run(stage.ask("first", accounts=(Purse("run", Ceiling(10**9)),)))
    assert "models.prices" in (caught.value.remedy or "")


def test_a_local_model_costs_nothing_and_needs_no_price():
    stage = Stage(Fake(), local=["first"])
    purse = Purse("run", Ceiling(0))
    assert asyncio.run(stage.ask("first", accounts=(purse,))).cost == 0
    assert purse.spent == Amount(0, 12)


def test_a_reply_that_does_not_say_what_it_used_costs_the_worst_case():
    stage = Stage(Fake(Reply("ready")), prices={"first": Price(1, 1)})
    purse = Purse("run", Ceiling(10**9))
    reply = asyncio.run(stage.ask("first", accounts=(purse,)))
    assert reply.cost == purse.spent.money == stage.gateway.worst_case(Ask("first", _hello())).money
    assert reply.marks


def _hello():
    from tests.models.fakes import HELLO

    return HELLO


def test_the_account_of_a_run_is_rebuilt_from_its_journal():
    purse = Purse(
        "run", Ceiling(100), [(Amount(30), Amount()), (Amount(), Amount(40)), (Amount(5), Amount(5))]
    )
    assert (purse.spent.money, purse.reserved.money) == (35, 45)
    purse.reserve("k", Amount(20))
    with pytest.raises(BudgetReached):
        purse.reserve("k", Amount(1))


def test_the_error_says_what_was_spent_what_is_reserved_and_how_to_go_on():
    purse = Purse("run r1", Ceiling(1_000_000), [(Amount(600_000), Amount(350_000))])
    with pytest.raises(BudgetReached) as caught:
        purse.reserve("k", Amount(60_000))
    error = caught.value
    for said in ("$1.00", "$0.60 spent", "$0.35 reserved", "$0.06"):
        assert said in error.message
    assert "models.budgets.run" in (error.remedy or "")
    assert error.exit_code == 4


amounts = st.builds(Amount, st.integers(0, 50), st.integers(0, 50))


class Accounts(RuleBasedStateMachine):
    """Whatever is reserved, settled and kept: no account passes its ceiling, and no micro-dollar is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.purses = (Purse("run", Ceiling(200, 300)), Purse("workspace", Ceiling(150, None)))
        self.open: list[Held] = []
        self.spent, self.kept = Amount(), Amount()

    @rule(amount=amounts)
    def reserve(self, amount: Amount) -> None:
        before = [(purse.spent, purse.reserved) for purse in self.purses]
        fits = all(
            purse.ceiling.holds(purse.spent.plus(purse.reserved).plus(amount)) for purse in self.purses
        )
        try:
            self.open.append(self.desk.reserve(self.purses, "k", amount))
            assert fits
        except BudgetReached:
            assert not fits
            assert before == [(purse.spent, purse.reserved) for purse in self.purses]

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        held = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        paid = Amount(*(data.draw(st.integers(0, most)) for most in held.amount))
        held.settle(paid)
        self.spent = self.spent.plus(paid)

    @precondition(lambda self: self.open)
    @rule()
    def keep(self) -> None:
        held = self.open.pop()
        held.keep()
        self.kept = self.kept.plus(held.amount)

    @invariant()
    def exact(self) -> None:
        reserved = self.kept
        for held in self.open:
            reserved = reserved.plus(held.amount)
        for purse in self.purses:
            assert (purse.spent, purse.reserved) == (self.spent, reserved)
            assert purse.ceiling.holds(purse.spent.plus(purse.reserved))


TestAccounts = pytest.mark.slow(Accounts.TestCase)


@given(
    cached=st.integers(0, 10**6), more=st.integers(0, 10**6), out=st.integers(0, 10**6),
    rate=st.floats(0, 1000, allow_nan=False),
)  # fmt: skip
def test_what_was_reserved_is_never_less_than_what_it_costs(cached, more, out, rate):
    from windtunnel.models.prices import Flat, _micro

    flat = Flat(_micro(rate), _micro(rate * 2), _micro(rate / 10))
    worst = flat.cost(Usage(cached + more, out, 0))
    paid = flat.cost(Usage(cached + more, out, cached))
    assert isinstance(paid, int)
    assert 0 <= paid <= worst
