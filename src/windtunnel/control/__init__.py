"""Many runs: what every door calls. `Control` has the verbs; executors play; the catalog finds."""

from windtunnel.control.catalog import Found, all_runs, find_run
from windtunnel.control.executor import Done, Executor, Job, LocalExecutor
from windtunnel.control.verbs import Asked, Control, opened

__all__ = [
    "Asked",
    "Control",
    "Done",
    "Executor",
    "Found",
    "Job",
    "LocalExecutor",
    "all_runs",
    "find_run",
    "opened",
]
