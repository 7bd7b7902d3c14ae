"""`models`: which models there are, what they cost, and whether they answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.config import find_workspace

if TYPE_CHECKING:
    from windtunnel.config import Workspace
    from windtunnel.config.models import Limit
    from windtunnel.control.models import Configured, Overview, Routed, Spent, Tested

ACTIONS = ("list", "test")
MILLION = 1_000_000
BUILT_IN = {
    "rule": "each role's own policy, no model at all; the default",
    "house": "that policy, answering through the whole path of a model; no key",
    "test": "the smallest answer that fits, from this process; for wiring",
}
HOW = """\
No model is set up here, and none is needed: rule and house play without a key.

To set one up, say so in the environment or in a .env beside windtunnel.toml:"""
VARIABLES = [
    ("claude", "ANTHROPIC_API_KEY=…"),
    ("gemini", "GEMINI_API_KEY=…"),
    ("openai", "OPENAI_API_KEY=…"),
    ("ollama", "OLLAMA_URL=http://localhost:11434"),
    ("vllm", "VLLM_URL=http://localhost:8000  VLLM_MODEL=…"),
]


def models(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="test NAME", help="Ask these, or all that can be asked; routes too."),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="test: wait so long for each.")
    ] = 60.0,
) -> int:
    """Show which models can be asked, by which routes, at what price and within which budgets.

    With test, each is asked one tiny question; ends with 1 if one does not answer.

    \b
    Examples:
      windtunnel models
      windtunnel models test
      windtunnel models test claude default --json
    """
    action, *names = words or ["list"]
    door.one_of(action, ACTIONS, "models")
    workspace = find_workspace()
    return _test(workspace, names, seconds) if action == "test" else _list(workspace)


# --- what there is ---


def _list(workspace: Workspace) -> int:
    import msgspec  # noqa: PLC0415 - with the rooms behind this command, none of which --help needs

    from windtunnel.control.models import overview  # noqa: PLC0415

    found = overview(workspace)
    if say.door.json:
        say.data({**msgspec.to_builtins(found), "can_be_asked": found.askable})
        return 0
    if not found.deployments:
        _how(found)
    else:
        _deployments(found)
        say.show(_routes(found.routes), "")
    say.show(render.facts([(f"[bold]{name}[/]", BUILT_IN[name]) for name in BUILT_IN]))
    if money := _money(found):
        say.show("", render.facts(money))
    if found.deployments:
        say.show("", render.next_steps([("do they answer?", "windtunnel models test")]))
    return 0


def _how(found: Overview) -> None:
    say.show(HOW, "", render.facts([(name, escape(variable)) for name, variable in VARIABLES]), "")
    if found.env_file:
        say.show(f"[yellow]{escape(found.env_file)} is not read: no windtunnel.toml lies beside it[/]", "")
    steps = [
        ("every variable", ".env.example; deployments, routes and budgets: docs/models.md"),
        ("play without", "windtunnel run economy/growth --model house"),
    ]
    say.show(render.next_steps(steps), "")


def _deployments(found: Overview) -> None:
    table = render.grid("name", "model and address", "key", ("$ a million", "right"), "breaker")
    table.columns[1].no_wrap, table.columns[1].overflow = False, "fold"
    for one in found.deployments:
        table.add_row(*_cells(one))
    count = len(found.askable)
    offline = "; [yellow]WINDTUNNEL_OFFLINE is set[/]" if found.offline else ""
    say.show(table, "", f"{count} of {len(found.deployments)} can be asked{offline}", "")


def _cells(one: Configured) -> list[str]:
    problem = f"\n[yellow]{escape(one.problem)}[/]" if one.problem else ""
    key = (
        "[dim]none[/]" if not one.key else f"{escape(one.key)}\n[dim]{'set' if one.key_set else 'not set'}[/]"
    )
    return [
        f"[bold]{escape(one.name)}[/]\n[dim]{one.where}[/]",
        f"{escape(one.model)}\n[dim]{escape(one.address) or 'its own address'}[/]{problem}",
        key,
        _price(one),
        f"{one.breaker}\n[dim]{one.concurrency} at once[/]",
    ]


def _price(one: Configured) -> str:
    if one.price is None:
        return "[yellow]no price[/]"
    if one.free:
        return "free"
    price = one.price
    return f"{price.input:g} in\n{price.output:g} out"


def _routes(routes: list[Routed]) -> Any:
    rows = []
    for route in routes:
        lines = [escape(f"{_when(choice)}{', '.join(choice['use'])}") for choice in route.choose]
        lines += [escape(f"then {', '.join(route.chain)}")] if route.chain else []
        order = escape(" → ".join(route.order)) if route.order else "[yellow]nobody[/]"
        lines.append(f"here [bold]{order}[/]")
        lines += [f"[dim]left out {escape(why)}[/]" for why in route.left_out]
        rows.append((f"route [bold]{escape(route.name)}[/]", "\n".join(lines)))
    return render.facts(rows)


def _when(choice: dict[str, Any]) -> str:
    """A choice's conditions in words."""
    said = []
    for key, value in choice.items():
        if key == "accuracy":
            said.append("accuracy" if value else "no accuracy")
        elif key in ("types", "risk"):
            said.append(f"{key.removesuffix('s')} {' or '.join(value)}")
        elif key != "use":
            said.append(f"{key.replace('_', ' ')} {value:,}")
    return f"if {' and '.join(said)}: " if said else "else "


