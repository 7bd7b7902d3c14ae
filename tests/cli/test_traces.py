"""Traces of a whole run, as any OTLP back end receives them: asked for by the standard variables alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What an OTLP back end is to us."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    import gzip

                    raw = gzip.decompress(raw)
                for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans += scope.spans
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


def run(folder: Path, **variables: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "windtunnel", "run", "economy/growth", "--turns", "2", "--model", "house"],
        env={**os.environ, "WINDTUNNEL_HOME": str(folder), **variables},
        check=True,
        capture_output=True,
        timeout=120,
    )


@pytest.mark.slow
def test_a_run_is_traced_from_the_run_down_to_each_call(tmp_path: Path) -> None:
    with Collector() as collector:
        run(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    by_id = {span.span_id: span for span in collector.spans}

    def line(span: Any) -> list[str]:
        above = by_id.get(span.parent_span_id)
        return [*(line(above) if above is not None else []), span.name]

    calls = [span for span in collector.spans if span.name == "chat house"]
    assert len(calls) == 3 * 2
    assert line(calls[0]) == [
        "run economy/growth", "turn 1", "phase plan_and_validate", "invoke_agent aldland", "chat house",
    ]  # fmt: skip
    told = {one.key: one.value for one in calls[0].attributes}
    assert told["gen_ai.response.model"].string_value == "house"
    assert told["gen_ai.usage.input_tokens"].int_value > 100
    assert "gen_ai.input.messages" not in told  # what is said stays here, unless that is asked for too


@pytest.mark.slow
def test_what_is_said_is_traced_only_when_asked_for(tmp_path: Path) -> None:
    with Collector() as collector:
        run(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true",
        )
    calls = [span for span in collector.spans if span.name == "chat house"]
    told = {one.key: one.value.string_value for one in calls[0].attributes}
    assert "You are `aldland`" in told["gen_ai.input.messages"]
    assert "KeepCourse" in told["gen_ai.output.messages"]


@pytest.mark.slow
def test_feedback_reaches_the_back_end_too(tmp_path: Path) -> None:
    run(tmp_path)
    store = next((tmp_path / ".windtunnel" / "runs").glob("*.sqlite"))
    with Collector() as collector:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "windtunnel",
                "feedback",
                str(store),
                "--score",
                "0.5",
                "--comment",
                "bold",
            ],
            env={
                **os.environ,
                "WINDTUNNEL_HOME": str(tmp_path),
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            },
            check=True,
            capture_output=True,
            timeout=120,
        )
    (span,) = collector.spans
    told = {one.key: one.value for one in span.attributes}
    assert told["gen_ai.evaluation.score.value"].double_value == 0.5
    assert told["gen_ai.evaluation.explanation"].string_value == "bold"
    assert told["windtunnel.run_id"].string_value == store.stem
