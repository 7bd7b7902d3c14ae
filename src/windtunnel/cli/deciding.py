"""`proposals`: what evolutions found, with the evidence for it; and the decision, which can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.errors import UsageError

if TYPE_CHECKING:
    from windtunnel.control.proposing import Proposal

ACTIONS = {"list": 0, "show": 1, "approve": 1, "reject": 1, "rollback": 1}


def proposals(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[list|show|approve|reject|rollback] [ID]", help="What to do, with which."),
    ] = None,
    by: Annotated[
        str, typer.Option("--as", "--by", metavar="NAME", help="Whose word it is; else whoever is logged in.")
    ] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="A word to the decision; it is kept.")] = "",
    status: Annotated[
        str, typer.Option(metavar="STATUS", help="list: only pending, applied, rejected, rolled_back …")
    ] = "",
) -> int:
    """See what evolutions propose, and decide it. What is approved becomes a version and is put in force;
    rollback puts back the one before it.

    \b
    Examples:
      windtunnel proposals
      windtunnel proposals show 3
      windtunnel proposals approve 3 --as kim --note "less debt, as much work"
      windtunnel proposals rollback 3 --as kim
    """
    action, *rest = words or ["list"]
    door.one_of(action, ACTIONS, "proposals")
    if len(rest) != ACTIONS[action]:
        usage = f"windtunnel proposals {action}{' ID' if ACTIONS[action] else ''}"
        raise UsageError(f"{action} takes {'one proposal' if ACTIONS[action] else 'nothing more'}",
                         where="proposals", remedy=usage)  # fmt: skip
    from windtunnel.cli.taking import me  # noqa: PLC0415 - the rooms behind this command, not --help's
    from windtunnel.control.proposals import Proposals  # noqa: PLC0415 - as above

    control, who = door.the_control(), by or me()
    with Proposals(control.workspace, control.find_world) as kept:
        if action == "list":
            return _list(kept.list(status=status))
        if action == "show":
            return _show(kept.find(rest[0]))
        if action == "approve":
            return _told(kept.approve(rest[0], by=who, note=note))
        if action == "reject":
            return _told(kept.reject(rest[0], by=who, note=note))
        return _told(kept.rollback(rest[0], by=who, note=note))


def data(one: Proposal) -> dict[str, Any]:
    """As scripts read it: what was proposed and how it stands, side by side."""
    import msgspec  # noqa: PLC0415 - with the rooms behind this command

    plain: dict[str, Any] = msgspec.to_builtins(one)
    return {**plain.pop("wanted"), **plain, "strategy": one.strategy}


def _list(found: list[Proposal]) -> int:
    if say.door.json:
        for one in found:
            say.data(data(one))
        return 0
    if not found:
        say.show("no proposals", "")
        say.show(render.next_steps([("begin", "windtunnel evolve FILE")]))
        return 0
    table = render.grid(
        ("", "right"), "type", ("title", "wrap"), ("confidence", "right"), "risk", "status", "since"
    )
    for one in found:
        table.add_row(
            str(one.id), one.wanted.type, escape(one.wanted.title), f"{one.wanted.confidence:.3f}",
            one.wanted.risk, _stands(one), f"[dim]{render.age(door.seconds_since(one.made))}[/]",
        )  # fmt: skip
    say.show(table)
    return 0


def _show(one: Proposal) -> int:
    if say.door.json:
        say.data(data(one))
        return 0
    wanted, evidence = one.wanted, one.wanted.evidence
    say.show(render.title(f"proposal [bold]{one.id}[/]", _stands(one), f"{wanted.risk} risk"))
    facts = [("what", wanted.title), ("why", wanted.description)]
    facts += [("confidence", f"{wanted.confidence:.4f}"), ("found by", f"windtunnel show {wanted.run_id}")]
    facts += [("held out", f"{', '.join(evidence['scenarios'])}; {', '.join(evidence['opponents'])}")]
    facts += [("score", evidence["score"])] if "score" in evidence else []
    facts += [("replaces", one.base)] if one.base else []
    facts += [("version", one.version)] if one.version else []
    facts += [("", f"{vote.who}: {vote.word}{f', {vote.note}' if vote.note else ''}") for vote in one.votes]
    say.show(render.facts([(name, escape(value)) for name, value in facts]), "")
    if wanted.diff.changes:
        table = render.grid("field", ("before", "wrap"), ("after", "wrap"))
        for change in wanted.diff.changes:
            table.add_row(escape(change.field), escape(str(change.before)), escape(str(change.after)))
        say.show(table)
    if wanted.diff.instructions:
        say.show("", "[dim]instructions[/]")
        say.line(wanted.diff.instructions)
    say.show("", render.next_steps(_steps(one)))
    return 0


def _told(one: Proposal) -> int:
    if say.door.json:
        say.data(data(one))
        return 0
    force = {"applied": one.version, "rolled_back": one.base}.get(one.status)
    told = f"; {force} is in force" if force else ""
    say.show(f"proposal {one.id}: [bold]{_stands(one)}[/]{escape(told)}")
    say.show(render.next_steps(_steps(one)))
    return 0


def _stands(one: Proposal) -> str:
    if one.status == "pending":
        return f"pending, {len(one.approvals)} of {one.needed}"
    return one.status.replace("_", " ")


def _steps(one: Proposal) -> list[tuple[str, str]]:
    if one.status in ("pending", "approved"):
        return [("put it in force", f"windtunnel proposals approve {one.id} --as NAME")]
    if one.status == "applied":
        steps = [("take it back", f"windtunnel proposals rollback {one.id}")]
        if one.base and "duel" in one.wanted.evidence:
            duel = f"windtunnel duel {one.version} {one.base} {one.wanted.evidence['duel']} --seed N"
            steps.append(("try it on luck of your own", duel))
        return steps
    return [("what there is", "windtunnel proposals")]
