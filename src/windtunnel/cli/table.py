"""Every command: its word, where it lives, and what it does in one line. The overview is printed from here,
so that it needs neither typer nor any of the rooms behind the commands."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    name: str
    module: str
    about: str

    @property
    def function(self) -> str:
        """Words that are taken in Python have a `_` behind them."""
        return self.name.replace("-", "_") + ("_" if self.name == "import" else "")


GROUPS: dict[str, tuple[Command, ...]] = {
    "Play": (
        Command("run", "running", "play a scenario, such as economy/growth or a file"),
        Command("resume", "running", "go on with a run that was paused, waited or crashed"),
        Command("estimate", "estimating", "what a run would ask of its models, and what that may cost"),
        Command("schedule", "scheduling", "play by the clock: runs, health checks, pruning"),
        Command("worlds", "catalog", "the worlds that are installed"),
        Command("scenarios", "catalog", "the scenarios of a world"),
    ),
    "Look": (
        Command("runs", "listing", "the runs of this workspace, newest first"),
        Command("show", "looking", "one run: results, curves, and back to the entry that caused them"),
        Command("compare", "comparing", "runs side by side, and where they part"),
        Command("export", "keeping", "csv, parquet, jsonl, chat, or one html file that opens offline"),
    ),
    "Compete": (
        Command("tournament", "tournaments", "strategies against each other: who is better, and by how much"),
        Command("standings", "tournaments", "how a tournament stands"),
        Command("duel", "duelling", "two strategies, until it is known which is better"),
        Command(
            "selfplay", "selfplaying", "a strategy against its past versions: what it gained, and forgot"
        ),
        Command("evolve", "evolving", "make a strategy better, and prove it on luck it never saw"),
        Command("proposals", "deciding", "what evolutions propose: look, approve, reject, roll back"),
    ),
    "Steer": (
        Command("fork", "forking", "what if: another course from a turn on, with unchanged controls"),
        Command("pause", "steering", "stop a run at the end of its turn"),
        Command("cancel", "steering", "end a run for good"),
        Command("inject", "steering", "send an event into a run"),
        Command("approvals", "approving", "see and decide what waits for people"),
        Command("answer", "answering", "answer a question that a run waits for"),
        Command("feedback", "judging", "say how good a run was, or one entry of it"),
    ),
    "Prove": (
        Command("replay", "proving", "play a run again from its record, and hold it against the record"),
        Command("verify", "proving", "check that nothing in a run was changed or cut off"),
    ),
    "Keep": (
        Command("backup", "keeping", "copy a store while runs go on"),
        Command("import", "keeping", "bring the runs of another store into this workspace"),
        Command("prune", "keeping", "remove old runs"),
        Command("keys", "keys", "who may use a server of this workspace; a key that signs heads"),
    ),
    "Serve": (
        Command("serve", "serving", "REST, streams and MCP over this workspace, with workers that play"),
        Command("mcp", "modelling", "the same verbs as tools, for the model whose client starts this"),
    ),
    "Build": (
        Command("new", "building", "write a new world, which runs at once"),
        Command("schema", "catalog", "the JSON schema of a world's scenario files"),
        Command("strategies", "strategies", "ways to play a role: versions, lineage, what is in force"),
        Command("models", "models", "which models can be asked, at what price, and do they answer"),
        Command("doctor", "doctoring", "is this machine ready, and what to do if not"),
    ),
}

COMMANDS = {command.name: command for group in GROUPS.values() for command in group}


def overview() -> str:
    lines = [
        "windtunnel: play autonomous agents in simulated worlds; record, replay, fork and compare every run",
        "",
        "  windtunnel COMMAND [ARGUMENTS]",
    ]
    for title, commands in GROUPS.items():
        lines += ["", title]
        lines += [f"  {command.name:<11} {command.about}" for command in commands]
    lines += [
        "",
        "  windtunnel COMMAND --help   options and examples",
        "  --json                      one JSON object, or one a line for lists (every command)",
        "  --debug                     show a traceback when something fails (every command)",
        "  --version                   the version",
        "",
        "Start with: windtunnel run economy/growth",
    ]
    return "\n".join(lines)
