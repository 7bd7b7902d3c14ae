"""The types of the dashboard's client, made from the server's own description of its API.

`python -m tools.dashboard_client` writes `dashboard/src/api/schema.d.ts`; `--check` only compares, and ends
with 1 where the two have drifted apart.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from windtunnel.config import Workspace
from windtunnel.server.assembly import Assembly

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "dashboard/src/api/schema.d.ts"


def described() -> dict[str, object]:
    """The OpenAPI description, from an application that serves nothing."""
    with tempfile.TemporaryDirectory() as home:
        assembly = Assembly(Workspace(Path(home)))
        try:
            return assembly.routed().openapi()
        finally:
            assembly.close()


def made() -> str:
    """What the generator makes of it today."""
    node = shutil.which("node")
    generator = ROOT / "dashboard/node_modules/openapi-typescript/bin/cli.js"
    if node is None or not generator.exists():
        raise SystemExit("the generator is not installed: ./dev test installs it, or: cd dashboard && npm ci")
    with tempfile.TemporaryDirectory() as folder:
        said, types = Path(folder, "openapi.json"), Path(folder, "schema.d.ts")
        said.write_text(json.dumps(described()))
        words = [node, str(generator), str(said), "-o", str(types)]
        subprocess.run(words, check=True, capture_output=True, timeout=120)
        return types.read_text()


def main() -> int:
    types = made()
    if "--check" not in sys.argv[1:]:
        SCHEMA.write_text(types)
        return 0
    if SCHEMA.read_text() == types:
        return 0
    print("the dashboard's client is not the server's API: python -m tools.dashboard_client", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
