"""Many runs: what every door calls. `Control` has the verbs; executors play; the catalog finds."""

from windtunnel.control.approvals import Approval, Voted
from windtunnel.control.catalog import Found, all_runs, find_run, opened
from windtunnel.control.executor import Done, Executor, Job, LocalExecutor
from windtunnel.control.verbs import Asked, Control

__all__ = [
    "Approval",
    "Asked",
    "Control",
    "Done",
    "Executor",
    "Found",
    "Job",
    "LocalExecutor",
    "Voted",
    "all_runs",
    "find_run",
    "opened",
]
