"""Errors as a model can act on them: what is wrong, where, and which tool to call next."""

from __future__ import annotations

import logging
import re

from fastmcp.exceptions import ToolError
from pydantic import ValidationError

from windtunnel.errors import RunError, WindtunnelError

log = logging.getLogger("windtunnel.server")
SHOWN = 10  # fields of one call that are told

# Remedies speak of routes and commands; here they speak of tools.
TOOLS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), tool)
    for pattern, tool in (
        (r"(?:POST|GET) /api/simulations/\S+?/fork\b", "fork_simulation"),
        (r"POST /api/simulations/\S+?/resume\b", "resume_simulation"),
        (r"POST /api/simulations/\S+?/pause\b", "pause_simulation"),
        (r"GET /api/simulations/\S+?/answers\b", "list_questions"),
        (r"POST /api/simulations/\S+?/answers\b", "answer_question"),
        (r"GET /api/simulations/\S+?/(entries|metrics|state|config)\b", r"get_\1"),
        (r"GET /api/simulations/\S+?/results\b", "get_simulation_results"),
        (r"DELETE /api/simulations/\S+", "cancel_simulation"),
        (r"GET /api/simulations/\S+", "get_simulation_status"),
        (r"GET /api/simulations\b", "list_simulations"),
        (r"POST /api/simulations\b", "start_simulation"),
        (r"GET /api/tournaments\b\S*", "get_tournament_standings"),
        (r"windtunnel (tournament|standings) \S+", "get_tournament_standings"),
        (r"GET /api/evolution/proposals\b\S*", "list_proposals"),
        (r"GET /api/evolution\b\S*", "get_evolution"),
        (r"windtunnel proposals show \S+", "get_proposal"),
        (r"windtunnel proposals (approve|reject|rollback) \S+", r"decide_proposal (\1)"),
        (r"windtunnel proposals\b", "list_proposals"),
        (r"windtunnel strategies\b( list)?( --world \S+)?", "list_strategies"),
        (r"GET /api/approvals\S*", "list_approvals"),
        (r"GET /api/(worlds|scenarios|models|schedules)\b\S*", r"list_\1"),
        (r"windtunnel runs\b", "list_simulations"),
        (r"windtunnel show \S+", "get_simulation_status"),
        (r"windtunnel (fork|resume|pause|cancel|replay|verify) \S+(?: --\S+(?: \S+)?)*", r"\1_simulation"),
        (r"windtunnel (worlds|scenarios|models)\b", r"list_\1"),
        (r"windtunnel approvals\b", "list_approvals"),
        (r"windtunnel answer \S+(?: --json)?", "list_questions"),
        (r"windtunnel schedule( list)?\b", "list_schedules"),
    )
)


def in_tools(text: str) -> str:
    for pattern, tool in TOOLS:
        text = pattern.sub(tool, text)
    return text


def told(error: WindtunnelError) -> ToolError:
    """What failed inside a world or an agent may quote what agents wrote: that is not repeated."""
    if isinstance(error, RunError) or error.code in ("divergence", "effect_missing"):
        message = f"the run or its world failed here ({error.code}); what it said is not repeated"
        lines = [f"error: {message}", "next: get_entries with include_agent_text=true shows the record"]
    else:
        lines = [f"error: {error.message}"]
        lines += [f"where: {error.where}"] if error.where else []
        lines += [f"next: {in_tools(error.remedy)}"] if error.remedy else []
    return ToolError("\n".join([*lines, f"code: {error.code}"]), log_level=logging.DEBUG)


def unfit(tool: str, error: ValidationError) -> ToolError:
    """Arguments that do not fit, field by field, without what was sent."""
    lines = [f"error: the arguments of {tool} do not fit"]
    for one in error.errors(include_url=False, include_input=False)[:SHOWN]:
        field = ".".join(str(step) for step in one["loc"] if step != "function-after[_one_name_each()]")
        lines.append(f"  {field or 'arguments'}: {one['msg'].removeprefix('Value error, ')}")
    lines.append("next: call it again with these put right; its description has an example")
    return ToolError("\n".join(lines), log_level=logging.DEBUG)


def bug(tool: str, error: Exception) -> ToolError:
    log.error("tool %s", tool, exc_info=error)
    return ToolError(
        f"error: {tool} failed for a reason of its own, a bug of Windtunnel\n"
        "next: the log of the server has more; get_system shows whether it is well",
        log_level=logging.DEBUG,
    )
