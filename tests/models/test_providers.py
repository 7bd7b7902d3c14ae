"""The model classes of pydantic-ai and the SDKs under them, against a real server on loopback."""

import asyncio
import json
import socket
from contextlib import contextmanager
from typing import Any

import pytest

from tests.models.fakes import Clock, Notes
from tests.models.server import Answer, Server, serving
from windtunnel.config.models import Deployment, Models, Retry
from windtunnel.errors import ModelError, ModelSetup, WindtunnelError
from windtunnel.models.budget import Ceiling, Purse
from windtunnel.models.gateway import Gateway
from windtunnel.models.talk import Ask, Message, Reply, Tool, ToolCall, Usage
from windtunnel.testing.provider import Provider

pytestmark = pytest.mark.slow  # the clients of all providers take seconds to import
KEY = "sk-a-very-secret-key-0123456789"
DIALECTS = {
    "openai-chat:gpt-5-mini": "/v1",
    "openai:gpt-5-mini": "/v1",
    "anthropic:claude-sonnet-5-5": "",
    "google:gemini-3.5-flash": "",
    "ollama:llama3": "",
    "vllm:qwen": "",
}
SCHEMA = {"type": "object", "properties": {"go": {"type": "boolean"}}, "required": ["go"]}
TALK = (Message("system", "be brief"), Message("user", "go?", name="Ann"))
TOOL = Tool("price", "the price of a good", {"type": "object", "properties": {"good": {"type": "string"}}})
every_dialect = pytest.mark.parametrize("model", DIALECTS)


@contextmanager
def asking(server: Server, model: str, **words: Any):
    retry = words.pop("retry", Retry(attempts=1))
    deployment = Deployment(model, url=server.url + DIALECTS[model], key="SECRET", **words)
    notes = Notes()
    gateway = Gateway(
        Models(deployments={"mine": deployment}, retry=retry),
        environ={"WINDTUNNEL_OFFLINE": "1", "SECRET": KEY},
        clock=Clock(),
        note=notes,
    )

    def ask(*messages: Message, **more: Any) -> Reply:
        async def one() -> Reply:
            async with gateway:
                accounts = more.pop("accounts", ())
                return await gateway.ask(
                    Ask("mine", messages or TALK, **more), key="key-1", accounts=accounts
                )

        return asyncio.run(one())

    ask.notes = notes  # type: ignore[attr-defined]
    yield ask


@every_dialect
def test_a_prompt_goes_out_and_a_reply_comes_back(model):
    with serving(lambda _: Answer("yes")) as server, asking(server, model) as ask:
        reply = ask(temperature=0.5, seed=7)
    assert (reply.text, reply.label, reply.usage) == ("yes", "ok", Usage(20, 5))
    assert reply.model.startswith(model.partition(":")[0] + ":")
    assert (reply.cost == 0) == model.startswith(("ollama", "vllm"))
    (sent,) = server.log
    said = json.dumps(sent.body)
    assert "be brief" in said
    assert "Ann: go?" in said
    assert sent.headers["idempotency-key"] == "key-1"
    assert KEY in json.dumps(sent.headers)
    assert KEY not in said
    assert KEY not in sent.path
    assert str(1024) in said


@every_dialect
def test_a_typed_answer_is_asked_for_natively(model):
    with serving(lambda _: Answer('{"go": true}')) as server, asking(server, model) as ask:
        assert ask(schema=SCHEMA).text == '{"go": true}'
    body = server.log[0].body
    said = json.dumps(
        [body.get(name) for name in ("response_format", "text", "output_config", "generationConfig")]
    )
    assert '"go"' in said


@every_dialect
def test_a_typed_answer_may_come_through_a_tool(model):
    answer = Answer(call=("final_answer", {"go": True}))
    with serving(lambda _: answer) as server, asking(server, model, output="tool") as ask:
        reply = ask(schema=SCHEMA)
    assert json.loads(reply.text) == {"go": True}
    assert reply.calls == ()
    assert "final_answer" in json.dumps(server.log[0].body["tools"])


@every_dialect
def test_or_by_a_schema_in_the_prompt(model):
    with (
        serving(lambda _: Answer('Sure: {"go": true}')) as server,
        asking(server, model, output="prompt") as ask,
    ):
        assert ask(schema=SCHEMA).text == 'Sure: {"go": true}'
    body = server.log[0].body
    assert "JSON schema" in json.dumps(body)
    assert not {"response_format", "output_config", "tools"} & set(body)


