from tests.models.fakes import Clock
from windtunnel.config.models import Breaker as Manners
from windtunnel.models.breaker import Breaker


def breaker(**words) -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker(Manners(**{"failures": 3, "window": 60, "rest": 30, **words}), clock), clock


def test_failures_far_apart_do_not_open_it():
    one, clock = breaker()
    for _ in range(10):
        one.failed()
        clock.now += 31
        assert one.state == "closed"
    one.failed()
    one.failed()
    assert one.state == "open"
    assert one.opens_in == 30


def test_a_success_in_between_forgets_the_failures():
    one, _ = breaker()
    for _ in range(10):
        one.failed()
        one.failed()
        one.succeeded()
    assert one.state == "closed"


def test_one_probe_passes_and_the_others_wait_for_its_end():
    one, clock = breaker(failures=1)
    one.failed()
    assert not one.admit()
    clock.now = 30
    assert one.state == "half-open"
    assert [one.admit() for _ in range(3)] == [True, False, False]
    one.left()
    assert [one.admit() for _ in range(2)] == [True, False]
    one.succeeded()
    assert all(one.admit() for _ in range(3))


def test_rests_grow_up_to_ten_times_the_first():
    one, clock = breaker(failures=1)
    rests = []
    for _ in range(6):
        one.failed()
        rests.append(one.opens_in)
        clock.now += one.opens_in
        assert one.admit()
    assert rests == [30, 60, 120, 240, 300, 300]


def test_calls_from_before_it_opened_do_not_make_it_rest_longer():
    one, clock = breaker(failures=1)
    one.failed()
    clock.now = 10
    one.failed()
    assert one.opens_in == 20