def _money(found: Overview) -> list[tuple[str, str]]:
    rows = [(f"budget of {'the' if name == 'workspace' else 'a'} {name}", _limit(limit))
            for name, limit in found.budgets.items()]  # fmt: skip
    return rows + [(f"account {escape(one.account)}", _spent(one)) for one in found.accounts]


def _limit(limit: Limit) -> str:
    parts = [f"${limit.money:,.2f}"] if limit.money is not None else []
    parts += [f"{limit.tokens:,} tokens"] if limit.tokens is not None else []
    return ", ".join(parts)


def _spent(one: Spent) -> str:
    said = f"{_dollars(one.micro_dollars)} and {one.tokens:,} tokens spent"
    if one.reserved_micro_dollars or one.reserved_tokens:
        said += f", {_dollars(one.reserved_micro_dollars)} and {one.reserved_tokens:,} tokens reserved"
    if one.in_doubt:
        said += f", [yellow]{one.in_doubt} call{'s' * (one.in_doubt != 1)} in doubt[/]"
    return said


def _dollars(micro: int) -> str:
    return f"${micro / MILLION:,.6f}".rstrip("0").rstrip(".") if micro else "$0"


# --- do they answer ---


def _test(workspace: Workspace, names: list[str], seconds: float) -> int:
    from windtunnel.control.models import try_out  # noqa: PLC0415 - nothing of it is needed by --help

    done = asyncio.run(try_out(workspace, names, told=_tell, seconds=seconds))
    return 0 if all(one.ok for one in done) else 1


def _tell(one: Tested) -> None:
    if say.door.json:
        say.data({name: getattr(one, name) for name in one.__struct_fields__})
        return
    mark = "[green]ok[/]" if one.ok else "[red]!![/]"
    took = f"[dim]{one.seconds:.1f} s[/]"
    if one.error is None:
        label = "" if one.label == "ok" else f"  [yellow]{one.label}[/]"
        used = f"{one.input:,} + {one.output:,} tokens  {_dollars(one.cost)}"
        said = f"{escape(one.model)}  {took}  {used}{label}"
    else:
        said = f"failed  {took}  {escape(one.error['message'])}"
        said += f"\n[dim]next[/]  {escape(one.error['remedy'])}" if one.error["remedy"] else ""
    table = render.facts([])
    table.add_column(overflow="fold")
    table.add_row(mark, f"[bold]{escape(one.name)}[/]", said)
    say.show(table)
