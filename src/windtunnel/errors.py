"""Every error Windtunnel raises on purpose.

An error says what is wrong, where, and what to do next; it carries its data, so that each door
(terminal, REST, MCP) can show it in its own way. Nothing else is printed for it: a traceback means a
bug of ours.

    WindtunnelError
      UsageError          bad input or wrong usage                              exit 2
        ScenarioError       a scenario file that cannot be played
        WorldError          a world that is missing, broken, or does not fit its contract
        NotFound            no such run, world, scenario, effect
        WrongState          a verb that the run's status does not allow
          VoteRefused         a vote that does not count: one's own, twice, late, on another action
        LeaseHeld           another process plays this run
        VersionMismatch     a journal or a state that this version cannot read
        ModelSetup          a model that is not known, not set up, or not allowed
        ToolSetup           a server of tools that is not set up, not allowed, or not there
        Unauthenticated     who asks did not say who they are, or not with a key that is good
        Forbidden           who asks lacks the role that a verb needs
      RunError            the run itself went wrong                             exit 3
        AgentError          an agent raised
          Undecided           an agent came to no decision that can be judged; it is asked again
        EngineError         a world's engine or validator raised
        InvariantBroken     a world's own check does not hold
        CodecError          a value that must not enter a journal (NaN, infinity, too large, ...)
        EffectFailed        the outside said no for good
        ModelError          no model answered: trigger, provider, model, status and attempt are in its data
      StorageError        the disk or the database refused                      exit 3
        LeaseLost           another process took this run over
      BudgetReached       the next model call could cost more than is left         exit 4
      Divergence          a re-execution differs from its record                exit 1
        EffectMissing       a replay asks for an effect that was never recorded
"""

from __future__ import annotations

from typing import Any, ClassVar


class WindtunnelError(Exception):
    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3

    def __init__(
        self, message: str, *, where: str | None = None, remedy: str | None = None, **data: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy
        self.data = data

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "where": self.where, "remedy": self.remedy}

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{where}{self.message}{remedy}"


class UsageError(WindtunnelError):
    code = "usage"
    exit_code = 2


class ScenarioError(UsageError):
    code = "scenario"


class WorldError(UsageError):
    code = "world"


class NotFound(UsageError):
    code = "not_found"


class WrongState(UsageError):
    code = "wrong_state"


class VoteRefused(WrongState):
    """`refused` in its data: self, unnamed, duplicate, changed, late, decided."""

    code = "vote_refused"


class LeaseHeld(UsageError):
    code = "lease_held"


class VersionMismatch(UsageError):
    code = "version"


class ModelSetup(UsageError):
    code = "model_setup"


class ToolSetup(UsageError):
    code = "tool_setup"


class Unauthenticated(UsageError):
    code = "unauthenticated"


class Forbidden(UsageError):
    """`needs` and `has` in its data name the roles."""

    code = "forbidden"


class RunError(WindtunnelError):
    code = "run_failed"


class AgentError(RunError):
    code = "agent"


class Undecided(AgentError):
    """`label` says why: truncated, empty, unparsable, illegal, refused."""

    code = "undecided"

    def __init__(self, label: str, message: str) -> None:
        super().__init__(message, label=label)
        self.label = label


class DeadlinePassed(TimeoutError):
    """The seconds of `context.within` are over, and the record says so."""


class EngineError(RunError):
    code = "engine"


class InvariantBroken(RunError):
    code = "invariant"


class CodecError(RunError):
    code = "codec"


class EffectFailed(RunError):
    code = "effect"


class ModelError(RunError):
    code = "model"


class BudgetReached(WindtunnelError):
    code = "budget"
    exit_code = 4


class StorageError(WindtunnelError):
    code = "storage"


class LeaseLost(StorageError):
    code = "lease_lost"


class Divergence(WindtunnelError):
    code = "divergence"
    exit_code = 1


class EffectMissing(Divergence):
    code = "effect_missing"
