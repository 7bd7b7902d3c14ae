"""What a file is, by the key that only its kind has: one that came to the wrong command is told the right
one."""

from __future__ import annotations

from windtunnel.scenario.reading import Node

KINDS = {  # the key -> what it is, and what takes it
    "tournament": ("a tournament", "windtunnel tournament"),
    "evolution": ("an evolution", "windtunnel evolve"),
    "strategy": ("a strategy", "windtunnel strategies add"),
    "agents": ("a scenario", "windtunnel run"),
}


def kind_of(root: Node) -> str:
    """The key that says it; nothing where none does."""
    return next((key for key in KINDS if key in root.value), "")


def expect(root: Node, wanted: str) -> None:
    """Refuse what is surely something else."""
    found = kind_of(root)
    if found not in ("", wanted):
        what, command = KINDS[found]
        place = root.value[found][0]
        raise place.error(f"this is {what}, not {KINDS[wanted][0]}", f"{command} {place.source}", found)