@every_dialect
def test_tools_are_offered_called_and_answered(model):
    talk = (
        *TALK,
        Message("assistant", calls=(ToolCall("call_0", "price", {"good": "tea"}),)),
        Message("tool", "4 cents", answers="call_0"),
    )
    answer = Answer(call=("price", {"good": "milk"}))
    with serving(lambda _: answer) as server, asking(server, model) as ask:
        reply = ask(*talk, tools=(TOOL,))
    assert [(call.name, call.arguments) for call in reply.calls] == [("price", {"good": "milk"})]
    assert reply.calls[0].id
    said = json.dumps(server.log[0].body)
    for word in ("the price of a good", "tea", "4 cents"):
        assert word in said


@pytest.mark.parametrize("model", [name for name in DIALECTS if name != "openai:gpt-5-mini"])
def test_a_reply_that_was_cut_or_refused_is_labelled(model):
    with serving(lambda _: Answer("half", finish="length")) as server, asking(server, model) as ask:
        assert ask().label == "truncated"
    with serving(lambda _: Answer("no", finish="content_filter")) as server, asking(server, model) as ask:
        assert ask().label == "refused"


@every_dialect
def test_an_empty_reply_is_labelled(model):
    with serving(lambda _: Answer("")) as server, asking(server, model) as ask:
        assert ask().label == "empty"


def failing(ask: Any, **more: Any) -> WindtunnelError:
    with pytest.raises(WindtunnelError) as caught:
        ask(**more)
    return caught.value


FAULTS = [
    ({"status": 429, "raw": b'{"error": {"message": "slow down"}}'}, "busy"),
    ({"status": 402, "raw": b'{"error": {"message": "pay first"}}'}, "quota"),
    ({"status": 429, "raw": b'{"error": {"message": "x", "code": "insufficient_quota"}}'}, "quota"),
    (
        {"status": 400, "raw": b'{"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}'},
        "context",
    ),
    ({"status": 401, "raw": b'{"error": {"message": "bad key ' + KEY.encode() + b'"}}'}, "denied"),
    ({"status": 404, "raw": b'{"error": {"message": "no such model"}}'}, "denied"),
    ({"status": 500, "raw": b"<html>oops</html>"}, "server"),
    ({"status": 503, "raw": b'{"error": {"message": "overloaded"}}'}, "server"),
    ({"raw": b'{"choices": [{'}, "output"),
    ({"raw": b"<html>hello</html>"}, "output"),
    ({"cut": True}, "connection"),
]


@every_dialect
@pytest.mark.parametrize(("fault", "trigger"), FAULTS)
def test_every_fault_is_an_error_that_names_provider_model_status_attempt_and_remedy(model, fault, trigger):
    with serving(lambda _: Answer(**fault)) as server, asking(server, model) as ask:
        with pytest.raises(ModelError) as caught:
            ask()
        assert len(server.log) == 1  # no SDK asked again behind our back
    error = caught.value
    assert error.data["trigger"] == trigger
    assert error.data["status"] == fault.get("status")
    provider, _, name = model.partition(":")
    for word in (provider, name, "attempt 1", str(fault.get("status", ""))):
        assert word in error.message
    assert error.remedy
    told = f"{error} {error.data} {error.__cause__!r} {error.__context__!r} {ask.notes}"
    assert KEY not in told


@every_dialect
def test_retry_after_is_honoured(model):
    answers = [Answer(status=429, raw=b"{}", headers=(("retry-after", "3"),)), Answer("yes")]
    with serving(lambda _: answers.pop(0)) as server, asking(server, model, retry=Retry(attempts=2)) as ask:
        assert ask().text == "yes"
    assert len(server.log) == 2
    assert {request.headers["idempotency-key"] for request in server.log} == {"key-1"}


@every_dialect
def test_a_server_that_hangs_is_given_up_and_its_call_stays_reserved(model):
    purse = Purse("run", Ceiling(None, 10**9))
    with serving(lambda _: Answer(hang=True)) as server, asking(server, model, timeout=0.3) as ask:
        error = failing(ask, accounts=(purse,))
    assert error.data["trigger"] == "connection"
    assert purse.reserved.tokens > 0


@every_dialect
def test_a_server_that_is_not_there_costs_nothing(model):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(lambda _: Answer())
        server.port = free.getsockname()[1]
    purse = Purse("run", Ceiling(None, 10**9))
    with asking(server, model) as ask, pytest.raises(ModelError) as caught:
        ask(accounts=(purse,))
    assert caught.value.data["trigger"] == "connection"
    assert purse.reserved.tokens == 0


