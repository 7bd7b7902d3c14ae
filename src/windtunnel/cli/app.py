"""From words to a command: finds the one that is meant, lets typer read its arguments, and turns whatever
goes wrong into an error with a place and a remedy. The only place where exceptions end."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer

from windtunnel.cli import say
from windtunnel.cli.plain_types import use_plain_types
from windtunnel.cli.table import COMMANDS, Command
from windtunnel.errors import WindtunnelError

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EPILOG = "Also: --json prints one JSON object (one a line for lists), --debug shows a traceback."


def call(words: list[str]) -> int:
    """The exit code of one command."""
    name, arguments = words[0], words[1:]
    command = COMMANDS.get(name)
    if command is None:
        return _unknown(name)
    try:
        return _invoke(command, arguments)
    except WindtunnelError as problem:
        if problem.remedy is None and problem.exit_code == 2:
            problem.remedy = f"windtunnel {name} --help"
        return say.failure(problem)
    except typer.Exit as leave:
        return leave.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except typer.exceptions.TyperException as problem:
        return _usage(name, problem)
    except OSError as problem:
        return say.system(problem)
    except Exception as problem:  # noqa: BLE001 - a bug: told in one line, with --debug in full
        return say.unexpected(problem)


def parser(command: Command) -> Any:
    """The command as typer understands it."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=CONTEXT,
    )
    function = getattr(import_module(f"windtunnel.cli.{command.module}"), command.function)
    app.command(name=command.name, epilog=EPILOG)(function)
    made = typer.main.get_command(app)
    use_plain_types(made.get_params(typer.Context(made, **CONTEXT)))  # --help is one of them
    return made


def _invoke(command: Command, arguments: list[str]) -> int:
    ready = parser(command)
    with ready.make_context(f"windtunnel {command.name}", arguments) as context:
        code = ready.invoke(context)
    return code or 0


def _usage(name: str, problem: Any) -> int:
    message = problem.format_message() if hasattr(problem, "format_message") else str(problem)
    say.error("usage", message.rstrip("."), f"windtunnel {name}", f"windtunnel {name} --help")
    return 2


def _unknown(name: str) -> int:
    near = get_close_matches(name, COMMANDS, n=1, cutoff=0.6)
    if near:
        remedy = f"windtunnel {near[0]} --help"
    elif "/" in name or name.endswith((".yaml", ".yml")):
        remedy = f"windtunnel run {name}"
    else:
        remedy = "windtunnel --help lists all commands"
    meant = f", perhaps {near[0]!r}" if near else ""
    say.error("usage", f"there is no command {name!r}{meant}", None, remedy)
    return 2
