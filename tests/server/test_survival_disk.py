"""The disk of the catalog is full: the server says so, runs go on, and all is well once there is room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.live import Live
from tests.server.tunnel import listed, tunnel, until

pytestmark = pytest.mark.slow
FULL = Path(__file__).parent / "fulldisk"


def ready(server: Live) -> dict[str, Any]:
    told: dict[str, Any] = httpx.get(f"{server.url}/ready", timeout=30).json()
    return told


def test_a_full_disk_is_told_hurts_no_run_and_is_got_over(tmp_path: Path) -> None:
    mark = tmp_path / "full"
    with tunnel(tmp_path) as made:
        server = made.serve(environ={"PYTHONPATH": str(FULL), "FULL_DISK": str(mark)})
        going = server.start_run(**made.request(600, 1))
        ends = server.start_run(**made.request(20, 2))
        begun = made.all_on([going])
        mark.touch()
        told = server.post("/api/simulations", made.request(20, 3), 503)
        assert (told["code"], "disk is full" in told["detail"]) == ("storage", True)
        assert "make room" in told["remedy"]
        assert server.get(f"/api/simulations/{going}")["run_id"] == going
        assert going in listed(server)
        assert server.get("/health") == {"status": "ok"}
        made.all_on([going], begun)  # its journal lies elsewhere
        until(lambda: made.row(ends).status.ended, "it comes to its end")
        until(lambda: "disk is full" in " ".join(ready(server)["problems"]), "who asks for it is told")
        mark.unlink()
        until(lambda: ready(server)["ready"], "there is room again")
        late = server.start_run(**made.request(20, 3))
        made.hurry()
        for run in (going, ends, late):
            assert server.ended(run)["status"] == "completed"
        until(lambda: server.get("/api/system")["queue"] == 0, "the queue is empty")
        plains = [made.plain(600, 1), made.plain(20, 2), made.plain(20, 3)]
        assert made.heads([going, ends, late]) == made.undisturbed(plains)
        until(lambda: {one["status"] for one in listed(server).values()} == {"completed"}, "no run is stuck")
        made.check_sound(*listed(server))
