"""Agents that work together: five patterns, each `await team.invoke(task, runtime)` to a result."""

from windtunnel.teams import aggregate, managers
from windtunnel.teams.building import build_team
from windtunnel.teams.concurrent import Concurrent
from windtunnel.teams.groupchat import GroupChat
from windtunnel.teams.handoff import Handoff
from windtunnel.teams.inrun import InRun
from windtunnel.teams.limits import Limits
from windtunnel.teams.local import LocalRuntime, ask_of
from windtunnel.teams.magentic import Magentic
from windtunnel.teams.members import FunctionMember, HumanMember, Member, ModelMember
from windtunnel.teams.prompts import AnswerPrompts, ChatPrompts, MagenticPrompts
from windtunnel.teams.result import Line, MemberResult, OrchestrationResult, Problem
from windtunnel.teams.runtime import Asking, Late, MemberFailed, Runtime
from windtunnel.teams.sequential import Sequential
from windtunnel.teams.spec import TeamSpec
from windtunnel.teams.stage import Spoken, Turn
from windtunnel.teams.team import Team
from windtunnel.teams.tools import Approval, FunctionTool, tool

__all__ = [
    "AnswerPrompts",
    "Approval",
    "Asking",
    "ChatPrompts",
    "Concurrent",
    "FunctionMember",
    "FunctionTool",
    "GroupChat",
    "Handoff",
    "HumanMember",
    "InRun",
    "Late",
    "Limits",
    "Line",
    "LocalRuntime",
    "Magentic",
    "MagenticPrompts",
    "Member",
    "MemberFailed",
    "MemberResult",
    "ModelMember",
    "OrchestrationResult",
    "Problem",
    "Runtime",
    "Sequential",
    "Spoken",
    "Team",
    "TeamSpec",
    "Turn",
    "aggregate",
    "ask_of",
    "build_team",
    "managers",
    "tool",
]
