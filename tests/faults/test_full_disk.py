"""A disk that is really full: a small file system where it may be mounted, a limit on file size where not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.lab import ROOT, Case, Server

DISK_BYTES = 16 << 20
BALLAST = "ballast"


class SmallDisk:
    """A folder on a disk of a few megabytes, which can be filled and freed."""

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self.folder, self.mounted = folder, mounted

    def fill(self, leave: int) -> int:
        """Take up all but `leave` bytes. The limit for files to be set instead, where nothing is mounted."""
        if not self.mounted:
            largest = max(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
            return max(largest, leave)
        with (self.folder / BALLAST).open("wb", buffering=0) as file:
            size = 0
            try:
                while file.write(b"\0" * 4096):
                    pass
            except OSError:
                size = file.tell()
            file.truncate(max(0, size - leave))
        return 0

    def free(self) -> None:
        (self.folder / BALLAST).unlink(missing_ok=True)


@pytest.fixture(params=["mounted", "limited"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    """Both ways where the system lets us mount; the second alone where it does not."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = False
    if request.param == "mounted":
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
        mounted = (
            os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        )
    try:
        yield SmallDisk(folder, mounted=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("world", ["rules", "asking"])
def test_on_a_full_disk_the_run_stops_in_words_and_goes_on_when_there_is_room(
    server: Server, small: SmallDisk, tmp_path: Path, world: str
) -> None:
    turns = {"rules": 400, "asking": 40}[world]
    clean = Case(server, tmp_path / "clean", world, turns).begin()
    head = clean.play().told["head"]
    case = Case(server, small.folder, world, turns).begin()
    stops, before = 0, case.sound()
    for leave in (160 << 10, 220 << 10, 300 << 10):
        told = case.play(file_limit=small.fill(leave)).told
        if "error" in told:
            stops += 1
            assert (told["error"], told["exit_code"]) == ("StorageError", 3), told
            assert not small.mounted or "disk is full" in told["text"] or "No space left" in told["text"], (
                told
            )
            assert told["text"].endswith(")"), f"no remedy: {told['text']}"
        small.free()
        before = case.sound()
    assert stops, "the disk was never full"
    told = case.play().told
    assert told.get("head") == head, told
    assert case.sound().history[: len(before.history)] == before.history


def windtunnel(home: Path, *words: str, limit: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "windtunnel", *words]
    if limit:  # in blocks of 512 bytes, as the standard says
        command = ["sh", "-c", f'ulimit -f {limit // 512}; exec "$@"', "sh", *command]
    environment = {**os.environ, "WINDTUNNEL_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_the_command_line_says_that_the_disk_is_full_and_ends_with_3(
    small: SmallDisk, tmp_path: Path
) -> None:
    home = small.folder / "home"
    home.mkdir()
    (home / "windtunnel.toml").touch()
    started = windtunnel(home, "run", "economy/growth", "--set", "turns=200", limit=small.fill(480 << 10))
    assert started.returncode == 3, started.stderr
    assert "Traceback" not in started.stderr
    assert not small.mounted or "full" in started.stderr or "No space left" in started.stderr
    small.free()
    (store,) = (home / ".windtunnel" / "runs").glob("*.sqlite")
    resumed = windtunnel(home, "resume", store.stem)
    assert resumed.returncode == 0, resumed.stderr
    assert windtunnel(home, "verify", store.stem).returncode == 0
    assert windtunnel(home, "replay", store.stem).returncode == 0
