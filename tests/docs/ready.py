"""`windtunnel`, ready to start: for documents, which ask for it more than a hundred times.

A process that has imported what commands import waits at a socket and forks for each one. On the PATH of the
documents stands a small script that hands over what the system would have: words, folder, environment, open
files, ignored signals; then it passes signals on, and ends as the command ends. It goes when its owner does:
its input ends. What differs from a process of its own: the parent, the group, and the seed of `hash()`, which
is one for all.

    python tests/docs/ready.py SOCKET
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

IMPORTED = (
    "windtunnel.cli.app",
    "windtunnel.cli.running",
    "windtunnel.cli.looking",
    "windtunnel.worlds.economy",
)
PASSED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
STARTS_SECONDS = 60

# Without site and without what others put on the path: it starts in a hundredth of a second.
ASK = f"""#!{sys.executable} -IS
import json, os, signal, socket, sys
passed_on = {[int(number) for number in PASSED_ON]}
line = socket.socket(socket.AF_UNIX)
line.connect(ADDRESS)
asked = json.dumps(dict(words=sys.argv, folder=os.getcwd(), environ=dict(os.environ),
    ignored=[n for n in passed_on if signal.getsignal(n) == signal.SIG_IGN])).encode()
socket.send_fds(line, [len(asked).to_bytes(8, "big")], [0, 1, 2])
line.sendall(asked)
for number in passed_on:
    signal.signal(number, lambda number, frame: line.send(bytes([number])))
ended = line.recv(4)
if len(ended) < 4:
    sys.exit("what forks the commands of the documents is gone")
code = os.waitstatus_to_exitcode(int.from_bytes(ended, "big"))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@contextmanager
def ready(environ: dict[str, str]) -> Iterator[str]:
    """The text of a script that does what `windtunnel` does. `environ` is that of the commands, because how a
    process writes its letters is settled as it starts."""
    folder = tempfile.TemporaryDirectory(prefix="wt-")  # the address of a socket must be short
    address = str(Path(folder.name) / "ready")
    server = subprocess.Popen(
        [sys.executable, __file__, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environ,
        start_new_session=True,  # a Ctrl-C is for the commands, which hear of it from those who asked
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        assert select.select([server.stdout], [], [], STARTS_SECONDS)[0], "it does not start"
        assert (said := server.stdout.readline()) == b"ready\n", (said + server.stdout.read()).decode()
        yield ASK.replace("ADDRESS", repr(address))
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait()
        folder.cleanup()


# ------------------------------------------------------------------ the other process


class Asked(NamedTuple):
    words: list[str]
    folder: str
    environ: dict[str, str]
    ignored: list[int]


def heard(line: socket.socket) -> Asked:
    """What is asked for; its open files are this process's from here on."""
    told, files, _, _ = socket.recv_fds(line, 8, 3)
    asked: dict[str, Any] = json.loads(line.recv(int.from_bytes(told, "big"), socket.MSG_WAITALL))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    return Asked(**asked)


def see_through(pid: int, line: socket.socket, told: int) -> None:
    """Hand on signals until the command has ended, and say how. Who asked and is killed takes it along."""
    while True:
        able, _, _ = select.select([line.fileno(), told], [], [])
        if told in able:
            os.read(told, 64)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with suppress(OSError):
                    line.sendall(status.to_bytes(4, "big"))
                return
        if line.fileno() in able:
            numbers = line.recv(64)
            for number in numbers or [signal.SIGKILL]:
                os.kill(pid, number)
            if not numbers:
                os.waitpid(pid, 0)
                return


def attend(line: socket.socket) -> Asked:
    """In a process of its own: returns in the command, and only there."""
    asked = heard(line)
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(tell)
    pid = os.fork()
    if pid:
        for number in range(3):
            os.close(number)  # or whoever reads what the command writes would wait for this process
        see_through(pid, line, told)
        os._exit(0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    line.close()
    os.close(told)
    os.close(tell)
    return asked


def wait_for_work(address: str) -> Asked:
    """Returns in a process that is to do what was asked; ends with its input."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody need bury those who attend
        gc.freeze()
        os.write(1, b"ready\n")  # what Python has for these files is the commands', and unused as yet
        while True:
            able, _, _ = select.select([door.fileno(), 0], [], [])
            if 0 in able:
                sys.exit()
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                return attend(line)
            line.close()


def main(address: str) -> None:
    for name in IMPORTED:
        __import__(name)
    asked = wait_for_work(address)
    for number in asked.ignored:
        signal.signal(number, signal.SIG_IGN)
    os.chdir(asked.folder)
    os.environ.clear()
    os.environ.update(asked.environ)
    sys.argv, sys.path[0] = asked.words, asked.folder  # as `python -m` sets them
    gc.unfreeze()
    runpy.run_module("windtunnel", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
