import asyncio

import pytest

from tests.models.fakes import Fake, Stage, ok
from windtunnel.config.models import Retry, Route
from windtunnel.errors import ModelError, ModelSetup
from windtunnel.models.routes import FELL
from windtunnel.models.talk import Reply, Task, Usage
from windtunnel.models.triggers import Failure

DOWN = Failure("server", "in trouble", 503)
BUSY = Failure("busy", "too many", 429)
SCHEMA = {"type": "object"}


def play(stage: Stage, model: str = "all", **more) -> Reply:
    stage.gateway._loop = None  # each asyncio.run is a loop of its own; fakes do not mind
    return asyncio.run(stage.ask(model, **more))


def test_a_failed_call_is_asked_again_with_the_same_key_and_every_attempt_is_noted():
    stage = Stage(Fake(DOWN, DOWN, ok()))
    assert play(stage, "first", key="the key").text == "ready"
    assert [key for _, key, _ in stage.fakes["first"].asked] == ["the key"] * 3
    assert stage.notes.outcomes() == ["server", "server", "ok"]
    assert [body["attempt"] for _, body in stage.notes] == [1, 2, 3]


def test_pauses_grow_and_never_pass_the_longest():
    stage = Stage(Fake(DOWN), retry=Retry(attempts=8, first_wait=1, longest_wait=5), breaker=_patient())
    with pytest.raises(ModelError):
        play(stage, "first")
    assert len(stage.clock.slept) == 7
    assert stage.clock.slept[0] == 0.0  # a hiccup is tried again at once
    for index, slept in enumerate(stage.clock.slept[1:]):
        assert min(5, 2**index) / 2 <= slept <= min(5, 2**index)


def test_a_provider_that_says_how_long_to_wait_is_waited_for():
    stage = Stage(Fake(BUSY._replace(retry_after=7.0), ok()))
    play(stage, "first")
    assert stage.clock.now == pytest.approx(7.0)


def test_one_that_asks_for_a_long_pause_is_left_for_the_next():
    stage = Stage(Fake(BUSY._replace(retry_after=60.0)), Fake())
    assert play(stage).model == "openai-chat:model-second"
    assert stage.clock.now == 0


def test_the_last_one_is_waited_for_however_long_if_the_deadline_allows():
    stage = Stage(Fake(BUSY._replace(retry_after=60.0), ok()))
    assert play(stage, "first").text == "ready"
    assert stage.clock.now == pytest.approx(60)


def test_nothing_waits_past_the_deadline_of_the_call():
    stage = Stage(Fake(BUSY._replace(retry_after=60.0)), retry=Retry(deadline=30))
    with pytest.raises(ModelError) as caught:
        play(stage, "first")
    assert stage.clock.now < 30
    assert caught.value.data["trigger"] == "busy"


def test_an_attempt_gets_no_more_time_than_the_call_has_left():
    stage = Stage(Fake(BUSY._replace(retry_after=5.0), ok()), retry=Retry(deadline=30))
    play(stage, "first")
    assert [limit for _, _, limit in stage.fakes["first"].asked] == [30, 25]


@pytest.mark.parametrize("trigger", ["connection", "busy", "server", "quota", "context", "refusal", "output"])
def test_each_trigger_hands_on_to_the_next_of_the_chain(trigger):
    stage = Stage(Fake(Failure(trigger, "no")), Fake())
    assert play(stage).model == "openai-chat:model-second"


@pytest.mark.parametrize("trigger", ["connection", "busy", "server", "quota", "context", "output", "denied"])
def test_a_trigger_the_route_does_not_name_ends_the_call(trigger):
    stage = Stage(
        Fake(Failure(trigger, "no")), Fake(), routes={"strict": Route(chain=("first", "second"), on=())}
    )
    with pytest.raises(ModelError) as caught:
        play(stage, "strict")
    assert caught.value.data["trigger"] == trigger
    assert not stage.fakes["second"].asked


def test_a_wrong_key_is_never_routed_around_in_silence():
    stage = Stage(Fake(Failure("denied", "no such key", 401)), Fake())
    with pytest.raises(ModelError, match="no such key"):
        play(stage)


@pytest.mark.parametrize("trigger", ["quota", "context", "denied"])
def test_what_asking_again_cannot_mend_is_asked_once(trigger):
    stage = Stage(Fake(Failure(trigger, "no", 400)))
    with pytest.raises(ModelError):
        play(stage, "first")
    assert len(stage.fakes["first"].asked) == 1


def test_an_error_names_provider_model_status_attempt_and_remedy():
    stage = Stage(Fake(BUSY), Fake(DOWN))
    with pytest.raises(ModelError) as caught:
        play(stage)
    error = caught.value
    assert error.data == {
        "provider": "openai-chat", "model": "model-second", "status": 503, "attempt": 6, "trigger": "server",
    }  # fmt: skip
    for word in ("openai-chat", "model-second", "503", "attempt 6", "in trouble", "first: busy"):
        assert word in error.message
    assert error.remedy


def test_a_refused_reply_goes_to_the_next_and_both_are_paid():
    price = {"first": _price(1), "second": _price(10)}
    stage = Stage(Fake(ok("no", label="refused")), Fake(), prices=price)
    reply = play(stage)
    assert (reply.text, reply.label, reply.usage) == ("ready", "ok", Usage(20, 4))
    assert reply.cost == 12 + 120


