"""The one who plays a run: binds world, cast, tape, effects and mail, and goes from turn to turn.

`play` is the loop. It starts from the beginning or from the last checkpoint, plays what is recorded
again (and finds it equal), then goes on live until the world is over, a person is needed, or somebody
says stop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import CoroutineType
from typing import Any

from windtunnel.codec import StateCodec, encode_body
from windtunnel.errors import RunError, StorageError, UsageError, VersionMismatch, WindtunnelError
from windtunnel.hashing import hexdigest
from windtunnel.journal import Entry, Status
from windtunnel.models.hub import Hub
from windtunnel.models.settings import OFFLINE
from windtunnel.run import checkpoints
from windtunnel.run.approving import Check, checker
from windtunnel.run.calls import ModelCalls
from windtunnel.run.casting import Cast
from windtunnel.run.clock import Clock
from windtunnel.run.context import Frame, RunContext
from windtunnel.run.effects import Effects, Halted, Parked
from windtunnel.run.entries import (
    END,
    FORK,
    START,
    Consolidated,
    Ended,
    Forked,
    MailTaken,
    Started,
    line,
    read,
)
from windtunnel.run.mail import Deferred, Inbox
from windtunnel.run.phases import play_turn
from windtunnel.run.tape import Tape
from windtunnel.run.toolcalls import ToolCalls
from windtunnel.run.turn import Turn, blame_engine, engine_failed, settled
from windtunnel.scenario import scenario_from_plain
from windtunnel.world import Actor, EffectKind, Scenario, ScheduledEvent, World

Observer = Callable[["Player"], None]
Between = Callable[["Player"], Awaitable[None]]  # what is done after each turn
QUEUE = "queue"  # a wish to stop that only the playing process has: another shall go on


class Player:
    def __init__(
        self,
        world: World,
        tape: Tape,
        *,
        players: Mapping[str, Any] | None = None,
        effects: Mapping[str, EffectKind] | None = None,
        clock: Clock | None = None,
        observer: Observer | None = None,
        stop_after: int | None = None,
        hub: Hub | None = None,
    ) -> None:
        self.world, self.tape = world, tape
        self.engine = world.engine
        self.check: Check | None = None  # taken up with the scenario, whose policy has a word in it
        self.clock = clock or Clock()
        self.players = players or {}
        self.run_id = tape.run_id
        self.stop_after = stop_after
        self.end_reason: str | None = None
        self._refused = False  # could not be taken up here, and keeps the status it had
        self.stop: str | None = None  # pause, cancel or queue, wished from inside this process
        self.observer = observer
        self.between: Between | None = None
        row = tape.lineage.row
        self.frame = Frame(world, row.mode, row.seed)  # type: ignore[arg-type]
        hub = hub or Hub(environ={OFFLINE: "1"})
        self.tracer = hub.tracer
        self.calls = self.frame.calls = ModelCalls(hub, tape)
        tools = ToolCalls(hub, lambda: self.scenario.mcp)
        mine = {"model": EffectKind(self.calls.perform, in_doubt="retry"), **tools.kinds()}
        kinds = {**mine, **world.effects, **(effects or {})}
        self.effects = self.frame.effects = Effects(self.frame, tape, self.clock, kinds)
        self.effects.intake, self.effects.tracer = self.listen, self.tracer
        self.inbox = Inbox(tape, self.effects, self.clock)
        self.context = RunContext(self.frame, Actor("", ""))
        self.codec: StateCodec[Any] = StateCodec(world.state)
        self.deferred: list[Deferred] = []
        self.scenario: Scenario
        self.cast: Cast
        self.scheduled: dict[int, list[ScheduledEvent]] = {}
        self.last: Turn | None = None
        self.state_bytes = self.memory_bytes = b""
        self.deferred_bytes = b"[]"
        self.state_hash = self.memory_hash = self.deferred_hash = ""
        self.spacing = checkpoints.Spacing()

    # --- small things the phases need ---

    def enter(self, phase: str) -> None:
        self.frame.phase = phase

    def deadline(self, seat: Any) -> float | None:
        limit: float | None = seat.deadline if seat.deadline is not None else self.scenario.deadline
        return limit

    def was_late(self, seat: Any, attempt: int) -> bool:
        return self.effects.find((self.frame.turn, "plan", seat.id, -attempt)) is not None

    async def late(self, seat: Any, attempt: int, seconds: float) -> None:
        """The deadline passed: a recorded fact, so that a replay honours it. Memory goes back."""
        await self.effects.record(seat.id, -attempt, "deadline", {"seconds": seconds})
        if seat.memories:
            checkpoints.restore_memories(self, seat.memories, self.memory_bytes)

    def encode_state(self) -> None:
        self.state_bytes = self.codec.encode(self.frame.state)
        self.state_hash = hexdigest(self.state_bytes)
        if self.cast.memories:
            self.memory_bytes = encode_body(self.frame.memories)
            self.memory_hash = hexdigest(self.memory_bytes)
        else:
            self.memory_bytes, self.memory_hash = b"", ""
        if self.deferred or self.deferred_hash:
            self.deferred_bytes = encode_body(self.deferred)
            self.deferred_hash = hexdigest(self.deferred_bytes) if self.deferred else ""

    def sealed_state(self) -> bytes:
        if self.memory_hash or self.deferred_hash:
            return encode_body(Consolidated(self.state_hash, self.memory_hash, self.deferred_hash))
        return b'{"state":"%b"}' % self.state_hash.encode()

    # --- the loop ---

    async def play(self) -> Status:
        """Play until the end, a wait, a wish to stop, or an error; the run's row says which."""
        row = self.tape.lineage.row
        with self.tracer.span("run", row.scenario, windtunnel_run_id=self.run_id, windtunnel_seed=row.seed):
            return await self._play()

    async def _play(self) -> Status:
        try:
            await self._begin()
            while True:
                if (status := await self.step()) is not None:
                    return self._leave(status)
        except Stopped:
            return self._leave(self._wished() or Status.PAUSED)
        except Parked as parked:
            if (wished := self._wished()) is not None:
                return self._leave(wished)
            self.tape.operate("parked", waits_for=parked.effect.name, kind=parked.effect.kind)
            return self._leave(Status.WAITING, f"waits for {parked.effect.kind} {parked.effect.name}")
        except Halted as halted:
            if self._wished() is Status.CANCELLED:  # what was under way was broken off for that
                return self._leave(Status.CANCELLED)
            self.tape.operate("halted", **halted.error.as_dict())
            return self._leave(Status.PAUSED, str(halted.error))
        except StorageError:
            raise  # nothing more can be written; whoever takes the run up next finds it crashed
        except WindtunnelError as error:
            if self.tape.writes and not self._refused:
                self.tape.operate("failed", **error.as_dict())
                self.tape.move(Status.FAILED, str(error))
                self.tape.flush()
            raise

    def part(self) -> None:
        """Nothing is asked any more: what points at each other here lets go, so that it is gone at once and
        nobody has to look for it. A match leaves a hundred such things."""
        self.effects.part()
        self.frame.effects = self.frame.calls = None

    async def _begin(self) -> None:
        """Stand where it goes on. A run that cannot be taken up here is left as it was found."""
        try:
            await self.stand()
        except UsageError as error:
            was = self.tape.lineage.row.status
            if self.tape.writes and was is not Status.QUEUED:
                self.tape.operate("refused", **error.as_dict())
                back = Status.CRASHED if was is Status.RUNNING else was
                self.tape.move(back, self.tape.lineage.row.reason)
                self.tape.flush()
                self._refused = True
            raise

    def _leave(self, status: Status, reason: str | None = None) -> Status:
        if self.tape.writes:
            if self.spacing.turn != self.tape.turn and self.state_bytes:
                checkpoints.write(self)
            self.calls.balance()
            if status not in (Status.WAITING, Status.QUEUED):
                self.inbox.obeyed(self.tape.turn + 1)
            if self.tape.status is not status:
                self.tape.operate(str(status), turn=self.tape.turn)
            self.tape.move(status, reason or self.end_reason)
            self.tape.flush()
        if self.observer:
            self.observer(self)
        return status

    async def step(self) -> Status | None:
        """One turn, or what stands in its place. A status when the run leaves the loop."""
        number = self.tape.turn + 1
        recorded = self.tape.take()
        if recorded and recorded[0].phase == FORK:
            await self.change(recorded)
            return None
        try:
            ended = self.engine.over(self.frame.state)
            if type(ended) is CoroutineType:
                ended = await ended
        except Exception as error:
            engine_failed(self, "over", error)
            raise
        if ended is None and number > self.scenario.turns:
            ended = "all turns played"
        if ended is not None:
            return self._end(ended, recorded)
        if not recorded:
            if not self.tape.live:
                raise RunError("the record stops in the middle")
            if not self.tape.writes:
                return self.tape.status  # a replay has come to the end of its record
        if self.stop_after is not None and number > self.stop_after:
            return Status.PAUSED
        if not recorded and (status := await self._steered(number)) is not None:
            return status
        return await self._turn(number, recorded)

    async def _turn(self, number: int, recorded: list[Entry]) -> Status | None:
        frame = self.frame
        frame.turn = number
        frame.indices.clear()
        mail = await self._open_turn(number, recorded)
        if mail is None:
            return Status.WAITING
        started = self.clock.tick()
        self.last = turn = Turn(number, mail)
        if self.tracer.is_on:
            with self.tracer.span("turn", str(number), windtunnel_turn=number):
                await play_turn(self, turn)
        else:
            await play_turn(self, turn)
        size = self.tape.seal(number, turn.lines, recorded)
        now = self.clock.tick()
        due = self.spacing.played(size, now - started, len(self.state_bytes))
        if not recorded:
            if due:
                checkpoints.write(self)
            if self.tape.group(now) and self.observer:
                self.observer(self)
        elif self.observer and number % 256 == 0:
            self.observer(self)
        if self.between is not None:
            await self.between(self)
        return None

    async def _open_turn(self, number: int, recorded: list[Entry]) -> list[MailTaken] | None:
        """The mail and the clock of the turn. None: it waits for an event that has not come."""
        frame = self.frame
        frame.phase = "analyze"
        try:
            wake = self.engine.wake(self.frame.state)
            if type(wake) is CoroutineType:
                wake = await wake
        except Exception as error:
            engine_failed(self, "wake", error)
            raise
        if recorded:
            known = [entry for entry in recorded if entry.kind == "effect"]
            self.effects.enter(self.tape.lineage.effects(number) if known else [], recorded=True)
            mail = [read(entry) for entry in recorded if entry.kind == "mail"]
        else:
            mail = self.inbox_events(number)
            if (
                wake
                and wake.event
                and not any(m.body["kind"] == wake.event for m in mail if m.kind == "event")
            ):
                self.end_reason = f"waits for an event {wake.event!r}"
                return None
            if mail:
                self.tape.flush()  # what was taken in is durable before it is used
        if frame.mode == "simulated":
            frame.clock = float(number) if wake is None or wake.at is None else wake.at
        else:
            await self._set_clock(wake)
        return mail

    def inbox_events(self, number: int) -> list[MailTaken]:
        events = self.inbox.open(number)
        if not events and not self.deferred:
            return []
        for letter in events:
            self.tape.took(number, letter.id)
        return [letter.said for letter in events] + self.inbox.rulings(self.deferred, number)

    async def _set_clock(self, wake: Any) -> None:
        """Sleep until it is time; the clock of the turn is what the wall says then."""
        at = wake.at if wake and wake.at is not None else None
        while at is not None and not self.effects.has_clock() and self.clock.wall() < at:
            await self.clock.sleep(min(0.25, at - self.clock.wall()))
            if await self.listen():
                raise Stopped
        self.frame.clock = await self.effects.wall(self.context)

    async def _steered(self, number: int) -> Status | None:
        """Mail, and wishes to stop. On the first live turn it may find effects of a turn cut short."""
        if first := not self.effects.is_live:
            begun = self.tape.lineage.effects(number)
            self.effects.enter(begun, recorded=False)
            self.effects.is_live = True
            self.inbox.closed = bool(begun)
        else:
            self.effects.enter([], recorded=False)
        if first or self.inbox.is_due():
            await self.inbox.look(number, now=first)
        if first or self.deferred:
            await self.inbox.expire(number, self.deferred)
        return self._wished()

    def _wished(self) -> Status | None:
        """How the run is to leave, if it is to. A person's word goes before that of the process."""
        if self.stop is None and self.inbox.wish is None:
            return None
        wishes = (self.stop, self.inbox.wish)
        if "cancel" in wishes:
            self.end_reason = "cancelled"
            return Status.CANCELLED
        if "pause" in wishes:
            return Status.PAUSED
        return Status.QUEUED if QUEUE in wishes else None

    async def listen(self) -> bool:
        """Take in mail in the middle of a turn. Whether it is to leave: who only waits may do so then."""
        await self.inbox.look(self.frame.turn)
        if "cancel" in (self.stop, self.inbox.wish):
            raise Stopped
        return self._wished() is not None

    def _end(self, reason: str, recorded: list[Entry]) -> Status:
        if self.tape.live and not recorded and not self.tape.writes:
            return self.tape.status
        if self.tape.writes and not recorded and self.spacing.turn != self.tape.turn:
            checkpoints.write(self)  # before the end, so that it stands beside the state it holds
        body = Ended(reason, self.tape.turn)
        self.tape.seal(self.tape.turn, [line(END, "ended", body)], recorded)
        self.end_reason = reason
        return Status.COMPLETED

    # --- where it starts ---

    async def stand(self, upto: int | None = None) -> None:
        """Begin at the last checkpoint (up to a turn), or at the beginning, where a replay always begins."""
        if (self.tape.writes or upto is not None) and await checkpoints.restore(self, upto):
            return
        self.tape.open()
        recorded = self.tape.take()
        if not recorded:
            raise RunError("the run has no first entry", remedy="windtunnel verify tells what is left of it")
        self.tape.adopt(recorded[:1])  # before it is believed
        started: Started = read(recorded[0])
        checkpoints.same_schema(self, started.schema)
        self.become(scenario_from_plain(started.scenario, self.world), branch=0)
        self.effects.enter(self.tape.lineage.effects(0), recorded=len(recorded) > 1)
        with blame_engine(self, "start"):
            self.frame.state = await settled(self.engine.start(self.scenario, self.context))
            self.start_memories()
            self.encode_state()
        body = Consolidated(self.state_hash, self.memory_hash)
        lines = [*self.effects.used(START, {}), line(START, "consolidated", body)]
        if recorded[1:] or self.tape.writes:  # a run that nobody has played yet ends its replay here
            self.tape.seal(0, lines, recorded[1:])

    @property
    def fork_ahead(self) -> bool:
        """The record goes on with a fork, which belongs to the turn just played."""
        return self.tape.ahead(FORK)

    def start_memories(self) -> None:
        """One for each that keeps any, in the order of the cast. What nobody keeps any more (a fork seats
        others) goes: a run taken up again would not have it either."""
        kept = self.frame.memories
        self.frame.memories = {
            path: kept[path] if path in kept else memory() for path, memory in self.cast.memories.items()
        }

    def become(self, scenario: Scenario, *, branch: int) -> None:
        """Take up a scenario: at the start, from a checkpoint, or at a fork."""
        self.scenario = scenario
        self.frame.branch = branch
        self.frame.parameters, self.frame.model = scenario.parameters, scenario.model
        self.cast = Cast(self.world, scenario, self.frame, self.players)
        self.check = checker(self)
        self.scheduled = {}
        for event in scenario.events:
            self.scheduled.setdefault(event.turn, []).append(event)

    async def change(self, recorded: list[Entry]) -> None:
        """A fork begins here: the same state, another scenario or another branch of luck."""
        forked: Forked = read(recorded[0])
        if not isinstance(forked, Forked):
            raise VersionMismatch(
                f"after turn {self.tape.turn} the state of this run was brought over to newer types",
                where=self.world.name,
                remedy="open what follows with the version that migrated it",
            )
        before = self.scenario
        self.tape.adopt(recorded)
        self.become(scenario_from_plain(forked.scenario, self.world), branch=forked.branch)
        if self.scenario.parameters != before.parameters:
            with blame_engine(self, "revise"):
                self.frame.state = await settled(self.engine.revise(self.frame.state, self.scenario))
        self.start_memories()
        self.encode_state()
        self.spacing.written(self.tape.turn)  # no checkpoint here: no entry says what this state must be


class Stopped(BaseException):
    """Unwinds a wait because the run is to stop."""
