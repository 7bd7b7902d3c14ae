"""`doctor`: is this machine ready, and what to do if not."""

from __future__ import annotations

from rich.markup import escape

from windtunnel.cli import render, say
from windtunnel.config import find_workspace
from windtunnel.control.doctor import examine

MARKS = {"good": "[green]ok[/]", "note": "[dim]--[/]", "bad": "[red]!![/]"}


def doctor() -> int:
    """Check this machine and this workspace; ends with 1 if something is wrong.

    \b
    Examples:
      windtunnel doctor
      windtunnel doctor --json
    """
    checks = list(examine(find_workspace()))
    bad = [check for check in checks if check.level == "bad"]
    if say.door.json:
        for check in checks:
            say.data({name: getattr(check, name) for name in check.__struct_fields__})
        return 1 if bad else 0
    table = render.facts([])
    table.add_column(overflow="fold")
    for check in checks:
        next_ = f"\n[dim]next[/]  {escape(check.remedy)}" if check.remedy and check.level != "good" else ""
        table.add_row(MARKS[check.level], f"[bold]{escape(check.name)}[/]", f"{escape(check.found)}{next_}")
    say.show(table, "")
    say.show(f"[red]{len(bad)} to mend[/]" if bad else "[green]ready[/]")
    return 1 if bad else 0
