"""The command that is forked for the documents does what a process of its own does."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.docs.ready import ready
from tests.docs.test_examples import COMMAND, surroundings

pytestmark = pytest.mark.slow
SECONDS = 60
LONG = ["run", "economy/growth", "--turns", "100000", "--store", "long.sqlite"]


@pytest.fixture(scope="module")
def forked() -> Iterator[str]:
    with ready(surroundings()) as command:
        yield command


def laid(folder: Path, command: str) -> dict[str, Any]:
    """A folder with the command, and how to start something there."""
    (folder / "tools").mkdir(parents=True)
    (folder / "here").mkdir()
    script = folder / "tools" / "windtunnel"
    script.write_text(command)
    script.chmod(0o755)
    environ = surroundings()
    return {"cwd": folder / "here", "env": {**environ, "PATH": f"{folder / 'tools'}:{environ['PATH']}"}}


@pytest.mark.parametrize(
    "line",
    [
        "windtunnel",
        "windtunnel --version",
        "windtunnel nonsense",
        "windtunnel show nope.sqlite --debug",
        "mkdir -p a/b && cd a/b && windtunnel new world lake && cd .. && find .",
        "COLUMNS=40 NO_COLOR=1 windtunnel scenarios economy",
        "WINDTUNNEL_HOME=elsewhere windtunnel runs --json; ls",
        "windtunnel run economy/quick --seed 5 --turns 2 --store q.sqlite > said 2>&1; echo $?; tail -3 said",
        "windtunnel schema economy | head -c 10; echo ${PIPESTATUS[@]}",
        "windtunnel models 2>&1 > /dev/full | head -2; echo ${PIPESTATUS[0]}",
    ],
)
def test_it_says_and_leaves_what_a_process_of_its_own_does(tmp_path: Path, forked: str, line: str) -> None:
    told = []
    for name, command in {"one": COMMAND, "two": forked}.items():
        done = subprocess.run(
            ["bash", "-c", line],
            **laid(tmp_path / name, command),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        told.append((done.returncode, *(plain(text, name) for text in (done.stdout, done.stderr))))
    assert told[0] == told[1]


def plain(text: str, name: str) -> str:
    """Without what differs whenever it is said: where it stands, how long it took, how a run is called."""
    text = re.sub(rf"/{name}/(tools|here)", r"/\1", text)
    return re.sub(r"\b\d+(\.\d+)? (m?s|turns/s)\b|\bs2[0-9a-z]{8}\b|[0-9a-f]{12,}", "…", text)


def started(folder: Path, command: str) -> subprocess.Popen[str]:
    """A run that plays for long, once its first turns are there."""
    where = laid(folder, command)
    running = subprocess.Popen(
        [folder / "tools" / "windtunnel", *LONG],
        **where,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + SECONDS
    while entries(folder) < 20:
        assert time.monotonic() < deadline
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    return running


def entries(folder: Path) -> int:
    store = folder / "here" / "long.sqlite"
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as read,
    ):
        return int(read.execute("SELECT count(*) FROM entry").fetchone()[0])
    return 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_as_it_ends_a_process_of_its_own(
    tmp_path: Path, forked: str, number: signal.Signals
) -> None:
    told = []
    for name, command in {"one": COMMAND, "two": forked}.items():
        running = started(tmp_path / name, command)
        running.send_signal(number)
        said, _ = running.communicate(timeout=SECONDS)
        told.append((running.returncode, said.splitlines()[:2]))  # how far it came differs
    assert told[0] == told[1]


def test_whoever_asked_and_is_killed_takes_it_along(tmp_path: Path, forked: str) -> None:
    running = started(tmp_path / "two", forked)
    running.kill()
    running.communicate(timeout=SECONDS)  # its end of the pipe is closed by the last who held it
    so_far = entries(tmp_path / "two")
    time.sleep(0.3)
    assert entries(tmp_path / "two") == so_far
