"""A real server with keys, runs and something that waits, for Schemathesis to knock at.

The server is asked with an admin's key: every verb is behind the guard, and everything may be reached. Runs
are short; one at a time is played. `/api/stream` and the stream of a run answer without an end, so that no
answer of theirs is ever whole: tests/streams asks them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.server.live import Live, live

HERE = Path(__file__).parent
SETTINGS = "[runs]\nconcurrency = 1\nworkers = 1\n"
ENDLESS = ("/api/stream", "/api/simulations/{run_id}/stream")
# Whether these can be done depends on more than their schema says: on which worlds there are, what a run has
# played and is, which time was meant. 422 and 409 are then true answers, also to what fits the schema.
MEANT = (
    "start_simulation", "estimate", "fork_simulation", "resume_simulation", "pause_simulation",
    "cancel_simulation", "send_event", "answer_question", "give_feedback", "compare", "approve",
    "reject", "add_schedule", "create_key", "list_simulations", "audit_log", "export_simulation",
    "import_simulations", "replay_simulation", "get_state", "get_turn", "get_panels", "start_tournament",
    "estimate_tournament", "estimate_evolution",
    "add_strategy", "tag_strategy", "rollback_strategy", "get_strategy", "diff_strategies",
    "list_strategies", "list_tournaments", "list_evolutions", "start_evolution", "get_evolution",
    "list_proposals", "approve_proposal", "reject_proposal", "rollback_proposal",
)  # fmt: skip


class Fuzzed:
    def __init__(self, server: Live, key: str, folder: Path) -> None:
        self.server, self.key, self.folder = server, key, folder
        self.headers = {"Authorization": f"Bearer {key}"}
        self.done = self.start(scenario="economy/quick", seed=3)
        server.until(
            lambda: self.get(f"/api/simulations/{self.done}")["status"] == "completed", "it is played"
        )
        # One to be cancelled, and purged, over and over; a key and a schedule to be removed.
        self.spare = self.start(scenario="economy/quick", turns=1)
        server.call(
            "POST", "/api/keys", 201, json={"name": "spare", "roles": ["viewer"]}, headers=self.headers
        )

    def start(self, **request: Any) -> str:
        told = self.server.call("POST", "/api/simulations", 202, json=request, headers=self.headers)
        return str(told["run_id"])

    def get(self, path: str) -> Any:
        return self.server.get(path, headers=self.headers)

    def schema(self) -> Path:
        """The API's description as it holds for a server with keys: nobody comes in without one."""
        api = self.get("/openapi.json")
        api["security"] = [ways for ways in api["security"] if ways]
        path = self.folder / "openapi.json"
        path.write_text(json.dumps(api), "utf-8")
        return path

    def config(self) -> Path:
        meant = ", ".join(f'"{name}"' for name in MEANT)
        path = self.folder / "schemathesis.toml"
        path.write_text(
            f"""
hooks = "{HERE / "fuzz_hooks.py"}"
[auth.openapi.key]
bearer = "{self.key}"
[parameters]
"path.run_id" = "{self.done}"
[generation]
allow-x00 = false
[[operations]]
include-operation-id = [{meant}]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "415", "422"]
[[operations]]
include-operation-id = "cancel_simulation"
parameters = {{ "path.run_id" = "{self.spare}" }}
[[operations]]
include-operation-id = ["rotate_key", "revoke_key"]
parameters = {{ "path.name" = "spare" }}
""",
            "utf-8",
        )
        return path

    def knock(self, *words: str, seconds: float = 240.0) -> subprocess.CompletedProcess[str]:
        """What Schemathesis finds; exit code 0 is nothing."""
        excluded = [word for path in ENDLESS for word in ("--exclude-path", path)]
        command = [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(self.config()),
            "run", str(self.schema()),
            "--url", self.server.url, "--generation-deterministic", "--no-color", "--continue-on-failure",
            "--warnings", "off", "--request-timeout", "100", *excluded, *words,
        ]  # fmt: skip
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


@contextmanager
def fuzzed(home: Path) -> Iterator[Fuzzed]:
    """In `home`, a server that has keys."""
    (home / "windtunnel.toml").write_text(SETTINGS, "utf-8")
    environ = {**os.environ, "WINDTUNNEL_HOME": str(home)}
    made = subprocess.run(
        [sys.executable, "-P", "-m", "windtunnel", "keys", "create", "root", "--role", "admin", "--json"],
        env=environ, cwd=home, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    folder = home / "fuzz"
    folder.mkdir()
    with live(home) as server:
        yield Fuzzed(server, json.loads(made.stdout)["secret"], folder)
