"""A laboratory for one world: a store of its own, and short words to play, stop, resume, replay and fork.

For tests. It is built from the public pieces of `run` and `journal` and knows nothing they do not; worlds'
own tests may use it as ours do.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from windtunnel.codec import decode_body, encode_body
from windtunnel.journal import Effect, Entry, RunRow, SqliteStore, Status
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.texts import unfolded
from windtunnel.models.hub import Hub
from windtunnel.run.begin import begin
from windtunnel.run.clock import Clock
from windtunnel.run.fork import Change, fork, read_point
from windtunnel.run.player import Player
from windtunnel.run.replay import Replayed, peek, replay
from windtunnel.run.session import play_run
from windtunnel.world import EffectKind, Scenario, World

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")
Answer = Callable[[str, Any], Any]

SITTINGS = 1000  # a run that waits for people more often than this is not played to its end


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also from inside a notebook, whose loop is running already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Lab:
    """A store and a world. Close it, or use it in a `with`."""

    def __init__(
        self,
        world: World,
        *,
        folder: Path | None = None,
        players: Mapping[str, Any] | None = None,
        effects: Mapping[str, EffectKind] | None = None,
        clock: Clock | None = None,
        hub: Hub | None = None,
    ) -> None:
        self.world, self.clock, self.hub = world, clock, hub
        self.players, self.effects = dict(players or {}), dict(effects or {})
        self._own = None if folder else tempfile.TemporaryDirectory(prefix="windtunnel-lab-")
        self.path = (folder or Path(self._own.name if self._own else ".")) / "lab.sqlite"
        self.store = SqliteStore(self.path, create=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.store.close()
        if self._own:
            self._own.cleanup()

    # --- playing ---

    def begin(self, scenario: Scenario, run_id: str = "run") -> RunRow:
        return begin(self.store, self.world, scenario, run_id, players=self.players, clock=self.clock)

    def go(
        self,
        run_id: str = "run",
        *,
        stop_after: int | None = None,
        world: World | None = None,
        budget: float | None = None,
    ) -> RunRow:
        """Play the run from where it is, once."""

        async def play() -> RunRow:
            try:
                return await play_run(
                    self.store,
                    world or self.world,
                    run_id,
                    players=self.players,
                    effects=self.effects,
                    clock=self.clock,
                    stop_after=stop_after,
                    hub=self.hub,
                    budget=budget,
                )
            finally:
                if self.hub is not None:
                    await self.hub.aclose()

        return at_once(play())

    def play(self, scenario: Scenario, run_id: str = "run", *, answer: Answer | None = None) -> RunRow:
        """Begin a run and play it to its end. Held actions are approved, questions answered by `answer`."""
        self.begin(scenario, run_id)
        return self.go_on(run_id, answer=answer)

    def go_on(self, run_id: str = "run", *, answer: Answer | None = None) -> RunRow:
        """Play until the run ends, or waits for something that nobody here can give."""
        row = self.go(run_id)
        for _ in range(SITTINGS):
            if row.status is not Status.WAITING or not self.satisfy(run_id, answer):
                break
            row = self.go(run_id)
        return row

    def satisfy(self, run_id: str = "run", answer: Answer | None = None) -> bool:
        """Vote for every action that is held, answer every question. Whether there was any."""
        done = False
        for effect in self.waiting(run_id):
            request = decode_body(unfolded(self.store, effect.request))
            if effect.kind == "approval":
                for number in range(request["hold"].get("approvers", 1)):
                    self.vote(effect.name, sender=f"approver-{number + 1}", run_id=run_id)
                done = True
            elif answer is not None:
                self.answer(effect.name, answer(effect.kind, request), run_id=run_id)
                done = True
        return done

    def replay(self, run_id: str = "run", *, world: World | None = None) -> Replayed:
        return at_once(
            replay(self.store, world or self.world, run_id, players=self.players, clock=self.clock)
        )

    def fork(
        self,
        at: str,
        run_id: str = "fork",
        *,
        of: str = "run",
        change: Change | None = None,
        branch: int = 0,
    ) -> RunRow:
        return fork(
            self.store, self.world, of, read_point(at), run_id, change=change, branch=branch,
            players=self.players, clock=self.clock,
        )  # fmt: skip

    def at(self, turn: int | None = None, run_id: str = "run") -> Player:
        """The run as it stood after a turn."""
        return at_once(peek(self.store, self.world, run_id, turn, players=self.players))

    # --- mail ---

    def post(self, kind: str, body: Any = None, *, sender: str = "operator", run_id: str = "run") -> int:
        return self.store.post(run_id, kind, encode_body(body), sender, 0.0)

    def vote(
        self,
        effect: str,
        *,
        approve: bool = True,
        sender: str = "boss",
        run_id: str = "run",
        digest: str = "",
    ) -> int:
        body = {"effect": effect, "approve": approve, "digest": digest}
        return self.post("vote", body, sender=sender, run_id=run_id)

    def answer(self, effect: str, result: Any, *, run_id: str = "run") -> int:
        return self.post("answer", {"effect": effect, "result": result}, run_id=run_id)

    def inject(self, kind: str, body: Any = None, *, run_id: str = "run", **more: Any) -> int:
        return self.post("event", {"kind": kind, "body": body, **more}, run_id=run_id)

    # --- looking ---

    def row(self, run_id: str = "run") -> RunRow:
        return self.store.run(run_id)

    def head(self, run_id: str = "run") -> str:
        return self.row(run_id).head_hash.hex()

    def waiting(self, run_id: str = "run") -> list[Effect]:
        return self.store.waiting(run_id)

    def history(self, run_id: str = "run", kind: str | None = None, turn: int | None = None) -> list[Entry]:
        """The entries of the run, its shared past included."""
        entries = Lineage(self.store, run_id).entries()
        return [e for e in entries if kind in (None, e.kind) and turn in (None, e.turn)]

    def bodies(self, kind: str, turn: int | None = None, run_id: str = "run") -> list[Any]:
        return [decode_body(entry.body) for entry in self.history(run_id, kind, turn)]

    def operations(self, kind: str | None = None, run_id: str = "run") -> list[Any]:
        found = self.store.operations(run_id)
        return [decode_body(item.body) for item in found if kind in (None, item.kind)]
