"""OpenTelemetry spans, named and filled as its GenAI conventions say; nothing at all unless asked for.

Asked for by the standard variables: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or
`OTEL_TRACES_EXPORTER`; `OTEL_SDK_DISABLED=true` and `OTEL_TRACES_EXPORTER=none` forbid. A provider that the
process has already set up is used as it is. Prompts and replies are left out unless
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is true. Keys never are in a span.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, Protocol

Kind = Literal["run", "turn", "phase", "agent", "call", "tool", "feedback"]
ASKED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
OPERATIONS = {"agent": "invoke_agent", "call": "chat", "tool": "execute_tool"}


class Span(Protocol):
    def set(self, **attributes: Any) -> None:
        """Names are written with `_` for `.`, as in gen_ai_request_model."""


class _NoSpan:
    __slots__ = ()

    def set(self, **_attributes: Any) -> None:
        return


NO_SPAN = _NoSpan()
_NOTHING = nullcontext(NO_SPAN)


class Tracer:
    """Off: every span is the same one that does nothing."""

    is_on = False
    content = False

    def span(self, kind: Kind, name: str, **attributes: Any) -> AbstractContextManager[Span]:  # noqa: ARG002
        return _NOTHING

    def close(self) -> None:
        return


class OpenTracer(Tracer):
    is_on = True

    def __init__(self, tracer: Any, *, content: bool, provider: Any = None) -> None:
        self._tracer, self.content, self._provider = tracer, content, provider

    @contextmanager
    def span(self, kind: Kind, name: str, **attributes: Any) -> Iterator[Span]:
        operation = OPERATIONS.get(kind)
        title = f"{operation or kind} {name}".strip()
        with self._tracer.start_as_current_span(title) as span:
            found = _OpenSpan(span)
            if operation is not None:
                found.set(gen_ai_operation_name=operation)
            found.set(**attributes)
            yield found

    def close(self) -> None:
        """Send what waits; only what was set up here is shut down."""
        if self._provider is not None:
            self._provider.shutdown()


class _OpenSpan:
    def __init__(self, span: Any) -> None:
        self._span = span

    def set(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            if value is not None:
                self._span.set_attribute(_dotted(name), value)


_HEADS = (
    "gen_ai_request_", "gen_ai_response_", "gen_ai_usage_", "gen_ai_operation_", "gen_ai_provider_",
    "gen_ai_agent_", "gen_ai_tool_", "gen_ai_input_", "gen_ai_output_", "gen_ai_evaluation_score_",
    "gen_ai_evaluation_", "gen_ai_", "windtunnel_", "error_",
    "server_",
)  # fmt: skip


def _dotted(name: str) -> str:
    """`gen_ai_usage_input_tokens` is `gen_ai.usage.input_tokens`: dots where the conventions have them."""
    for head in _HEADS:
        if name.startswith(head):
            return (
                head.replace("gen_ai", "gen-ai").replace("_", ".").replace("gen-ai", "gen_ai")
                + name[len(head) :]
            )
    return name


def is_asked(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(environ.get(name, "").strip() for name in ASKED_BY)


def tracer_for(environ: Mapping[str, str]) -> Tracer:
    """The tracer that the environment asks for; the silent one where it asks for none."""
    if not is_asked(environ):
        return Tracer()
    try:
        from opentelemetry import trace  # noqa: PLC0415 - nobody pays for what is off
    except ImportError:
        return Tracer()
    content = environ.get(CONTENT, "").strip().lower() in {"true", "1", "span_only", "span_and_event"}
    provider = None if _is_set_up(trace) else _set_up(trace)
    return OpenTracer(trace.get_tracer("windtunnel"), content=content, provider=provider)


def _is_set_up(trace: Any) -> bool:
    return type(trace.get_tracer_provider()).__name__ != "ProxyTracerProvider"


def _set_up(trace: Any) -> Any:
    """An exporter over OTLP, where the packages of the extra `tracing` are there."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": "windtunnel"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider
