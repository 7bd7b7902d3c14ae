"""A route as a model of pydantic-ai: whatever takes a `Model` can be given one, another route included.

Streaming is not offered: a reply is durable before it is used, so nothing is shown before it is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings

from windtunnel.models import dialect
from windtunnel.models.budget import Account
from windtunnel.models.cache import canonical_bytes

if TYPE_CHECKING:
    from windtunnel.models.gateway import Gateway

PROFILE = ModelProfile(
    supports_tools=True, supports_json_schema_output=True, default_structured_output_mode="native"
)


class GatewayModel(Model[Any]):
    def __init__(
        self, gateway: Gateway, name: str, *, accounts: Sequence[Account] = (), run: str = ""
    ) -> None:
        super().__init__(profile=PROFILE)
        self._gateway, self._name, self._accounts, self._run = gateway, name, accounts, run

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def system(self) -> str:
        return "windtunnel"

    @property
    def base_url(self) -> str | None:
        return None

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        settings, wanted = self.prepare_request(model_settings, model_request_parameters)
        ask = dialect.asked(self._name, messages, settings or ModelSettings(), wanted)
        key = sha256(canonical_bytes(ask)).hexdigest()[:32]
        reply = await self._gateway.ask(ask, key=key, accounts=self._accounts, run=self._run)
        return dialect.responded(reply)
