"""`windtunnel serve` as a person meets it: how it starts, how it ends, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.server.live import live
from tests.server.tunnel import tunnel

SECONDS = 60.0
pytestmark = pytest.mark.slow
HIDE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name={name!r})
sys.meta_path.insert(0, Missing())
"""


def serve(home: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected not to start."""
    return subprocess.run(
        [sys.executable, "-m", "windtunnel", "serve", "--port", "0", *words], cwd=home, capture_output=True,
        text=True, timeout=SECONDS, check=False,
        env={**os.environ, "WINDTUNNEL_HOME": str(home), "WINDTUNNEL_OFFLINE": "1", **environ},
    )  # fmt: skip


def refusal(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_ends_when_asked_though_streams_are_open_and_runs_are_played(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with tunnel(tmp_path) as made:
        server = made.serve()
        run = server.start_run(**made.request(400))
        turns = made.all_on([run])
        address = server.url.replace("http", "ws", 1) + "/api/stream"
        events = f"{server.url}/api/simulations/{run}/stream"
        with (
            connect(address) as line,
            httpx.stream("GET", events, headers={"accept": "text/event-stream"}, timeout=SECONDS) as stream,
        ):
            line.send(json.dumps({"subscribe": f"run:{run}"}))
            line.recv(timeout=SECONDS)
            assert next(stream.iter_lines())
            assert server.end(number) == code
        assert "Traceback" not in server.log(), server.log()
        made.all_on([run], turns)  # its worker goes on


def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(serve(tmp_path, "--port", str(port)))
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said
    assert "--port 0" in said
    assert not (tmp_path / ".windtunnel").exists()


def test_an_open_address_needs_keys_and_says_how_to_make_them(tmp_path: Path) -> None:
    said = refusal(serve(tmp_path, "--host", "0.0.0.0"))
    assert "windtunnel keys create" in said
    assert "--open-to-everyone" in said


def test_settings_that_are_wrong_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "windtunnel.toml").write_text("[serve]\nport = 8000\nprot = 1\n")
    said = refusal(serve(tmp_path))
    assert "prot" in said
    assert "windtunnel.toml" in said
    (tmp_path / "windtunnel.toml").write_text("[serve\nport = 8000\n")
    assert "windtunnel.toml" in refusal(serve(tmp_path))


def test_a_folder_that_cannot_be_written_is_told() -> None:
    """Nobody makes a folder in /proc, root neither."""
    assert "/proc/.windtunnel" in refusal(serve(Path("/proc")), 3)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / ".windtunnel").write_text("in the way")
    said = refusal(serve(tmp_path), 3)
    assert ".windtunnel" in said


@pytest.mark.parametrize("missing", ["uvicorn", "fastapi", "fastmcp"])
def test_a_missing_extra_is_named(tmp_path: Path, missing: str) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(HIDE.format(name=missing))
    said = refusal(serve(tmp_path, PYTHONPATH=str(hidden)))
    assert missing in said
    assert "pip install 'windtunnel[server]'" in said


def test_a_server_is_there_before_mcp_is_loaded(tmp_path: Path) -> None:
    """What MCP needs takes longer to import than the rest together."""
    code = "import sys, windtunnel.server.assembly as _; print({'mcp', 'fastmcp'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert done.stdout.strip() == "set()"


def test_mcp_answers_the_first_request_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with live(tmp_path) as server:
        hello = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        headers = {"accept": "application/json, text/event-stream"}
        answer = httpx.post(f"{server.url}/mcp", json=hello, headers=headers, timeout=SECONDS)
        assert (answer.status_code, "start_simulation" in answer.text) == (200, True)
        assert server.end(signal.SIGTERM) == 0
        assert "Traceback" not in server.log(), server.log()
