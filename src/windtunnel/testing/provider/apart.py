"""The provider in a process of its own, for benches and for tests that kill.

It shares no interpreter and no CPU account with the client that is measured. Its log is fetched over HTTP.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from windtunnel.errors import UsageError
from windtunnel.testing.provider.log import Log, Totals
from windtunnel.testing.provider.plot import Plot
from windtunnel.testing.provider.server import HOST

PATIENCE = 30.0


class ProviderProcess:
    """As `Provider`, but for what a plot cannot say. It ends with its `with`, and with this process."""

    def __init__(self, plot: Plot | None = None, *, port: int = 0) -> None:
        self._plot, self.port = plot or Plot(), port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def openai(self) -> str:
        return self.url + "/v1"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> Log:
        """As it is now: a copy."""
        return Log.from_json(self._own("GET", "log"))

    @property
    def totals(self) -> Totals:
        return msgspec.json.decode(self._own("GET", "totals"), type=Totals)

    def release(self) -> int:
        found: int = json.loads(self._own("POST", "release"))["released"]
        return found

    def _own(self, method: str, what: str) -> bytes:
        connection = HTTPConnection(HOST, self.port, timeout=PATIENCE)
        try:
            connection.request(method, f"/_provider/{what}")
            return connection.getresponse().read()
        finally:
            connection.close()

    def __enter__(self) -> Self:
        with tempfile.TemporaryDirectory() as folder:
            plot = Path(folder) / "plot.json"
            plot.write_bytes(msgspec.json.encode(self._plot))
            module = ["-m", "windtunnel.testing.provider", "--until-eof", "--plot", str(plot)]
            self._process = subprocess.Popen(
                [sys.executable, *module, "--port", str(self.port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert self._process.stdout is not None
            said = self._process.stdout.readline()  # the plot is read before it listens
        if not said:
            self._end()
            raise UsageError("the provider for tests did not start: see what it said on stderr")
        self.port = json.loads(said)["port"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