def test_a_huge_reply_is_cut_off(monkeypatch):
    from windtunnel.models import wire

    monkeypatch.setattr(wire.Wire.__init__, "__kwdefaults__", {"largest": 10_000})
    model = "openai-chat:gpt-5-mini"
    with serving(lambda _: Answer("x" * 50_000)) as server, asking(server, model) as ask:
        assert failing(ask).data["trigger"] == "output"


def test_connections_are_used_again_and_one_that_broke_is_replaced():
    answers = [Answer("a"), Answer("b"), Answer(cut=True), Answer("c")]
    deployment = Deployment("openai-chat:gpt-5-mini", output="prompt")

    async def play(server: Server) -> list[str]:
        from msgspec.structs import replace

        mine = replace(deployment, url=server.url + "/v1")
        settings = Models(deployments={"mine": mine}, retry=Retry(attempts=2))
        async with Gateway(settings, environ={}, clock=Clock()) as gateway:
            return [(await gateway.ask(Ask("mine", TALK), key="k")).text for _ in range(3)]

    with serving(lambda _: answers.pop(0)) as server:
        assert asyncio.run(play(server)) == ["a", "b", "c"]
        assert server.connections == 2


def test_a_redirect_is_not_followed():
    there = (("location", "https://example.com/v1/chat/completions"),)
    model = "openai-chat:gpt-5-mini"
    with (
        serving(lambda _: Answer(status=307, raw=b"{}", headers=there)) as server,
        asking(server, model) as ask,
    ):
        with pytest.raises(ModelError):
            ask()
        assert len(server.log) == 1


@every_dialect
def test_offline_no_address_outside_this_machine_can_be_asked(model):
    gateway = Gateway(
        environ={"WINDTUNNEL_OFFLINE": "1", "OLLAMA_URL": "http://10.0.0.1", "VLLM_URL": "http://1.1.1.1"}
    )
    with pytest.raises(ModelSetup, match="WINDTUNNEL_OFFLINE"):
        asyncio.run(gateway.ask(Ask(model, TALK), key="k"))


def test_offline_the_wire_itself_refuses():
    from windtunnel.models.wire import Outside, client

    async def reach(url: str) -> None:
        async with client("127.0.0.1", "http", 5.0, offline=True) as http:
            await http.get(url)

    for url in ("http://example.com", "https://10.0.0.1", "http://localhost.example.com"):
        with pytest.raises(Outside):
            asyncio.run(reach(url))
    with serving() as server:
        asyncio.run(reach(server.url + "/on/this/machine"))
        assert len(server.log) == 1


def test_a_proxy_is_never_asked_for_what_is_on_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(lambda _: Answer("yes")) as server, asking(server, "ollama:llama3") as ask:
        assert ask().text == "yes"


def test_a_missing_package_says_which_extra_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "anthropic", None)
    with serving() as server, asking(server, "anthropic:claude-sonnet-5-5") as ask:
        error = failing(ask)
    assert error.remedy == "pip install 'windtunnel[anthropic]'"


def test_a_provider_that_nobody_knows_is_refused():
    with pytest.raises(ModelSetup):
        asyncio.run(Gateway(environ={}).ask(Ask("nonesuch:model", TALK), key="k"))


def test_published_prices_are_known_and_yours_stand_above_them():
    from windtunnel.config.models import Price
    from windtunnel.models.prices import Prices
    from windtunnel.models.settings import Setup

    setup = Setup(Models(), {})
    million = Usage(1_000_000, 1_000_000)

    def cost(name: str, usage: Usage, own: dict[str, Price] | None = None) -> int | None:
        rate = Prices(own or {}).rate(setup.named(name))
        return None if rate is None else rate.cost(usage)

    claude = "anthropic:claude-sonnet-4-6"
    assert cost(claude, million) == 18_000_000
    assert cost(claude, million, {claude: Price(1, 2)}) == 3_000_000
    short, long = (cost("openai:gpt-5.5", Usage(size, 0)) for size in (1_000, 1_000_000))
    assert (short, long) == (5_000, 10_000_000)  # twice the price for a long prompt
    assert cost("openai:nobody-knows-it", million) is None


