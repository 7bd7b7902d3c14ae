"""`evolve`: candidates in generations, live, and at the end what the gate said and what is proposed."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

import typer
from msgspec import to_builtins
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from windtunnel.cli import door, render, say
from windtunnel.cli.closing import short_place
from windtunnel.cli.options import Budget, Store
from windtunnel.cli.stopping import NOTE, Stopper
from windtunnel.config import Workspace
from windtunnel.control.catalog import Found
from windtunnel.control.proposals import Proposals
from windtunnel.control.proposing import Proposal
from windtunnel.control.worlds import Worlds
from windtunnel.errors import Forbidden, UsageError, WindtunnelError, WrongState
from windtunnel.evolution.model import Bout
from windtunnel.evolution.proposing import propose
from windtunnel.evolution.reading import read_evolution
from windtunnel.evolution.running import (
    Generation,
    Story,
    begin_evolution,
    find_evolution,
    play_evolution,
    story_of,
)
from windtunnel.journal import RunRow, Status
from windtunnel.run.player import Player
from windtunnel.tournaments.hands import LocalHands
from windtunnel.tournaments.model import Outcome
from windtunnel.tournaments.reading import sources
from windtunnel.words import counted

SUFFIXES = (".yaml", ".yml")
SHOWN = 3  # candidates of the last generation


def evolve(
    what: Annotated[
        str, typer.Argument(metavar="FILE|RUN", help="An evolution's file; or one that was begun, to go on.")
    ],
    budget: Budget = None,
    workers: Annotated[
        int, typer.Option(metavar="N", help="Processes that play; the machine's cores if unsaid.")
    ] = 0,
    store: Store = None,
) -> int:
    """Make a strategy better: candidates play generation after generation, and the best is held against the
    start on seeds, scenarios and opponents that the search never saw. What passes is proposed to people.

    Every match is a run of its own that can be shown and replayed. Stopped or killed, it goes on where it
    was.

    \b
    Examples:
      windtunnel evolve examples/evolve_economy.yaml
      windtunnel evolve 4k2 --budget 2.50
      windtunnel proposals
    """
    control = door.the_control()
    workspace = control.workspace
    if what.endswith(SUFFIXES):
        if not Path(what).is_file():
            raise UsageError("there is no such file", where=what, remedy="examples/ has one to begin with")
        plan = read_evolution(what, sources(workspace))
        found = begin_evolution(workspace, plan, name=Path(what).stem, path=store)
    else:
        found = find_evolution(workspace, what)
    row = found.row
    stopper = Stopper()
    if not row.status.ended or row.status is Status.FAILED:
        board = Board(found, stopper)
        with stopper, board:
            row = asyncio.run(_play(workspace, found, board, budget, workers))
    after = Found(found.location, row)
    story = story_of(after)
    proposal, late = _proposed(workspace, story)
    _show(after, story, proposal, late)
    if stopper.asked and row.status is Status.PAUSED:
        say.note(f"paused. To go on: windtunnel evolve {after.name}")
        return 130
    return door.EXIT[row.status]


async def _play(
    workspace: Workspace, found: Found, board: Board, budget: float | None, workers: int
) -> RunRow:
    hands = LocalHands(workspace, processes=workers)
    try:
        return await play_evolution(
            workspace, found, hands=hands, heard=board.heard, observer=board, budget=budget
        )
    finally:
        await hands.aclose()


def _proposed(workspace: Workspace, story: Story) -> tuple[Proposal | None, WindtunnelError | None]:
    """What can be proposed now; or why it cannot."""
    if story.verdict is None or not story.verdict.promoted:
        return None, None
    with Proposals(workspace, Worlds(workspace)) as proposals:
        try:
            return propose(story, proposals), None
        except (WrongState, Forbidden) as late:
            return None, late


class Board:
    """Hears of every match. Where there is no terminal it stays silent."""

    def __init__(self, found: Found, stopper: Stopper) -> None:
        self._found, self._stopper = found, stopper
        self._begun = time.perf_counter()
        self._played = 0
        self._last: Bout | None = None
        self._player: Player | None = None
        self._live: Live | None = None
        if say.wide():
            console = say.console_for(sys.stderr)
            self._live = Live(self, console=console, refresh_per_second=4, transient=True)

    def __call__(self, player: Player) -> None:
        self._stopper.watch(player)
        self._player = player

    def heard(self, bout: Bout, _outcome: Outcome) -> None:
        self._played += 1
        self._last = bout

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __rich_console__(self, console: Console, options: Any) -> Any:
        seconds = time.perf_counter() - self._begun
        rate = self._played / seconds if seconds > 0 else 0.0
        what = ""
        if self._last is not None:
            what = "the gate" if self._last.held_out else f"generation {self._last.generation}"
        head = Text.from_markup(
            f"[bold]{escape(self._found.row.scenario)}[/]  {what}"
            f"  {counted(self._played, 'match', 'matches')}  [dim]{rate:.1f}/s[/]"
        )
        yield Group(head, *([Text(NOTE, style="yellow")] if self._stopper.asked else []))


# --- what came of it ---


def _show(found: Found, story: Story, proposal: Proposal | None, late: WindtunnelError | None) -> None:
    if say.door.json:
        say.data(
            {
                "run_id": story.run_id, "title": story.title, "status": story.status, "reason": story.reason,
                "store": found.location, "generations": to_builtins(story.generations),
                "verdict": to_builtins(story.verdict), "winner": to_builtins(story.winner),
                "proposal": None if proposal is None else proposal.id,
                "not_proposed": None if late is None else late.message, "marks": list(story.marks),
            }
        )  # fmt: skip
        return
    plan, done = story.plan, story.generations
    matches = sum(one.matches for one in done[-1].candidates) if done else 0
    say.show(
        render.title(
            f"[bold]{escape(story.title)}[/]", render.status(story.status),
            f"{counted(len(done), 'generation')} of {plan.generations}",
            f"{counted(done[-1].tried if done else 0, 'candidate')}",
            f"[dim]{escape(plan.world)} {escape(plan.version)}[/]",
        ),
        "",
    )  # fmt: skip
    if matches:
        say.show(_table(done), "", _best(done[-1]), "")
    say.show(render.facts(_facts(found, story, proposal, late)))
    say.show("", render.next_steps(_steps(found, story, proposal)))


def _table(generations: list[Generation]) -> Any:
    table = render.grid(
        ("generation", "right"), "best", ("gain", "right"), ("error", "right"), ("lucks", "right"), "by"
    )
    for one in generations:
        best = one.candidates[0]
        table.add_row(
            str(one.generation), best.name, render.short(best.gain, sign=True), render.short(best.error),
            str(best.lucks), best.operator,
        )  # fmt: skip
    return table


def _best(last: Generation) -> Any:
    table = render.grid("the last", ("gain", "right"), "of", ("what is different", "wrap"))
    for one in last.candidates[:SHOWN]:
        of = f"{one.operator} of {' and '.join(one.parents)}"
        table.add_row(one.name, render.short(one.gain, sign=True), of, escape(one.why))
    return table


def _facts(
    found: Found, story: Story, proposal: Proposal | None, late: WindtunnelError | None
) -> list[tuple[str, str]]:
    rows = [("run", f"[bold]{story.run_id}[/]"), ("file", escape(short_place(found.location)))]
    rows.append(("sealed", f"[dim]{story.plan.seal[:16]}[/]"))
    if story.generations and story.generations[-1].cost:
        rows.append(("cost", f"${story.generations[-1].cost / 1e6:.4f}"))
    if story.verdict is not None:
        word = "[green]better[/]" if story.verdict.promoted else "[yellow]not promoted[/]"
        rows.append(("gate", f"{word}: {escape(story.verdict.reason)}"))
    if proposal is not None:
        rows.append(
            ("proposal", f"[bold]{proposal.id}[/], {proposal.status}: {escape(proposal.wanted.title)}")
        )
    if late is not None:
        rows.append(("proposal", f"[yellow]{escape(late.message)}[/]; {escape(late.remedy or '')}"))
    rows += [("failover", escape(mark)) for mark in story.marks]
    if story.status not in ("completed", "running") and story.reason:
        rows.append((story.status, escape(story.reason)))
    return rows


def _steps(found: Found, story: Story, proposal: Proposal | None) -> list[tuple[str, str]]:
    if story.status not in ("completed", "cancelled"):
        return [("go on", f"windtunnel evolve {found.name}")]
    if proposal is not None and proposal.status == "pending":
        return [
            ("look", f"windtunnel proposals show {proposal.id}"),
            ("put it in force", f"windtunnel proposals approve {proposal.id} --as NAME"),
        ]
    return [("a match", f"windtunnel show {story.run_id}.1")]
