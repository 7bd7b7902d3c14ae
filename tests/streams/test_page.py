"""The clients that docs/streams.md shows, and the settings it lists."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import msgspec
import pytest

from tests.streams.scribe import Scribe
from windtunnel.config.streams import Streams

PAGE = (Path(__file__).parent.parent.parent / "docs" / "streams.md").read_text()


def block(kind):
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_page_names_every_setting_with_its_default():
    assert tomllib.loads(block("toml"))["streams"] == msgspec.to_builtins(Streams())


@pytest.mark.slow
def test_the_client_of_the_page_follows_a_run_to_its_end_though_the_server_goes(serving, tmp_path):
    server = serving()
    port = server.port
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    script = tmp_path / "follow.py"
    script.write_text(block("python"))
    command = [sys.executable, str(script), f"ws://127.0.0.1:{port}", "r1"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    threading.Event().wait(0.5)
    scribe.play(3)
    server.stop()
    scribe.play(3)
    serving(port=port)
    scribe.play(3)
    scribe.end()
    out, error = child.communicate(timeout=60)
    assert child.returncode == 0, error
    turns = [line.split(" ")[0] for line in out.splitlines() if "metrics" in line]
    assert turns == [str(number) for number in range(1, 10)]
    assert out.splitlines()[-1].startswith("9 completed")
    scribe.close()
