"""Calls of models in words: who was asked what, who answered, and what it cost."""

from __future__ import annotations

from typing import Any

from windtunnel.cli import render

CUT = 300  # characters of one message; `--agent` and `--json` show all of it


def model_call(actor: str, request: dict[str, Any], reply: Any, *, whole: bool) -> list[tuple[str, str]]:
    """One call as lines of who and what. `reply` is None where none is known."""
    tools = ", ".join(tool["name"] for tool in request.get("tools", ()))
    about = [request.get("model") or "the default route", f"tools {tools}" if tools else ""]
    lines = [(f"{actor or 'world'} asked a model", "  ".join(part for part in about if part))]
    messages = request.get("messages", ())
    if not whole:
        messages = [message for message in messages if message.get("role") != "system"][-2:]
    lines += [(f"  {one.get('name') or one.get('role')}", _said(one, whole=whole)) for one in messages]
    if isinstance(reply, dict):
        lines.append(("  reply", _said(reply, whole=whole)))
        lines.append(("", _cost(reply)))
    return lines


def _said(message: dict[str, Any], *, whole: bool) -> str:
    calls = [
        f"{call['name']}({render.compact(call.get('arguments'), CUT)})" for call in message.get("calls", ())
    ]
    text = message.get("text", "").strip()
    if not whole:
        text = " ".join(text.split())
        text = text if len(text) <= CUT else f"{text[:CUT]}…"
    return "\n".join(part for part in (text, *(f"calls {call}" for call in calls)) if part) or "(nothing)"


def _cost(reply: dict[str, Any]) -> str:
    usage = reply.get("usage", {})
    told = [
        f"by {reply.get('model', '?')}",
        f"{usage.get('input', 0):,} + {usage.get('output', 0):,} tokens",
        f"${reply['cost'] / 1e6:.6f}" if reply.get("cost") else "",
        reply["label"] if reply.get("label", "ok") != "ok" else "",
        *reply.get("marks", ()),
    ]
    return ", ".join(part for part in told if part)
