"""Startup: how long until the first word, in milliseconds of wall time, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.measure import Result, cheaper, need

TIMEOUT = 120


def commands(*, inspect: bool, langgraph: bool) -> dict[str, list[str]]:
    python, scripts = sys.executable, Path(sys.executable).parent
    asked = {
        "windtunnel_help": [python, "-m", "windtunnel", "--help"],
        "import_windtunnel": [python, "-c", "import windtunnel"],
        "python_pass": [python, "-c", "pass"],
    }
    if inspect:
        asked["inspect_help"] = [str(scripts / "inspect"), "--help"]
    if langgraph:
        asked["import_langgraph"] = [python, "-c", "import langgraph.graph"]
    return asked


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, timeout=TIMEOUT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.perf_counter() - begin


def run(*, smoke: bool = False) -> Result:
    repetitions = 1 if smoke else 9
    asked = commands(
        inspect=need("inspect_ai", smoke=smoke), langgraph=need("langgraph", "langgraph.graph", smoke=smoke)
    )
    seen: dict[str, list[float]] = {name: [] for name in asked}
    for repetition in range(repetitions + 1):
        for name, command in asked.items():
            took = seconds(command)
            if repetition:  # the first fills the caches
                seen[name].append(took * 1000)
    found = {name: median(times) for name, times in seen.items()}
    ours, peer = found["windtunnel_help"], found.get("inspect_help")
    more = {
        **{name: found[name] for name in ("import_windtunnel", "python_pass")},
        "import_langgraph": found.get("import_langgraph"),
        "ratio_import": cheaper(found["import_windtunnel"], found.get("import_langgraph")),
        "help_over_python": ours / found["python_pass"],
        "import_over_python": found["import_windtunnel"] / found["python_pass"],
    }
    return Result(
        "startup", ours, peer, "inspect --help", cheaper(ours, peer), "ms", repetitions, more,
        target="none in numbers: close to `python -c pass`",
        what="`windtunnel --help`, and `import windtunnel` beside `import langgraph`",
    )  # fmt: skip
