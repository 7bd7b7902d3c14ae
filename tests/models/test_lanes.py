import asyncio

from tests.models.fakes import Clock
from windtunnel.models.lanes import Lane


def lane(width: int = 2, most: int = 100) -> Lane:
    return Lane(width, most, Clock())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_no_more_calls_than_its_width_are_under_way():
    async def play() -> None:
        one = lane(3)
        tasks = [asyncio.ensure_future(one.enter()) for _ in range(10)]
        await settle()
        assert (one.busy, one.waiting) == (3, 7)
        assert sum(task.done() for task in tasks) == 3
        one.leave(0, busy=True)
        assert one.width == 2
        one.leave(0)
        await settle()
        assert (one.busy, one.waiting) == (2, 6)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(play())


def test_it_grows_by_one_a_call_until_the_first_429_and_slowly_after():
    async def play() -> None:
        one = lane(4)
        for _ in range(4):
            await one.enter()
        for _ in range(4):
            one.leave(0)
            await one.enter()
            while one.busy < one.width:
                await one.enter()
        assert one.width == 8
        one.leave(0, busy=True)
        assert one.width == 5
        epoch = await _fill(one)
        one.leave(epoch)
        assert one.width == 5

    asyncio.run(play())


async def _fill(one: Lane) -> int:
    epoch = one._epoch
    while one.busy < one.width:
        epoch = await one.enter()
    return epoch


def test_many_429_of_one_burst_shrink_it_once():
    async def play() -> None:
        one = lane(20)
        entered = [await one.enter() for _ in range(20)]
        for epoch in entered:
            one.leave(epoch, busy=True)
        assert one.width == 14
        one.leave(await one.enter(), busy=True)
        assert one.width == 9

    asyncio.run(play())


def test_a_lane_in_little_use_does_not_grow():
    async def play() -> None:
        one = lane(5)
        for _ in range(50):
            one.leave(await one.enter())
        assert one.width == 5

    asyncio.run(play())


def test_it_never_shrinks_below_one_nor_grows_above_its_most():
    async def play() -> None:
        one = lane(2, most=4)
        for _ in range(30):
            one.leave(await one.enter(), busy=True)
        assert one.width == 1
        for _ in range(200):
            await _fill(one)
            one.leave(one._epoch)
        assert one.width == 4

    asyncio.run(play())


def test_runs_take_turns_however_many_calls_one_of_them_brings():
    async def play() -> None:
        one, order = lane(1, most=1), []

        async def call(run: str) -> None:
            entered = await one.enter(run)
            order.append(run)
            await asyncio.sleep(0)
            one.leave(entered)

        first = await one.enter("greedy")
        tasks = [asyncio.ensure_future(call("greedy")) for _ in range(10)]
        await settle()
        tasks += [asyncio.ensure_future(call("modest")) for _ in range(3)]
        await settle()
        one.leave(first)
        await asyncio.gather(*tasks)
        assert order[:6].count("modest") == 3

    asyncio.run(play())


def test_within_a_run_the_higher_priority_goes_first():
    async def play() -> None:
        one, order = lane(1, most=1), []

        async def call(priority: int) -> None:
            entered = await one.enter("run", priority)
            order.append(priority)
            one.leave(entered)

        first = await one.enter("run")
        tasks = [asyncio.ensure_future(call(priority)) for priority in (0, 5, 1)]
        await settle()
        one.leave(first)
        await asyncio.gather(*tasks)
        assert order == [5, 1, 0]

    asyncio.run(play())


def test_a_cancelled_waiter_leaves_no_place_taken():
    async def play() -> None:
        one = lane(1, most=1)
        first = await one.enter()
        waiting = asyncio.ensure_future(one.enter())
        await settle()
        one.leave(first)  # the place is handed over, and in the same breath the waiter is cancelled
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert one.busy == 0
        await asyncio.wait_for(one.enter(), 1)

    asyncio.run(play())


def test_a_deployment_that_asked_for_a_pause_rests():
    clock = Clock()
    one = Lane(3, 3, clock)
    one._busy = 1
    one.leave(0, busy=True, rest=4.0)
    assert one.rests == 4.0
    clock.now = 4.0
    assert one.rests == 0.0