def test_a_refusal_of_the_last_one_is_a_reply_not_an_error():
    assert play(Stage(Fake(ok("I will not", label="refused"))), "first").label == "refused"
    assert play(Stage(Fake(Failure("refusal", "filtered", 400))), "first").label == "refused"


def test_a_reply_without_the_object_that_was_asked_for_goes_to_the_next():
    stage = Stage(Fake(ok("well…")), Fake(ok('so: {"a": 1}')))
    assert play(stage, schema=SCHEMA).text == 'so: {"a": 1}'


def test_the_last_reply_is_never_thrown_away_however_bad():
    stage = Stage(Fake(ok("well…")), Fake(ok("hm")))
    assert play(stage, schema=SCHEMA).text == "hm"
    assert play(Stage(Fake(ok("", label="empty"))), "first").label == "empty"


def test_a_cut_reply_is_a_reply():
    stage = Stage(Fake(ok('{"a": ', label="truncated")), Fake())
    assert play(stage, schema=SCHEMA).label == "truncated"


def test_a_high_stakes_task_on_a_local_model_is_marked():
    stage = Stage(Fake(DOWN), Fake(), local=["second"])
    high = Task(risk="high", accuracy=True)
    assert play(stage, task=high).marks == (FELL,)
    assert play(stage, task=Task(risk="high")).marks == ()
    assert play(Stage(Fake()), "first", task=high).marks == ()


def test_a_high_stakes_task_is_refused_a_local_model_where_policy_says_so():
    stage = Stage(Fake(DOWN), Fake(), local=["second"], high_stakes="refuse")
    with pytest.raises(ModelError):
        play(stage, task=Task(risk="critical", accuracy=True))
    assert not stage.fakes["second"].asked
    only = Stage(Fake(), local=["first"], high_stakes="refuse")
    with pytest.raises(ModelSetup, match="no model"):
        play(only, task=Task(risk="critical", accuracy=True))


def test_a_deployment_that_keeps_failing_is_left_alone_and_probed_after_its_rest():
    stage = Stage(Fake(*[DOWN] * 5, ok()), Fake(), breaker=_breaker(failures=3, rest=30))
    for _ in range(3):
        assert play_again(stage) == "openai-chat:model-second"
    assert len(stage.fakes["first"].asked) == 3
    assert stage.gateway.health()[0].breaker == "open"
    stage.clock.now += 31
    assert play_again(stage) == "openai-chat:model-second"  # the probe failed: it rests for 60 s now
    assert len(stage.fakes["first"].asked) == 4
    stage.clock.now += 31
    play_again(stage)
    assert len(stage.fakes["first"].asked) == 4
    stage.clock.now += 31
    stage.fakes["first"].outcomes = [ok()]
    assert play_again(stage) == "openai-chat:model-first"
    assert stage.gateway.health()[0].breaker == "closed"


def test_an_empty_purse_at_the_provider_opens_the_breaker_at_once():
    stage = Stage(Fake(Failure("quota", "no credit", 402)), Fake())
    play_again(stage)
    play_again(stage)
    assert len(stage.fakes["first"].asked) == 1


def test_the_last_of_a_plan_is_waited_for_while_it_rests():
    stage = Stage(Fake(DOWN, DOWN, DOWN, ok()), breaker=_breaker(failures=3, rest=20))
    with pytest.raises(ModelError):
        play(stage, "first")
    assert play(stage, "first").text == "ready"
    assert stage.clock.now >= 20


def test_where_nobody_ever_answered_and_nobody_listens_nothing_is_waited_for():
    refused = Failure("connection", "refused")
    stage = Stage(Fake(refused, refused, refused, ok()), breaker=_breaker(failures=3, rest=20))
    with pytest.raises(ModelError, match="refused"):
        play(stage, "first")
    assert stage.clock.now < 20  # at once, for who forgot to start the server


def test_a_server_that_answered_before_is_waited_for_though_nobody_listens_now():
    refused = Failure("connection", "refused")
    stage = Stage(Fake(ok(), refused, refused, refused, ok()), breaker=_breaker(failures=3, rest=20))
    play(stage, "first")
    with pytest.raises(ModelError):
        play(stage, "first")
    assert play(stage, "first").text == "ready"
    assert stage.clock.now >= 20


def test_only_one_call_probes_at_a_time():
    stage = Stage(Fake(DOWN), Fake(), breaker=_breaker(failures=1, rest=10), retry=Retry(attempts=1))
    play_again(stage)
    stage.clock.now += 11

    async def together() -> None:
        stage.gateway._loop = None
        await asyncio.gather(*(stage.ask(key=f"k{n}") for n in range(10)))

    asyncio.run(together())
    assert len(stage.fakes["first"].asked) == 2


def test_a_bug_of_ours_is_no_failure_of_the_provider():
    stage = Stage(Fake(ZeroDivisionError("ours")), Fake())
    with pytest.raises(ZeroDivisionError):
        play(stage)
    assert not stage.fakes["second"].asked


def play_again(stage: Stage) -> str:
    return play(stage).model


def _price(dollars: float):
    from windtunnel.config.models import Price

    return Price(dollars, dollars)


def _breaker(**words):
    from windtunnel.config.models import Breaker

    return Breaker(**words)


def _patient():
    return _breaker(failures=1000)
