"""The provider in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.testing.provider.clients import post
from windtunnel.testing.provider import Answer, Call, LongTail, Plot, ProviderProcess
from windtunnel.testing.provider.plot import read_plot
from windtunnel.testing.provider.words import Cut, Failure

CHAT = {"model": "m", "messages": [{"role": "user", "content": "pay bob"}]}


def test_it_answers_by_its_plot_and_its_log_is_fetched() -> None:
    answers = (
        "ready",
        Answer(fault=Failure(429, retry_after=2)),
        Answer(calls=(Call("pay", {"to": "bob"}),)),
    )
    with ProviderProcess(Plot(answers=answers)) as provider:
        url, key = provider.openai + "/chat/completions", {"idempotency-key": "a"}
        first, second, third = (post(url, json=CHAT, headers=key) for _ in range(3))
        log, totals = provider.log, provider.totals
        pid = provider.pid
    assert first.json()["choices"][0]["message"]["content"] == "ready"
    assert (second.status_code, second.headers["retry-after"]) == (429, "2")
    assert third.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "pay"
    assert [(exchange.key, exchange.attempt, exchange.status) for exchange in log] == [
        ("a", 1, 200),
        ("a", 2, 429),
        ("a", 3, 200),
    ]
    assert log.paid_again() == {"a": 2}
    assert log.totals == totals
    assert totals.asked == 3
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{provider.port}/health")
    assert pid > 0


def test_what_hangs_there_is_released_from_here() -> None:
    plot = msgspec_plot({"answers": [{"text": "ready", "fault": {"fault": "hang", "seconds": 0.0}}]})
    with ProviderProcess(plot) as provider:
        assert post(provider.openai + "/chat/completions", json=CHAT).status_code == 200
        assert provider.release() == 0


def msgspec_plot(told: object) -> Plot:
    return msgspec.convert(told, Plot)


def test_a_plot_is_read_from_toml_and_json_alike(tmp_path: Path) -> None:
    toml, as_json = tmp_path / "plot.toml", tmp_path / "plot.json"
    toml.write_text(
        'rules = { pay = { text = "paid", fault = { fault = "cut", after = 0.5 } }, "" = "ready" }\n'
        "storm = { rate_limited = 0.1 }\nlatency = { median = 0.5 }\nseed = 7\n"
    )
    as_json.write_text(
        json.dumps(
            {
                "rules": {"pay": {"text": "paid", "fault": {"fault": "cut", "after": 0.5}}, "": "ready"},
                "storm": {"rate_limited": 0.1},
                "latency": {"median": 0.5},
                "seed": 7,
            }
        )
    )
    assert read_plot(toml) == read_plot(as_json)
    plot = read_plot(toml)
    assert plot.rules["pay"] == Answer("paid", fault=Cut(0.5))
    assert (plot.latency, plot.storm) == (LongTail(0.5), {"rate_limited": 0.1})


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "windtunnel.testing.provider", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"txet": "ready"}', "txet"),
        ('{"latency": {"mean": 1}}', "mean"),
        ('{"answers": [{"fault": {"fault": "hail"}}]}', "hail"),
        ('{"storm": {"hail": 0.1}}', "hail"),
        ("{", "plot.json"),
    ],
)
def test_a_plot_that_cannot_be_read_is_refused_with_the_field(tmp_path: Path, text: str, words: str) -> None:
    plot = tmp_path / "plot.json"
    plot.write_text(text)
    done = _run("--plot", str(plot))
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_plot_that_is_not_there_and_a_port_that_is_taken_are_refused(tmp_path: Path) -> None:
    done = _run("--plot", str(tmp_path / "none.json"))
    assert done.returncode == 2
    assert "none.json" in done.stderr
    with ProviderProcess() as provider:
        done = _run("--port", str(provider.port))
    assert done.returncode == 2
    assert str(provider.port) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "windtunnel.testing.provider"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        where = json.loads(process.stdout.readline())
        assert where["pid"] == process.pid
        assert httpx.get(where["url"] + "/health").status_code == 200
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stderr.read() == b""
