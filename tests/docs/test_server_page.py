"""The commands of docs/server.md, sent to a real server as they are printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.server.live import live

PAGE = Path(__file__).parents[2] / "docs" / "server.md"
pytestmark = pytest.mark.slow

# `jq` may not be there: the few filters of the page, in Python.
JQ = """#!/bin/sh
exec python3 -c 'import json, sys
words = [w for w in sys.argv[1:] if not w.startswith("-")]
told = json.load(sys.stdin)
if "code" in told and "status" in told and told["status"] >= 400 and "remedy" not in words[0]:
    sys.exit(json.dumps(told))
print(told["run_id"] if words[0] == ".run_id" else json.dumps(told))' "$@"
"""


def blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "jq").write_text(JQ)
    (tools / "jq").chmod(0o755)
    assert shutil.which("curl"), "curl is missing: apt install curl"
    with live(tmp_path) as server:
        script = "set -eu -o pipefail\n" + "\n".join(blocks()).replace("http://localhost:8000", server.url)
        script = script.replace(
            "WAR=$(start",
            'wait_for() { for _ in $(seq 300); do curl -s "$API/simulations/$1" |'
            " grep -q completed && return; sleep 0.2; done; exit 9; }\nWAR=$(start",
        )
        script = script.replace(
            'curl -s "$API/simulations?limit=3"',
            'wait_for "$WAR"; wait_for "$GROWTH"\ncurl -s "$API/simulations?limit=3"',
            1,
        )
        done = subprocess.run(
            ["bash", "-c", script],
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            env={"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin"},
        )
    assert done.returncode == 0, f"{done.stderr[-1000:]} {done.stdout[-1000:]}"
    assert '"identical": true' in done.stdout
    assert '"intact": true' in done.stdout
    assert "did you mean" in done.stdout
    assert "<html" in (tmp_path / "war.html").read_text(encoding="utf-8")
