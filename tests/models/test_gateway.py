import asyncio
import subprocess
import sys

import pytest

from tests.models.fakes import HELLO, Fake, Stage, ok
from windtunnel.config.models import Models
from windtunnel.errors import BudgetReached, ModelSetup
from windtunnel.models.budget import Ceiling, Purse
from windtunnel.models.gateway import Gateway
from windtunnel.models.parsing import last_object
from windtunnel.models.talk import Ask, Reply, Task
from windtunnel.models.triggers import Failure, of_status, scrub


def test_the_house_says_what_is_known_here_and_its_tokens_count():
    async def play() -> None:
        gateway = Gateway(environ={})
        purse = Purse("run", Ceiling(0, 10_000))
        ask = Ask("house", HELLO)
        reply = await gateway.ask(ask, key="k", accounts=(purse,), house={"action": "wait"})
        assert (last_object(reply.text), reply.model, reply.cost) == ({"action": "wait"}, "house", 0)
        assert reply.text.strip()[0] != "{"  # in words, so that it is parsed like anybody's
        assert purse.spent.tokens == reply.usage.input + reply.usage.output > 2
        assert (await gateway.ask(ask, key="k", house="Plain words.")).text == "Plain words."
        with pytest.raises(BudgetReached):
            await gateway.ask(ask, key="k", accounts=(Purse("run", Ceiling(None, 20)),))
        high = await gateway.ask(Ask("house", HELLO, task=Task(risk="high", accuracy=True)), key="k")
        assert high.marks

    asyncio.run(play())


def test_a_house_that_was_told_nothing_still_fits_the_schema():
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    reply = asyncio.run(Gateway(environ={}).ask(Ask("house", HELLO, schema=schema), key="k"))
    assert last_object(reply.text) == {"n": 3}


def test_rule_is_no_language_model():
    with pytest.raises(ModelSetup, match="rule"):
        asyncio.run(Gateway(environ={}).ask(Ask("rule", HELLO), key="k"))


def test_the_cache_is_off_unless_asked_for_and_answers_for_nothing(tmp_path):
    async def ask_twice(**words) -> tuple[list[Reply], int]:
        stage = Stage(Fake(), **words)
        gateway = Gateway(
            stage.settings, environ={}, clock=stage.clock, make=stage._make, home=tmp_path / "home"
        )
        replies = [
            await gateway.ask(Ask("first", HELLO, task=Task(type=kind)), key=kind) for kind in ("a", "b")
        ]
        await gateway.aclose()
        return replies, len(stage.fakes["first"].asked)

    assert asyncio.run(ask_twice())[1] == 2
    assert not (tmp_path / "home").exists()
    (first, second), asked = asyncio.run(ask_twice(cache=True))
    assert asked == 1
    assert second.text == first.text
    assert second.marks == ("from the cache",)
    assert asyncio.run(ask_twice(cache=True))[1] == 0


def test_the_cache_tells_apart_what_a_model_could_tell_apart():
    from windtunnel.models.cache import canonical

    setup = Stage(Fake(), Fake()).gateway.setup
    first, second = setup.named("first"), setup.named("second")
    one = canonical(Ask("first", HELLO), first)
    assert one == canonical(Ask("all", HELLO, task=Task(risk="high")), first)
    others = [
        canonical(Ask("first", HELLO), second),
        canonical(Ask("first", HELLO, temperature=0.1), first),
        canonical(Ask("first", HELLO, schema={"type": "object"}), first),
        canonical(Ask("first", (*HELLO, *HELLO)), first),
    ]
    assert len({one, *others}) == 5


def test_a_cache_that_is_broken_is_as_good_as_none(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "replies.sqlite").write_bytes(b"garbage " * 1000)
    stage = Stage(Fake(), cache=True)
    gateway = Gateway(stage.settings, environ={}, clock=stage.clock, make=stage._make, home=home)
    assert asyncio.run(gateway.ask(Ask("first", HELLO), key="k")).text == "ready"


def test_a_cut_reply_is_not_kept(tmp_path):
    stage = Stage(Fake(ok("ha", label="truncated")), cache=True)
    gateway = Gateway(stage.settings, environ={}, clock=stage.clock, make=stage._make, home=tmp_path)

    async def play() -> None:
        await gateway.ask(Ask("first", HELLO), key="k")
        await gateway.ask(Ask("first", HELLO), key="k")
        await gateway.aclose()

    asyncio.run(play())
    assert len(stage.fakes["first"].asked) == 2


def test_nothing_of_a_provider_is_loaded_before_one_is_asked():
    code = (
        "import sys, asyncio, windtunnel.models.gateway as g; from windtunnel.models.talk import *;"
        "gate = g.Gateway(environ={'ANTHROPIC_API_KEY': 'k', 'OTEL_SDK_DISABLED': 'true'});"
        "asyncio.run(gate.ask(Ask('test', ()), key='k'));"
        "heavy = {'pydantic_ai', 'pydantic', 'openai', 'anthropic', 'httpx', 'httpx2', 'google',"
        " 'opentelemetry', 'genai_prices'};"
        "sys.exit(repr(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_health_names_every_deployment_its_breaker_and_its_price():
    stage = Stage(Fake(Failure("quota", "none left", 402)), Fake(), local=["second"])
    asyncio.run(stage.ask())
    first, second = stage.gateway.health()
    assert (first.breaker, first.priced) == ("open", False)
    assert (second.breaker, second.priced, second.local) == ("closed", True, True)


def test_one_tiny_call_tests_a_model():
    stage = Stage(Fake())
    assert asyncio.run(stage.gateway.test("first")).text == "ready"
    assert stage.fakes["first"].asked[0][0].max_tokens <= 64


@pytest.mark.parametrize(
    ("status", "said", "trigger"),
    [
        (429, "Rate limit reached", "busy"),
        (429, "You exceeded your current quota; insufficient_quota", "quota"),
        (429, "You exceeded your current quota … 'retryDelay': '12s'", "busy"),
        (402, "pay", "quota"),
        (400, "Your credit balance is too low", "quota"),
        (400, "This model's maximum context length is 8192 tokens", "context"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", "context"),
        (400, "The input token count (1200000) exceeds the maximum", "context"),
        (413, "request too large", "context"),
        (400, "filtered by the content management policy", "refusal"),
        (401, "Incorrect API key", "denied"),
        (403, "no access", "denied"),
        (404, "model not found", "denied"),
        (400, "temperature must be a number", "denied"),
        (500, "oops", "server"),
        (503, "overloaded", "server"),
        (529, "overloaded_error", "server"),
        (408, "timeout", "server"),
    ],
)
def test_failures_are_told_apart(status, said, trigger):
    assert of_status(status, said).trigger == trigger


def test_a_gateway_timeout_may_have_been_billed_and_a_503_not():
    assert of_status(504, "").paid is None
    assert of_status(503, "").paid is False
    assert of_status(429, "", 3.0).retry_after == 3.0


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abcdefghijkl.",
        "header Authorization: Bearer abcdefghijklmnop",
        "GET /v1?key=AIzaSyA1234567890abcdef failed",
        "the key my-own-odd-key! was refused",
    ],
)
def test_keys_are_struck_out(text):
    clean = scrub(text, ["my-own-odd-key!"])
    for secret in ("abcdefghijkl", "AIzaSyA1234567890abcdef", "my-own-odd-key"):
        assert secret not in clean


def test_settings_may_be_left_out():
    assert Gateway(environ={}).settings == Models()
