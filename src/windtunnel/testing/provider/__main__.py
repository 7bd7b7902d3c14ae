"""`python -m windtunnel.testing.provider`: the provider in a process of its own.

Prints one line of JSON (`url`, `port`, `pid`) when it listens, and serves until it is stopped, or until its
stdin ends with `--until-eof`. Its log is at `/_provider/log`, the totals at `/_provider/totals`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from windtunnel.errors import WindtunnelError
from windtunnel.testing.provider.plot import Plot, read_plot
from windtunnel.testing.provider.server import Provider


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m windtunnel.testing.provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: a free one (default)")
    parser.add_argument(
        "--plot", type=Path, help="a JSON or TOML file: text, answers, rules, storm, latency, ..."
    )
    parser.add_argument("--until-eof", action="store_true", help="end when stdin does")
    asked = parser.parse_args(words)
    try:
        plot = Plot() if asked.plot is None else read_plot(asked.plot)
        provider = plot.provider(asked.port)
    except WindtunnelError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return wrong.exit_code
    try:
        asyncio.run(_serve(provider, until_eof=asked.until_eof))
    except OSError as why:
        sys.stderr.write(f"port {asked.port}: {why.strerror} (choose another, or 0 for a free one)\n")
        return 2
    return 0


async def _serve(provider: Provider, *, until_eof: bool) -> None:
    serving = asyncio.create_task(provider.serve())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, provider.stop)
    await provider.listening(serving)
    if until_eof:
        threading.Thread(target=_wait_for_end, args=(loop, provider), daemon=True).start()
    where = {"url": provider.url, "port": provider.port, "pid": os.getpid()}
    sys.stdout.write(json.dumps(where) + "\n")
    sys.stdout.flush()
    await serving


def _wait_for_end(loop: asyncio.AbstractEventLoop, provider: Provider) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(provider.stop)


if __name__ == "__main__":
    sys.exit(main())
