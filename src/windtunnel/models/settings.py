"""From windtunnel.toml and the environment to what is there: deployments, and the routes between them.

`claude`, `gemini`, `openai`, `vllm` and `ollama` need no file: each is there when its variable is set. A
deployment of the file with the same name takes its place. A full name (`anthropic:claude-…`) is a deployment
of its own; so is every other name with a colon in it that pydantic-ai knows.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from windtunnel.config import models as words
from windtunnel.errors import ModelSetup
from windtunnel.words import suggest

OFFLINE = "WINDTUNNEL_OFFLINE"
DEFAULT_ROUTE = "default"
BUILT_IN = ("house", "rule", "test")  # answered in this process, no provider asked


class Provider(NamedTuple):
    """A prefix of model names: the variables that hold its key and address, and its own address."""

    key: str = ""
    url: str = ""
    address: str = ""
    local: bool = False
    needs_key: bool = False


PROVIDERS = {
    "anthropic": Provider("ANTHROPIC_API_KEY", "ANTHROPIC_URL", "https://api.anthropic.com", needs_key=True),
    "google": Provider(
        "GEMINI_API_KEY", "GEMINI_URL", "https://generativelanguage.googleapis.com", needs_key=True
    ),
    "openai": Provider("OPENAI_API_KEY", "OPENAI_URL", "https://api.openai.com/v1", needs_key=True),
    "openai-chat": Provider("OPENAI_API_KEY", "OPENAI_URL", "https://api.openai.com/v1", needs_key=True),
    "ollama": Provider("OLLAMA_API_KEY", "OLLAMA_URL", "http://localhost:11434", local=True),
    "vllm": Provider("VLLM_API_KEY", "VLLM_URL", "http://localhost:8000", local=True),
}

# name, prefix, variable that names the model, model where that is not set, variable that must be set
FROM_ENVIRONMENT = (
    ("claude", "anthropic", "ANTHROPIC_MODEL", "claude-sonnet-5-5", "ANTHROPIC_API_KEY"),
    ("gemini", "google", "GEMINI_MODEL", "gemini-3.8-flash", "GEMINI_API_KEY"),
    ("openai", "openai", "OPENAI_MODEL", "gpt-6.1-terra", "OPENAI_API_KEY"),
    ("vllm", "vllm", "VLLM_MODEL", "", "VLLM_URL"),
    ("ollama", "ollama", "OLLAMA_MODEL", "llama3.2", "OLLAMA_URL"),
)
DEFAULT_CHAIN = ("claude", "gemini", "vllm", "ollama")
DEFAULT = words.Route(
    choose=(
        words.Choice(use=("claude", "gemini"), risk=("high", "critical"), accuracy=True),
        words.Choice(use=("vllm", "ollama")),
    ),
    chain=DEFAULT_CHAIN,
)


class Deployment(NamedTuple):
    """One model at one address, all settled. `key` is the name of a variable, never what it holds."""

    name: str
    provider: str
    model: str
    url: str
    key: str
    local: bool
    manners: words.Deployment

    @property
    def full_name(self) -> str:
        return f"{self.provider}:{self.model}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


class Setup:
    """What the settings and the environment give; `environ` is kept for the keys, and never shown."""

    def __init__(self, settings: words.Models, environ: Mapping[str, str]) -> None:
        self.settings, self._environ = settings, environ
        self.offline = environ.get(OFFLINE, "").strip().lower() in {"1", "true", "yes", "on"}
        self.deployments = {**self._from_environment(), **self._from_file()}
        self.routes = {DEFAULT_ROUTE: DEFAULT, **settings.routes}
        self._check_routes()

    def __repr__(self) -> str:
        return f"Setup({', '.join([*self.deployments, *self.routes])})"

    def secret(self, deployment: Deployment) -> str:
        return self._environ.get(deployment.key, "").strip() if deployment.key else ""

    def secrets(self) -> list[str]:
        """Every key there is, the longest first: to be struck out of what a provider says."""
        names = {provider.key for provider in PROVIDERS.values()}
        names.update(one.key for one in self.deployments.values() if one.key)
        found = {self._environ.get(name, "").strip() for name in names}
        return sorted((value for value in found if len(value) >= 4), key=len, reverse=True)

    def named(self, name: str) -> Deployment:
        """A deployment by its name, or by its model's full name."""
        if (known := self.deployments.get(name)) is not None:
            return known
        if ":" in name:
            return self._settle(name, words.Deployment(model=name))
        raise self._unknown(name, "model")

    def _unknown(self, name: str, where: str) -> ModelSetup:
        for known, _, _, _, variable in FROM_ENVIRONMENT:
            if name == known:
                return ModelSetup(
                    f"the model {name!r} is not set up",
                    where=where,
                    remedy=f"set {variable}, or name another",
                )
        known_names = [*self.deployments, *self.routes, *BUILT_IN]
        return ModelSetup(f"there is no model {name!r}", where=where, remedy=suggest(name, known_names))

    def missing(self, deployment: Deployment) -> str | None:
        """What a deployment still needs before it can be asked."""
        provider = PROVIDERS.get(deployment.provider)
        if not deployment.model:  # a vLLM answers only to the name of the model that it was started with
            return f"set {deployment.provider.upper()}_MODEL"
        if provider is None or self.secret(deployment):
            return None
        own_address = deployment.url.rstrip("/") != provider.address
        return f"set {deployment.key or provider.key}" if provider.needs_key and not own_address else None

    # --- reading ---

    def _from_environment(self) -> dict[str, Deployment]:
        found = {}
        for name, prefix, variable, model, needed in FROM_ENVIRONMENT:
            chosen = self._environ.get(variable, "").strip() or model
            if self._environ.get(needed, "").strip() or (prefix == "ollama" and self._environ.get(variable)):
                full = f"{prefix}:{chosen}"
                found[name] = self._settle(full, words.Deployment(model=full), name)
        return found

    def _from_file(self) -> dict[str, Deployment]:
        found = {}
        for name, written in self.settings.deployments.items():
            where = f"models.deployments.{name}"
            if ":" in name or name in BUILT_IN or name in self.settings.routes:
                raise ModelSetup("a deployment cannot have this name", where=where, remedy="choose another")
            if ":" not in written.model:
                raise ModelSetup(
                    f"the model {written.model!r} names no provider",
                    where=f"{where}.model",
                    remedy=f"write provider:model, as in {next(iter(PROVIDERS))}:{written.model}",
                )
            if written.key is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", written.key):
                raise ModelSetup(  # what was written may be a key: it is not shown
                    "`key` is the name of an environment variable, never a key itself",
                    where=f"{where}.key",
                    remedy='write key = "MY_API_KEY" and set MY_API_KEY; renew a key that was written down',
                )
            found[name] = self._settle(written.model, written, name)
        return found

    def _settle(self, full: str, written: words.Deployment, name: str = "") -> Deployment:
        prefix, _, model = full.partition(":")
        provider = PROVIDERS.get(prefix, Provider())
        url = written.url or self._environ.get(provider.url, "").strip() or provider.address
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ModelSetup(
                "the address of a model starts with http:// or https://", where=name or full, remedy="mend it"
            )
        if parts.username or parts.password:
            raise ModelSetup(
                "an address holds no name and no password", where=name or full, remedy="use `key` for secrets"
            )
        if prefix in {"ollama", "vllm"} and not parts.path.strip("/"):
            url = url.rstrip("/") + "/v1"  # as their own tools write the address
        local = written.local
        if local is None:
            local = provider.local and not _is_hosted(url, model)
        return Deployment(name or full, prefix, model, url, written.key or provider.key, local, written)

    # --- routes ---

    def _check_routes(self) -> None:
        for name, route in self.settings.routes.items():
            if ":" in name or name in BUILT_IN:
                raise ModelSetup(
                    "a route cannot have this name", where=f"models.routes.{name}", remedy="choose another"
                )
            if not route.chain and not route.choose:
                raise ModelSetup(
                    "a route names no model", where=f"models.routes.{name}", remedy='write chain = ["…"]'
                )
        for name in self.settings.routes:
            self._walk(name, ())

    def _walk(self, name: str, above: tuple[str, ...]) -> None:
        """Every name of a route is there, and no route leads back to itself."""
        if name in above:
            raise ModelSetup(
                f"the route leads back to itself: {' → '.join((*above, name))}",
                where=f"models.routes.{above[0]}",
                remedy="take one of them out",
            )
        route = self.routes[name]
        for step in (*route.chain, *(step for choice in route.choose for step in choice.use)):
            if step in self.routes:
                self._walk(step, (*above, name))
            elif ":" not in step and step not in {*BUILT_IN, *_known_later(), *self.deployments}:
                raise self._unknown(step, f"models.routes.{name}")


def _known_later() -> frozenset[str]:
    """Names that may stand in a route although their variable is not set here."""
    return frozenset(name for name, *_ in FROM_ENVIRONMENT)


def _is_hosted(url: str, model: str) -> bool:
    """Whether an Ollama answers that is paid for: its cloud, reached directly or through the one at home."""
    host = urlsplit(url).hostname or ""
    return host == "ollama.com" or host.endswith(".ollama.com") or model.endswith("-cloud")


def is_loopback(host: str) -> bool:
    host = host.strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
