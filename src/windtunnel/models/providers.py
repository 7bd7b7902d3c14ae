"""Providers: pydantic-ai's model classes, made when first asked, with the SDKs' own retries off.

Which package an extra brings is said when it is missing. What a class raises leaves here as `Unanswered`,
told apart and without keys.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from windtunnel.errors import ModelSetup
from windtunnel.models.settings import OFFLINE, PROVIDERS, Deployment, is_loopback
from windtunnel.models.talk import Ask, Reply
from windtunnel.models.triggers import HIDDEN, Failure, Unanswered, of_error, scrub

if TYPE_CHECKING:
    from pydantic_ai.models import Model

EXTRAS = {"anthropic": "anthropic", "google": "google"}  # every other provider: openai
PACKAGES = {
    "anthropic": "anthropic",
    "google": "google.genai",
    "openai": "openai",
}  # what each of them brings
# `max_tokens` is what every compatible server knows; one that passes over the newer name sets no limit.
PLAIN_LIMIT: dict[str, Any] = {"openai_chat_supports_max_completion_tokens": False}
# Whose structured output closes every object: a mapping with keys of the model's own could only be empty.
CLOSED = ("anthropic",)
LONG_ENOUGH = 8  # characters of a key that is looked for in replies: a shorter one is in many words
REMEMBERED = 2048  # sets of tools and schemas, fitted to a provider
NO_KEY = "no-key"  # what an SDK is given where a server wants none


class Adapter(Protocol):
    async def ask(self, ask: Ask, key: str, limit: float) -> Reply: ...

    async def aclose(self) -> None: ...


def check_reachable(deployment: Deployment, *, offline: bool) -> None:
    """Refuse, before anything is loaded, what the switch forbids."""
    if offline and not is_loopback(deployment.host):
        raise ModelSetup(
            f"{deployment.full_name} is outside this machine, and {OFFLINE} is set",
            where=deployment.name,
            remedy=f"unset {OFFLINE}, or use house, test or a model on this machine",
            provider=deployment.provider,
            model=deployment.model,
        )


def check_known(deployment: Deployment) -> None:
    """Refuse what could never be asked here: its package is missing, or it is nobody's name. What a provider
    that is none of ours is told by its own variables (a key) is looked for too."""
    if install := missing_package(deployment):
        said = f"{deployment.full_name} needs a package that is not installed"
        raise ModelSetup(said, where=deployment.name, remedy=install)
    if deployment.provider not in PROVIDERS:
        _other(deployment, offline=False)


def missing_package(deployment: Deployment) -> str | None:
    """What to install before a deployment can be asked; nothing is imported to find out."""
    extra = EXTRAS.get(deployment.provider, "openai")
    wanted = ["pydantic_ai"] + ([PACKAGES[extra]] if deployment.provider in PROVIDERS else [])
    try:
        there = all(find_spec(name) is not None for name in wanted)
    except ImportError:  # `google` itself is not there
        there = False
    return None if there else f"pip install 'windtunnel[{extra}]'"


class PydanticAdapter:
    """One deployment, asked through its class of pydantic-ai."""

    def __init__(self, deployment: Deployment, secret: str, secrets: Sequence[str], *, offline: bool) -> None:
        self._deployment, self._secrets = deployment, secrets
        try:
            self._model, self._close = _build(deployment, secret, offline=offline)
            _remember(self._model)
            from windtunnel.models import dialect, wire  # noqa: PLC0415 - they load pydantic-ai and httpx
        except ImportError:
            extra = EXTRAS.get(deployment.provider, "openai")
            raise ModelSetup(
                f"{deployment.provider} needs a package that is not installed",
                where=deployment.name,
                remedy=f"pip install 'windtunnel[{extra}]'",
            ) from None
        # A model that takes no temperature is asked all the same: said in the README, not at every call.
        warnings.filterwarnings("ignore", message="Sampling parameters", category=UserWarning)
        self._dialect, self._heard, self._leaves = dialect, wire.HEARD, wire.LEAVES
        # Requests are made up one after the other, each out before the next: made up all at once, they would
        # all be out only when the last one is.
        self._door = asyncio.Lock()
        self._by_wire = deployment.provider in PROVIDERS
        self._mode = _mode(deployment, self._model)

    def __repr__(self) -> str:
        return f"PydanticAdapter({self._deployment.full_name})"

    async def ask(self, ask: Ask, key: str, limit: float) -> Reply:
        mode = self._mode
        if mode == "native" and self._deployment.provider in CLOSED and has_open_mapping(ask.schema):
            mode = "tool"
        heard: list[int] = []
        token = self._heard.set(heard)
        try:
            async with asyncio.timeout(limit), self._leaving():
                told = self._dialect.messages(ask, mode)
                wanted = self._dialect.parameters(ask, mode)
                manners = self._dialect.manners(ask, limit, key)
                response = await self._model.request(told, manners, wanted)
            return struck(self._dialect.reply(response, self._deployment.model), self._secrets)
        except TimeoutError:
            said = f"no whole reply within {limit:g} seconds"
            raise Unanswered(Failure("connection", said, None, None, None)) from None
        except Exception as error:
            failure = of_error(error)
            if failure is None and not heard:
                raise
            if failure is None:  # neither the SDK nor pydantic-ai foresaw such a response
                said = f"{type(error).__name__} while it was read: {error}"
                failure = Failure("output", said, heard[-1], None, None)
            raise Unanswered(failure._replace(message=scrub(failure.message, self._secrets))) from None
        finally:
            self._heard.reset(token)

    @asynccontextmanager
    async def _leaving(self) -> AsyncIterator[None]:
        """Holds the door until the request is out."""
        if not self._by_wire:
            yield
            return
        await self._door.acquire()
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._door.release()

        token = self._leaves.set(leave)
        try:
            yield
        finally:
            self._leaves.reset(token)
            leave()

    async def aclose(self) -> None:
        await self._close()


def struck(reply: Reply, secrets: Sequence[str]) -> Reply:
    """The reply without any key of ours in it: what a server says back would stand in the journal."""
    raw = msgspec.json.encode(reply)
    found = [encoded for one in secrets if len(one) >= LONG_ENOUGH and (encoded := _inside(one)) in raw]
    if not found:
        return reply
    for encoded in found:
        raw = raw.replace(encoded, HIDDEN.encode())
    return msgspec.json.decode(raw, type=Reply)


def _inside(text: str) -> bytes:
    """As it stands between the quotes of JSON."""
    return msgspec.json.encode(text)[1:-1]


def _mode(deployment: Deployment, model: Model[Any]) -> Any:
    if deployment.manners.output != "auto":
        return deployment.manners.output
    profile = model.profile
    if profile.get("supports_json_schema_output", False):
        return "native"
    return "tool" if profile.get("supports_tools", True) else "prompt"


def _remember(model: Model[Any]) -> None:
    """Let a model fit tools and schema to its provider once, and not for every call: the hook that does it is
    a function of what it is given."""
    fit = model.customize_request_parameters
    known: dict[int, tuple[Any, Any]] = {}

    def remembered(given: Any) -> Any:
        found = known.get(id(given))  # ambient: finds what is remembered, decides nothing
        if found is None or found[0] is not given:
            if len(known) >= REMEMBERED:
                known.clear()
            found = known[id(given)] = (given, fit(given))  # ambient: as above
        return found[1]

    model.customize_request_parameters = remembered  # type: ignore[method-assign, assignment, unused-ignore]


def has_open_mapping(schema: Any) -> bool:
    """Whether somewhere in it stands a mapping whose keys are not known beforehand."""
    if isinstance(schema, dict):
        if isinstance(schema.get("additionalProperties"), dict):
            return True
        return any(has_open_mapping(part) for part in schema.values())
    return isinstance(schema, list) and any(has_open_mapping(part) for part in schema)


def _build(deployment: Deployment, secret: str, *, offline: bool) -> tuple[Model[Any], Callable[[], Any]]:
    from windtunnel.models import wire  # noqa: PLC0415 - httpx, as heavy as the SDKs

    if deployment.provider not in PROVIDERS:
        return _other(deployment, offline=offline)
    parts = urlsplit(deployment.url)
    client = wire.client(
        parts.hostname or "",
        parts.scheme,
        deployment.manners.timeout,
        offline=offline,
    )
    makers = {"anthropic": _anthropic, "google": _google}
    return makers.get(deployment.provider, _openai)(deployment, secret or NO_KEY, client), client.aclose


def _anthropic(deployment: Deployment, secret: str, client: Any) -> Model[Any]:
    from anthropic import AsyncAnthropic  # noqa: PLC0415 - loaded only where it is asked
    from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
    from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

    sdk = AsyncAnthropic(api_key=secret, base_url=deployment.url, http_client=client, max_retries=0)
    return AnthropicModel(deployment.model, provider=AnthropicProvider(anthropic_client=sdk))


def _google(deployment: Deployment, secret: str, client: Any) -> Model[Any]:
    from google.genai.types import HttpRetryOptions  # noqa: PLC0415 - loaded only where it is asked
    from pydantic_ai.models.google import GoogleModel  # noqa: PLC0415
    from pydantic_ai.providers.google import GoogleProvider  # noqa: PLC0415

    provider = GoogleProvider(
        api_key=secret,
        base_url=deployment.url,
        http_client=client,
        retry_options=HttpRetryOptions(attempts=1),
    )
    return GoogleModel(deployment.model, provider=provider)


def _openai(deployment: Deployment, secret: str, client: Any) -> Model[Any]:
    from windtunnel.models.lean import LeanOpenAI  # noqa: PLC0415 - it loads openai

    sdk = LeanOpenAI(api_key=secret, base_url=deployment.url, http_client=client, max_retries=0)
    at_home = deployment.url.rstrip("/") == PROVIDERS["openai"].address
    if deployment.provider == "openai":
        models = import_module("pydantic_ai.models.openai")
        provider = import_module("pydantic_ai.providers.openai").OpenAIProvider(openai_client=sdk)
        found: Model[Any] = models.OpenAIResponsesModel(deployment.model, provider=provider)
    elif deployment.provider == "ollama":
        provider = import_module("pydantic_ai.providers.ollama").OllamaProvider(openai_client=sdk)
        # Its cloud takes a schema and does not keep to it.
        more = PLAIN_LIMIT if deployment.local else {**PLAIN_LIMIT, "supports_json_schema_output": False}
        models = import_module("pydantic_ai.models.ollama")
        found = models.OllamaModel(deployment.model, provider=provider, profile=more)
    else:
        models = import_module("pydantic_ai.models.openai")
        if deployment.provider == "vllm":
            provider = import_module("pydantic_ai.providers.vllm").VLLMProvider(openai_client=sdk)
        elif at_home:
            provider = import_module("pydantic_ai.providers.openai").OpenAIProvider(openai_client=sdk)
        else:
            compatible = import_module("pydantic_ai.providers.openai_compatible")
            provider = compatible.OpenAICompatibleProvider("openai-chat", openai_client=sdk)
        more = {} if at_home else PLAIN_LIMIT
        found = models.OpenAIChatModel(deployment.model, provider=provider, profile=more)
    return found


def _other(deployment: Deployment, *, offline: bool) -> tuple[Model[Any], Callable[[], Any]]:
    """Any other provider pydantic-ai knows, set up by its own variables. It does not pass our wire."""
    from pydantic_ai.exceptions import UserError  # noqa: PLC0415 - loaded only where it is asked
    from pydantic_ai.models import infer_model  # noqa: PLC0415

    if offline:
        check_reachable(deployment, offline=True)
    try:
        model = infer_model(deployment.full_name)
    except (UserError, ValueError) as error:
        raise ModelSetup(
            scrub(str(error)),
            where=deployment.name,
            remedy=f"known here: {', '.join(PROVIDERS)}; others as pydantic-ai names them",
        ) from None
    except ImportError as error:
        raise ModelSetup(scrub(str(error)), where=deployment.name, remedy="install that package") from None

    async def close() -> None:
        return

    return model, close
