"""What a person or a script is told when a provider says no, and that no key is ever among it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.bank import KEY, SECRET
from windtunnel.cli import main
from windtunnel.testing.provider import (
    Answer,
    Provider,
    Request,
    cut,
    failing,
    garbage,
    out_of_quota,
    payment_required,
    rate_limited,
    unauthorized,
    unavailable,
)

pytestmark = pytest.mark.slow
SETTINGS = """\
[models.deployments.local]
model = "{provider}:small-model"
url = "{url}"
key = "{key}"
local = false
timeout = 5
[models.prices.local]
input = 1
output = 1
[models.retry]
attempts = {attempts}
first_wait = 0.01
longest_wait = 0.02
[models.breaker]
failures = 1000
rest = 0.05
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Desk:
    """The command line in a workspace whose one model is answered by the provider."""

    def __init__(self, home: Path, scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.scenario, self._capsys = home, scenario, capsys
        self.said: list[str] = []

    def settle(self, provider: Provider, *, attempts: int = 2, dialect: str = "openai-chat") -> None:
        url = provider.openai if dialect.startswith("openai") else provider.url
        text = SETTINGS.format(provider=dialect, url=url, key=KEY, attempts=attempts)
        (self.home / "windtunnel.toml").write_text(text)

    def __call__(self, *words: object) -> Said:
        self._capsys.readouterr()
        code = main([str(word) for word in words])
        said = Said(code, *self._capsys.readouterr())
        self.said += [said.out, said.err]
        return said


@pytest.fixture(
    scope="session"
)  # a process takes up tests of a module twice; the package is imported for good
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("worlds")
    assert main(["new", "world", "doorpond", "--in", str(home), "--json"]) == 0
    return home / "doorpond" / "doorpond" / "scenarios" / "first.yaml"


@pytest.fixture
def desk(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")  # so that no line of a message is broken
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.delenv("WINDTUNNEL_HOME", raising=False)
    return Desk(tmp_path, lake, capsys)


def catch(_: Request) -> str:
    return json.dumps({"why": "a fish", "action": {"type": "Catch", "amount": 5}})


# What the provider says; the status that is told, at which attempt, and words of the remedy.
NOES: dict[str, tuple[Answer, int | None, int, str]] = {
    "400": (failing(400, "no such field"), 400, 1, "windtunnel models test"),
    "401": (unauthorized(), 401, 1, "windtunnel models test"),
    "402": (payment_required(), 402, 1, "fill it"),
    "403": (failing(403, "not yours"), 403, 1, "windtunnel models test"),
    "404": (failing(404, "no such model"), 404, 1, "model's name"),
    "408": (failing(408, "too slow"), 408, 2, "wait"),
    "409": (failing(409, "conflict"), 409, 1, "windtunnel models test"),
    "429": (rate_limited(0.01), 429, 2, "concurrency"),
    "429, an empty purse": (out_of_quota(), 429, 1, "fill it"),
    "500": (failing(500, "oops"), 500, 2, "in trouble"),
    "502": (failing(502, "bad gateway"), 502, 2, "in trouble"),
    "503": (unavailable(), 503, 2, "in trouble"),
    "504": (failing(504, "gave up"), 504, 2, "in trouble"),
    "529": (failing(529, "overloaded"), 529, 2, "in trouble"),
    "a cut connection": (cut("x" * 100), None, 2, "the address is right"),
    "a connection cut before its first byte": (cut(after=0), None, 2, "the address is right"),
}


@pytest.mark.parametrize("name", NOES)
def test_a_providers_no_names_provider_model_status_attempt_and_remedy(name: str, desk: Desk) -> None:
    answer, status, attempt, remedy = NOES[name]
    with Provider(answer) as provider:
        desk.settle(provider)
        said = desk(
            "run", desk.scenario, "--turns", 2, "--set", "model=local", "--agent", "ana=llm", "--json"
        )
        assert said.code == 4, said
        run = json.loads(said.out)
        error = json.loads(said.err)["error"]
        assert run["status"] == "paused"
        assert error["code"] == "model"
        assert remedy in error["remedy"]
        for told in (run["reason"], f"{error['where']}: {error['message']} ({error['remedy']})"):
            assert told.startswith("local: openai-chat gave no reply from small-model")
            assert f"at attempt {attempt}:" in told
            assert remedy in told
            assert (f"with status {status}," in told) is (status is not None)
        assert len(provider.log) == attempt
        shown = desk("show", run["run_id"])
        assert error["message"] in shown.out
        again = desk("resume", run["run_id"])
        assert again.code == 4
        assert again.err.startswith("error: openai-chat gave no reply from small-model")
        assert f"next:  {error['remedy']}" in again.err
        provider.play(catch)
        assert desk("resume", run["run_id"]).code == 0
        assert desk("verify", run["run_id"]).code == 0


def test_a_spent_budget_pauses_with_the_flag_to_type(desk: Desk) -> None:
    with Provider(catch) as provider:
        desk.settle(provider)
        said = desk(
            "run", desk.scenario, "--turns", 3, "--set", "model=local", "--agent", "ana=llm",
            "--budget", 0.003, "--json",
        )  # fmt: skip
        assert said.code == 4, said
        run, error = json.loads(said.out), json.loads(said.err)["error"]
        assert error["code"] == "budget"
        assert error["remedy"].startswith(f"windtunnel resume {run['run_id']} --budget")
        assert error["remedy"] in run["reason"]
        assert desk("resume", run["run_id"]).code == 4
        assert desk("resume", run["run_id"], "--budget", 1).code == 0
        assert desk("replay", run["run_id"]).code == 0


def leaky(request: Request) -> Answer | str:
    """A provider that says the key back: in an error of each kind, then in its answer."""
    key = request.headers.get("authorization", "").removeprefix("Bearer ") or request.headers.get(
        "x-api-key", ""
    )
    assert key == SECRET, "the key did not arrive, so nothing is proven"
    if request.attempt == 1:
        return failing(503, f"upstream refused 'Authorization: Bearer {key}' ({key})")
    if request.attempt == 2:
        return garbage(f"<html>{key}</html>")
    return json.dumps({"why": f"my key is {key}", "action": {"type": "Catch", "amount": 5}})


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic"])
def test_a_key_stands_nowhere_in_what_is_written_or_said(dialect: str, desk: Desk) -> None:
    with Provider(leaky) as provider:
        desk.settle(provider, attempts=4, dialect=dialect)
        words = ("--turns", 2, "--set", "model=local", "--agent", "ana=llm")
        assert desk("run", desk.scenario, *words, "--json").code == 0, desk.said
        (run,) = [json.loads(line)["run_id"] for line in desk("runs", "--json").out.splitlines()]
        provider.play(lambda request: failing(401, f"Incorrect API key provided: {SECRET}."))
        assert desk("--debug", "run", desk.scenario, *words).code == 4
        assert desk("run", desk.scenario, *words, "--json").code == 4
    for more in ((), ("--json",)):
        for command in (
            ("show", run),
            ("show", run, "--operations"),
            ("show", run, "--entries"),
            ("models",),
        ):
            desk(*command, *more)
    for kind in ("html", "jsonl", "csv"):
        parts = ["--effects", "--operations"] if kind == "jsonl" else []
        assert desk("export", run, "--to", kind, "-o", desk.home / f"out.{kind}", *parts).code == 0, desk.said
    files = [path for path in desk.home.rglob("*") if path.is_file()]
    assert {"html", "sqlite", "heads"} <= {path.suffix[1:] for path in files}
    for path in files:
        assert SECRET.encode() not in path.read_bytes(), path
    assert not any(SECRET in said for said in desk.said)