def test_a_route_is_itself_a_model_of_pydantic_ai():
    from pydantic import BaseModel
    from pydantic_ai import Agent

    class Go(BaseModel):
        go: bool

    with serving(lambda _: Answer('{"go": true}')) as server:
        deployment = Deployment("openai-chat:gpt-5-mini", url=server.url + "/v1")
        purse = Purse("run", Ceiling(None, 10**9))

        async def play() -> Any:
            async with Gateway(Models(deployments={"mine": deployment}), environ={}) as gateway:
                agent = Agent(
                    gateway.as_model("mine", accounts=(purse,)), output_type=Go, instructions="be brief"
                )
                return await agent.run("go?")

        result = asyncio.run(play())
    assert result.output.go is True
    assert purse.spent.tokens == 25
    assert "be brief" in json.dumps(server.log[0].body)


def test_spans_follow_the_conventions_and_hold_no_key(monkeypatch):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from windtunnel.models.tracing import OpenTracer, Tracer, tracer_for

    assert type(tracer_for({})) is Tracer
    assert type(tracer_for({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "x"})) is Tracer
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with serving(lambda _: Answer("yes")) as server:
        deployment = Deployment("openai-chat:gpt-5-mini", url=server.url + "/v1", key="SECRET")

        async def play() -> None:
            async with Gateway(Models(deployments={"mine": deployment}), environ={"SECRET": KEY}) as gateway:
                gateway.tracer = OpenTracer(provider.get_tracer("test"), content=False)
                with gateway.tracer.span("agent", "ann"):
                    await gateway.ask(Ask("mine", TALK), key="k")

        asyncio.run(play())
    call, agent = exporter.get_finished_spans()
    provider.shutdown()
    assert (call.name, agent.name) == ("chat mine", "invoke_agent ann")
    assert call.parent == agent.context
    attributes = dict(call.attributes or {})
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.usage.input_tokens"] == 20
    assert attributes["gen_ai.response.model"] == "openai-chat:gpt-5-mini"
    assert not any("go?" in str(value) or KEY in str(value) for value in attributes.values())


def test_an_answer_with_free_keys_goes_by_a_tool_where_native_output_would_empty_it():
    """Claude's structured output sets `additionalProperties` to false: a mapping could only be `{}`."""
    rates = {"type": "object", "additionalProperties": {"type": "number"}}
    open_schema = {"type": "object", "properties": {"rates": rates}, "required": ["rates"]}
    with serving(lambda _: Answer('{"go": true, "rates": {}}')) as server:
        for schema in (SCHEMA, open_schema):
            with asking(server, "anthropic:claude-sonnet-5-5") as ask:
                ask(schema=schema)
    native, by_tool = (request.body for request in server.log)
    assert "output_config" in native
    assert "output_config" not in by_tool
    assert by_tool["tools"][-1]["input_schema"]["properties"]["rates"]["additionalProperties"] == {
        "type": "number"
    }


def test_requests_leave_one_after_the_other_and_are_answered_side_by_side():
    """The door is held while a request is made up, and not while it is under way."""

    async def all_at_once(gateway: Gateway) -> None:
        async with gateway:
            asks = (gateway.ask(Ask("mine", TALK), key=f"key-{number}") for number in range(12))
            await asyncio.gather(*asks)

    with Provider("ready", latency=0.3) as provider:
        settings = Models({"mine": Deployment("openai-chat:m", url=provider.openai, local=True)})
        asyncio.run(all_at_once(Gateway(settings, environ={"WINDTUNNEL_OFFLINE": "1"})))
        assert provider.log.totals.most_at_once == 12
        assert [exchange.key for exchange in provider.log] == [f"key-{number}" for number in range(12)]


def test_tools_and_schema_of_one_agent_are_fitted_to_the_provider_once():
    """And those of another, which may come to stand where the first ones stood, are not taken for them."""

    async def in_turns(url: str) -> None:
        settings = Models({"mine": Deployment("openai-chat:m", url=url, local=True)})
        async with Gateway(settings, environ={"WINDTUNNEL_OFFLINE": "1"}) as gateway:
            for name in ("go", "go", "stop", "wait"):
                schema = {**SCHEMA, "properties": {name: {"type": "boolean"}}, "required": [name]}
                for _ in range(2):
                    await gateway.ask(Ask("mine", TALK, schema=schema), key=name)
                del schema

    with serving(lambda _: Answer('{"go": true}')) as server:
        asyncio.run(in_turns(server.url + "/v1"))
    schemas = [request.body["response_format"]["json_schema"]["schema"] for request in server.log]
    assert [list(one["properties"]) for one in schemas] == [["go"]] * 4 + [["stop"]] * 2 + [["wait"]] * 2
