"""Checks that the same inputs give the same bytes: again, elsewhere, after a stop, on replay, in a fork."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from windtunnel.codec import StateCodec, find_unfit
from windtunnel.errors import CodecError
from windtunnel.scenario import scenario_to_plain
from windtunnel.testing.report import Finding
from windtunnel.testing.subject import Subject, differs
from windtunnel.words import counted

AMBIENT = (
    "take chance and time from `context` only, iterate over lists and dicts, keep everything in the state"
)
CHILD_SECONDS = 60
IN_CHILD = "WINDTUNNEL_KIT_CHILD"  # a module that runs the kit as it is imported must not start others


def determinism(subject: Subject) -> Iterator[Finding]:
    """The same seed gives the same head, twice in this process."""
    name = "determinism"
    base = subject.base()
    with subject.lab() as lab:
        lab.play(subject.scenario, answer=subject.answer)
        difference = differs(base.history(), lab.history())
    if difference:
        yield subject.find(name, "lacks", f"the same seed went another way: {difference}", AMBIENT)
    else:
        yield subject.find(name, "ok", "the same seed gives the same head")


def determinism_elsewhere(subject: Subject) -> Iterator[Finding]:
    """The same seed gives the same head in another process, whose hashes of text are seeded otherwise."""
    name = "determinism elsewhere"
    address = _address(subject)
    if os.environ.get(IN_CHILD) or address is None or subject.players or subject.effects or subject.answer:
        why = (
            "the world stands in no module" if address is None else "players or effects live in this process"
        )
        yield subject.find(name, "skipped", f"{why}, so that a child process cannot play it")
        return
    module, attribute, file = address
    request = {
        "module": module, "attribute": attribute, "file": file, "path": sys.path,
        "scenario": scenario_to_plain(subject.scenario),
    }  # fmt: skip
    environment = {**os.environ, "PYTHONHASHSEED": str(1 + int(os.environ.get("PYTHONHASHSEED", "0") == "1"))}
    environment[IN_CHILD] = "1"
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-m", "windtunnel.testing.child"],
        input=msgspec.json.encode(request),
        env=environment,
        capture_output=True,
        timeout=CHILD_SECONDS,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        yield subject.find(
            name, "lacks", f"it cannot be played in a process of its own: {' '.join(said)[:300]}",
            f"`import {module}` must be enough to find {attribute}",
        )  # fmt: skip
    elif (head := done.stdout.decode().split()[-1]) != subject.base().head():
        yield subject.find(
            name, "lacks", f"another process came to head {head[:12]}, not to {subject.base().head()[:12]}",
            f"look for sets, `hash()`, `id()`, the order of files: {AMBIENT}",
        )  # fmt: skip
    else:
        yield subject.find(name, "ok", "another process comes to the same head")


def _address(subject: Subject) -> tuple[str, str, str] | None:
    """Where a child process finds the world: module, attribute, file."""
    for name, module in list(sys.modules.items()):
        if name == "__main__":
            continue  # a script would run as a whole when it is imported
        for attribute, value in list(vars(module).items()) if hasattr(module, "__dict__") else ():
            if value is subject.world:
                file = getattr(module, "__file__", None) or ""
                return name, attribute, str(Path(file).resolve()) if file else ""
    return None


def other_seed(subject: Subject) -> Iterator[Finding]:
    """Another seed goes another way. A world without chance is only told so."""
    name = "chance"
    base = [entry.body for entry in subject.base().history()[1:]]
    for seed in range(subject.scenario.seed + 1, subject.scenario.seed + 4):
        with subject.lab() as lab:
            lab.play(subject.other(seed), answer=subject.answer)
            if [entry.body for entry in lab.history()[1:]] != base:
                yield subject.find(name, "ok", "another seed goes another way")
                return
    yield subject.find(
        name, "warns", "four seeds went the same way: this world has no chance in it",
        "if that is not meant, draw from context.chance(…)",
    )  # fmt: skip


def checkpoints(subject: Subject) -> Iterator[Finding]:
    """A state that was stored and read back is the same state, to the byte."""
    name = "checkpoint round trip"
    codec: StateCodec[object] = StateCodec(subject.world.state)
    for turn in subject.some_turns(6):
        player = subject.base().at(turn)
        try:
            raw = codec.encode(player.frame.state)
            again = codec.encode(codec.decode(raw, player.tape.lineage.segment))
        except CodecError as error:
            yield subject.find(
                name, "lacks", f"after turn {turn}: {error.message}",
                "give each field of the state the type that its values have",
            )  # fmt: skip
            return
        if raw != again:
            problem = find_unfit(player.frame.state) or "its bytes differ"
            yield subject.find(
                name, "lacks", f"the state after turn {turn} comes back changed: {problem}",
                "keys of dicts as text, tuples and lists as declared, no values that decode to others",
            )  # fmt: skip
            return
    yield subject.find(name, "ok", "states come back as they went")


def resume(subject: Subject) -> Iterator[Finding]:
    """Stopped now and then, with other runs played between, it comes to the same head."""
    name = "resume"
    base = subject.base()
    last = subject.row.turn
    stops = sorted({1, 2, 3, *range(5, last, max(1, last // 8)), last - 1} & set(range(1, last)))
    with subject.lab() as lab:
        lab.begin(subject.scenario)
        for stop in stops:
            row = lab.go(stop_after=stop)
            while row.status == "waiting" and lab.satisfy(answer=subject.answer):
                row = lab.go(stop_after=stop)
            subject.disturb()
        lab.go_on(answer=subject.answer)
        difference = differs(base.history(), lab.history())
    if difference:
        yield subject.find(
            name, "lacks", f"stopped and resumed, it went another way: {difference}",
            "keep nothing on the engine, the validator or in the module: only the state comes back",
        )  # fmt: skip
    else:
        yield subject.find(
            name, "ok", f"{counted(len(stops), 'stop')} and {counted(len(stops), 'resume')} changed nothing"
        )


def replay(subject: Subject) -> Iterator[Finding]:
    """Played again from its recorded answers it is the same, entry by entry."""
    name = "replay"
    subject.disturb()
    seen = subject.base().replay()
    if seen.identical:
        yield subject.find(name, "ok", f"{counted(seen.turns, 'turn')}, identical")
    else:
        found = seen.first_difference or {}
        yield subject.find(name, "lacks", f"{found.get('where')}: {found.get('message')}", AMBIENT)


def fork(subject: Subject) -> Iterator[Finding]:
    """A fork that changes nothing goes the way of its parent."""
    name = "fork"
    base = subject.base()
    parent = [entry for entry in base.history() if entry.phase != "fork"]
    for number, turn in enumerate(subject.some_turns(3)):
        run_id = f"kit-fork-{number}"
        base.fork(str(turn), run_id)
        base.go_on(run_id, answer=subject.answer)
        mine = [entry for entry in base.history(run_id) if entry.phase != "fork"]
        pairs = [(a[1:6], b[1:6]) for a, b in zip(parent, mine, strict=False)]
        at = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
        if at is not None or len(parent) != len(mine):
            place = mine[at].place if at is not None else f"{len(mine)} entries instead of {len(parent)}"
            yield subject.find(
                name, "lacks", f"a fork after turn {turn} with no change went another way: {place}", AMBIENT
            )
            return
    yield subject.find(name, "ok", "unchanged forks go the way of their parent")
