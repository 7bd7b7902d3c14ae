"""Arguments that several commands share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Run: TypeAlias = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, the beginning of it, or the path of its store.")
]
Settings: TypeAlias = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the scenario; may be given again."),
]
Model: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="The model of all who ask one (if nobody does: of all agents), such as ollama:qwen3 or a "
        "route. rule and house are each role's own policy and need no key.",
    ),
]
Budget: TypeAlias = Annotated[
    float | None, typer.Option(metavar="USD", min=0, help="The most that its models may cost.")
]
Agents: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--agent",
        metavar="ID=POLICY",
        help="A policy of its role for one agent; or human, remote, llm, the name of a model, or (in run) "
        "@NAME: a strategy, also @NAME@1.2.0 or @./a/folder.",
    ),
]
Until: TypeAlias = Annotated[int | None, typer.Option(metavar="TURN", min=0, help="Pause after this turn.")]
By: TypeAlias = Annotated[str, typer.Option(metavar="NAME", help="Who says so; it is recorded.")]
Metric: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="NAME:OF",
        help="What wins in place of the usual score: a metric, and of it mean, sum, least, most or final, "
        "such as welfare:mean; debt:final:lower where less is better. Several with commas.",
    ),
]
Store: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Write to this store instead of one of its own.")
]
