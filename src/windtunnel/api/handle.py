"""A run in Python: what it ended with, how it got there, and the verbs that go on from it.

A `Run` may still be on its way. What identifies it is there at once; whatever is a result waits for it, and
`await run` waits without blocking an event loop.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from windtunnel.api import elsewhere, forking, seats
from windtunnel.api.home import Home, again
from windtunnel.api.playing import Playing, at_once
from windtunnel.control import Asked, Found, opened
from windtunnel.control.asking import ask_player
from windtunnel.control.compare import Comparison, compare
from windtunnel.control.feedback import give
from windtunnel.errors import NotFound, UsageError
from windtunnel.export import check_format, export_chat, export_run
from windtunnel.export.story import (
    Decision,
    EffectTold,
    EntryTold,
    decisions_of,
    effects_told,
    entry_told,
    turns_told,
)
from windtunnel.frames import Columns
from windtunnel.journal import RunRow
from windtunnel.journal.lineage import Lineage
from windtunnel.run.checkpoints import circumstances
from windtunnel.run.feedback import Given, feedback_of
from windtunnel.run.replay import Replayed
from windtunnel.scenario import scenario_from_plain
from windtunnel.world import AgentSpec, Scenario

if TYPE_CHECKING:
    from windtunnel.api.forks import Forks
    from windtunnel.journal.verify import Verified

Set = Mapping[str, Any] | Sequence[str] | None


class Run:
    """One run. Made by `wt.run` and `wt.open`.

    >>> import windtunnel as wt
    >>> run = wt.run("economy/growth", turns=5)
    >>> run.status, run.turns
    ('completed', 5)
    """

    def __init__(self, home: Home, found: Found | None, playing: Playing | None = None) -> None:
        self._home = home
        self._found = found
        self._playing = playing
        self._metrics: tuple[bytes, Columns] | None = None

    # --- waiting ---

    @property
    def done(self) -> bool:
        """Whether nothing of it is being played by this handle; never waits."""
        return self._playing is None or self._playing.over

    def wait(self) -> Run:
        """Until it has ended, waits for somebody, or was stopped. An error of the run is raised, once."""
        if self._playing is not None:
            self._playing.wait()
        return self

    def __await__(self) -> Generator[Any, None, Run]:
        if self._playing is not None:
            yield from self._playing.__await__()
        return self

    def _where(self) -> Found:
        """The run's place. One that another process plays is known when that process tells."""
        if self._found is None:
            self.wait()
        if self._found is None:
            raise NotFound("the run never began: its process gave no answer")
        return self._found

    def _now(self) -> Found:
        """The run as it is, once what is played of it is over."""
        self.wait()
        self._found = again(self._where())
        return self._found

    # --- what it is ---

    @property
    def run_id(self) -> str:
        """Its name: what the command line and `wt.open` take."""
        return self._where().row.run_id

    @property
    def store(self) -> Path:
        """The one file it lies in; an error where runs lie in PostgreSQL."""
        return self._where().path

    @property
    def row(self) -> RunRow:
        """The run as its store lists it."""
        return self._now().row

    @property
    def status(self) -> str:
        """`completed`, `failed`, `waiting`, `paused`, `cancelled`, `crashed`, `running` or `queued`."""
        return str(self.row.status)

    @property
    def reason(self) -> str | None:
        """Why it has this status: what the world said when it ended, or what it waits for."""
        return self.row.reason

    @property
    def turns(self) -> int:
        """The turns that were played."""
        return self.row.turn

    @property
    def head(self) -> str:
        """The hash of the last entry of its history: equal heads, equal runs."""
        return self.row.head_hash.hex()

    @property
    def seed(self) -> int:
        return self._where().row.seed

    @property
    def parent(self) -> str | None:
        """The run it is a fork of."""
        return self._where().row.parent

    @property
    def scenario(self) -> Scenario:
        """What is played, as it is now: a fork's changes are in it."""
        found = self._now()
        with opened(found, read_only=True) as store:
            plain, _, _ = circumstances(Lineage(store, found.row.run_id), found.row.head_seq)
        world = self._home.told_world(found.row.world)
        if world is not None:
            return scenario_from_plain(plain, world)
        import msgspec  # noqa: PLC0415 - only where the world is not here to type its parameters

        return msgspec.convert(plain, Scenario)

    @property
    def agents(self) -> tuple[AgentSpec, ...]:
        """Who plays."""
        return self.scenario.agents

    # --- what came of it ---

    @property
    def metrics(self) -> Columns:
        """Every metric of every turn, as columns: `run.metrics.series("wealth", "ada")`."""
        found = self._now()
        if self._metrics is None or self._metrics[0] != found.row.head_hash:
            with opened(found, read_only=True) as store:
                columns = Columns(Lineage(store, found.row.run_id).metrics())
            self._metrics = (found.row.head_hash, columns)
        return self._metrics[1]

    @property
    def state(self) -> Any:
        """The world's state after the last turn, typed; recomputed from the nearest checkpoint."""
        return self.state_at(None)

    def state_at(self, turn: int | None) -> Any:
        """The world's state as it was after a turn: `run.state_at(3)`."""
        found = self._now()
        world = self._home.world(found.row.world)
        looked = self._home.control.at(self._name, turn, world=world, players=self._home.players)
        return at_once(looked).frame.state

    def query(self, name: str, *, turn: int | None = None, agent: str = "", **arguments: Any) -> Any:
        """Ask the world a question of its own, as it stood after a turn: `run.query("matrix", turn=3)`.
        `agent` is who asks; without one it is the first."""
        found = self._now()
        world = self._home.world(found.row.world)
        looked = self._home.control.at(self._name, turn, world=world, players=self._home.players)

        async def asked() -> Any:
            return (await ask_player(await looked, name, agent=agent, arguments=arguments)).answer

        return at_once(asked())

    def entries(
        self, *, turn: int | None = None, phase: str | None = None, agent: str | None = None
    ) -> list[EntryTold]:
        """History, typed: `run.entries(turn=2, phase="plan")`. With `agent`, what names that agent."""
        told = (entry_told(entry) for group in self._history(turn) for entry in group)
        return [
            one
            for one in told
            if (phase is None or one.phase == phase) and (agent is None or one.names(agent))
        ]

    @property
    def decisions(self) -> list[Decision]:
        """What every agent chose in every turn, at each attempt, and how it was judged."""
        return [decision for group in self._history(None) for decision in decisions_of(group)]

    @property
    def effects(self) -> list[EffectTold]:
        """What came from outside: requests, answers, votes."""
        found = self._now()
        with opened(found, read_only=True) as store:
            return list(effects_told(Lineage(store, found.row.run_id)))

    @property
    def feedback(self) -> list[Given]:
        """What people said of it."""
        found = self._where()
        with opened(found, read_only=True) as store:
            return feedback_of(Lineage(store, found.row.run_id))

    def _history(self, turn: int | None) -> list[list[Any]]:
        found = self._now()
        with opened(found, read_only=True) as store:
            lineage = Lineage(store, found.row.run_id)
            if turn is None:
                return list(turns_told(lineage))
            if not 0 <= turn <= found.row.turn:
                raise NotFound(
                    f"run {self.run_id} has no turn {turn}; its last is {found.row.turn}", where="turn"
                )
            return list(turns_told(lineage, after=turn - 1, upto=turn))

    # --- steering ---

    def resume(self, *, budget: float | None = None) -> Run:
        """Go on with a run that was paused, waited, crashed, or failed and was mended. `budget`: the most, in
        dollars, that its models may cost in all."""
        found = self._now()
        home = self._home

        async def work(playing: Playing) -> None:
            if home.elsewhere(found.row.world):
                more = [] if budget is None else ["--budget", str(budget)]
                await elsewhere.ask(home.workspace, ["resume", self._name, *more], playing)
            else:
                await home.play(playing, [found], budget)

        self._playing = Playing(work)
        self._playing.start()
        return self

    def pause(self) -> None:
        """Ask it to stop at the end of its turn; `resume` goes on from there."""
        self._steer("pause")

    def cancel(self) -> None:
        """End it for good at the end of its turn."""
        self._steer("cancel")

    def _steer(self, wish: str) -> None:
        if self._playing is not None and not self._playing.over:
            self._playing.stop(wish)
        elif wish == "pause":
            self._home.control.pause(self._name)
        else:
            self._home.control.cancel(self._name)

    def waiting(self) -> list[Asked]:
        """What of it waits for people: held actions that need votes, questions that need answers."""
        return self._home.control.waiting(self._name)

    def vote(
        self, effect: str = "", approve: bool = True, *, sender: str = "operator", note: str = ""
    ) -> Run:
        """Vote on a held action; without a name, on the only one. `resume` then goes on."""
        self._home.control.vote(self._name, effect, approve, sender=sender, note=note)
        return self

    def answer(self, result: Any, effect: str = "", *, sender: str = "operator") -> Run:
        """Answer what was asked; without a name, the only question."""
        self._home.control.answer(self._name, effect, result, sender=sender)
        return self

    def inject(self, kind: str, body: Any = None, *, sender: str = "operator") -> Run:
        """An event from outside: it reaches the world in the next turn that is played."""
        self._home.control.inject(self._name, kind, body, sender=sender)
        return self

    def give_feedback(
        self,
        score: float | None = None,
        comment: str = "",
        entry: int | str | None = None,
        *,
        sender: str = "operator",
    ) -> Run:
        """Say how good it was; or an entry of it by number, or an effect by name. Also when it has ended."""
        found = again(self._where())
        give(self._home.control, found, score=score, comment=comment, entry=entry, sender=sender)
        return self

    # --- what if ---

    @overload
    def fork(
        self,
        at: int | str,
        *,
        set: Set = ...,
        agents: Mapping[str, Any] | None = ...,
        model: str | None = ...,
        inject: Any = ...,
        turns: int | None = ...,
        branches: None = ...,
        play: bool = ...,
    ) -> Run: ...
    @overload
    def fork(
        self,
        at: int | str,
        *,
        set: Set = ...,
        agents: Mapping[str, Any] | None = ...,
        model: str | None = ...,
        inject: Any = ...,
        turns: int | None = ...,
        branches: int,
        play: bool = ...,
    ) -> Forks: ...
    def fork(
        self,
        at: int | str,
        *,
        set: Set = None,  # noqa: A002 - the word of the command line
        agents: Mapping[str, Any] | None = None,
        model: str | None = None,
        inject: Any = None,
        turns: int | None = None,
        branches: int | None = None,
        play: bool = True,
    ) -> Run | Forks:
        """What if: the same past up to a turn, then something else. With `branches=K`, K of them, each with
        an unchanged control of the same luck: `run.fork(12, set={"tax": 0.4}, branches=5).difference("gdp")`.
        """
        wanted = seats.overrides(set)
        if turns is not None:
            wanted.append(f"turns={turns}")
        self._now()
        made = forking.fork(self, str(at), wanted, agents, model or "", inject, branches)
        return made.play() if play else made.ready()

    # --- proof, and what to keep ---

    def replay(self) -> Replayed:
        """Play it again from its record, asking nobody: the same head, or the first entry that differs."""
        found = self._now()
        home = self._home
        if home.elsewhere(found.row.world):
            answer = at_once(elsewhere.ask(home.workspace, ["replay", self._name]))
            return Replayed(**{key: answer.get(key) for key in Replayed.__struct_fields__})  # type: ignore[arg-type]
        world = home.world(found.row.world)
        return at_once(home.control.replay(self._name, world=world, players=home.players))

    def verify(self) -> Verified:
        """Whether the journal is intact and complete; needs neither the world nor the agents."""
        self._now()
        return self._home.control.verify(self._name)

    def compare(self, *others: Run) -> Comparison:
        """This run beside others: final values, differences, where the histories part."""
        return compare([self._now(), *(other._now() for other in others)])

    def export(
        self,
        to: str,
        path: str | Path | None = None,
        *,
        effects: bool = False,
        operations: bool = False,
        min_score: float | None = None,
    ) -> Path:
        """A file of it: `csv` or `parquet` (metrics), `jsonl` (history), `html` (a report), `chat` (model
        calls as training data; with `min_score` those whose feedback is at least that)."""
        check_format(to, min_score=min_score)
        found = self._now()
        if to == "chat":
            return export_chat(found.location, found.row.run_id, path, min_score=min_score).path
        world = self._home.told_world(found.row.world)
        return export_run(
            found.location, found.row.run_id, to, path, world=world, effects=effects, operations=operations,
            public_key=self._home.workspace.public_key,
        )  # fmt: skip

    # --- how it shows itself ---

    @property
    def _name(self) -> str:
        """As the verbs take it, wherever the store lies."""
        return self._where().address

    def __repr__(self) -> str:
        if not self.done:
            return f"<Run {self._found.row.run_id if self._found else '…'}: playing>"
        row = again(self._found).row if self._found else None
        if row is None:
            return "<Run that never began>"
        return f"<Run {row.run_id}: {row.scenario or row.world}, {row.status}, {row.turn} turns>"


def check_own(players: Mapping[str, Any]) -> None:
    """Code cannot follow a world into another process."""
    if players:
        raise UsageError(
            "this world is played by a process of its own, where functions of this one cannot go",
            where=f"agents: {', '.join(players)}",
            remedy="name policies of the world, or import it and give it: wt.run(scenario, world=...)",
        )
